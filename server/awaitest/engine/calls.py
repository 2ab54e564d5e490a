"""What a call gives, and what it does to the coroutines and clients it is handed."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitest.engine import members
from awaitest.engine.annotations import declared
from awaitest.engine.arguments import Call, bound_arguments, check_arguments, given, hand_over, hand_over_to
from awaitest.engine.decorators import Shape, makes_fixture, shape
from awaitest.engine.facts import (
    PASSES_RESULT,
    REMEMBERED,
    REQUESTS,
    RESULTS,
    RUNS,
    UNITTEST_COMPARISONS,
    UNITTEST_CONDITIONS,
)
from awaitest.engine.state import CLOSED, NEW, OPEN, USED
from awaitest.engine.steps import Iterated, Misuse
from awaitest.engine.syntax import awaits, generates, passed_through
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
    Coroutine,
    FunctionInfo,
    FunctionValue,
    Instance,
    Iterator,
    Kind,
    Made,
    Manager,
    Plain,
    Site,
    Value,
    every,
    join,
    known,
    plain,
)

if TYPE_CHECKING:
    from awaitest.engine.expressions import Evaluator
    from awaitest.engine.world import Member


def apply(run: Evaluator, call: Call) -> Value:
    """The value of a call."""
    return join(*(_apply(run, call, kind) for kind in call.target))


def _apply(run: Evaluator, call: Call, kind: Kind) -> Value:
    match kind:
        case BuiltinValue(name=name):
            return _builtin(run, call, name)
        case ClassValue(cls=cls):
            return _instantiate(run, call, cls)
        case FunctionValue():
            return _function(run, call, kind)
        case CallableValue(result=result):
            hand_over(run, call)
            return resited(run, call, result)
        case AsyncMockValue(assertion=assertion):
            hand_over(run, call)
            return NONE if assertion else UNKNOWN
        case Instance(cls=cls):
            method = run.world.member(cls, "__call__")
            if method is not None and not run.world.derives(cls, "NonCallableMock", "unittest", "mock"):
                return apply(
                    run,
                    Call(
                        call.node,
                        call.label,
                        members.attribute(run.world, frozenset({kind}), "__call__"),
                        call.arguments,
                    ),
                )
    hand_over(run, call)
    return UNKNOWN


def resited(run: Evaluator, call: Call, value: Value) -> Value:
    """Coroutines and new clients that a call hands back were, to the reader, made by that call."""
    return run.adopt(call.node, call.label, frozenset(_resited(run, call, kind) for kind in value))


def _resited(run: Evaluator, call: Call, kind: Kind) -> Kind:
    if not isinstance(kind, Coroutine):
        return kind
    site = run.site(call.node, call.label)
    site.result = kind.site.result
    return Coroutine(site)


# -- built-in functions ------------------------------------------------------------------------------------------------

_DATA = {"len": "int", "str": "str", "repr": "str", "int": "int", "float": "float", "bool": "bool", "hash": "int",
         "isinstance": "bool", "hasattr": "bool", "callable": "bool", "dict": "dict", "bytes": "bytes", "print": "None",
         "range": "range", "id": "int", "format": "str", "round": "int", "any": "bool", "all": "bool", "sum": "int"}  # fmt: skip
_ITERATING = frozenset(
    {
        "list",
        "tuple",
        "set",
        "frozenset",
        "sorted",
        "sum",
        "min",
        "max",
        "any",
        "all",
        "enumerate",
        "zip",
        "map",
        "filter",
    }
)
_NEEDING_DATA = frozenset(
    {
        "len",
        "int",
        "float",
        "sum",
        "sorted",
        "list",
        "tuple",
        "set",
        "frozenset",
        "dict",
        "bytes",
        "any",
        "all",
        "min",
        "max",
    }
)
_LOOKING = frozenset({"str", "repr", "print", "format"})


def _builtin(run: Evaluator, call: Call, name: str) -> Value:
    first = call.positional(0)
    if name == "getattr" and first is not None and len(call.arguments) == 2:
        return _getattr(run, call, first.value)
    if first is not None and name in _NEEDING_DATA:
        run.misuse(first.value, first.node, Misuse.ARGUMENT, f"{name}()")
    if first is not None and name == "bool":
        run.misuse(first.value, first.node, Misuse.CONDITION, later=not isinstance(first.node, ast.Call))
    second = call.positional(1)
    asked = first is not None and second is not None and members.never_awaitable(run.world, second.value)
    if name == "isinstance" and asked and first is not None:
        run.misuse(first.value, call.node, Misuse.COMPARED, later=not isinstance(first.node, ast.Call))
        return plain("bool")
    if name == "anext" and first is not None and len(call.arguments) == 1 and every(first.value, AsyncIterator):
        return _coroutine(run, call, join(*(kind.item for kind in first.value if isinstance(kind, AsyncIterator))))
    if name in _LOOKING:
        for argument in call.arguments:
            if isinstance(argument.node, ast.Call):
                run.misuse(argument.value, argument.node, Misuse.ARGUMENT, f"{name}()")
    if name in {"list", "tuple", "set", "sorted"} and first is not None:
        run.note(
            Iterated(node=call.node, is_async=False, value=first.value, iterable=first.node, expected=run.expected > 0)
        )
        inner = frozenset({Collection("list", join(*(k.element for k in first.value if isinstance(k, Collection))))})
        return inner if every(first.value, Collection) else frozenset({Collection("list", UNKNOWN)})
    if name not in _LOOKING and name not in _NEEDING_DATA and name != "bool":
        hand_over(run, call)
    if name in _ITERATING:
        hand_over(run, call)
    return plain(_DATA[name]) if name in _DATA else UNKNOWN


def _getattr(run: Evaluator, call: Call, receiver: Value) -> Value:
    named = call.positional(1)
    names = [kind.const if isinstance(kind, Plain) else None for kind in (named.value if named else UNKNOWN)]
    if not all(isinstance(name, str) for name in names):
        run.escape(receiver)
        return UNKNOWN
    return join(*(members.attribute(run.world, receiver, str(name)) for name in names))


# -- classes -----------------------------------------------------------------------------------------------------------


def is_client(run: Evaluator, cls: ClassInfo) -> bool:
    return run.world.derives(cls, "AsyncClient", "httpx", "httpx2")


def _instantiate(run: Evaluator, call: Call, cls: ClassInfo) -> Value:
    world = run.world
    hand_over(run, call)
    if cls.node.name == "AsyncMock" and cls.package in {"unittest", "mock"}:
        return frozenset({AsyncMockValue()})
    if is_client(run, cls):
        return frozenset({Instance(cls, run.client_site(call.node, call.label), _made(run, call, cls))})
    first = call.positional(0)
    if cls.package == "contextlib" and cls.node.name in {"closing", "aclosing"} and first is not None:
        return frozenset({Manager(first.value, cls.node.name == "aclosing", call.label)})
    if cls.package in {"typing", "typing_extensions"}:
        return UNKNOWN
    maker = world.member(cls, "__new__")
    return frozenset({Instance(cls, made=_made(run, call, cls))}) if maker is None else _made_by(run, cls, maker)


def _made(run: Evaluator, call: Call, cls: ClassInfo) -> Made | None:
    if not any((base.package, base.node.name) in REMEMBERED for base in run.world.mro(cls)[0]):
        return None
    return Made(call.node, run.module, given(call))


def _made_by(run: Evaluator, cls: ClassInfo, maker: Member) -> Value:
    """What a class with a `__new__` of its own gives: as declared, where it declares its own kind."""
    node = maker.nodes[-1]
    returns = node.returns if isinstance(node, ast.FunctionDef) else None
    if isinstance(returns, ast.Name | ast.Constant) and _is_self(returns):
        return frozenset({Instance(cls)})
    made = declared(run.world, maker.owner.module, returns)
    return made if every(made, Instance) else UNKNOWN


# -- functions ---------------------------------------------------------------------------------------------------------


def _function(run: Evaluator, call: Call, target: FunctionValue) -> Value:
    function, node = target.function, target.function.node
    if isinstance(node, ast.Lambda):
        hand_over(run, call)
        return resited(run, call, run.world.reader.returns(function, bound_arguments(call, target)))
    special = _special(run, call, function)
    if special is not None:
        return special
    check_arguments(run, call, target)
    form = shape(run.world, function)
    if form is Shape.UNKNOWN or (not function.is_async and awaits(node)) or makes_fixture(run.world, function):
        hand_over(run, call)
        return UNKNOWN
    arguments = bound_arguments(call, target)
    hand_over_to(run, call, target)
    _touch_client(run, call, target)
    if form in (Shape.ASYNC_MANAGER, Shape.MANAGER):
        item = _items(run, function, arguments)
        return frozenset({Manager(item, form is Shape.ASYNC_MANAGER, call.label)})
    if generates(node):
        item = _items(run, function, arguments)
        return frozenset({AsyncIterator(item, call.label) if function.is_async else Iterator(item)})
    if function.is_async:
        site = run.site(call.node, call.label)
        site.result = lambda: _result(run, function, arguments)
        return frozenset({Coroutine(site)})
    result = resited(run, call, _result(run, function, arguments, receiver=target.receiver))
    if run.expected:
        run.escape(result)
    return result


def _special(run: Evaluator, call: Call, function: FunctionInfo) -> Value | None:
    """Functions whose effect their signature cannot tell."""
    name = function.name
    package = function.module.name.partition(".")[0]
    owner = function.owner.node.name if function.owner is not None else ""
    if (package, owner, name) in RESULTS:
        hand_over(run, call)
        return plain(RESULTS[package, owner, name])
    first = call.positional(0)
    if first is not None and (package, name) in PASSES_RESULT:
        results = [kind.site.result() if isinstance(kind, Coroutine) else UNKNOWN for kind in first.value]
        hand_over(run, call)
        result = join(*results)
        if function.is_async:
            return _coroutine(run, call, result)
        if name in RUNS:
            fails = run.is_async or any(isinstance(kind, Coroutine) or has_life(kind) for kind in result)
            return UNKNOWN if fails else result
        return frozenset({Awaitable(result)})
    if first is not None and name in {"enter_async_context", "enterAsyncContext"}:
        entered = join(*(_entered(kind) for kind in first.value))
        hand_over(run, call)
        return _coroutine(run, call, entered)
    if owner.endswith("TestCase") and package == "unittest":
        return _unittest_assertion(run, call, name)
    return None


def _coroutine(run: Evaluator, call: Call, result: Value) -> Value:
    site = run.site(call.node, call.label)
    site.result = lambda: result
    return frozenset({Coroutine(site)})


def _entered(kind: Kind) -> Value:
    if isinstance(kind, Manager):
        return kind.item
    return frozenset({kind}) if has_life(kind) else UNKNOWN


def _unittest_assertion(run: Evaluator, call: Call, name: str) -> Value | None:
    if name in UNITTEST_CONDITIONS:
        checked, how = call.arguments[:1], Misuse.CONDITION
    elif name in UNITTEST_COMPARISONS:
        checked, how = call.arguments[:2], Misuse.COMPARED
    else:
        return None
    for argument in checked:
        run.misuse(argument.value, call.node, how, later=not isinstance(argument.node, ast.Call))
    return NONE


def _touch_client(run: Evaluator, call: Call, target: FunctionValue) -> None:
    for kind in target.receiver or ():
        if not isinstance(kind, Instance) or kind.site is None:
            continue
        name = target.function.name
        if name == "__aenter__":
            run.client_used(call.node, kind.site, "enter", OPEN)
        elif name in {"aclose", "close", "__aexit__"}:
            kind.site.closed = True
            run.client_used(call.node, kind.site, "leave" if name == "__aexit__" else "close", CLOSED)
        elif name in REQUESTS:
            life = run.state.life(kind.site)
            run.client_used(call.node, kind.site, "request", USED if NEW in life else None)


def _result(
    run: Evaluator, function: FunctionInfo, arguments: dict[str, Value], receiver: Value | None = None
) -> Value:
    """What a function gives back: as declared, else as its body says."""
    node = function.node
    assert not isinstance(node, ast.Lambda)
    if receiver is not None and isinstance(node.returns, ast.Name | ast.Constant) and _is_self(node.returns):
        return receiver
    value = declared(run.world, function.module, node.returns)
    if receiver is not None and node.returns is not None and _passes_through(run, function, receiver):
        return UNKNOWN
    if known(value) and not every(value, Awaitable) and not _body_tells_more(run, function, value):
        return value
    inferred = run.world.reader.returns(function, arguments)
    return inferred if known(inferred) else value


def _passes_through(run: Evaluator, function: FunctionInfo, receiver: Value) -> bool:
    """Whether a method gives back what `self.x()` gives, and `x` is no plain method of the class: its annotation may then
    tell what comes in the end, as in classes that serve a synchronous and an asynchronous client alike."""
    found = [
        run.world.member(kind.cls, name)
        for name in passed_through(function.node)
        for kind in receiver
        if isinstance(kind, Instance)
    ]
    return any(member is None or not isinstance(member.nodes[-1], ast.FunctionDef) for member in found)


def _body_tells_more(run: Evaluator, function: FunctionInfo, declared_value: Value) -> bool:
    """Whether the body can tell more than the annotation: in which state of its life the client is, how the app was made."""
    return function.module.origin == "project" and any(
        isinstance(kind, Instance)
        and (is_client(run, kind.cls) or run.world.derives(kind.cls, "Starlette", "starlette"))
        for kind in declared_value
    )


def _is_self(node: ast.Name | ast.Constant) -> bool:
    return (node.id if isinstance(node, ast.Name) else node.value) == "Self"


def _items(run: Evaluator, function: FunctionInfo, arguments: dict[str, Value]) -> Value:
    """What a generator function yields."""
    node = function.node
    assert not isinstance(node, ast.Lambda)
    kinds = [
        kind
        for kind in declared(run.world, function.module, node.returns)
        if isinstance(kind, AsyncIterator | Iterator)
    ]
    value = join(*(kind.item for kind in kinds)) if kinds else UNKNOWN
    if known(value):
        return value
    return run.world.reader.returns(function, arguments)


def has_life(kind: Kind) -> bool:
    """Whether this is a client that was made here."""
    return isinstance(kind, Instance) and kind.site is not None


def followed(value: Value) -> list[Site]:
    """The clients in a value."""
    return [kind.site for kind in value if isinstance(kind, Instance) and kind.site is not None]
