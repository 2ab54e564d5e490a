"""On which backends anyio runs a test."""

from __future__ import annotations

import ast
import re
from itertools import takewhile
from typing import TYPE_CHECKING

from awaitest.engine.decorators import Shape, evaluate, shape
from awaitest.engine.fixtures import requested
from awaitest.engine.repair import path_to
from awaitest.engine.run import TEST
from awaitest.engine.runner import BACKENDS
from awaitest.engine.syntax import DECIDING, bound_names, generates, unconditional
from awaitest.engine.uses import library_callee
from awaitest.engine.values import Collection, FunctionInfo, FunctionValue, Plain, Value, coroutines, known
from awaitest.source.nodes import last_name, parts_of, spelt

if TYPE_CHECKING:
    from awaitest.engine.fixtures import Fixture
    from awaitest.engine.run import Run
    from awaitest.engine.steps import Called

BACKEND = "anyio_backend"

_NEED_ASYNCIO = {
    "asyncio." + name
    for name in (
        "create_task", "ensure_future", "gather", "get_running_loop", "sleep", "timeout", "to_thread", "wait", "wait_for",
    )
}  # fmt: skip
_SELECTING = re.compile(r"trio|(?<!\S)['\"[]*-k|--deselect")
"""Options that choose among tests by the names that their backends give them."""
_DEEPEST = 3
_LEAVING = (*DECIDING, ast.With, ast.Return, ast.Raise)
_SKIPPING = frozenset({"skip", "importorskip", "xfail", "fail", "exit"})


def needs_asyncio(run: Run, step: Called) -> bool:
    """Whether a call is one of what only asyncio runs, or of a function of the project that certainly reaches one."""
    if library_callee(step.target) in _NEED_ASYNCIO:
        return True
    waited = all(kind.site.awaited and not kind.site.escaped for kind in coroutines(step.result))
    return waited and _all_reach_it(run, step.target, _DEEPEST)


def _all_reach_it(run: Run, target: Value, depth: int) -> bool:
    return depth > 0 and all(
        isinstance(kind, FunctionValue)
        and kind.function.module.origin == "project"
        and _reaches_it(run, kind.function, depth)
        for kind in target
    )


def _reaches_it(run: Run, function: FunctionInfo, depth: int) -> bool:
    """Whether each call of a function reaches what only asyncio runs, before anything may part its ways."""
    node, world = function.node, run.engine.world
    if isinstance(node, ast.Lambda) or generates(node) or shape(world, function) is not Shape.AS_WRITTEN:
        return False
    if "sniffio" in function.module.bound:
        return False
    own = bound_names(node.body) | {part.arg for part in parts_of(node.args) if isinstance(part, ast.arg)}
    before = takewhile(lambda statement: not isinstance(statement, _LEAVING), node.body)
    parts = [part for statement in before for part in unconditional(statement)]
    calls = [part for part in parts if isinstance(part, ast.Call) and spelt(part.func).partition(".")[0] not in own]
    if any(spelt(call.func).rpartition(".")[2] in _SKIPPING for call in calls):
        return False
    awaited = {id(part.value) for part in parts if isinstance(part, ast.Await)}
    return any(_is_it(run, world.reader.expression(function.module, it.func), id(it) in awaited, depth) for it in calls)


def _is_it(run: Run, target: Value, awaited: bool, depth: int) -> bool:
    """Whether a call in a helper is one of what only asyncio runs, or reaches one; coroutines run once they are awaited."""
    runs = awaited or not any(isinstance(kind, FunctionValue) and kind.function.is_async for kind in target)
    return runs and (library_callee(target) in _NEED_ASYNCIO or _all_reach_it(run, target, depth - 1))


def pinned(run: Run) -> Fixture | None:
    """The `anyio_backend` fixture of the project that this test sees."""
    return run.engine.fixtures.find(BACKEND, run.seeker)


def aware(run: Run) -> bool:
    """Whether the test, a fixture of it or a decorator may ask which backend it runs on."""
    wanted = requested(run.node, run.cls is not None)
    marked = any(mark.name == "parametrize" and BACKEND in spelt(mark.node) for mark in run.marks)
    return marked or not BACKENDS.isdisjoint(wanted) or _asks(run.node) or _is_wrapped(run) or _is_skipped(run)


def _asks(node: ast.AST) -> bool:
    """Whether code names a fixture that tells the backend, or the library that does."""
    asked = {getattr(part, key, None) for part in parts_of(node) for key in ("id", "attr", "value")}
    return any(isinstance(it, str) and (it in BACKENDS or it == "sniffio") for it in asked)


def _is_wrapped(run: Run) -> bool:
    """Whether a decorator of the project may look before it calls the test."""
    marks = {id(mark.node) for mark in run.marks}
    return any(
        isinstance(kind, FunctionValue) and kind.function.module.origin == "project"
        for node in run.node.decorator_list
        if id(node) not in marks and run.function is not None
        for kind in evaluate(run.engine.world, run.function, node.func if isinstance(node, ast.Call) else node)
    )


def _is_skipped(run: Run) -> bool:
    """Whether a fixture that the test gets may skip it, or asks for the backend."""
    assert run.function is not None
    fixtures = run.engine.runner.needed(run.function, run.cls).values()
    own = [it.node for it in fixtures if it is not None and it.module.origin == "project" and it.name not in BACKENDS]
    return any(_asks(statement) or _skips(statement) for node in own for statement in node.body)


def _skips(node: ast.AST) -> bool:
    called = (part.func for part in parts_of(node) if isinstance(part, ast.Call))
    return any(last_name(it) in _SKIPPING for it in called)


def comes_to(run: Run, call: ast.Call) -> bool:
    """Whether a test comes to a call on each backend: it stands in no branch, and behind none that leaves, which a function decides
    on."""
    around = path_to(run.node, call)
    return not any(
        isinstance(part, (ast.If, ast.IfExp, ast.BoolOp, ast.Match))
        and any(isinstance(it, ast.Call) for it in parts_of(_decided_by(part)))
        and (part in around or _leaves(part))
        for part in parts_of(run.node)
    )


def _decided_by(part: ast.If | ast.IfExp | ast.BoolOp | ast.Match) -> ast.expr:
    match part:
        case ast.Match(subject=decided) | ast.BoolOp(values=[decided, *_]):
            return decided
        case ast.If(test=decided) | ast.IfExp(test=decided):
            return decided
    raise AssertionError(part)


def _leaves(part: ast.AST) -> bool:
    return _skips(part) or any(isinstance(it, ast.Return) for it in parts_of(part))


def backends(run: Run) -> frozenset[str] | None:
    """Their names; None where they cannot be told."""
    project, fixtures = run.engine.project, run.engine.fixtures
    if _SELECTING.search(str(project.config.values.get("addopts", ""))) or project.runs_async_otherwise(run.module):
        return None
    fixture = pinned(run)
    given = fixtures.values_for([BACKEND], run.seeker).get(BACKEND)
    if fixture is None:
        trio = project.environment.has("trio")
        if trio is None or (given is not None and not known(given)):
            return None
        return frozenset({"asyncio", "trio"}) if trio else frozenset({"asyncio"})
    if fixture.parametrised or given is None:
        return None
    names = [_name(frozenset({kind})) for kind in given]
    return frozenset(name for name in names if name is not None) if None not in names else None


def never_on_asyncio(run: Run) -> bool:
    """Whether the fixture that names the backend may leave a function, or the test around it, no run on asyncio."""
    run = run.outermost
    fixture = pinned(run)
    if fixture is None or (run.kind == TEST and run.verdict.by != "anyio"):
        return False
    names = backends(run)
    return "asyncio" not in (spelt(fixture.decorator) if fixture.parametrised or names is None else names)


def _name(value: Value) -> str | None:
    """`"asyncio"` and `("asyncio", {…})` name a backend."""
    (kind,) = value
    if isinstance(kind, Collection) and kind.items:
        return _name(kind.items[0]) if len(kind.items[0]) == 1 else None
    return kind.const if isinstance(kind, Plain) and isinstance(kind.const, str) else None
