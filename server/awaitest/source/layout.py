"""Edits of whole lines, and the white space that lines begin with."""

from __future__ import annotations

import ast

from awaitest.source.document import Document
from awaitest.source.scanner import Scanner
from awaitest.source.text import Edit, Position, Span

_DEFAULT_UNIT = "    "


def indent_of(line: str) -> str:
    """The white space that a line begins with."""
    return line[: len(line) - len(line.lstrip(" \t\f"))]


def indent_unit(document: Document) -> str:
    """One step of indentation, as the first indented block has it; four spaces where there is none."""
    for statement in document.module():
        body = getattr(statement, "body", None)
        if not body or not isinstance(body[0], ast.stmt):
            continue
        home = document.segment_of(body[0] if isinstance(statement, ast.ClassDef) else statement)
        unit = indent_of(document.lines[home.span(body[0]).start.line]).replace("\f", "")
        if unit:
            return unit
    return _DEFAULT_UNIT


def indent_edits(document: Document, first_line: int, last_line: int, extra: str) -> list[Edit]:
    """Indent the lines `first_line` to `last_line`, both included, by `extra`; blank lines and the inner lines of strings stay."""
    segment = document.segment_at(first_line)
    scanner = Scanner()
    edits = []
    for number in range(segment.line if segment else 0, min(last_line + 1, len(document.lines))):
        line = document.lines[number]
        if number >= first_line and line.strip() and not scanner.in_string:
            column = indent_of(line).rfind("\f") + 1
            edits.append(Edit(Span.of(number, column, number, column), extra))
        scanner.feed(line)
    return edits


def line_insert(document: Document, line: int, text: str) -> Edit:
    """Put whole lines before `line`; behind the text where there is no such line. `text` breaks lines at `\\n`."""
    newline = document.newline
    text = text.removesuffix("\n").replace("\n", newline)
    lines = document.lines
    if line >= len(lines) and lines and not lines[-1].endswith(("\n", "\r")):
        return insert(Position(len(lines) - 1, len(lines[-1])), newline + text)
    column = 1 if line < len(lines) and lines[line].startswith("\ufeff") else 0
    return insert(Position(min(line, len(lines)), column), text + newline)


def renamed(span: Span, old: str, new: str) -> Edit:
    """Put `new` in place of `old`, with which what spans `span` ends."""
    end = span.end
    return Edit(Span(Position(end.line, end.column - len(old)), end), new)


def insert(position: Position, text: str) -> Edit:
    """Put text between two characters."""
    return Edit(Span(position, position), text)
