"""A text under edit: split into segments, each parsed once, and joined again into one logical module."""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TypeVar, cast

from awaitest.source.segment import Part, Segment, SyntaxProblem, segment_of
from awaitest.source.splitter import Kind, Piece, pieces, split_lines
from awaitest.source.text import Position, Span

__all__ = ["Document", "Segment", "SyntaxProblem"]

Result = TypeVar("Result")


class Document:
    """One text. `lines` keep their endings and break only at `\\n`, `\\r\\n` and `\\r`; an empty text has none."""

    def __init__(self, text: str) -> None:
        self.lines = split_lines(text)
        self.shifts = 0
        """How often an edit moved the lines below it."""
        self._parts: list[Part] = []
        self._replace(0, 0, [self._part(piece) for piece in pieces(self.lines)])

    @property
    def text(self) -> str:
        return "".join(self.lines)

    @cached_property
    def newline(self) -> str:
        """The line ending that most lines have; a line feed where no line has one."""
        endings = Counter(line[len(line.rstrip("\r\n")) :][-2:] for line in self.lines)
        del endings[""]
        return endings.most_common(1)[0][0] if endings else "\n"

    @cached_property
    def segments(self) -> list[Segment]:
        """In the order of the text; a class before its members."""
        return [part.segment for part in self._parts if part.kind is not Kind.REST and part.segment is not None]

    @property
    def problems(self) -> list[SyntaxProblem]:
        """What keeps Python from reading the text, at most one problem per segment."""
        return [problem for segment in self.segments for problem in segment.problems]

    def places(self) -> Iterator[tuple[int, str]]:
        """The pieces of the text, each with its first line. Most of them stay the same texts when one is edited."""
        return ((part.line, part.text) for part in self._parts)

    def remembered(self, make: Callable[[Document], Result]) -> Result:
        """What `make` concludes from this text alone; worked out again once the text has changed."""
        if make not in self._remembered:
            self._remembered[make] = make(self)
        return cast("Result", self._remembered[make])

    @cached_property
    def _remembered(self) -> dict[object, object]:
        return {}

    def segment_at(self, line: int) -> Segment | None:
        """The segment that holds a line, None outside the text."""
        if not 0 <= line < len(self.lines):
            return None
        return self._parts[self._index(line)].segment

    def module(self) -> list[ast.stmt]:
        """All statements that could be read, in order; classes carry their members in `body`. Not to be changed."""
        return self._module

    def holds(self, node: ast.AST) -> bool:
        """Whether a node stands in this text."""
        own = self._own
        return segment_of(node) in own

    def segment_of(self, node: ast.AST) -> Segment:
        """The segment that a node of this text stands in; KeyError for any other node."""
        own = self._own
        segment = segment_of(node)
        if segment is None or segment not in own:
            raise KeyError(node)
        return segment

    def edit(self, span: Span, text: str) -> None:
        """Replace what `span` covers; places behind the end of a line or of the text count as that end."""
        first, last, changed = self._changed_lines(span, text)
        lines = split_lines(changed)
        self.lines[first:last] = lines
        delta = len(lines) - (last - first)
        unchanged_from = first + len(lines)
        begin = max(self._index(first) - 1, 0)
        start, indent = (self._parts[begin].line, self._parts[begin].indent) if self._parts else (0, 0)
        end = begin
        fresh: list[Piece] = []
        for piece in pieces(self.lines, start, indent):
            if piece.start >= unchanged_from:
                while end < len(self._parts) and self._parts[end].line + delta < piece.start:
                    end += 1
                known = self._parts[end] if end < len(self._parts) else None
                if known and known.line >= last and (known.line + delta, known.indent) == (piece.start, piece.indent):
                    break
            fresh.append(piece)
        else:
            end = len(self._parts)
        if delta:
            self.shifts += 1
            for part in self._parts[end:]:
                part.line += delta
        known_parts = {(part.kind, part.indent, part.text): part for part in self._parts[begin:end]}
        self._replace(begin, end, [self._part(piece, known_parts) for piece in fresh])

    @cached_property
    def _module(self) -> list[ast.stmt]:
        return [statement for segment in self.segments if segment.owner is None for statement in segment.statements]

    @cached_property
    def _own(self) -> frozenset[Segment]:
        """The segments, once each node of theirs knows its segment."""
        for segment in self.segments:
            segment.mark_nodes()
        return frozenset(self.segments)

    def _index(self, line: int) -> int:
        return bisect_right(self._parts, line, key=lambda part: part.line) - 1

    def _part(self, piece: Piece, known: dict[tuple[Kind, int, str], Part] | None = None) -> Part:
        text = "".join(self.lines[piece.start : piece.end])
        part = known.pop((piece.kind, piece.indent, text), None) if known else None
        if part is None:
            return Part(piece.kind, piece.indent, piece.start, text, piece.end - piece.start)
        part.line = piece.start
        return part

    def _changed_lines(self, span: Span, text: str) -> tuple[int, int, str]:
        """The lines that an edit touches, `first` to `last` (not included), and the text in their place."""
        first, before = self._clamped(span.start)
        end, after = self._clamped(max(span.start, span.end))
        last = min(end + 1, len(self.lines))
        changed = "".join(self.lines[first : first + 1])[:before] + text + "".join(self.lines[end : end + 1])[after:]
        if first and self.lines[first - 1].endswith("\r"):
            first -= 1
            changed = self.lines[first] + changed
        while last < len(self.lines) and _open_end(changed, self.lines[last]):
            changed += self.lines[last]
            last += 1
        return first, last, changed

    def _clamped(self, position: Position) -> tuple[int, int]:
        if position.line < len(self.lines):
            return position.line, min(position.column, len(self.lines[position.line].rstrip("\r\n")))
        if self.lines and not self.lines[-1].endswith(("\n", "\r")):
            return len(self.lines) - 1, len(self.lines[-1])
        return len(self.lines), 0

    def _replace(self, begin: int, end: int, parts: list[Part]) -> None:
        """Put parts in place of others and gather the classes that are touched."""
        self._parts[begin:end] = parts
        for name in ("newline", "segments", "_module", "_own", "_remembered"):
            self.__dict__.pop(name, None)
        end = begin + len(parts)
        while begin > 0 and (begin >= len(self._parts) or self._parts[begin].indent):
            begin -= 1
        while end < len(self._parts) and self._parts[end].indent:
            end += 1
        while begin < end:
            stop = begin + 1
            while stop < end and self._parts[stop].indent:
                stop += 1
            _attach(self._parts[begin:stop])
            begin = stop


def _attach(parts: list[Part]) -> None:
    """Give a statement, or a class with what its body holds, its segments."""
    head = parts[0]
    if head.kind is Kind.STATEMENT:
        head.segment = head.segment or Segment("statement", [head])
        return
    own = [part for part in parts if part.kind is not Kind.MEMBER]
    members = [part for part in parts if part.kind is Kind.MEMBER]
    for part in members:
        part.segment = part.segment or Segment("member", [part])
    lead = _lead(members[0].text) if members else None
    segment = head.segment
    if segment is None or not segment.made_of(own, lead):
        segment = Segment("class", own, lead)
    for part in own:
        part.segment = segment
    segment.gather(parts)


def _lead(text: str) -> str:
    return text[: len(text) - len(text.lstrip(" \t\f"))]


def _open_end(text: str, following: str) -> bool:
    """Whether the line that follows would grow together with the end of a text."""
    return not text.endswith(("\n", "\r")) or (text.endswith("\r") and following.startswith("\n"))
