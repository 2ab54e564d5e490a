"""The names in which pytest's rewriting keeps what an assertion compares, counted and as pytest has them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import pytest
from _pytest.assertion.rewrite import rewrite_asserts

from awaitest.trace.path.awaitest_trace import asserts

ASSERTIONS = [
    "a == b",
    "a",
    "not a",
    "a.b.c is None",
    "a.b(c, *d, e=f.g, **h)[0] <= -i",
    "(a + b) * c in [d, e]",
    "await a.b() != {'c': d}",
    "a.b(c)(d)",
    "[x for x in a] == list(b)",
    "a < b < c",
    "(a and b) == c",
    "a or b",
    "f(*a) == b",
    "(a := b) == c",
    "f(a if b else c) not in (d := e)",
]


def assertion(text: str) -> ast.Assert:
    (node,) = ast.parse(f"assert {text}").body
    assert isinstance(node, ast.Assert)
    return node


def shown(told: tuple[Any, ...] | None) -> list[Any] | None:
    return None if told is None else [ast.dump(it) if isinstance(it, ast.AST) else it for it in told]


@pytest.mark.parametrize("text", ASSERTIONS)
def test_names_are_counted_as_pytest_does(text: str) -> None:
    assert shown(asserts._reckoned(assertion(text))) == shown(asserts._by_pytest(assertion(text)))


def test_what_is_counted_is_not_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asserts.is_reckoning_right()
    monkeypatch.setattr(asserts, "_by_pytest", lambda _: ("rewritten",))
    told = [asserts._reckoned(assertion(text)) for text in ASSERTIONS]
    assert [text for text, it in zip(ASSERTIONS, told, strict=True) if it == ("rewritten",)] == ASSERTIONS[10:]


def test_another_way_of_counting_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asserts, "_by_pytest", lambda _: (None, ast.Name("@py_assert7")))
    assert not asserts.is_reckoning_right.__wrapped__()


def test_where_an_assertion_forgets() -> None:
    text = "def test(a, b):\n    x = None\n    assert a.c == b\n    assert (a or\n        b)\n    return None\n"
    tree = ast.parse(text)
    rewrite_asserts(tree, text.encode())
    names: dict[str, Callable[..., None]] = {}
    exec(compile(tree, "t.py", "exec"), names)
    assert set(asserts.clearings(names["test"].__code__).values()) == {3, 4}
    assert asserts.clearings(assertion.__code__) != {}
    assert asserts.clearings(shown.__code__) == {}
