"""Where the pieces of a module begin and end. The end of a piece is a function of the lines from its first line on and of
nothing before, so that a text may be split again from any piece on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from awaitest.source.scanner import Scanner

_BREAK = re.compile(r"\r\n|\r|\n")
_DEFINITION = re.compile(r"[ \t\f\ufeff]*(?:(?:async[ \t\f]+)?def|class)\b")
_CLASS = re.compile(r"[ \t\f\ufeff]*class\b")
_DECORATOR = re.compile(r"[ \t\f\ufeff]*@")
_CONTINUATION = re.compile(r"[ \t\f]*(?:else|elif|except|finally)\b")
_NEVER_IN_BRACKETS = re.compile(
    r"[ \t\f]*(?:async[ \t\f]+(?:def|with)|def|class|with|while|try|import|return|raise|pass|del|assert|global|nonlocal"
    r"|break|continue|from[ \t\f]+\.*[\w.]*[ \t\f]+import)\b"
)
_LONGEST_DECORATION = 50


class Kind(str, Enum):
    """What a piece holds; `rest` is what lies between the members of a class and belongs to the class."""

    STATEMENT = "statement"
    CLASS = "class"
    MEMBER = "member"
    REST = "rest"


class Piece(NamedTuple):
    """Lines `start` to `end` (not included), from 0; `indent` is the column of the surrounding class body, 0 at the top."""

    kind: Kind
    start: int
    end: int
    indent: int


def split_lines(text: str) -> list[str]:
    """The lines with their endings, broken at `\\n`, `\\r\\n` and `\\r` only."""
    lines = []
    start = 0
    if "\r" not in text:
        lines = text.split("\n")
        last = lines.pop()
        return [line + "\n" for line in lines] + ([last] if last else [])
    for match in _BREAK.finditer(text):
        lines.append(text[start : match.end()])
        start = match.end()
    if start < len(text):
        lines.append(text[start:])
    return lines


def indentation(line: str) -> int:
    """The column where code begins, tabs counted to the next multiple of 8; -1 for a blank or comment line."""
    column = 0
    for character in line:
        if character == " ":
            column += 1
        elif character == "\t":
            column = (column // 8 + 1) * 8
        elif character in "\f\ufeff":
            column = 0
        else:
            return -1 if character in "#\r\n" else column
    return -1


def pieces(lines: list[str], start: int = 0, indent: int = 0) -> Iterator[Piece]:
    """The pieces from line `start` on, which lies in a class body of column `indent`, or at the top where that is 0.

    Blank lines and comments belong to the piece before them; at the start of the text to the first piece.
    """
    while start < len(lines):
        piece = piece_at(lines, start, indent)
        yield piece
        start, indent = piece.end, indent_behind(lines, piece)


def indent_behind(lines: list[str], piece: Piece) -> int:
    """The column of the class body that the next piece lies in, 0 at the top."""
    depth = indentation(lines[piece.end]) if piece.end < len(lines) else 0
    if depth == 0:
        return 0
    return depth if piece.kind is Kind.CLASS else piece.indent


def interrupted(scanner: Scanner, lines: list[str], at: int) -> bool:
    """Whether the line cannot go on with what is open: a bracket or backslash before it was left half-typed."""
    if scanner.in_text:
        return False
    if not scanner.stack:
        return _DEFINITION.match(lines[at]) is not None
    return _NEVER_IN_BRACKETS.match(lines[at]) is not None or _decorates(lines, at)


def piece_at(lines: list[str], start: int, indent: int) -> Piece:
    """The piece that begins at a line in a class body of column `indent`, or at the top where that is 0."""
    if not indent:
        end, is_class = _statement_end(lines, start, 0)
        return Piece(Kind.CLASS if is_class else Kind.STATEMENT, start, end, 0)
    line = lines[start]
    if indentation(line) == indent and (_DEFINITION.match(line) or _DECORATOR.match(line)):
        return Piece(Kind.MEMBER, start, _statement_end(lines, start, indent)[0], indent)
    return Piece(Kind.REST, start, _rest_end(lines, start, indent), indent)


def _statement_end(lines: list[str], start: int, indent: int) -> tuple[int, bool]:
    """The line after the statement, and whether that is the header of a class at the top."""
    scanner = Scanner()
    first, decorating = True, False
    for at in range(start, len(lines)):
        line = lines[at]
        between = scanner.between
        depth = indentation(line)
        if between and depth < 0:
            continue
        if first or 0 <= depth <= indent:
            defines = _DEFINITION.match(line) is not None
            decorates = _DECORATOR.match(line) is not None
            belongs = first or (decorating and depth == indent and (defines or decorates))
            if between:
                if not belongs and not (depth == indent and _CONTINUATION.match(line)):
                    return at, False
                decorating = decorates
            elif interrupted(scanner, lines, at):
                if not belongs:
                    return at, False
                scanner = Scanner()
                decorating = decorates
            if belongs and defines and not indent and not depth and _CLASS.match(line) and scanner.between:
                return _header_end(lines, at), True
            first = False
        scanner.feed(line)
    return len(lines), False


def _header_end(lines: list[str], start: int) -> int:
    scanner = Scanner()
    scanner.feed(lines[start])
    for at in range(start + 1, len(lines)):
        depth = indentation(lines[at])
        if depth >= 0 and (scanner.between or interrupted(scanner, lines, at)):
            return at
        scanner.feed(lines[at])
    return len(lines)


def _rest_end(lines: list[str], start: int, indent: int) -> int:
    scanner = Scanner()
    scanner.feed(lines[start])
    for at in range(start + 1, len(lines)):
        line = lines[at]
        depth = indentation(line)
        if depth in (0, indent):
            member = depth == indent and (_DEFINITION.match(line) or _DECORATOR.match(line))
            if scanner.between:
                if member or not depth:
                    return at
            elif (member or not depth) and interrupted(scanner, lines, at):
                return at
        if depth >= 0 or not scanner.between:
            scanner.feed(line)
    return len(lines)


def _decorates(lines: list[str], start: int) -> bool:
    """Whether a run of decorators begins here that leads to a definition, so that this `@` is no operator."""
    if not _DECORATOR.match(lines[start]):
        return False
    scanner = Scanner()
    indent = indentation(lines[start])
    for at in range(start, min(start + _LONGEST_DECORATION, len(lines))):
        line = lines[at]
        depth = indentation(line)
        if scanner.between:
            if depth < 0:
                continue
            if _DEFINITION.match(line) or depth != indent or not _DECORATOR.match(line):
                return depth == indent and _DEFINITION.match(line) is not None
        elif not scanner.in_text and _NEVER_IN_BRACKETS.match(line):
            return depth == indent and _DEFINITION.match(line) is not None
        scanner.feed(line)
    return False
