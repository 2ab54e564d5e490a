"""Short texts for values."""

from __future__ import annotations

import datetime
import enum
import types
from dataclasses import dataclass

import pytest

from awaitest.trace.path.awaitest_trace.values import brief


class Touched(BaseException):
    """Not an Exception, so that nothing that is careful hides it."""


@dataclass
class Item:
    name: str
    price: float = 1.5


class Loud:
    def __repr__(self) -> str:
        raise Touched

    __str__ = __repr__


class Sly:
    @property
    def __class__(self) -> type:
        raise Touched

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
    ({"Authorization": "Bearer 1", "x": 1}, "{'Authorization': [redacted], 'x': 1}"),
    ([(b"set-cookie", b"a=1"), ("x", "y")], "[(b'set-cookie', [redacted]), ('x', 'y')]"),
    (("cookie", "a", "b"), "('cookie', 'a', 'b')"),
    ('{"Cookie": "a=1", "x": "y"}', '\'{"Cookie": [redacted], "x": "y"}\''),
    (ValueError("no {'authorization': 'Bea"), "ValueError(\"no {'authorization': [redacted])"),
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


def test_no_code_of_a_user_is_run() -> None:
    """Neither of the class, nor of its metaclass: each of these would raise what `brief` lets through."""

    class Refuses(type):
        """A metaclass that allows nothing."""

        def __getattribute__(cls, name: str) -> object:
            raise Touched(name)

        def __eq__(cls, other: object) -> bool:
            raise Touched

        def __hash__(cls) -> int:
            raise Touched

        def __instancecheck__(cls, instance: object) -> bool:
            raise Touched

    class Refused(metaclass=Refuses):
        pass

    class Guarded:
        def __init__(self) -> None:
            object.__setattr__(self, "__dict__", {"a": 1})

        def __getattribute__(self, name: str) -> object:
            raise Touched(name)

    class Lazy(types.ModuleType):
        def __getattribute__(self, name: str) -> object:
            raise Touched(name)

    class Zone(datetime.tzinfo):
        def utcoffset(self, _: datetime.datetime | None) -> datetime.timedelta | None: ...

        def dst(self, _: datetime.datetime | None) -> datetime.timedelta | None: ...

        def tzname(self, _: datetime.datetime | None) -> str | None: ...

        def __repr__(self) -> str:
            raise Touched

    class OddError(Exception):
        @property
        def args(self) -> tuple[object, ...]:
            raise Touched

        @args.setter
        def args(self, _: object) -> None: ...

    class Colour(enum.Enum):
        RED = 1

    told = [brief(it) for it in (Refused(), Refused, Guarded(), Lazy("late"), OddError("x"), Colour.RED)]
    assert told == [
        "Refused instance",
        "class Refused",
        "Guarded instance",
        "module late",
        "OddError('x')",
        "Colour.RED",
    ]
    moment = datetime.datetime(2026, 1, 2, tzinfo=Zone())
    assert (
        brief([moment, datetime.time(1, tzinfo=Zone())]) == "[datetime.datetime(2026, 1, 2, 0, 0), datetime.time(1, 0)]"
    )


@pytest.mark.parametrize(
    "value", [type("x" * 10**6, (), {})(), "\udcff" * 10**6, b"\xff" * 10**6, [["y" * 999] * 9] * 9]
)
def test_what_is_enormous_stays_short(value: object) -> None:
    text = brief(value)
    assert len(text) < 300
    assert text.isascii() or "…" in text
