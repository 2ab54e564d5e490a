"""Lines of an `async with` that move elsewhere."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from awaitest.source.document import Document
from awaitest.source.edits import indent_of
from awaitest.source.scanner import Scanner
from awaitest.source.splitter import split_lines
from awaitest.source.text import Edit, Position, Span

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_OPENING = re.compile(r"async[ \t]+with[ \t]*\(?\s*")
_CLOSING = re.compile(r"[\s,)]*:[ \t]*(?:\r\n|\r|\n)")


def unwrapped(run: Run, block: ast.AsyncWith) -> list[Edit] | None:
    """Drop the head of an `async with` with one item and let its body take its place; None where more stands on its lines."""
    lines, whole, item = run.document.lines, run.span(block), block.items[0]
    body, end = run.span(block.body[0]).start, run.span(item.optional_vars or item.context_expr).end
    opening = _OPENING.fullmatch(_between(lines, whole.start, run.span(item.context_expr).start))
    closing = _CLOSING.match(_between(lines, end, body))
    outer, inner = indent_of(lines[whole.start.line]), indent_of(lines[body.line])
    alone = len(outer) == whole.start.column and len(inner) == body.column
    if opening is None or closing is None or not alone or not inner.startswith(outer):
        return None
    behind = end.line + len(split_lines(closing.group()))
    last = _block_end(lines, whole.end.line, outer)
    head = Edit(Span.of(whole.start.line, 0, behind, 0), "")
    return [head, *_dedented(run.document, behind, last, outer, inner.removeprefix(outer))]


def reindented(document: Document, span: Span, old: str, new: str) -> str:
    """The text of a span whose lines move from one indentation to another; the inner lines of strings stay."""
    scanner, moved = _scanner_at(document, span.start.line), []
    for number in range(span.start.line, span.end.line + 1):
        line, inside = document.lines[number], scanner.in_string
        scanner.feed(line)
        line = line[: span.end.column] if number == span.end.line else line
        if number == span.start.line:
            line = line[span.start.column :]
        elif not inside and line.startswith(old):
            line = new + line[len(old) :]
        moved.append(line)
    return "".join(moved)


def _dedented(document: Document, first: int, last: int, outer: str, extra: str) -> list[Edit]:
    scanner, edits = _scanner_at(document, first), []
    for number in range(first, last + 1):
        line = document.lines[number]
        if not scanner.in_string and line.strip() and line.startswith(outer + extra):
            edits.append(Edit(Span.of(number, len(outer), number, len(outer) + len(extra)), ""))
        scanner.feed(line)
    return edits


def _scanner_at(document: Document, line: int) -> Scanner:
    """What is open where a line begins."""
    scanner, segment = Scanner(), document.segment_at(line)
    for text in document.lines[segment.line if segment is not None else 0 : line]:
        scanner.feed(text)
    return scanner


def _block_end(lines: list[str], last: int, outer: str) -> int:
    """The last line of a block, comments behind its last statement included."""
    for number in range(last + 1, len(lines)):
        text = lines[number].strip()
        if text and not (text.startswith("#") and len(indent_of(lines[number])) > len(outer)):
            break
        last = number if text else last
    return last


def _between(lines: list[str], start: Position, end: Position) -> str:
    rows = lines[start.line : end.line + 1]
    rows[-1] = rows[-1][: end.column]
    rows[0] = rows[0][start.column :]
    return "".join(rows)
