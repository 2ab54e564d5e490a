"""Let a fixture of a test module give an AsyncClient in place of a TestClient, and the tests that ask for it await."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from awaitest.assist.cursor import run_at
from awaitest.assist.refactorings.async_client import NO_LIFESPAN, Change, enters, named, replaced, test_change
from awaitest.assist.refactorings.client_calls import client_text, is_testclient, making_calls, request_edits
from awaitest.assist.refactorings.imports import spelled
from awaitest.assist.refactorings.style import fixture_decorator, library
from awaitest.engine.diagnostic import Fix
from awaitest.engine.fixtures import Fixture
from awaitest.engine.repair import body_of, insert, statement_of
from awaitest.engine.run import FIXTURE, TEST
from awaitest.engine.steps import Received
from awaitest.engine.values import ClassValue
from awaitest.engine.wrapping import free_name, headed, wrappable
from awaitest.engine.yielding import exits, return_to_yield
from awaitest.source.edits import Import, indent_of, indent_unit
from awaitest.source.nodes import parts_of
from awaitest.source.text import Edit, Span

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_GENERATORS = frozenset({"Iterator", "Generator", "Iterable"})


def offer(runs: Sequence[Run], span: Span) -> Fix | None:
    """Offered at the fixture and at its tests; all of them change together."""
    giver = _giver(run_at(runs, span.start))
    if giver is None or giver.fixture is None or not _is_local(giver, giver.fixture):
        return None
    users = [(run, step) for run in runs for step in run.received() if step.fixture.node is giver.node]
    decorators = {fixture_decorator(run) if run.kind == TEST else None for run, _ in users}
    decorator = next(iter(decorators)) if len(decorators) == 1 else None
    made = making_calls(giver)
    change = _fixture_change(giver, giver.fixture, decorator) if decorator is not None and len(made) == 1 else None
    if change is None:
        return None
    for run, step in users:
        user = _user_change(run, step)
        if user is None:
            return None
        change += user
    count = f"{len(users)} tests" if len(users) > 1 else "its test"
    title = f"Let `{giver.fixture.name}` give an AsyncClient and make {count} async"
    return change.fix(giver, title + NO_LIFESPAN * enters(giver, made[0]))


def _giver(run: Run | None) -> Run | None:
    """The fixture of this file that a test gets its only TestClient from, or that is itself at the cursor."""
    if run is None or run.kind == FIXTURE:
        return run
    given = [step.fixture.node for step in run.received() if is_testclient(run, step.value)]
    if run.kind != TEST or len(given) != 1 or making_calls(run):
        return None
    return next((other for other in run.sheet.runs if other.kind == FIXTURE and other.node is given[0]), None)


def _is_local(run: Run, fixture: Fixture) -> bool:
    """Whether only tests of this file get the fixture, all of them by a parameter."""
    text, config = run.document.text, run.engine.project.config
    asked_by_name = any(f"{quote}{fixture.name}{quote}" in text for quote in "'\"")
    plain = fixture.scope == "function" and not (fixture.autouse or fixture.parametrised or fixture.is_async)
    single = run.cls is None and len(run.node.decorator_list) == 1 and fixture.name not in fixture.requests
    return plain and single and not asked_by_name and run.path.name != "conftest.py" and config.collects_file(run.path)


def _fixture_change(run: Run, fixture: Fixture, decorator: tuple[str, Import]) -> Change | None:
    call, given = making_calls(run)[0], exits(run.node)
    if len(given) != 1 or isinstance(given[0], ast.YieldFrom):
        return None
    change = _handed_out(run, call, given[0]) if given[0].value is call else _kept(run, call, given[0])
    decorated, annotated = _decorated(run, fixture, decorator), _annotated(run)
    if change is None or decorated is None or annotated is None:
        return None
    change += Change([insert(run.span(run.node).start, "async ")])
    change += decorated
    change += annotated
    return change


def _handed_out(run: Run, call: ast.Call, given: ast.Return | ast.Yield) -> Change | None:
    """`return TestClient(app)`: enter the client, yield it."""
    text, statement = client_text(run, call, run.node), statement_of(run.node, given)
    block = body_of(run.node, statement) if statement is not None else None
    if text is None or statement is None or block is None or getattr(statement, "value", None) not in (given, call):
        return None
    index = block.index(statement)
    if not wrappable(run, block, index, index):
        return None
    name = free_name(run, run.node.name)
    inner = indent_of(run.document.lines[run.span(statement).start.line]) + indent_unit(run.document)
    head = headed(run, block, index, call, f" as {name}:{run.document.newline}{inner}yield {name}")
    return Change([*head, Edit(run.span(call), text[0])], text[1], named(call.func))


def _kept(run: Run, call: ast.Call, given: ast.Return | ast.Yield) -> Change | None:
    """The client has a name: enter it where it gets the name, yield it where it is given."""
    change, statement = replaced(run, call, given), statement_of(run.node, given)
    block = body_of(run.node, statement) if statement is not None else None
    if change is None or block is None or not isinstance(given.value, ast.Name):
        return None
    if isinstance(given, ast.Return):
        if block[-1] is not given:
            return None
        change += Change([return_to_yield(run, given)])
    return change


def _decorated(run: Run, fixture: Fixture, decorator: tuple[str, Import]) -> Change | None:
    called = fixture.decorator.func if isinstance(fixture.decorator, ast.Call) else fixture.decorator
    if run.source(called) == decorator[0]:
        return Change()
    if "(" in decorator[0] and called is not fixture.decorator:
        return None
    return Change([Edit(run.span(called), decorator[0])], [decorator[1]], named(called))


def _annotated(run: Run) -> Change | None:
    """The return annotation of the fixture, where it has one, says what it yields now."""
    returns, client = run.node.returns, _client(run)
    if returns is None:
        return Change()
    base = returns.value if isinstance(returns, ast.Subscript) else None
    if client is None or (base is not None and getattr(base, "attr", getattr(base, "id", "")) not in _GENERATORS):
        return None
    if not any(_is_class(run, part) for part in parts_of(returns)):
        return None
    added = [Import("collections.abc", "AsyncIterator"), *client[1]]
    return Change([Edit(run.span(returns), f"AsyncIterator[{client[0]}]")], added, named(returns))


def _user_change(run: Run, step: Received) -> Change | None:
    """A test awaits the requests of the client it is given."""
    annotation = step.node.annotation if isinstance(step.node, ast.arg) else None
    client, requests, test = _client(run), request_edits(run, step.name), test_change(run)
    if client is None or requests is None or test is None:
        return None
    test += Change(requests)
    if annotation is not None:
        if not _is_class(run, annotation):
            return None
        test += Change([Edit(run.span(annotation), client[0])], client[1], named(annotation))
    return test


def _client(run: Run) -> tuple[str, list[Import]] | None:
    name = library(run)
    return spelled(run, name, "AsyncClient") if name is not None else None


def _is_class(run: Run, node: ast.AST) -> bool:
    """Whether an expression names the class TestClient."""
    if not isinstance(node, ast.Name | ast.Attribute):
        return False
    found = run.engine.world.reader.expression(run.module, node)
    return bool(found) and all(isinstance(kind, ClassValue) and kind.cls.node.name == "TestClient" for kind in found)
