"""What a call gives, and what it does to the coroutines and clients it is handed."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitest.engine import keepers, members
from awaitest.engine.annotations import declared
from awaitest.engine.arguments import (
    Call,
    bound_arguments,
    check_append,
    check_arguments,
    check_constructor,
    decorates,
    fits,
    given,
    hand_over,
    hand_over_to,
)
from awaitest.engine.builtin_calls import called_builtin, given_coroutine
from awaitest.engine.decorators import Shape, makes_fixture, shape
from awaitest.engine.facts import (
    ENCODING,
    PASSES_RESULT,
    REMEMBERED,
    REQUESTS,
    RESULTS,
    RUNS,
    UNITTEST_COMPARISONS,
    UNITTEST_CONDITIONS,
)
from awaitest.engine.generics import bound_by, bound_in
from awaitest.engine.overloads import told
from awaitest.engine.patches import passes_replaced
from awaitest.engine.promises import breaks_its_word, passes_as, passes_through
from awaitest.engine.state import CLOSED, NEW, OPEN, USED
from awaitest.engine.steps import Misuse
from awaitest.engine.syntax import awaits, generates, gives_self, is_placeholder
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
    Site,
    Value,
    coroutines,
    every,
    join,
    known,
    plain,
)
from awaitest.engine.wrappers import object_of, wrapped_by

if TYPE_CHECKING:
    from awaitest.engine.expressions import Evaluator
    from awaitest.engine.knowledge import Member

_TYPING = frozenset({"typing", "typing_extensions"})


def apply(run: Evaluator, call: Call) -> Value:
    """The value of a call. A coroutine that it may, or may not, give is nobody's to await here."""
    value = join(*[_apply(run, call, kind) for kind in call.target])
    if not every(value, Coroutine):
        run.escape(frozenset(kind for kind in value if isinstance(kind, Coroutine)))
    return value


def _apply(run: Evaluator, call: Call, kind: Kind) -> Value:
    match kind:
        case BuiltinValue(name=name):
            return called_builtin(run, call, name)
        case ClassValue(cls=cls):
            return _instantiate(run, call, cls)
        case FunctionValue() if not run.expected or fits(call, kind):
            return _function(run, call, kind)
        case CallableValue(result=result) if not decorates(call):
            hand_over(run, call)
            return resited(run, call, result)
        case AsyncMockValue(assertion=assertion):
            hand_over(run, call)
            return NONE if assertion else UNKNOWN
        case Instance(cls=cls):
            method = run.world.member(cls, "__call__")
            if method is not None and not run.world.derives(cls, "NonCallableMock", "unittest", "mock"):
                callee = members.attribute(run.world, frozenset({kind}), "__call__")
                return apply(run, Call(call.node, call.label, callee, call.arguments))
    check_append(run, call)
    hand_over(run, call)
    return UNKNOWN


def resited(run: Evaluator, call: Call, value: Value) -> Value:
    """Coroutines and new clients that a call hands back were, to the reader, made by that call, but for those that it was given."""
    given = {id(kind.site.node): kind for argument in call.arguments for kind in coroutines(argument.value)}
    value = frozenset(given.get(id(kind.site.node), kind) if isinstance(kind, Coroutine) else kind for kind in value)
    made = [kind for kind in value if isinstance(kind, Coroutine) and id(kind.site.node) not in given]
    if made:
        site = run.site(call.node, call.label)
        site.result = lambda: join(*(kind.site.result() for kind in made))
        site.through = site.through.union(*(kind.site.through for kind in made))
        value = value.difference(made) | {Coroutine(site)}
    return run.adopt(call.node, call.label, value)


# -- classes -----------------------------------------------------------------------------------------------------------


def is_client(run: Evaluator, cls: ClassInfo) -> bool:
    return run.world.derives(cls, "AsyncClient", "httpx", "httpx2")


def _instantiate(run: Evaluator, call: Call, cls: ClassInfo) -> Value:
    world = run.world
    check_constructor(run, call, cls)
    hand_over(run, call)
    if cls.node.name == "AsyncMock" and cls.package in {"unittest", "mock"}:
        return frozenset({AsyncMockValue()})
    if is_client(run, cls):
        return frozenset({Instance(cls, run.client_site(call.node, call.label), _made(run, call, cls))})
    first = call.positional(0)
    if cls.package == "contextlib" and cls.node.name in {"closing", "aclosing"} and first is not None:
        return frozenset({Manager(first.value, cls.node.name == "aclosing", call.label)})
    if cls.package == "functools" and cls.node.name == "partial" and first is not None:
        return join(*(_partial(run, call, kind) for kind in first.value))
    if cls.package in _TYPING:
        return UNKNOWN
    maker = world.member(cls, "__new__")
    if maker is not None:
        return _made_by(run, cls, maker)
    kept = keepers.given(run, call, cls)
    return frozenset({Instance(cls, made=_made(run, call, cls), arguments=() if kept is None else (kept,))})


def _partial(run: Evaluator, call: Call, kind: Kind) -> Value:
    """What makes the coroutines of a function later, some of its arguments being given."""
    if not isinstance(kind, FunctionValue) or not kind.function.is_async or generates(kind.function.node):
        return UNKNOWN
    if shape(run.world, kind.function) is not Shape.AS_WRITTEN or makes_fixture(run.world, kind.function):
        return UNKNOWN
    later = Site(call.node, run.module, call.label, lambda: _result(run, kind.function, {}), escaped=True)
    return frozenset({CallableValue(frozenset({Coroutine(later)}))})


def _made(run: Evaluator, call: Call, cls: ClassInfo) -> Made | None:
    if not any((base.package, base.node.name) in REMEMBERED for base in run.world.mro(cls)[0]):
        return None
    return Made(call.node, run.module, given(call))


def _made_by(run: Evaluator, cls: ClassInfo, maker: Member) -> Value:
    """What a class with a `__new__` of its own gives: as declared, where it declares its own kind."""
    node = maker.nodes[-1]
    returns = node.returns if isinstance(node, ast.FunctionDef) else None
    if isinstance(node, ast.FunctionDef) and gives_self(node):
        return frozenset({Instance(cls)})
    made = declared(run.world, maker.owner.module, returns)
    return made if every(made, Instance) or every(made, Collection) else UNKNOWN


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
    wrapper = wrapped_by(run.world, function) if form is Shape.UNKNOWN else None
    if wrapper is not None:
        hand_over(run, call)
        return frozenset({object_of(run.world, wrapper, _result(run, function, bound_arguments(call, target)))})
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
    by_overload = told(run, call, target)
    if function.is_async:
        if by_overload is not None and every(by_overload, Coroutine):
            return resited(run, call, by_overload)
        site = run.site(call.node, call.label)
        site.result = lambda: _result(
            run, function, arguments, target.receiver if function.name == "__aenter__" else None
        )
        return frozenset({Coroutine(site)})
    result = by_overload or _result(run, function, arguments, receiver=target.receiver)
    result = resited(run, call, result)
    if run.expected or (run.trying and not _only_returns(node)):
        run.escape(result)
    return UNKNOWN if passes_replaced(run.patched, result) else result


def _only_returns(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function does nothing that could fail before it gives its result back."""
    last = node.body[-1]
    return isinstance(last, ast.Return) and is_placeholder(node.body[:-1])


def _special(run: Evaluator, call: Call, function: FunctionInfo) -> Value | None:
    """Functions whose effect their signature cannot tell."""
    name = function.name
    package = function.module.name.partition(".")[0]
    owner = function.owner.node.name if function.owner is not None else ""
    if (package, owner, name) in RESULTS:
        hand_over(run, call)
        return plain(RESULTS[package, owner, name])
    first = call.positional(0)
    told_otherwise = passes_as(run, call, name) if package in _TYPING else None
    if told_otherwise is not None:
        return told_otherwise
    if first is not None and (package, name) in ENCODING and every(first.value, Coroutine, Collection):
        run.misuse(frozenset(coroutines(first.value)), first.node, Misuse.ARGUMENT, f"{name}()")
    if first is not None and (package, name) in PASSES_RESULT:
        results = [kind.site.result() if isinstance(kind, Coroutine) else UNKNOWN for kind in first.value]
        hand_over(run, call)
        result = join(*results)
        if function.is_async:
            return given_coroutine(run, call, result)
        if name in RUNS:
            fails = run.is_async or any(isinstance(kind, Coroutine) or has_life(kind) for kind in result)
            return UNKNOWN if fails else result
        promised = declared(run.world, function.module, getattr(function.node, "returns", None))
        return frozenset({Awaitable(result, getattr(kind, "cls", None)) for kind in promised})
    if first is not None and name in {"enter_async_context", "enterAsyncContext"}:
        entered = join(*(entered_by(run, kind, is_async=True) for kind in first.value))
        hand_over(run, call)
        return given_coroutine(run, call, entered)
    if owner.endswith("TestCase") and package == "unittest":
        return _unittest_assertion(run, call, name)
    return None


def entered_by(run: Evaluator, kind: Kind, is_async: bool) -> Value:
    """What `with`, or `async with`, gives of what it enters."""
    if isinstance(kind, Manager) and kind.is_async == is_async:
        return kind.item
    if not isinstance(kind, Instance):
        return UNKNOWN
    itself: Value = frozenset({kind})
    if is_client(run, kind.cls):
        return itself
    method = run.world.member(kind.cls, "__aenter__" if is_async else "__enter__")
    node = method.nodes[-1] if method is not None else None
    if method is None or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return UNKNOWN
    if gives_self(node):
        return itself
    kept = keepers.held(run.world, kind)
    if is_async and kept is not None and keepers.enters_result(run.world, kind.cls):
        return kept
    value = declared(run.world, method.owner.module, node.returns, bound=bound_in(run.world, method.owner, itself))
    if known(value):
        return itself if _classes(value) == {kind.cls} else value
    return run.world.reader.returns(run.world.function_info(method.owner.module, node, method.owner), {"self": itself})


def _classes(value: Value) -> set[ClassInfo]:
    """The classes of the objects in a value; none where it is anything else too."""
    classes = {kind.cls for kind in value if isinstance(kind, Instance)}
    return classes if every(value, Instance) else set()


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
    receiver = target.receiver or frozenset()
    if len(followed(receiver)) > 1:
        run.blur(followed(receiver))
    for kind in receiver:
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
    if receiver is not None and gives_self(node):
        return frozenset(Instance(kind.cls) if isinstance(kind, ClassValue) else kind for kind in receiver)
    value = declared(run.world, function.module, node.returns, bound=bound_by(run.world, function, arguments))
    if breaks_its_word(function, value):
        return run.world.reader.returns(function, arguments)
    if receiver is not None and node.returns is not None and passes_through(run, function, receiver):
        handed_on = run.world.reader.returns(function, arguments)
        if every(handed_on, Coroutine):
            return handed_on
        return value if _classes(handed_on) == _classes(value) != set() else UNKNOWN
    if known(_without_protocols(value)) and not every(value, Awaitable) and not _body_tells_more(run, function, value):
        return value
    inferred = run.world.reader.returns(function, arguments)
    return inferred if known(inferred) else _without_protocols(value)


def _without_protocols(value: Value) -> Value:
    """The value, unless only an annotation calls it an iterator: such an object may be an asynchronous one too."""
    return UNKNOWN if any(isinstance(kind, Iterator) for kind in value) else value


def given_by(run: Evaluator, function: FunctionInfo, receiver: Value) -> Value:
    """What a method gives that is called by syntax, such as `async for`, instead of by name."""
    node = function.node
    first = next(iter((*node.args.posonlyargs, *node.args.args)), None)
    arguments = {first.arg: receiver} if first is not None else {}
    if shape(run.world, function) is not Shape.AS_WRITTEN:
        return UNKNOWN
    if generates(node):
        item = _items(run, function, arguments)
        return frozenset({AsyncIterator(item) if function.is_async else Iterator(item)})
    if not function.is_async:
        return _result(run, function, arguments, receiver)
    return frozenset({Coroutine(Site(node, function.module, "", lambda: _result(run, function, arguments, receiver)))})


def _body_tells_more(run: Evaluator, function: FunctionInfo, declared_value: Value) -> bool:
    """Whether the body can tell more than the annotation: in which state of its life the client is, how the app was made."""
    return function.module.origin == "project" and any(
        isinstance(kind, Instance)
        and (is_client(run, kind.cls) or run.world.derives(kind.cls, "Starlette", "starlette"))
        for kind in declared_value
    )


def _items(run: Evaluator, function: FunctionInfo, arguments: dict[str, Value]) -> Value:
    """What a generator function yields."""
    node = function.node
    assert not isinstance(node, ast.Lambda)
    kinds = [
        kind
        for kind in declared(run.world, function.module, node.returns, bound=bound_by(run.world, function, arguments))
        if isinstance(kind, (AsyncIterator, Iterator))
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
