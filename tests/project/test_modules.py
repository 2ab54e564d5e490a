from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from awaitest.project.modules import Binding, Imported, Module
from awaitest.source.document import Document


def module(source: str) -> Module:
    return Module("m", Path("/p/m.py"), False, "project", document=Document(dedent(source)))


def shown(binding: Binding) -> str:
    if isinstance(binding, Imported):
        return f"{'.' * binding.level}{binding.module}:{binding.name or ''}"
    return ast.unparse(binding).splitlines()[0]


BOUND: dict[str, tuple[str, dict[str, list[str]]]] = {
    "function": ("async def a(): ...\n", {"a": ["async def a():"]}),
    "class": ("class A: ...\n", {"A": ["class A:"]}),
    "two definitions": ("def a(): 1\ndef a(b): 2\n", {"a": ["def a():", "def a(b):"]}),
    "import": ("import a, b.c, d.e as f\n", {"a": ["a:"], "b": ["b:"], "f": ["d.e:"]}),
    "from import": ("from a.b import c, d as e\n", {"c": ["a.b:c"], "e": ["a.b:d"]}),
    "relative import": ("from . import a\nfrom ..b import c\n", {"a": [".:a"], "c": ["..b:c"]}),
    "assignment": ("a = b = c.d\n", {"a": ["c.d"], "b": ["c.d"]}),
    "annotated": ("a: int = 1\nb: str\n", {"a": ["a: int = 1"], "b": ["b: str"]}),
    "augmented": ("a = 1\na += 2\n", {"a": ["1", "a += 2"]}),
    "unpacked": ("a, (b, *c) = 1, d\n", {"a": ["1"], "b": ["b"], "c": ["c"]}),
    "unpacked from elsewhere": ("a, b = c\n", {"a": ["a"], "b": ["b"]}),
    "not names": ("a.b = 1\na[0] = 2\n", {}),
    "if": ("if x:\n    a = 1\nelif y:\n    a = 2\nelse:\n    b = 3\n", {"a": ["1", "2"], "b": ["3"]}),
    "try": (
        "try:\n    a = 1\nexcept E:\n    a = 2\nelse:\n    b = 3\nfinally:\n    c = 4\n",
        {"a": ["1", "2"], "b": ["3"], "c": ["4"]},
    ),
    "with": ("with x as a:\n    b = 1\n", {"a": ["a"], "b": ["1"]}),
    "for": ("for a in x:\n    b = 1\nelse:\n    c = 2\n", {"a": ["a"], "b": ["1"], "c": ["2"]}),
    "match": ("match x:\n    case 1:\n        a = 1\n    case _:\n        a = 2\n", {"a": ["1", "2"]}),
    "inside a function": ("def a():\n    b = 1\n", {"a": ["def a():"]}),
}


@pytest.mark.parametrize("name", BOUND)
def test_bound_names(name: str) -> None:
    source, expected = BOUND[name]
    assert {key: [shown(item) for item in items] for key, items in module(source).bound.items()} == expected


HELD: dict[str, tuple[str, list[str]]] = {
    "the last one": ("a = 1\na = 2\n", ["2"]),
    "either branch": ("if x:\n    a = 1\nelse:\n    a = 2\n", ["1", "2"]),
    "branch or before": ("a = 1\nif x:\n    a = 2\n", ["2", "1"]),
    "a branch that ends": ("if x:\n    a = 1\nelse:\n    a = 2\n    raise E\n", ["1"]),
    "for types": ("if TYPE_CHECKING:\n    from b import a\nelse:\n    a = None\n", ["b:a"]),
    "not for types": ("if not typing.TYPE_CHECKING:\n    a = None\nelse:\n    from b import a\n", ["b:a"]),
    "guarded import": ("try:\n    from b import a\nexcept ImportError:\n    a = None\n", ["b:a"]),
    "guarded by more": ("try:\n    import a\nexcept (KeyError, ModuleNotFoundError):\n    a = 1\n", ["a:"]),
    "import guarded by something else": ("try:\n    import a\nexcept KeyError:\n    a = 1\n", ["a:", "1"]),
    "guarded call": ("try:\n    a = b()\nexcept ImportError:\n    a = c()\n", ["b()", "c()"]),
    "handler that raises": ("try:\n    a = b()\nexcept E:\n    a = 1\n    raise\n", ["b()"]),
    "finally": ("try:\n    a = 1\nexcept E:\n    a = 2\nfinally:\n    a = 3\n", ["3"]),
    "loop": ("a = 1\nwhile x:\n    a = 2\n", ["2", "1"]),
    "deleted": ("a = 1\ndel a\n", []),
    "cases": ("match x:\n    case 1:\n        a = 1\n    case _:\n        a = 2\n", ["1", "2"]),
}


@pytest.mark.parametrize("name", HELD)
def test_what_a_name_may_hold_in_the_end(name: str) -> None:
    source, expected = HELD[name]
    assert [shown(item) for item in module(source).held("a")] == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = 1\n", None),
        ("__all__ = ['a', 'b']\n", {"a", "b"}),
        ("__all__: list[str] = ['a']\n", {"a"}),
        ("__all__ = ('a',)\n__all__ += ['b']\n", {"a", "b"}),
        ("__all__ = ['a']\n__all__ += b.__all__\n", None),
        ("__all__ = ['a'] + b.__all__\n", None),
        ("__all__ = ['a']\n__all__ += b.__all__\n__all__ += ['c']\n", None),
        ("__all__ = ['a']\n__all__.extend(b)\n", None),
        ("__all__ = [a]\n", None),
        ("__all__ = []\n", set()),
    ],
)
def test_exported_names(source: str, expected: set[str] | None) -> None:
    assert module(source).all_names == expected


def test_star_imports_stand_in_order() -> None:
    found = module("from a import *\ntry:\n    from .b import *\nexcept ImportError:\n    pass\n").star_imports
    assert [shown(item) for item in found] == ["a:*", ".b:*"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def __getattr__(name): ...\n", True),
        ("def getattr(name): ...\n", False),
        ("class A:\n    def __getattr__(self, n): ...\n", False),
    ],
)
def test_names_on_demand(source: str, expected: bool) -> None:
    assert module(source).dunder_getattr is expected


def test_names_that_functions_rebind() -> None:
    assert module("a = b = c = 1\ndef f():\n    global a, b\n    c = 1\n").rebound == {"a", "b"}
