"""Edits that run an app's lifespan around a client."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitest.engine.repair import body_of, insert, statement_of
from awaitest.engine.run import FIXTURE
from awaitest.engine.wrapping import free_name, names_in, wrappable
from awaitest.engine.yielding import exits
from awaitest.source.edits import add_import, indent_of, indent_unit
from awaitest.source.layout import indent_edits
from awaitest.source.text import Edit, Span

if TYPE_CHECKING:
    from awaitest.engine.run import Run
    from awaitest.engine.steps import Called


def entered_edits(run: Run, call: ast.Call) -> list[Edit] | None:
    """A fixture that gives a new `TestClient` yields it from inside `with`."""
    statement = statement_of(run.node, call)
    block = body_of(run.node, statement) if statement is not None else None
    given = exits(run.node)
    if block is None or statement is None or run.kind != FIXTURE or run.node.returns is not None or len(given) != 1:
        return None
    index = block.index(statement)
    if (
        given[0].value is not call
        or run.span(statement).end != run.span(call).end
        or not wrappable(run, block, index, index)
    ):
        return None
    name = run.node.name if run.node.name not in names_in(run.node) else free_name(run, "client")
    start, span = run.span(statement).start, run.span(call)
    inner = indent_of(run.document.lines[start.line]) + indent_unit(run.document)
    tail = f" as {name}:{run.document.newline}{inner}yield {name}"
    return [Edit(Span(start, span.start), "with "), insert(span.end, tail)]


def managed_edits(run: Run, step: Called) -> list[Edit] | None:
    """The block of a `LifespanManager` around the `async with` that enters a client, with the transport on the manager's app."""
    statement = statement_of(run.node, step.node)
    block = body_of(run.node, statement) if statement is not None else None
    app = _app(step)
    known = run.engine.project.environment.version("asgi-lifespan") is not None
    if block is None or not isinstance(statement, ast.AsyncWith) or app is None or not known:
        return None
    index = block.index(statement)
    start = run.span(statement).start
    line = run.document.lines[start.line]
    added = add_import(run.document, "asgi_lifespan", "LifespanManager")
    if line[: start.column].strip() or "LifespanManager" in run.module.bound or added is None:
        return None
    if not wrappable(run, block, index, index):
        return None
    name = free_name(run, "manager")
    indent, unit = indent_of(line), indent_unit(run.document)
    head = f"async with LifespanManager({run.source(app)}) as {name}:{run.document.newline}{indent}{unit}"
    inner = indent_edits(run.document, start.line + 1, run.span(statement).end.line, unit)
    return [added, insert(start, head), Edit(run.span(app), f"{name}.app"), *inner]


def _app(step: Called) -> ast.Name | ast.Attribute | None:
    """The app, where it is named in the transport that is made on the spot."""
    for keyword in step.node.keywords:
        if keyword.arg != "transport" or not isinstance(keyword.value, ast.Call):
            continue
        call = keyword.value
        given = [*call.args[:1], *(item.value for item in call.keywords if item.arg == "app")]
        if len(given) == 1 and isinstance(given[0], (ast.Name, ast.Attribute)):
            return given[0]
    return None
