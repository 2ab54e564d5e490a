"""Whether a client's requests need what only the app's lifespan sets, and whether anything in sight runs it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitest.engine.apps import (
    TRANSPORTS,
    app_made,
    argument,
    is_app,
    lifespan_of,
    made_by,
    members_of,
    state_uses,
    yielded_state,
)
from awaitest.engine.askers import askers, tests_given
from awaitest.engine.fixtures import Seeker, requested
from awaitest.engine.getters import Test, gotten
from awaitest.engine.outcomes import answers, may_expect_failure
from awaitest.engine.reaching import Way
from awaitest.engine.routes import Request, certainly_reads, handler_of, sent_by, started_by
from awaitest.engine.run import FIXTURE, TEST
from awaitest.engine.starting import starts_or_sets
from awaitest.engine.syntax import own_nodes
from awaitest.engine.values import FunctionInfo, Made, Value
from awaitest.source.nodes import parts_of

if TYPE_CHECKING:
    from awaitest.engine.run import Run
    from awaitest.engine.steps import Called
    from awaitest.project.modules import Module

_DEPTH = 3
_OVERRIDES = frozenset({"dependency_overrides"})
_FAILING = frozenset({"raises", "skip", "xfail"})
_STANDING_IN = frozenset({"patch", "monkeypatch", "mocker"})


@dataclass(frozen=True, slots=True)
class Need:
    """A request whose handler reads from the state what only the lifespan sets."""

    lifespan: FunctionInfo
    handler: FunctionInfo
    name: str
    """As the handler reads it: `app.state.db`."""


def app_behind(client: Value) -> Value | None:
    """The app that a client without lifespan sends its requests to."""
    test_client = made_by(client, "TestClient", "starlette")
    if test_client is not None:
        return argument(test_client, "app", 0)
    made = made_by(client, "AsyncClient", "httpx", "httpx2")
    transport = argument(made, "transport") if made is not None else None
    carrier = made_by(transport, *TRANSPORTS) if transport else None
    return argument(carrier, "app", 0) if carrier is not None else None


def needed(run: Run, step: Called) -> Need | None:
    """What the requests of the client made here certainly need of a lifespan that nothing in sight runs."""
    app = app_behind(step.result)
    made = app_made(app)
    found = (_need(run, step, made, starter) for starter in _starters(run, app, made)) if made is not None else ()
    return next((need for need in found if need is not None), None)


def _starters(run: Run, app: Value | None, made: Made) -> list[FunctionInfo]:
    """The lifespan of an app, or the functions that it calls at its start."""
    lifespan = lifespan_of(app)
    return list(started_by(run, made)) if argument(made, "lifespan") is None else [lifespan] if lifespan else []


def _need(run: Run, step: Called, made: Made, lifespan: FunctionInfo) -> Need | None:
    on_app, on_request = _set_on_app(lifespan), yielded_state(lifespan)
    if not on_app | on_request:
        return None
    modules = _modules(run, made)
    deeper = 0 if any(_names_any(part, _OVERRIDES) for module in modules for part in module.body) else _DEPTH
    for sent in _requests(run, step):
        handler = handler_of(run, made, sent.request)
        for names, of_app in ((on_app, True), (on_request, False)):
            name = certainly_reads(run, handler, names, on_app=of_app, deeper=deeper) if handler and names else None
            if handler is None or name is None or _may_run(run, modules, lifespan, name, sent.test):
                continue
            if sent.answered or Way(run, sent.call, names, of_app).reads(made, handler):
                return Need(lifespan, handler, f"app.state.{name}" if of_app else f"request.state.{name}")
    return None


def _set_on_app(lifespan: FunctionInfo) -> frozenset[str]:
    stored = (part for part in own_nodes(lifespan.node) if isinstance(part, ast.Attribute))
    return frozenset(
        part.attr
        for part in stored
        if isinstance(part.ctx, ast.Store)
        and isinstance(part.value, ast.Attribute)
        and part.value.attr == "state"
        and is_app(part.value.value)
    )


@dataclass(frozen=True, slots=True)
class _Sent:
    """A request that a test sends; `answered`: the test says of all its requests that they succeed."""

    request: Request
    call: ast.Call
    test: Test
    answered: bool


def _requests(run: Run, step: Called) -> Iterator[_Sent]:
    """What is requested with the client, and in which test: here, or in one that a fixture hands it to."""
    names = names_of(run.node, step.node)
    if run.fixture is None and run.function is not None:
        if _succeeds(run, run.node, run.seeker):
            yield from _sent_in(run.node, (run.function, run.cls), names, step.node)
        return
    for function, seeker in tests_given(run, step.node):
        if run.fixture is not None and _succeeds(run, function, seeker):
            test = run.engine.world.function_info(seeker.module, function, seeker.cls), seeker.cls
            yield from _sent_in(function, test, {run.fixture.name})


def _sent_in(node: ast.AST, test: Test, names: set[str], made: ast.Call | None = None) -> Iterator[_Sent]:
    sent = list(sent_by(node, names, made))
    answered = answers(node) >= len(sent)
    return (_Sent(request, call, test, answered) for request, call in sent)


def names_of(function: ast.AST, call: ast.Call) -> set[str]:
    """The names that a function gives to what a call makes."""
    found: set[str] = set()
    for part in parts_of(function):
        if isinstance(part, ast.withitem) and part.context_expr is call and isinstance(part.optional_vars, ast.Name):
            found.add(part.optional_vars.id)
        elif isinstance(part, ast.Assign) and part.value is call:
            found |= {target.id for target in part.targets if isinstance(target, ast.Name)}
    return found


def _succeeds(run: Run, test: ast.FunctionDef | ast.AsyncFunctionDef, seeker: Seeker) -> bool:
    """Whether a test expects no failure, and replaces nothing."""
    failing = any(
        (isinstance(part, ast.Constant) and isinstance(part.value, int) and part.value >= 400)
        or str(getattr(part, "attr", "")).startswith(("HTTP_4", "HTTP_5", "is_"))
        for part in parts_of(test)
    )
    failing = failing or may_expect_failure(test)
    return not failing and not _names_any(test, _FAILING) and not replaces(run, test, seeker)


def replaces(run: Run, test: ast.FunctionDef | ast.AsyncFunctionDef, seeker: Seeker) -> bool:
    """Whether a test, or a fixture of it, replaces what the app uses."""
    fixtures = run.engine.fixtures.closure(requested(test, seeker.cls is not None), seeker).values()
    nodes = [test, *(fixture.node for fixture in fixtures if fixture is not None)]
    return any(_names_any(node, _STANDING_IN) for node in nodes)


def _names_any(node: ast.AST, words: frozenset[str]) -> bool:
    return any(
        not words.isdisjoint({getattr(part, key, None) for key in ("id", "attr", "arg")}) for part in parts_of(node)
    )


def _modules(run: Run, app: Made) -> list[Module]:
    """All modules that may run the lifespan or set the state."""
    project = run.engine.project
    seen = [run.module, app.module, *(askers(run) if run.fixture is not None else ())]
    return [project.module(path) for path in sorted(frozenset().union(*(project.reach(module) for module in seen)))]


def _may_run(run: Run, modules: list[Module], lifespan: FunctionInfo, name: str, test: Test) -> bool:
    """Whether anything may run the lifespan for a test, or set by itself what the lifespan sets; where the client is the test's
    own, what other tests do is naught, and so are fixtures that it does not get."""
    own, around = {id(part) for part in parts_of(lifespan.node)}, gotten(run.engine, [test])
    idle = {TEST} if run.fixture is None else set()
    idle |= {FIXTURE} if around is not None else set()
    working = (around or frozenset()) | {id(run.node)}
    members = (member for module in modules for member in members_of(run, module))
    nodes = [node for node, kind in members if kind not in idle or id(node) in working]
    stores = (node for node, _, _ in state_uses(nodes, frozenset({name})) if not isinstance(node.ctx, ast.Load))
    if any(id(node) not in own for node in stores):
        return True
    return any(starts_or_sets(node, lifespan.name, own) for node in nodes)
