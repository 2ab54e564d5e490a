"""Short texts for values."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from awaitest.trace.path.awaitest_trace.values import brief


@dataclass
class Item:
    name: str
    price: float = 1.5


class Loud:
    def __repr__(self) -> str:
        raise AssertionError

    __str__ = __repr__


class Sly:
    @property
    def __class__(self) -> type:
        raise AssertionError

    @__class__.setter
    def __class__(self, _: type) -> None: ...


CASES: list[tuple[object, str]] = [
    (None, "None"),
    ("a\nb", "'a\\nb'"),
    ("x" * 500, f"'{'x' * 60}'… (500 in all)"),
    (10**200, "int of 665 bits"),
    ([1, "a", (2,)], "[1, 'a', (2,)]"),
    (list(range(9)), "[0, 1, 2, 3, 4, 5, … 3 more]"),
    ({"a": {"b": {"c": {"d": 1}}}}, "{'a': {'b': {'c': {…}}}}"),
    (set(), "set()"),
    (Item("x"), "Item(name='x', price=1.5)"),
    (Loud(), "Loud instance"),
    ([Loud()], "[Loud instance]"),
    (Item, "class Item"),
    (brief, "function brief"),
    (pytest, "module pytest"),
    (ValueError("x", 1), "ValueError('x', 1)"),
]


@pytest.mark.parametrize(("value", "text"), CASES, ids=[text[:20] for _, text in CASES])
def test_brief(value: object, text: str) -> None:
    assert brief(value) == text


def test_a_value_that_lies_about_its_class() -> None:
    assert brief(Sly()) == "Sly instance"


def test_a_list_that_holds_itself() -> None:
    items: list[object] = []
    items.append(items)
    assert brief(items) == "[[[[…]]]]"
