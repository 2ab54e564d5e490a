"""What is left of third-party modules: nothing that changes what they are to a reader outside."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from awaitest.project.skeleton import UNKNOWN, skeleton

CASES: dict[str, tuple[str, str]] = {
    "docstrings go": ('"""Module."""\nclass A:\n    """Class."""\n    x = 1\n', "class A:\n    x = 1"),
    "a class may be left empty": ("class A(B, metaclass=M):\n    print(1)\n", "class A(B, metaclass=M):\n    pass"),
    "signature": (
        "async def f(a: int, b: str='x', *args: T, c=g(), d, **kw: V) -> R:\n    pass\n",
        "async def f(a: int, b: str=..., *args: T, c=..., d, **kw: V) -> R:\n    pass",
    ),
    "decorators": ("@a.b(1)\n@c\ndef f():\n    return 1\n", "@a.b(1)\n@c\ndef f():\n    return 1"),
    "body that only stands in": ("def f(): ...\n", f"def f():\n    return {UNKNOWN}"),
    "documented body that only stands in": ('def f():\n    "x"\n', f"def f():\n    return {UNKNOWN}"),
    "body that does nothing": ("def f():\n    print(1)\n", "def f():\n    pass"),
    "imports": (
        "import a.b as c\nfrom . import d\nfrom e import *\n",
        "import a.b as c\nfrom . import d\nfrom e import *",
    ),
    "guarded imports": (
        "try:\n    import a\nexcept ImportError:\n    a = None\n",
        "try:\n    import a\nexcept ImportError:\n    a = None",
    ),
    "guarded imports, suppressed": (
        "with suppress(ImportError):\n    import a\n",
        "with suppress(ImportError):\n    import a",
    ),
    "imports for types": (
        "if TYPE_CHECKING:\n    from a import B\n    warn()\n",
        "if TYPE_CHECKING:\n    from a import B",
    ),
    "assignments": (
        "A = b.C\nD: T = e(f)\nG = dict[str, int]\nH = 'x' if y else z\n",
        f"A = b.C\nD: T = e(f)\nG = dict[str, int]\nH = {UNKNOWN}",
    ),
    "exported names": (
        "__all__ = ['a', 'b']\n__all__ += c.__all__\n__all__.extend(d)\n",
        "__all__ = ['a', 'b']\n__all__ += c.__all__\n__all__.extend(d)",
    ),
    "long tables go": ("T = [1, 2]\nU = {1: 2}\n", f"T = {UNKNOWN}\nU = {UNKNOWN}"),
    "names on demand": (
        "def __getattr__(name):\n    return load(name)\n",
        "def __getattr__(name):\n    return load(name)",
    ),
    "returns": (
        "def f(a):\n    if a:\n        return g(a)\n    return await_(a.b)\n",
        "def f(a):\n    if a:\n        return g(a)\n    return await_(a.b)",
    ),
    "a return too complicated": ("def f(a):\n    return a or g()\n", f"def f(a):\n    return {UNKNOWN}"),
    "complicated arguments": (
        "def f(a):\n    return g([1, 2], *a, k={})\n",
        f"def f(a):\n    return g({UNKNOWN}, *a, k={UNKNOWN})",
    ),
    "raising": (
        "def f():\n    if a:\n        raise B('x') from c\n    raise D\n",
        "def f():\n    raise",
    ),
    "local names that are used": (
        "def f():\n    a = b()\n    c = d()\n    e = c\n    return a\n",
        "def f():\n    a = b()\n    return a",
    ),
    "local names a nested function uses": (
        "def f():\n    a = b()\n    def g():\n        return a\n    return g\n",
        "def f():\n    a = b()\n\n    def g():\n        return a\n    return g",
    ),
    "global names": ("def f():\n    global a\n    a = b\n", "def f():\n    global a\n    a = b"),
    "imports inside": (
        "def f():\n    from a import b\n    return b()\n",
        "def f():\n    from a import b\n    return b()",
    ),
    "attributes of self": (
        "class A:\n    def __init__(self, x):\n        self.x = x\n        self.y: T = [1]\n        self.z[0] = x\n",
        f"class A:\n\n    def __init__(self, x):\n        self.x = x\n        self.y: T = {UNKNOWN}",
    ),
    "blocks with something kept": (
        "async def f():\n    async with a() as b:\n        try:\n            return b\n        finally:\n            c()\n",
        "async def f():\n    async with a() as b:\n        return b",
    ),
    "blocks with nothing kept": (
        "def f():\n    with a():\n        b()\n    for c in d:\n        c()\n    while e:\n        e()\n    return 1\n",
        "def f():\n    return 1",
    ),
    "loops with something kept": (
        "def f():\n    for a in b:\n        if a:\n            return a\n",
        "def f():\n    for a in b:\n        if a:\n            return a",
    ),
    "cases": (
        "def f(a):\n    match a:\n        case 1:\n            return b\n        case _:\n            c()\n",
        "def f(a):\n    match a:\n        case 1:\n            return b\n        case _:\n            pass",
    ),
    "generators": ("def f():\n    x = yield a\n    yield 1, 2\n", f"def f():\n    x = (yield a)\n    yield {UNKNOWN}"),
    "a generator that yields in what goes": ("def f():\n    g((yield))\n", f"def f():\n    yield {UNKNOWN}"),
    "a generator that delegates": ("def f():\n    assert (yield from g())\n", f"def f():\n    yield {UNKNOWN}"),
    "wrappers": (
        "def d(f):\n    @wraps(f)\n    async def w(*a):\n        log(a)\n        return await f(*a)\n    return w\n",
        "def d(f):\n\n    @wraps(f)\n    async def w(*a):\n        return await f(*a)\n    return w",
    ),
    "a class inside": (
        "def f():\n    class A:\n        async def g(self):\n            h()\n    return A()\n",
        "def f():\n\n    class A:\n\n        async def g(self):\n            pass\n    return A()",
    ),
    "empty": ("", ""),
    "broken": ("def f(:\n", ""),
    "NUL": ("x = 1\0", ""),
    "unknown encoding": ("# coding: nonsense\nx = 1\n", ""),
}


@pytest.mark.parametrize("name", CASES)
def test_reduction(name: str) -> None:
    source, expected = CASES[name]
    assert skeleton(dedent(source).encode()) == expected


@pytest.mark.skipif(sys.version_info < (3, 11), reason="needs except*")
def test_exception_groups_become_plain_tries() -> None:
    source = "def f():\n    try:\n        return a()\n    except* OSError:\n        return b()\n"
    assert skeleton(source.encode()) == source.replace("*", "").rstrip()


@pytest.mark.parametrize(
    "content",
    [b"(" * 5000, b"a" + b".b" * 20_000, b"\xff\xfe\x00", b"x = " + b"-" * 20_000 + b"1", b"if x:\n" * 300],
    ids=["brackets", "attributes", "bytes", "signs", "indents"],
)
def test_hostile_content_gives_an_empty_module_or_less(content: bytes) -> None:
    ast.parse(skeleton(content))


def installed(*packages: str) -> Iterator[Path]:
    for package in packages:
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            yield from sorted(Path(spec.origin).parent.glob("*.py"))


def outlines(tree: ast.Module) -> Iterator[tuple[str, ...]]:
    """What a reader outside relies on: each definition at the top and in classes, with how it runs."""
    stack: list[tuple[str, list[ast.stmt]]] = [("", tree.body)]
    while stack:
        prefix, body = stack.pop()
        for node in body:
            if isinstance(node, ast.ClassDef):
                yield prefix + node.name, "class", *map(ast.unparse, (*node.bases, *node.decorator_list))
                stack.append((f"{prefix}{node.name}.", node.body))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                returns = ast.unparse(node.returns) if node.returns is not None else ""
                arguments = [item.arg for item in ast.walk(node.args) if isinstance(item, ast.arg)]
                how = (type(node).__name__, str(yields(node)), returns, *map(ast.unparse, node.decorator_list))
                yield prefix + node.name, *how, *arguments
            elif isinstance(node, ast.If | ast.Try | ast.With):
                stack.append((prefix, node.body))
            elif isinstance(node, ast.Import | ast.ImportFrom):
                yield prefix, ast.unparse(node)


def yields(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    stack: list[ast.AST] = list(function.body)
    while stack:
        part = stack.pop()
        if isinstance(part, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            stack += ast.iter_child_nodes(part)
    return False


@pytest.mark.parametrize("package", ["httpx", "starlette", "fastapi", "anyio", "asyncio"])
def test_nothing_that_matters_is_lost_of_real_modules(package: str) -> None:
    paths = list(installed(package))[:40]
    assert paths
    for path in paths:
        content = path.read_bytes()
        reduced = skeleton(content)
        again = skeleton(reduced.encode())
        assert skeleton(content) == reduced, path.name
        assert sorted(outlines(ast.parse(reduced))) == sorted(outlines(ast.parse(content))), path.name
        assert sorted(outlines(ast.parse(again))) == sorted(outlines(ast.parse(reduced))), path.name
        assert len(reduced) <= len(content), path.name
