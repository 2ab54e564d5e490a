"""What decorators make of a function."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from awaitest.engine import marks
from awaitest.engine.values import ClassInfo, ClassValue, FunctionInfo, FunctionValue, Instance, Value
from awaitest.engine.world import Definition
from awaitest.source.nodes import parts_of, spelt

if TYPE_CHECKING:
    from awaitest.engine.world import World
    from awaitest.project.modules import Module


class Shape(Enum):
    """What calling a decorated function does."""

    AS_WRITTEN = "as written"
    MANAGER = "context manager"
    ASYNC_MANAGER = "asynchronous context manager"
    HANDED_ON = "a plain function that gives what it gives"
    UNKNOWN = "unknown"


_NEUTRAL_NAMES = frozenset({"staticmethod", "classmethod", "property", "override", "overload", "final"})
"""Written alone, they mean but one thing, wherever they come from: projects take typing's from here or there, as Python allows."""
_NEUTRAL = frozenset(
    {
        ("contextlib", "wraps"), ("functools", "wraps"), ("functools", "cache"), ("functools", "lru_cache"),
        ("abc", "abstractmethod"), ("typing", "override"), ("typing", "overload"), ("typing", "final"),
        ("typing_extensions", "override"), ("typing_extensions", "overload"), ("typing_extensions", "deprecated"),
        ("warnings", "deprecated"), ("unittest", "skip"), ("unittest", "skipIf"), ("unittest", "skipUnless"),
        ("unittest", "expectedFailure"), ("functools", "cached_property"),
    }
)  # fmt: skip
_ALLURE = (
    "title", "description", "description_html", "feature", "story", "epic", "severity", "tag", "link", "label", "issue",
    "testcase", "id", "suite", "parent_suite", "sub_suite", "manual",
)  # fmt: skip
_ELSEWHERE = frozenset(
    {
        ("respx", "mock"), ("freezegun", "freeze_time"), ("time_machine", "travel"), ("tenacity", "retry"),
        ("stamina", "retry"), ("backoff", "on_exception"), ("backoff", "on_predicate"), ("vcr", "use_cassette"),
        ("responses", "activate"), ("flaky", "flaky"), *(("allure", name) for name in _ALLURE),
    }
)  # fmt: skip
"""Of libraries whose source does not tell: seen to give a coroutine function for a coroutine function."""

_MOCKING = ("unittest.mock", "mock")
_OF_CLASSES = frozenset(
    {"abc", "dataclasses", "functools", "mock", "typing", "typing_extensions", "unittest", "warnings"}
)
"""Packages whose decorators of classes leave the methods as they run."""

_NESTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_ROUTERS = ("FastAPI", "APIRouter", "Starlette", "Router")
_ROUTER_PACKAGES = ("fastapi", "starlette")


def shape(world: World, function: FunctionInfo) -> Shape:
    """The effect of all decorators of a function together."""
    node = function.node
    if isinstance(node, ast.Lambda) or not node.decorator_list:
        return Shape.AS_WRITTEN
    result = Shape.AS_WRITTEN
    for decorator in reversed(node.decorator_list):
        effect = effect_of(world, function, decorator)
        if effect is Shape.UNKNOWN:
            return Shape.UNKNOWN
        if effect is not Shape.AS_WRITTEN:
            result = effect
    return result


def effect_of(world: World, function: FunctionInfo, decorator: ast.expr) -> Shape:
    """The effect of one decorator."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    if is_mark(called) or any(marks.decorators(world, function.module, [decorator], "")):
        return Shape.AS_WRITTEN
    if isinstance(called, ast.Name) and called.id in _NEUTRAL_NAMES:
        return Shape.AS_WRITTEN
    if isinstance(called, ast.Attribute) and called.attr in {"setter", "getter", "deleter"}:
        return Shape.AS_WRITTEN
    written = _written(function.module, called)
    if written in _NEUTRAL:
        return Shape.AS_WRITTEN
    if written in _ELSEWHERE:
        return Shape.AS_WRITTEN if function.is_async else Shape.UNKNOWN
    value = evaluate(world, function, called)
    effects = {_effect_of_kind(world, function, kind, isinstance(decorator, ast.Call)) for kind in value}
    return effects.pop() if len(effects) == 1 else Shape.UNKNOWN


def leaves_class(world: World, cls: ClassInfo, decorator: ast.expr) -> bool:
    """Whether a decorator of a class certainly puts nothing in place of its methods that runs otherwise, and gives no marks
    but those that can be seen."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    if is_mark(called) or any(marks.decorators(world, cls.module, [decorator], "")):
        return True
    if _written(cls.module, called) in _NEUTRAL | _ELSEWHERE:
        return True
    kinds = world.reader.expression(cls.module, called)
    return bool(kinds) and all(
        (isinstance(kind, FunctionValue) and _leaves_it(kind.function, isinstance(decorator, ast.Call)))
        or (isinstance(kind, ClassValue) and _module_is(kind.cls, *_MOCKING))
        or (isinstance(kind, Instance) and _module_is(kind.cls, *_MOCKING))
        for kind in kinds
    )


def _leaves_it(decorator: FunctionInfo, called: bool) -> bool:
    """Whether a function is one of the standard library's decorators of classes, or gives back what it got at once."""
    if decorator.in_library is not None:
        return decorator.in_library.partition(".")[0] in _OF_CLASSES
    body = [] if called or isinstance(decorator.node, ast.Lambda) else decorator.node.body
    first = next((item.arg for item in (*decorator.node.args.posonlyargs, *decorator.node.args.args)), "")
    match body:
        case [ast.Return(value=ast.Name(id=name))] | [
            ast.Expr(value=ast.Constant()),
            ast.Return(value=ast.Name(id=name)),
        ]:
            return name == first
    return False


def _written(module: Module, node: ast.expr) -> tuple[str, str] | None:
    """The library and the name that a decorator is imported as: `respx.mock`, or `mock` from there."""
    match node:
        case ast.Attribute(value=ast.Name(id=library), attr=name):
            origin = module.import_origin(library)
            return (origin[0], name) if origin is not None and not origin[1] else None
        case ast.Name(id=name):
            return module.import_origin(name)
    return None


def makes_fixture(world: World, function: FunctionInfo) -> bool:
    """Whether a decorator makes a function a fixture, which pytest does not let anybody call."""
    called = (
        node.func if isinstance(node, ast.Call) else node for node in getattr(function.node, "decorator_list", ())
    )
    made = (kind for node in called if not is_mark(node) for kind in evaluate(world, function, node))
    return any(isinstance(kind, FunctionValue) and _is_fixture_factory(kind.function) for kind in made)


def _is_fixture_factory(function: FunctionInfo) -> bool:
    package = function.module.name.partition(".")[0]
    return function.name == "fixture" and package in {"pytest", "_pytest", "pytest_asyncio"}


def evaluate(world: World, function: FunctionInfo, node: ast.expr) -> Value:
    """The decorator as seen where the function is defined."""
    return world.reader.expression(function.module, node, function.closure)


def is_mark(node: ast.expr) -> bool:
    """`pytest.mark.x` however deep."""
    while isinstance(node, ast.Attribute):
        if node.attr == "mark":
            return True
        node = node.value
    return isinstance(node, ast.Name) and node.id == "mark"


def _effect_of_kind(world: World, function: FunctionInfo, kind: object, called: bool) -> Shape:
    if isinstance(kind, ClassValue):
        return _class_effect(kind.cls)
    if isinstance(kind, FunctionValue):
        return _function_effect(world, function, kind, called)
    if isinstance(kind, Instance) and _module_is(kind.cls, *_MOCKING):
        return Shape.AS_WRITTEN
    return Shape.UNKNOWN


def _class_effect(cls: ClassInfo) -> Shape:
    if _module_is(cls, *_MOCKING) or cls.node.name in {"cached_property", "staticmethod", "classmethod"}:
        return Shape.AS_WRITTEN
    return Shape.UNKNOWN


def _module_is(cls: ClassInfo, *names: str) -> bool:
    return cls.module.name in names


def _function_effect(world: World, function: FunctionInfo, kind: FunctionValue, called: bool) -> Shape:
    decorator = kind.function
    package = decorator.module.name.partition(".")[0]
    name = decorator.name
    owner = decorator.owner
    if package == "contextlib" and name == "asynccontextmanager":
        return Shape.ASYNC_MANAGER
    if package == "contextlib" and name == "contextmanager":
        return Shape.MANAGER
    if (package, name) in _NEUTRAL or decorator.module.name in _MOCKING:
        return Shape.AS_WRITTEN
    if name == "fixture":
        return Shape.AS_WRITTEN
    if owner is not None and any(world.derives(owner, router, *_ROUTER_PACKAGES) for router in _ROUTERS):
        return Shape.AS_WRITTEN
    if package == "anyio" or isinstance(decorator.node, ast.Lambda):
        return Shape.UNKNOWN
    if keeps(decorator.node, function.is_async, called):
        return Shape.AS_WRITTEN
    return Shape.HANDED_ON if function.is_async and _hands_on(decorator.node, called) else Shape.UNKNOWN


def keeps(node: Definition, is_async: bool, called: bool) -> bool:
    """Whether a decorator gives back its function, or a wrapper that runs like it."""
    inner = [part for part in node.body if isinstance(part, Definition)]
    returned = _returned_names(node)
    if any(_rebinds(node, name) for name in returned) or not all(map(_only_wraps, inner)):
        return False
    if called:
        return len(inner) == 1 and returned == {inner[0].name} and keeps(inner[0], is_async, called=False)
    parameters = [item.arg for item in (*node.args.posonlyargs, *node.args.args)]
    if returned and returned <= set(parameters[:1]):
        return True
    wrappers = [part for part in inner if part.name in returned]
    if len(wrappers) != 1 or returned != {wrappers[0].name} or not parameters:
        return False
    return is_async and isinstance(wrappers[0], ast.AsyncFunctionDef) and not _yields(wrappers[0])


def _hands_on(node: Definition, called: bool) -> bool:
    """Whether a decorator gives back a plain function that never returns anything but what it gets from the one it was given."""
    inner = [part for part in node.body if isinstance(part, Definition)]
    if len(inner) != 1 or _returned_names(node) != {inner[0].name} or _rebinds(node, inner[0].name):
        return False
    (wrapper,) = inner
    if called:
        return _hands_on(wrapper, called=False)
    first = next((item.arg for item in (*node.args.posonlyargs, *node.args.args)), "")
    if not isinstance(wrapper, ast.FunctionDef) or not _only_wraps(wrapper) or _rebinds(wrapper, first):
        return False
    parts = [part for statement in wrapper.body for part in parts_of(statement)]
    returned = [part.value for part in parts if isinstance(part, ast.Return)]
    return (
        isinstance(wrapper.body[-1], ast.Return)
        and not any(isinstance(part, (*_NESTED, ast.Yield, ast.YieldFrom)) for part in parts)
        and all(isinstance(it, ast.Call) and isinstance(it.func, ast.Name) and it.func.id == first for it in returned)
    )


@dataclass(frozen=True, slots=True)
class PlainWrapper:
    """What a decorator gives back in place of its function: a plain one that calls it and hands back what comes, or drops it."""

    node: ast.FunctionDef
    calls: tuple[ast.Call, ...]

    @property
    def returns(self) -> bool:
        """Whether a call is handed back."""
        return any(isinstance(part, ast.Return) and part.value in self.calls for part in parts_of(self.node))


def inner_wrapper(node: Definition) -> ast.FunctionDef | None:
    """The plain function in a decorator that does nothing but give that back."""
    body = [part for part in node.body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))]
    wrapper = body[0] if len(body) == 2 else None
    is_given = isinstance(wrapper, ast.FunctionDef) and _returned_names(node) == {wrapper.name}
    return wrapper if isinstance(wrapper, ast.FunctionDef) and is_given and _only_wraps(wrapper) else None


def plain_wrapper(node: Definition, called: bool) -> PlainWrapper | None:
    """The wrapper of a decorator that does nothing else with its function; None where it may."""
    wrapper = inner_wrapper(node)
    if wrapper is None or called:
        return plain_wrapper(wrapper, called=False) if wrapper is not None else None
    parameters = [item.arg for item in (*node.args.posonlyargs, *node.args.args)]
    calls = _calls(wrapper, parameters[0]) if parameters and not _yields(wrapper) else ()
    return PlainWrapper(wrapper, calls) if calls else None


def _only_wraps(node: Definition) -> bool:
    """Whether a function inside a decorator has no decorator of its own but `wraps(…)`."""
    return all(spelt(it).rpartition(".")[2].startswith("wraps(") for it in node.decorator_list)


def _rebinds(node: Definition, name: str) -> bool:
    """Whether a decorator assigns to a name of its own: something else may be behind it then."""
    parts = (part for statement in _own_statements(node.body) for part in parts_of(statement))
    return any(isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Store) for part in parts)


def _calls(wrapper: ast.FunctionDef, name: str) -> tuple[ast.Call, ...]:
    """The calls of a function that are statements or returned; none where it is used in another way too."""
    parts = [part for statement in wrapper.body for part in parts_of(statement)]
    asked = [part.value for part in parts if isinstance(part, (ast.Return, ast.Expr))]
    calls = tuple(
        it for it in asked if isinstance(it, ast.Call) and isinstance(it.func, ast.Name) and it.func.id == name
    )
    owners = [part.value for part in parts if isinstance(part, ast.Attribute)]
    named = sum(isinstance(part, ast.Name) and part.id == name and part not in owners for part in parts)
    return calls if named == len(calls) else ()


def _returned_names(node: Definition) -> set[str]:
    names: set[str] = set()
    for part in _own_statements(node.body):
        if isinstance(part, ast.Return):
            names.add(part.value.id if isinstance(part.value, ast.Name) else "")
    return names


def _own_statements(body: list[ast.stmt]) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, (Definition, ast.ClassDef)):
            continue
        found.append(statement)
        for field in ("body", "orelse", "finalbody"):
            found.extend(_own_statements(getattr(statement, field, [])))
        for handler in getattr(statement, "handlers", []):
            found.extend(_own_statements(handler.body))
    return found


def _yields(node: Definition) -> bool:
    return any(isinstance(part, (ast.Yield, ast.YieldFrom)) for part in parts_of(node))
