"""Let a fixture hold the client that a test makes for itself."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitest.assist.cursor import run_at
from awaitest.assist.refactorings.blocks import reindented, unwrapped
from awaitest.assist.refactorings.imports import first_definition, with_imports
from awaitest.assist.refactorings.style import fixture_decorator
from awaitest.engine.clients import library_of
from awaitest.engine.diagnostic import FileEdit, Fix
from awaitest.engine.repair import insert
from awaitest.engine.run import TEST
from awaitest.engine.steps import Called, Entered
from awaitest.engine.syntax import bound_names, generates
from awaitest.engine.values import ClassValue, Instance, every
from awaitest.source.edits import Import, indent_of, indent_unit, line_insert
from awaitest.source.nodes import parts_of
from awaitest.source.text import Edit, Position, Span

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_NOT_MOVABLE = (
    ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Inline:
    """`async with call as name:` in the body of a test; `wanted` are the fixtures its arguments need."""

    run: Run
    block: ast.AsyncWith
    call: ast.Call
    name: str
    wanted: tuple[str, ...]
    safe: bool


def offer(runs: Sequence[Run], span: Span) -> Fix | None:
    """A test takes its client as a parameter, from a new fixture or from one that is the same."""
    inline = _inline_at(run_at(runs, span.start), span.start)
    decorator = fixture_decorator(inline.run) if inline is not None else None
    if inline is None or decorator is None:
        return None
    run, name = inline.run, inline.name
    taken = run.engine.fixtures.find(name, run.seeker)
    if taken is not None and not _is_same(inline, decorator[0]):
        return None
    added, annotation = [], _class_name(inline) if run.node.returns is not None else None
    body, parameter = unwrapped(run, inline.block), _parameter(inline, annotation)
    if body is None or parameter is None:
        return None
    edits = [parameter, *body]
    if taken is None:
        place = _place(run)
        added = [decorator[1], *([Import("collections.abc", "AsyncIterator")] if annotation is not None else [])]
        edits.append(line_insert(run.document, place, _fixture(inline, decorator[0], annotation)))
    whole = with_imports(run, edits, added, {})
    if whole is None:
        return None
    title = f"Extract the fixture `{name}`" if taken is None else f"Use the fixture `{name}`"
    return Fix(title, tuple(FileEdit(run.path, edit) for edit in whole), inline.safe)


def _inline_at(run: Run | None, position: Position) -> _Inline | None:
    """The client of a test at whose head, or at whose test's head, the cursor stands."""
    if run is None or run.kind != TEST or not run.is_async or generates(run.node):
        return None
    heads = [
        node
        for node in run.node.body
        if isinstance(node, ast.AsyncWith) and run.span(node).start.line <= position.line < _body_line(run, node)
    ]
    if not heads and position.line < _body_line(run, run.node):
        heads = [node for node in run.node.body if isinstance(node, ast.AsyncWith)]
    return _inline(run, heads[0]) if len(heads) == 1 else None


def _body_line(run: Run, node: ast.AsyncWith | ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return run.span(node.body[0]).start.line


def _inline(run: Run, block: ast.AsyncWith) -> _Inline | None:
    item = block.items[0]
    call, target = item.context_expr, item.optional_vars
    if len(block.items) != 1 or not isinstance(call, ast.Call) or not isinstance(target, ast.Name):
        return None
    if not _is_client(run, call) or any(isinstance(part, _NOT_MOVABLE) for part in parts_of(call)):
        return None
    wanted, name = _wanted(run, call), target.id
    inside = {id(part) for part in parts_of(block)}
    uses = [part for part in parts_of(run.node) if isinstance(part, ast.Name) and part.id == name]
    stores = [part for part in uses if not isinstance(part.ctx, ast.Load)]
    if wanted is None or stores != [target] or any(id(part) not in inside for part in uses):
        return None
    taken = run.engine.fixtures.find(name, run.seeker)
    if name in run.module.bound and taken is None:
        return None
    if any(_has_parameter(other, name) for other in (run, *(run.sheet.runs if taken is None else ()))):
        return None
    first = run.node.body[1:] if ast.get_docstring(run.node) is not None else run.node.body
    only_marks = len([mark for mark in run.marks if mark.where == "function"]) >= len(run.node.decorator_list)
    return _Inline(run, block, call, name, wanted, safe=first[0] is block and only_marks)


def _has_parameter(run: Run, name: str) -> bool:
    """Whether a function, or one nested in it, has a parameter of that name."""
    return run.function is not None and any(
        isinstance(part, ast.arg) and part.arg == name for part in parts_of(run.node)
    )


def _is_client(run: Run, call: ast.Call) -> bool:
    """Whether an expression makes a client of httpx or httpx2 that nothing else is known of."""
    entered = [step.value for step in run.steps if isinstance(step, Entered) and step.node is call]
    return bool(entered) and all(
        isinstance(kind, Instance)
        and kind.site is not None
        and kind.site.node is call
        and library_of(run, kind.cls) is not None
        for value in entered
        for kind in value
    )


def _wanted(run: Run, call: ast.Call) -> tuple[str, ...] | None:
    """The fixtures that the arguments of a call use; None where they use other names of the test."""
    used = dict.fromkeys(part.id for part in parts_of(call) if isinstance(part, ast.Name))
    arguments = {part.arg for part in parts_of(run.node.args) if isinstance(part, ast.arg)}
    own = [name for name in used if name in arguments | bound_names(run.node.body)]
    given = {step.name for step in run.received() if step.fixture.function.owner is None}
    return tuple(own) if given.issuperset(own) else None


def _is_same(inline: _Inline, decorator: str) -> bool:
    """Whether the fixture that has the name is in this file and gives just this client."""
    run = inline.run
    fixture = run.engine.fixtures.find(inline.name, run.seeker)
    if fixture is None or fixture.module is not run.module or fixture.function.owner is not None:
        return False
    body = fixture.node.body
    block = body[0] if len(body) == 1 and isinstance(body[0], ast.AsyncWith) else None
    if block is None or len(block.items) != 1 or fixture.scope != "function" or fixture.parametrised:
        return False
    given, target = block.body[0], block.items[0].optional_vars
    yields = isinstance(given, ast.Expr) and isinstance(given.value, ast.Yield) and given.value.value is not None
    same = ast.dump(block.items[0].context_expr) == ast.dump(inline.call)
    if not same or not yields or len(block.body) != 1 or not isinstance(target, ast.Name):
        return False
    assert isinstance(given, ast.Expr)
    assert isinstance(given.value, ast.Yield)
    return ast.unparse(given) == f"yield {target.id}" and run.source(fixture.decorator) == decorator


def _class_name(inline: _Inline) -> str | None:
    """How the test writes the client's class, where it calls the class itself."""
    steps = (step for step in inline.run.steps if isinstance(step, Called) and step.node is inline.call)
    return inline.run.source(inline.call.func) if any(every(step.target, ClassValue) for step in steps) else None


def _parameter(inline: _Inline, annotation: str | None) -> Edit | None:
    """The client as a parameter: in place of one that only the client needed, else the last that has no default."""
    run, arguments = inline.run, inline.run.node.args
    text = inline.name if annotation is None else f"{inline.name}: {annotation}"
    inside = {id(part) for part in parts_of(inline.call)}
    used = {part.id for part in parts_of(run.node) if isinstance(part, ast.Name) and id(part) not in inside}
    plain = [*arguments.posonlyargs, *arguments.args]
    plain = plain[: len(plain) - len(arguments.defaults)]
    spare = next((item for item in plain if item.arg in inline.wanted and item.arg not in used), None)
    if spare is not None:
        return Edit(run.span(spare), text)
    if plain:
        return insert(run.span(plain[-1]).end, f", {text}")
    place = run.name_span().end
    if run.document.lines[place.line][place.column : place.column + 1] != "(":
        return None
    more = any((arguments.defaults, arguments.vararg, arguments.kwonlyargs, arguments.kwarg))
    return insert(Position(place.line, place.column + 1), f"{text}, " if more else text)


def _place(run: Run) -> int:
    """The line in front of the first definition and of the comments on it."""
    lines, line = run.document.lines, first_definition(run.document) or 0
    while line > 0 and lines[line - 1].startswith("#"):
        line -= 1
    return line


def _fixture(inline: _Inline, decorator: str, annotation: str | None) -> str:
    """The lines of the new fixture and the blank ones behind it."""
    run, unit = inline.run, indent_unit(inline.run.document)
    outer = indent_of(run.document.lines[run.span(inline.block).start.line])
    client = reindented(run.document, run.span(inline.call), outer, unit).replace("\r\n", "\n").replace("\r", "\n")
    returns = f" -> AsyncIterator[{annotation}]" if annotation is not None else ""
    arguments = (part for part in parts_of(run.node.args) if isinstance(part, ast.arg) and part.arg in inline.wanted)
    head = f"@{decorator}\nasync def {inline.name}({', '.join(map(run.source, arguments))}){returns}:\n"
    return f"{head}{unit}async with {client} as {inline.name}:\n{unit * 2}yield {inline.name}\n\n\n"
