"""Edits of the parameters with which tests and fixtures ask for fixtures."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitest.engine.fixtures import Fixture
from awaitest.engine.repair import body_of, insert, mentions, path_to, remove_lines, statement_of
from awaitest.engine.run import FIXTURE, TEST
from awaitest.engine.syntax import bound_names, generates
from awaitest.engine.world import Definition
from awaitest.source.edits import add_import, indent_of, remove_import, uses_of
from awaitest.source.nodes import parts_of, spelt
from awaitest.source.text import Edit, Position, Span

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_CONSUMERS = (ast.Call, ast.For, ast.AsyncFor, ast.comprehension, ast.withitem, ast.Starred, ast.YieldFrom)


def ask_instead(run: Run, node: ast.expr, fixture: Fixture) -> list[Edit] | None:
    """Let a test or fixture get a fixture by a parameter, in place of an expression that was to give it."""
    if not _may_ask(run, fixture):
        return None
    above = path_to(run.node, node)
    whole: ast.AST = above[0] if isinstance(above[0], ast.Await) else node
    outside = above[1] if whole is above[0] else above[0]
    inside = next((part for part in above if isinstance(part, (Definition, ast.Lambda))), None)
    if inside is not run.node or (generates(fixture.node) and isinstance(outside, _CONSUMERS)):
        return None
    asked = add_parameter(run, fixture.name)
    statement = statement_of(run.node, node)
    if asked is None or statement is None:
        return None
    names = bound_names(run.node.body)
    if fixture.name not in names and not isinstance(outside, ast.Expr):
        return [*asked, Edit(run.span(whole), fixture.name)]
    again = isinstance(outside, ast.Assign) and [spelt(target) for target in outside.targets] == [fixture.name]
    alone = len(body_of(run.node, statement) or ()) < 2 or not _has_its_lines(run, statement)
    bound = [part for part in parts_of(run.node) if isinstance(part, ast.Name) and part.id == fixture.name]
    stored = sum(isinstance(part.ctx, ast.Store) for part in bound)
    if alone or stored > (1 if again else 0) or not (again or isinstance(outside, ast.Expr)):
        return None
    return [*asked, remove_lines(run, statement)]


def _may_ask(run: Run, fixture: Fixture) -> bool:
    """Whether a parameter of this name would get this very fixture, and pytest could make it by then."""
    if run.kind not in (TEST, FIXTURE) or not fixture.certain:
        return False
    if run.fixture is not None and fixture.scope != "session" and run.fixture.scope not in ("function", fixture.scope):
        return False
    found = run.engine.fixtures.find(fixture.name, run.seeker, run.fixture)
    found = found or run.engine.fixtures.find(fixture.name, run.seeker)
    handled = run.is_async or not fixture.is_async or fixture.flavour == "pytest_asyncio"
    return found is not None and found.node is fixture.node is not run.node and handled


def _has_its_lines(run: Run, statement: ast.stmt) -> bool:
    span = run.span(statement)
    before = run.document.lines[span.start.line][: span.start.column]
    after = run.document.lines[span.end.line][span.end.column :]
    return not before.strip() and not after.strip()


def add_parameter(run: Run, name: str) -> list[Edit] | None:
    """Add a parameter; none where it is there."""
    arguments = run.node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    if any(item.arg == name for item in (*positional, *arguments.kwonlyargs)):
        return []
    required = positional[: len(positional) - len(arguments.defaults)]
    if arguments.posonlyargs and len(required) <= len(arguments.posonlyargs):
        return None
    if required:
        return [insert(run.span(required[-1]).end, f", {name}")]
    after = run.name_span().end
    if run.document.lines[after.line][after.column : after.column + 1] != "(":
        return None
    others = bool(positional or arguments.vararg or arguments.kwonlyargs or arguments.kwarg)
    return [insert(Position(after.line, after.column + 1), f"{name}, " if others else name)]


def drop_parameter(run: Run, name: str) -> list[Edit] | None:
    """Remove a parameter that has no default."""
    arguments = run.node.args
    items = arguments.args
    index = next((place for place, item in enumerate(items) if item.arg == name), None)
    if index is None or arguments.posonlyargs or arguments.vararg or arguments.kwonlyargs or arguments.kwarg:
        return None
    if index >= len(items) - len(arguments.defaults):
        return None
    span = run.span(items[index])
    if index + 1 < len(items):
        span = Span(span.start, run.span(items[index + 1]).start)
    elif index:
        span = Span(run.span(items[index - 1]).end, span.end)
    elif run.document.lines[span.end.line][span.end.column : span.end.column + 1] == ",":
        span = Span(span.start, Position(span.end.line, span.end.column + 1))
    lines = run.document.lines[span.start.line : span.end.line + 1]
    return None if any("#" in line for line in lines) else [Edit(span, "")]


def assign_instead(run: Run, name: str, module: str, value: str) -> list[Edit] | None:
    """Let an async function make what a parameter was to give; a parameter that nothing reads just goes."""
    edits = drop_parameter(run, name)
    if edits is None or not any(mentions(statement, name) for statement in run.node.body):
        return edits
    first = run.node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(run.node.body) > 1:
        first = run.node.body[1]
    start = run.span(first).start
    line = run.document.lines[start.line]
    if not run.is_async or line[: start.column].strip():
        return None
    added = add_import(run.document, module)
    edits.append(insert(start, f"{name} = {value}{run.document.newline}{indent_of(line)}"))
    return edits if added is None else [added, *edits]


def definition_dropped(run: Run) -> list[Edit] | None:
    """Delete a function with its decorators, and the imports that only it needed."""
    siblings = run.cls.node.body if run.cls is not None else run.module.body
    if len(siblings) < 2:
        return None
    document, parts = run.document, (run.node, *run.node.decorator_list)
    start, end = min(run.span(part).start.line for part in parts), run.span(run.node).end.line + 1
    while end < len(document.lines) and not document.lines[end].strip():
        end += 1
    edits = [Edit(Span.of(start, 0, end, 0), "")]
    for name in ("asyncio", "pytest", "pytest_asyncio"):
        used = sum(isinstance(part, ast.Name) and part.id == name for part in parts_of(run.node))
        removed = remove_import(document, name, None, used) if used and used == uses_of(document, name) else None
        edits += [removed] if removed is not None else []
    return edits
