"""What an annotation declares."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from awaitest.engine.values import (
    NONE,
    UNKNOWN,
    AsyncIterator,
    Awaitable,
    CallableValue,
    ClassInfo,
    ClassValue,
    Collection,
    Coroutine,
    Instance,
    Iterator,
    Manager,
    Site,
    Value,
    every,
    join,
    known,
    plain,
)
from awaitest.project.resolve import Found
from awaitest.source.nodes import spelt

if TYPE_CHECKING:
    from awaitest.engine.world import World
    from awaitest.project.modules import Module

PLAIN = frozenset(
    {
        "str",
        "bytes",
        "bytearray",
        "memoryview",
        "Buffer",
        "int",
        "float",
        "bool",
        "complex",
        "dict",
        "frozenset",
        "Mapping",
        "MutableMapping",
    }
)
_COLLECTIONS = frozenset({"list", "set", "Sequence", "MutableSequence", "List", "Set", "deque"})
_ASYNC_ITERATORS = frozenset({"AsyncGenerator", "AsyncIterator", "AsyncIterable"})
_ITERATORS = frozenset({"Generator", "Iterator", "Iterable"})
_ASYNC_MANAGERS = frozenset({"AbstractAsyncContextManager", "AsyncContextManager", "_AsyncGeneratorContextManager"})
_MANAGERS = frozenset({"AbstractContextManager", "ContextManager", "_GeneratorContextManager"})
_FUTURES = frozenset({"Future", "Task"})
_WRAPPERS = frozenset({"Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly"})
_TYPING = frozenset({"typing", "t", "collections", "abc", "typing_extensions", "contextlib", "builtins", "asyncio"})
_ABSTRACT = frozenset({"typing", "t", "collections", "typing_extensions"})
_DEEPEST = 8
_NOTHING: Mapping[str, Value] = MappingProxyType({})


def declared(
    world: World, module: Module, node: ast.expr | None, depth: int = 0, bound: Mapping[str, Value] = _NOTHING
) -> Value:
    """The values an annotation allows, its type variables standing for what is `bound`; unknown where it says nothing certain."""
    if node is None or depth > _DEEPEST:
        return UNKNOWN
    deeper = depth + 1
    match node:
        case ast.Constant(value=None):
            return NONE
        case ast.Constant(value=str(text)):
            try:
                parsed = ast.parse(text.strip(), mode="eval").body
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return UNKNOWN
            return declared(world, module, parsed, deeper, bound)
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return join(*(declared(world, module, part, deeper, bound) for part in (left, right)))
        case ast.Subscript(value=base, slice=argument):
            return _generic(world, module, base, argument, deeper, bound)
        case ast.Name(id=name) if known(bound.get(name, UNKNOWN)):
            return bound[name]
        case ast.Name() | ast.Attribute():
            return _simple(world, module, node, deeper)
    return UNKNOWN


def _typing_name(module: Module, node: ast.expr) -> str:
    """`AsyncIterator` for that name of typing or collections.abc however it was imported; "" for a name of the user's own."""
    if isinstance(node, ast.Attribute):
        root = node.value
        while isinstance(root, ast.Attribute):
            root = root.value
        return node.attr if isinstance(root, ast.Name) and root.id in _TYPING else ""
    if not isinstance(node, ast.Name):
        return ""
    if node.id in module.bound:
        origin = module.import_origin(node.id)
        return origin[1] if origin is not None and origin[0].partition(".")[0] in _TYPING else ""
    return node.id


def _simple(world: World, module: Module, node: ast.Name | ast.Attribute, depth: int) -> Value:
    name = _typing_name(module, node)
    if name in PLAIN:
        return plain(name)
    if name in _COLLECTIONS or name in {"tuple", "Tuple"}:
        return frozenset({Collection("list", UNKNOWN)})
    if name in _ASYNC_ITERATORS:
        return frozenset({AsyncIterator(UNKNOWN)})
    if name in _ASYNC_MANAGERS | _MANAGERS:
        return frozenset({Manager(UNKNOWN, is_async=name in _ASYNC_MANAGERS)})
    if name in {"Any", "object", "Self", "TypeVar"} | _ITERATORS:
        return UNKNOWN
    if _from_typing(module, node):
        return UNKNOWN
    value = instances(world.reader.expression(module, node))
    spelling = spelt(node).rpartition(".")[2]
    if known(value) and all(isinstance(kind, Instance) and kind.cls.node.name == spelling for kind in value):
        return value
    told = _named(world, module, node, depth)
    return told if known(told) else value


def _named(world: World, module: Module, node: ast.Name | ast.Attribute, depth: int) -> Value:
    """What an alias stands for; objects of the class that a type variable is bound to; unknown for any other name."""
    found = world.resolver.resolve(module, node)
    if not isinstance(found, Found):
        return UNKNOWN
    match found.node:
        case ast.Subscript() | ast.BinOp() as alias:
            return declared(world, found.module, alias, depth)
        case ast.Call():
            bound = bound_of(world, module, node)
            value = declared(world, *bound, depth) if bound is not None else UNKNOWN
            return value if every(value, Instance) else UNKNOWN
    return UNKNOWN


def bound_of(world: World, module: Module, node: ast.expr) -> tuple[Module, ast.expr] | None:
    """The `bound` of the `TypeVar` that a name stands for, and the module that it is written in."""
    found = world.resolver.resolve(module, node) if isinstance(node, ast.Name) else None
    made = found.node if isinstance(found, Found) else None
    if not isinstance(found, Found) or not isinstance(made, ast.Call) or not _makes_variable(made):
        return None
    bound = next((item.value for item in made.keywords if item.arg == "bound"), None)
    return (found.module, bound) if bound is not None else None


def is_type_variable(world: World, module: Module, node: ast.Name) -> bool:
    """Whether a name stands for a `TypeVar`."""
    found = world.resolver.resolve(module, node)
    return isinstance(found, Found) and isinstance(found.node, ast.Call) and _makes_variable(found.node)


def _makes_variable(made: ast.Call) -> bool:
    return spelt(made.func).endswith("TypeVar")


def _from_typing(module: Module, node: ast.expr) -> bool:
    """Whether a name is one of typing's or collections.abc's own."""
    root = node
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name):
        return False
    origin = module.import_origin(root.id)
    return (origin[0] if origin is not None else root.id).partition(".")[0] in _ABSTRACT


def instances(value: Value) -> Value:
    """Objects of the classes in a value; unknown for everything that is not a class."""
    kinds = [
        Instance(kind.cls) if isinstance(kind, ClassValue) and not _is_type_variable(kind) else None for kind in value
    ]
    if not kinds or any(kind is None for kind in kinds):
        return UNKNOWN
    return frozenset(kind for kind in kinds if kind is not None)


def _is_type_variable(kind: ClassValue) -> bool:
    return kind.cls.package in {"typing", "typing_extensions"}


def elements(argument: ast.expr) -> list[ast.expr]:
    """What stands between the brackets of an annotation."""
    return argument.elts if isinstance(argument, ast.Tuple) else [argument]


def _generic(
    world: World, module: Module, base: ast.expr, argument: ast.expr, depth: int, bound: Mapping[str, Value]
) -> Value:
    name = _typing_name(module, base)
    arguments = elements(argument)
    if not arguments:
        return UNKNOWN

    def of(position: int) -> Value:
        return declared(world, module, arguments[position], depth, bound) if position < len(arguments) else UNKNOWN

    if name == "Optional":
        return join(of(0), NONE)
    if name == "Union":
        return join(*(of(position) for position in range(len(arguments))))
    if name in _WRAPPERS:
        return of(0)
    if name in PLAIN or name in {"Dict", "DefaultDict", "OrderedDict", "defaultdict"}:
        return plain("dict")
    if name in _COLLECTIONS:
        return frozenset({Collection("list", of(0))})
    if name in {"tuple", "Tuple"}:
        if len(arguments) == 2 and isinstance(arguments[1], ast.Constant) and arguments[1].value is ...:
            return frozenset({Collection("tuple", of(0))})
        items = tuple(of(position) for position in range(len(arguments)))
        return frozenset({Collection("tuple", join(*items), items)})
    if name in _ASYNC_ITERATORS:
        return frozenset({AsyncIterator(of(0))})
    if name in _ITERATORS:
        return frozenset({Iterator(of(0))})
    if name == "Awaitable":
        return frozenset({Awaitable(of(0))})
    if name == "Coroutine":
        result = of(2)
        return frozenset({Coroutine(Site(base, module, "", lambda: result, escaped=True))})
    if name in _ASYNC_MANAGERS | _MANAGERS:
        return frozenset({Manager(of(0), is_async=name in _ASYNC_MANAGERS)})
    if name == "Callable":
        return frozenset({CallableValue(of(1))})
    if name in {"type", "Type", "Literal"}:
        return UNKNOWN if name != "Literal" else plain("str")
    if _from_typing(module, base):
        return UNKNOWN
    alias = _named(world, module, base, depth) if isinstance(base, ast.Name | ast.Attribute) else UNKNOWN
    if known(alias):
        return alias
    made = instances(world.reader.expression(module, base))
    future = next((kind.cls for kind in made if isinstance(kind, Instance) and _is_future(kind.cls)), None)
    if future is not None or name in _FUTURES:
        return frozenset({Awaitable(of(0), future)})
    given = tuple(of(position) for position in range(len(arguments)))
    return frozenset(
        replace(kind, arguments=given) if isinstance(kind, Instance) and any(map(known, given)) else kind
        for kind in made
    )


def _is_future(cls: ClassInfo) -> bool:
    return cls.package == "asyncio" and cls.node.name in _FUTURES
