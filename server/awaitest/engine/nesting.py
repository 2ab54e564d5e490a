"""Code that stands one level too deep: functions of a test that nobody uses, blocks that enter nothing; and the way out."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from awaitest.engine.repair import async_edits, insert, path_to
from awaitest.engine.syntax import bound_names, free_names, generates
from awaitest.engine.tasks import needs_arguments
from awaitest.engine.values import FunctionValue
from awaitest.source.edits import indent_of, line_insert
from awaitest.source.nodes import parts_of
from awaitest.source.scanner import Scanner
from awaitest.source.text import Edit, Position, Span

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_NAMED = re.compile(r"\s+as\s+(\w+)\s*:|\s*:")
_LOOKING = frozenset({"locals", "globals", "vars", "eval", "exec"})
_FRAMES = frozenset({"f_locals", "currentframe", "_getframe"})


def never_named(outer: ast.AST, nested: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function does nothing with one nested in it, other than to mention it as a statement."""
    own = {id(part) for part in parts_of(nested)}
    for part in parts_of(outer):
        if isinstance(part, (ast.Global, ast.Nonlocal)) and nested.name in part.names:
            return False
        if getattr(part, "attr", getattr(part, "value", None)) in {*_FRAMES, nested.name} and id(part) not in own:
            return False
        if id(part) in own or not isinstance(part, ast.Name):
            continue
        used = part.id == nested.name and not isinstance(path_to(outer, part)[0], ast.Expr)
        if used or part.id in _LOOKING | _FRAMES:
            return False
    return True


def call_edits(run: Run, outer: Run) -> list[Edit] | None:
    """Await a call of a nested function: where it is mentioned, else behind it."""
    around = async_edits(outer)
    assert run.function is not None
    if around is None or generates(run.node) or needs_arguments(FunctionValue(run.function)):
        return None
    name = run.node.name
    mentioned = [part for part in parts_of(outer.node) if isinstance(part, ast.Name) and part.id == name]
    outside = [part for part in mentioned if isinstance(path_to(outer.node, part)[0], ast.Expr)]
    if outside:
        span = run.span(outside[0])
        return [*around, insert(span.start, "await "), insert(span.end, "()")]
    line = run.document.lines[run.span(run.node).start.line]
    text = f"\n{indent_of(line)}await {name}()"
    return [*around, line_insert(run.document, run.span(run.node).end.line + 1, text)]


def moved_out_edits(run: Run, outer: Run) -> list[Edit] | None:
    """Move a nested function that ends a function of the module, and uses none of its names, behind it."""
    node, body = run.node, outer.node.body
    local = bound_names(body) | {part.arg for part in parts_of(outer.node.args) if isinstance(part, ast.arg)}
    alone = outer.cls is None and outer.parent is None and body[-1] is node and len(body) > 1
    if not alone or free_names(node) & local or node.name in run.module.bound:
        return None
    lines, first = run.document.lines, run.span(node.decorator_list[0] if node.decorator_list else node).start.line
    while lines[first - 1].lstrip().startswith("#"):
        first -= 1
    blanks = 0
    while not lines[first - 1 - blanks].strip():
        blanks += 1
    apart = run.document.newline * max(0, 2 - blanks)
    return _dedented(run, first, run.span(node).end.line, "", indent_of(lines[first]), apart)


def unwrapped_edits(run: Run, statement: ast.With | ast.AsyncWith, keyword: str) -> list[Edit] | None:
    """`async with X as name:` becomes `name = <keyword>X`, and its block comes out of it."""
    whole, entered = run.span(statement), run.span(statement.items[0].context_expr)
    lines, first = run.document.lines, run.span(statement.body[0]).start.line
    head = lines[whole.start.line][whole.start.column : entered.start.column]
    tail = _NAMED.match(lines[entered.end.line], entered.end.column)
    one_line = whole.start.line == entered.start.line and re.fullmatch(r"async\s+with\s+", head) is not None
    if len(statement.items) != 1 or tail is None or not one_line or first <= entered.end.line:
        return None
    outer = indent_of(lines[whole.start.line])
    inner = indent_of(lines[first]).removeprefix(outer)
    name = f"{tail[1]} = " if tail[1] else ""
    closing = Position(entered.end.line, tail.end())
    return [
        Edit(Span(whole.start, entered.start), f"{name}{keyword}"),
        Edit(Span(entered.end, closing), ""),
        *_dedented(run, entered.end.line + 1, whole.end.line, outer, inner),
    ]


def _dedented(run: Run, first: int, last: int, outer: str, inner: str, before: str = "") -> list[Edit]:
    """Take `inner` behind `outer` from the lines that begin with both, but for those inside strings; `before` goes in front."""
    segment = run.document.segment_at(first)
    scanner = Scanner()
    edits: list[Edit] = []
    for number in range(segment.line if segment else 0, last + 1):
        line = run.document.lines[number]
        if number >= first and not scanner.in_string and line.startswith(outer + inner):
            text = "" if edits else before
            edits.append(Edit(Span.of(number, len(outer), number, len(outer + inner)), text))
        scanner.feed(line)
    return edits
