"""What a name may hold. A value is a set of kinds; the kind `UNKNOWN` in it means "or anything else".

Kinds never change once they are made. They are not `frozen`, since making a frozen one takes three times as long.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from awaitest.project.modules import Module


class Kind:
    """One thing a name may hold."""

    __slots__ = ()


Value = frozenset[Kind]


@dataclass(slots=True, unsafe_hash=True)
class Unknown(Kind):
    """Anything: no declared fact says what this is."""


UNKNOWN: Value = frozenset({Unknown()})


def join(*values: Value) -> Value:
    """What holds after paths meet."""
    if len(values) == 1:
        return values[0]
    joined: Value = frozenset().union(*values)
    return joined if len(joined) <= 12 else joined | UNKNOWN


def known(value: Value) -> bool:
    """Whether every kind in the value is known."""
    return bool(value) and not may_be(value, Unknown)


def every(value: Value, *kinds: type[Kind]) -> bool:
    """Whether the value is certainly one of these kinds."""
    for kind in value:
        if not isinstance(kind, kinds):
            return False
    return bool(value)


def may_be(value: Value, *kinds: type[Kind]) -> bool:
    """Whether the value is possibly, as far as it is known, one of these kinds."""
    for kind in value:
        if isinstance(kind, kinds):
            return True
    return False


@dataclass(slots=True, unsafe_hash=True)
class Plain(Kind):
    """Data that is certainly not awaitable: a str, a number, None, a parsed body. `const` is the literal, if any."""

    name: str
    const: str | int | bool | None = None


@dataclass(slots=True, eq=False)
class ClassInfo:
    """A class definition, wherever it was found."""

    module: Module
    node: ast.ClassDef
    package: str = field(init=False)

    def __post_init__(self) -> None:
        self.package = self.module.name.partition(".")[0]

    @property
    def qualified(self) -> str:
        return f"{self.module.name}.{self.node.name}"


@dataclass(slots=True, eq=False)
class FunctionInfo:
    """A function definition; `owner` is its class, `closure` the names around a nested one."""

    module: Module
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    owner: ClassInfo | None = None
    closure: Mapping[str, Value] | None = None
    name: str = field(init=False)
    is_async: bool = field(init=False)
    in_library: str | None = field(init=False)
    """The full name of a function of a library, such as `asyncio.gather` or `asyncio.TaskGroup.create_task`."""

    def __post_init__(self) -> None:
        self.name = "<lambda>" if isinstance(self.node, ast.Lambda) else self.node.name
        self.is_async = isinstance(self.node, ast.AsyncFunctionDef)
        owner = [] if self.owner is None else [self.owner.node.name]
        package = self.module.name.partition(".")[0]
        self.in_library = None if self.module.origin == "project" else ".".join([package, *owner, self.name])


@dataclass(slots=True, eq=False)
class Site:
    """One place that makes a coroutine or a client, and what became of the thing made there."""

    node: ast.AST
    module: Module
    label: str
    """What the user called: `client.get`, `AsyncClient`."""
    result: Callable[[], Value] = field(default=lambda: UNKNOWN)
    """What awaiting gives (coroutines)."""
    awaited: bool = False
    escaped: bool = False
    """Stored, returned, passed on or captured: its fate is not ours to judge."""
    lent: bool = False
    """A nested function sends requests with it (clients)."""
    inspected: bool = False
    """Its type is looked at: it may be kept, or compared, on purpose."""
    closed: bool = False
    """Some path closes it (clients)."""
    many: bool = False
    """Stands for several clients that cannot be told apart."""
    named: set[str] = field(default_factory=set)
    """Local names it was bound to."""
    assigned: set[str] = field(default_factory=set)
    """Names that the call itself, not something that it went through, was assigned to."""
    through: frozenset[str] = frozenset()
    """Names of the functions that made it and handed it on."""
    inherited: frozenset[str] = frozenset()
    """Set where it comes from elsewhere: the states it may arrive in. Nobody here owns such a one."""


@dataclass(slots=True, unsafe_hash=True)
class Made:
    """The call that made an app, a transport or a client of one, and what it was given."""

    node: ast.Call
    module: Module
    arguments: tuple[tuple[str | int, Value], ...]
    """By keyword or position; "*" for what is unpacked."""
    shared: bool = False
    """Made when its module is imported: all tests have the same one."""


@dataclass(slots=True, unsafe_hash=True)
class ModuleValue(Kind):
    module: Module


@dataclass(slots=True, unsafe_hash=True)
class ClassValue(Kind):
    cls: ClassInfo


@dataclass(slots=True, unsafe_hash=True)
class FunctionValue(Kind):
    """A function; `receiver` is bound as its first argument."""

    function: FunctionInfo
    receiver: Value | None = None


@dataclass(slots=True, unsafe_hash=True)
class BuiltinValue(Kind):
    """A built-in function or type."""

    name: str


@dataclass(slots=True, unsafe_hash=True)
class CallableValue(Kind):
    """Something that gives `result` when called, known only by its annotation."""

    result: Value


@dataclass(slots=True, unsafe_hash=True)
class Instance(Kind):
    """An object of a class; `site` is set for clients made here, whose life is followed; `made` where that call matters;
    `arguments` are those of a generic class, where an annotation gives them."""

    cls: ClassInfo
    site: Site | None = None
    made: Made | None = None
    arguments: tuple[Value, ...] = ()


@dataclass(slots=True, unsafe_hash=True)
class Coroutine(Kind):
    """A coroutine object nobody awaited yet."""

    site: Site


@dataclass(slots=True, unsafe_hash=True)
class Awaitable(Kind):
    """A future, task or other object that may be awaited, dropped or polled; `cls` is asyncio's, where it is one of these."""

    result: Value
    cls: ClassInfo | None = None


@dataclass(slots=True, unsafe_hash=True)
class AsyncIterator(Kind):
    """An asynchronous generator or iterator."""

    item: Value
    label: str = ""


@dataclass(slots=True, unsafe_hash=True)
class Iterator(Kind):
    """A plain generator or iterator."""

    item: Value


@dataclass(slots=True, unsafe_hash=True)
class Manager(Kind):
    """A context manager made by a decorated generator function."""

    item: Value
    is_async: bool
    label: str = ""


@dataclass(slots=True, unsafe_hash=True)
class Collection(Kind):
    """A list, tuple, set or dict (of values) whose elements are known; `items` in order where that is known too."""

    name: str
    element: Value
    items: tuple[Value, ...] | None = None


@dataclass(slots=True, unsafe_hash=True)
class FixtureRequest(Kind):
    """pytest's `request` in a fixture; `param` is what its decorator gives it, one at a time."""

    param: Value


@dataclass(slots=True, unsafe_hash=True)
class Overrides(Kind):
    """`app.dependency_overrides`."""

    app: Instance


@dataclass(slots=True, unsafe_hash=True)
class AsyncMockValue(Kind):
    """An AsyncMock or a child of one; `assertion` marks its own assert methods, which are plain functions."""

    assertion: bool = False


_FOLLOWED = (Coroutine, Instance)


def coroutines(value: Value) -> list[Coroutine]:
    """Coroutines in a value, also those in its collections."""
    return [kind for kind in _parts(value) if isinstance(kind, Coroutine)]


def sites(value: Value) -> list[Site]:
    """Everything followed in a value: coroutines and clients, also inside collections and bound methods."""
    return [
        kind.site for kind in _parts(value, receivers=True) if isinstance(kind, _FOLLOWED) and kind.site is not None
    ]


def _parts(value: Value, receivers: bool = False) -> list[Kind]:
    """The kinds in a value and in its collections, each collection once: they may nest deeply and share elements."""
    parts = list(value)
    met: set[int] = set()
    for kind in parts:
        if isinstance(kind, Collection) and id(kind) not in met:
            met.add(id(kind))
            parts += kind.element
        elif receivers and isinstance(kind, FunctionValue):
            parts += kind.receiver or ()
    return parts


NONE = frozenset({Plain("None")})


def plain(name: str, const: str | int | bool | None = None) -> Value:
    return frozenset({Plain(name, const)}) if const is not None else _plain(name)


@cache
def _plain(name: str) -> Value:
    return frozenset({Plain(name)})


def text_of(value: Value) -> str | None:
    """The one text that a value certainly is."""
    kind = next(iter(value)) if len(value) == 1 else None
    return kind.const if isinstance(kind, Plain) and isinstance(kind.const, str) else None


def item_of(kind: Kind, index: ast.expr | None) -> Value:
    """What an index, or None for any, picks from a collection."""
    if isinstance(kind, Plain) and kind.name == "JSON":
        return frozenset({kind})
    if not isinstance(kind, Collection):
        return UNKNOWN
    if isinstance(index, ast.Slice):
        return frozenset({Collection(kind.name, kind.element)})
    if kind.items is not None and isinstance(index, ast.Constant) and isinstance(index.value, int):
        if -len(kind.items) <= index.value < len(kind.items):
            return kind.items[index.value]
        return UNKNOWN
    return kind.element


def element_of(kind: Kind, is_async: bool) -> Value:
    """What a loop gets from a value, one at a time."""
    match kind:
        case Collection(name=name, element=element):
            return UNKNOWN if name == "dict" else element
        case Iterator(item=item) if not is_async:
            return item
        case AsyncIterator(item=item) if is_async:
            return item
        case Plain(name="str"):
            return plain("str")
    return UNKNOWN


_CHANGEABLE = frozenset({"list", "dict", "set"})
_DEEPEST = 4


def containers(value: Value) -> frozenset[Kind]:
    """The lists, dicts and sets in a value, into which others may put something."""
    return frozenset(kind for kind in _parts(value) if isinstance(kind, Collection) and kind.name in _CHANGEABLE)


def for_anybody(value: Value) -> Value:
    """The value of something that all code can reach, and so put something else into its containers."""
    return opened(value, containers(value)) if may_be(value, Collection) else value


def opened(value: Value, boxes: frozenset[Kind], changed: bool = False, depth: int = 0) -> Value:
    """The value, now that others may have put something into these containers. Where nobody is known to have `changed` them,
    what holds objects of known classes goes on to hold such."""
    if depth > _DEEPEST:
        return value | UNKNOWN
    return frozenset(
        _opened(kind, boxes, changed, depth + 1) if isinstance(kind, Collection) else kind for kind in value
    )


def _opened(kind: Collection, boxes: frozenset[Kind], changed: bool, depth: int) -> Collection:
    element = opened(kind.element, boxes, changed, depth)
    if kind in boxes and (changed or not every(kind.element, Instance)):
        return Collection(kind.name, element | UNKNOWN)
    if element == kind.element:
        return kind
    items = None if kind.items is None else tuple(opened(item, boxes, changed, depth) for item in kind.items)
    return Collection(kind.name, element, items)
