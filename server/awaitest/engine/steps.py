"""The steps of a run: what the walk yields and what rules are predicates over."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from awaitest.engine.values import Coroutine, Site, Value

if TYPE_CHECKING:
    from awaitest.engine.fixtures import Fixture


class Misuse(Enum):
    """What a coroutine that nobody awaited is taken for. The value reads on from "the coroutine of x() …"."""

    DROPPED = "is dropped"
    UNUSED = "is kept but never awaited"
    ATTRIBUTE = "has no attribute"
    SUBSCRIPT = "cannot be indexed"
    ARGUMENT = "is passed as data"
    FORMATTED = "is written into a string"
    RETURNED = "is returned to pytest"
    UNPACKED = "is unpacked"
    OPERAND = "is calculated with"
    ITERATED = "is looped over"
    ENTERED = "is entered"
    CONDITION = "is taken for true or false"
    COMPARED = "is compared"
    ASKED = "is asked what it is"


FAILING = frozenset(
    {Misuse.ATTRIBUTE, Misuse.SUBSCRIPT, Misuse.UNPACKED, Misuse.OPERAND, Misuse.ITERATED, Misuse.ENTERED}
)
"""What Python refuses to do with a coroutine."""


@dataclass(slots=True, kw_only=True, eq=False)
class Step:
    """One thing that happens. `expected`: the code around waits for it to fail (`pytest.raises`, `except`)."""

    node: ast.AST
    expected: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class Collected(Step):
    """A function begins: a test, a fixture, a helper. The context tells which."""


@dataclass(slots=True, kw_only=True, eq=False)
class Received(Step):
    """pytest hands a fixture's value to a parameter."""

    name: str
    fixture: Fixture
    value: Value


@dataclass(slots=True, kw_only=True, eq=False)
class Called(Step):
    """A call; `label` is how the user wrote the callee, `target` what was called."""

    node: ast.Call
    label: str
    target: Value
    result: Value
    arguments: tuple[Value, ...]
    """What is passed: positional arguments, then keywords."""


@dataclass(slots=True, kw_only=True, eq=False)
class Absent(Step):
    """An attribute is read that its owner certainly does not have."""

    node: ast.Attribute
    owner: Value


@dataclass(slots=True, kw_only=True, eq=False)
class Awaited(Step):
    """An `await`; `operand` is what it waited for."""

    node: ast.Await
    operand: Value
    result: Value


@dataclass(slots=True, kw_only=True, eq=False)
class Misused(Step):
    """A coroutine nobody awaited meets a use that only its result could serve."""

    coroutine: Coroutine
    how: Misuse
    detail: str = ""
    """The attribute, parameter or operator, in the user's words."""


@dataclass(slots=True, kw_only=True, eq=False)
class Discarded(Step):
    """A statement that is nothing but an expression: its value is thrown away."""

    node: ast.expr
    value: Value


@dataclass(slots=True, kw_only=True, eq=False)
class Entered(Step):
    """`with` or `async with` enters a value."""

    statement: ast.With | ast.AsyncWith
    item: ast.withitem
    value: Value


@dataclass(slots=True, kw_only=True, eq=False)
class Left(Step):
    """A `with` block that entered something followed is over."""

    value: Value
    is_async: bool


@dataclass(slots=True, kw_only=True, eq=False)
class Iterated(Step):
    """`for`, a comprehension or `list()` goes over a value; `is_async` for `async for`."""

    is_async: bool
    value: Value
    iterable: ast.expr


@dataclass(slots=True, kw_only=True, eq=False)
class Stored(Step):
    """`owner[key] = value`."""

    node: ast.Subscript
    owner: Value
    key: Value
    value: Value


@dataclass(slots=True, kw_only=True, eq=False)
class Created(Step):
    """A client is made."""

    node: ast.Call
    site: Site


@dataclass(slots=True, kw_only=True, eq=False)
class Kept(Step):
    """A client made here is stored on `self`."""

    site: Site
    attribute: str


@dataclass(slots=True, kw_only=True, eq=False)
class ClientUsed(Step):
    """A client is entered, used or closed; `certain` is its state before, where that is certain."""

    site: Site
    action: str
    """enter, request, close, or leave (`__aexit__` by hand)"""
    certain: str | None


@dataclass(slots=True, kw_only=True, eq=False)
class Gave(Step):
    """`return` or `yield`; `inside` lists the `async with` blocks around it."""

    value: Value
    inside: tuple[ast.AsyncWith, ...]
    is_yield: bool


@dataclass(slots=True, kw_only=True, eq=False)
class Checked(Step):
    """An assertion; `text` is its source."""

    node: ast.Assert
    value: Value


@dataclass(slots=True, kw_only=True, eq=False)
class Ended(Step):
    """The function is over. `clients` are those made here, in order."""

    clients: tuple[Site, ...]
    closings: tuple[Closing, ...]


@dataclass(frozen=True, slots=True)
class Closing:
    """One `aclose()`: guaranteed where a failure on the way cannot skip it."""

    site: Site
    node: ast.AST
    guaranteed: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the execution table; `variables` tells what each followed name holds after the step."""

    step: int
    line: int
    """From 1."""
    action: str
    awaited: str
    """"yes", "missing" or "–"."""
    result: str
    assertion: str
    variables: dict[str, str] = field(default_factory=dict)
