"""What an attribute of a value is."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from awaitest.engine.annotations import declared
from awaitest.engine.generics import bound_in
from awaitest.engine.knowledge import Member
from awaitest.engine.syntax import INSPECTED, OF_FUTURES, assigned
from awaitest.engine.values import (
    NONE,
    UNKNOWN,
    AsyncIterator,
    AsyncMockValue,
    Awaitable,
    BuiltinValue,
    CallableValue,
    ClassInfo,
    ClassValue,
    Collection,
    FixtureRequest,
    FunctionInfo,
    FunctionValue,
    Instance,
    Kind,
    ModuleValue,
    Overrides,
    Plain,
    Unknown,
    Value,
    every,
    join,
    known,
    may_be,
)
from awaitest.engine.world import Definition, decorated_with, statements_binding

if TYPE_CHECKING:
    from awaitest.engine.world import World

_BUILTINS = frozenset(dir(builtins))
_PROPERTIES = frozenset({"property", "cached_property", "hybrid_property", "computed_field"})
_ABOUT_KINDS = frozenset({"typing", "collections", "types", "inspect", "asyncio", "_collections_abc"})
_DATA = frozenset({"int", "str", "float", "bool", "bytes", "dict", "list", "tuple", "set", "frozenset"})
ASYNC_ITERATION = frozenset({"__anext__", "asend", "athrow", "aclose"})
"""Methods of asynchronous generators, each to be awaited."""

VIEWS = frozenset({"values", "items"})
READING = VIEWS | {"copy", "count", "get", "index", "keys"}
"""Methods of containers that change nothing in them."""
"""Methods of a dict that give what it holds."""
MOCK_ASSERTIONS = frozenset(
    {
        "assert_called", "assert_called_once", "assert_called_with", "assert_called_once_with", "assert_any_call",
        "assert_has_calls", "assert_not_called", "assert_awaited", "assert_awaited_once", "assert_awaited_with",
        "assert_awaited_once_with", "assert_any_await", "assert_has_awaits", "assert_not_awaited", "reset_mock",
    }
)  # fmt: skip


def builtin(name: str) -> Value:
    return frozenset({BuiltinValue(name)}) if name in _BUILTINS else UNKNOWN


def attribute(world: World, base: Value, name: str) -> Value:
    """The value of `base.name`. Where `base` may be None, there is none but an AttributeError."""
    present = base if len(base) == 1 or name.startswith("__") else base - NONE
    return join(*[_of_kind(world, kind, name) for kind in present])


def at_path(world: World, path: str) -> Value:
    """What stands at a dotted path from a module on, as `patch` takes it; nothing where no such thing is found."""
    head, _, name = path.rpartition(".")
    module = world.resolver.load(head) if head else None
    if module is not None:
        return world.name(module, name) or frozenset()
    return attribute(world, at_path(world, head), name) if head else frozenset()


def lacks(world: World, base: Value, name: str) -> bool:
    """Whether the objects in a value, all of known classes, certainly have no such attribute. An object of which is only
    declared that it can be awaited has what futures and coroutines have."""
    if every(base, Awaitable):
        return name not in OF_FUTURES | INSPECTED and all(isinstance(it, Awaitable) and it.cls is None for it in base)
    return every(base, Instance) and all(
        isinstance(kind, Instance)
        and world.complete(kind.cls)
        and world.member(kind.cls, name) is None
        and world.reader.attributes(kind.cls, name) is None
        for kind in base
    )


def _of_kind(world: World, kind: Kind, name: str) -> Value:
    match kind:
        case ModuleValue(module=module):
            found = world.name(module, name)
            if found is not None:
                return found
            submodule = world.resolver.load(f"{module.name}.{name}")
            return frozenset({ModuleValue(submodule)}) if submodule is not None else UNKNOWN
        case Instance(cls=cls) if name == "dependency_overrides" and world.derives(cls, "FastAPI", "fastapi"):
            return frozenset({Overrides(kind)})
        case Instance(cls=cls):
            if world.derives(cls, "NonCallableMock", "unittest", "mock"):
                return _of_mock(cls, name)
            return _of_class(world, cls, name, frozenset({kind}))
        case ClassValue(cls=cls):
            return _of_class(world, cls, name, None)
        case Awaitable(cls=ClassInfo() as cls):
            return _of_class(world, cls, name, frozenset({kind}))
        case Collection(name="dict", element=element) if name in VIEWS:
            pair = Collection("tuple", UNKNOWN | element, (UNKNOWN, element))
            return frozenset(
                {CallableValue(frozenset({Collection("list", frozenset({pair}) if name == "items" else element)}))}
            )
        case FixtureRequest(param=param) if name == "param":
            return param
        case AsyncMockValue():
            return frozenset({AsyncMockValue(assertion=name in MOCK_ASSERTIONS)})
        case AsyncIterator() if name in ASYNC_ITERATION:
            return frozenset({BuiltinValue(name)})
        case Plain() | Collection():
            return frozenset({FunctionValueOfData()}) if _returns_data(kind, name) else UNKNOWN
    return UNKNOWN


def _of_mock(cls: ClassInfo, name: str) -> Value:
    is_async = cls.node.name == "AsyncMock"
    if name in MOCK_ASSERTIONS:
        return frozenset({AsyncMockValue(assertion=True)})
    return frozenset({AsyncMockValue()}) if is_async else UNKNOWN


def FunctionValueOfData() -> BuiltinValue:  # noqa: N802
    """A method of a built-in type that gives data."""
    return BuiltinValue("repr")


def _returns_data(kind: Kind, name: str) -> bool:
    return isinstance(kind, Plain) and kind.name == "str" and not name.startswith("_") and hasattr(str, name)


def _of_class(world: World, cls: ClassInfo, name: str, receiver: Value | None) -> Value:
    if receiver is not None and world.member(cls, "__getattribute__") is not None:
        return UNKNOWN
    member = world.member(cls, name)
    if receiver is not None and (member is None or not isinstance(member.nodes[-1], Definition)):
        assigned = world.reader.attributes(cls, name)
        if assigned is not None and known(assigned):
            return assigned
        if assigned is not None and (member is None or isinstance(member.nodes[-1], ast.Assign)):
            return assigned
    if member is None or (receiver is not None and name in _replaced(world, cls)):
        return UNKNOWN
    return _definition(world, cls, member, receiver)


def _replaced(world: World, cls: ClassInfo) -> frozenset[str]:
    """The attributes that a class of the project, or a base of it, assigns to `self`, perhaps in the place of a method."""
    known = world.knowledge(cls.module).replaced
    if id(cls.node) not in known:
        owners = (owner for owner in world.mro(cls)[0] if owner.module.origin == "project")
        methods = (node for owner in owners for node in owner.node.body if isinstance(node, Definition))
        known[id(cls.node)] = frozenset().union(*map(assigned, methods))
    return known[id(cls.node)]


def _definition(world: World, cls: ClassInfo, member: Member, receiver: Value | None) -> Value:
    functions = [node for node in member.nodes if isinstance(node, Definition)]
    plain_ones = [node for node in functions if not decorated_with(node, "overload")]
    last = member.nodes[-1]
    module = member.owner.module
    if isinstance(last, Definition):
        node = plain_ones[-1] if plain_ones else functions[-1]
        if any(decorated_with(item, "setter") for item in functions):
            node = functions[0]
        return _method(world, cls, member.owner, node, receiver)
    if isinstance(last, ast.AnnAssign):
        return declared(world, module, last.annotation, bound=bound_in(world, member.owner, receiver))
    if isinstance(last, ast.Assign):
        beside = statements_binding(member.owner.node.body, getattr(last.value, "id", ""))
        if beside and isinstance(beside[-1], Definition):
            return _method(world, cls, member.owner, beside[-1], receiver)
        return world.reader.expression(module, last.value)
    if isinstance(last, ast.ClassDef):
        return frozenset({ClassValue(world.class_info(module, last))})
    return UNKNOWN


def _method(
    world: World, cls: ClassInfo, owner: ClassInfo, node: ast.FunctionDef | ast.AsyncFunctionDef, receiver: Value | None
) -> Value:
    """A method of `owner` that is read of `cls`, or of an object of it."""
    function = world.function_info(owner.module, node, owner)
    if any(decorated_with(node, name) for name in _PROPERTIES):
        if receiver is None:
            return UNKNOWN
        return property_value(world, function, receiver)
    if decorated_with(node, "staticmethod"):
        return frozenset({FunctionValue(function)})
    if decorated_with(node, "classmethod"):
        return frozenset({FunctionValue(function, frozenset({ClassValue(cls)}))})
    return frozenset({FunctionValue(function, receiver)})


def property_value(world: World, function: FunctionInfo, receiver: Value) -> Value:
    """What reading a property gives."""
    node = function.node
    assert not isinstance(node, ast.Lambda)
    if function.is_async:
        return UNKNOWN
    value = declared(world, function.module, node.returns, bound=bound_in(world, function.owner, receiver))
    return value if known(value) else world.reader.returns(function, {"self": receiver})


def told(world: World, held: Value, classes: Value) -> Value | None:
    """What `isinstance`, where it is true of an object, tells of it; None where it tells nothing that is not known."""
    cls = next(iter(classes)) if len(classes) == 1 else None
    if not isinstance(cls, ClassValue) or cls.cls.package in _ABOUT_KINDS:
        return None
    if may_be(held, Unknown):
        return frozenset({Instance(cls.cls)})
    return frozenset(kind for kind in held if isinstance(kind, Instance) and cls.cls in world.mro(kind.cls)[0]) or None


def never_awaitable(world: World, classes: Value) -> bool:
    """Whether these are classes, all known, none of whose objects can be awaited."""
    return bool(classes) and all(
        kind.name in _DATA
        if isinstance(kind, BuiltinValue)
        else isinstance(kind, ClassValue)
        and kind.cls.package not in _ABOUT_KINDS
        and world.has(kind.cls, "__await__") is False
        for kind in classes
    )
