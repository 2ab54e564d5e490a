"""Places in a text and changes to it. Lines and columns count from 0; columns count code points."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple


class Position(NamedTuple):
    """A place between two characters: line and code-point column, both from 0."""

    line: int
    column: int


class Span(NamedTuple):
    """The text between two positions, `end` not included."""

    start: Position
    end: Position

    @classmethod
    def of(cls, line: int, column: int, end_line: int, end_column: int) -> Span:
        return cls(Position(line, column), Position(end_line, end_column))

    def overlaps(self, other: Span) -> bool:
        """Whether both touch a common character, or insert at the same place."""
        if self.start == other.start:
            return True
        return self.start < other.end and other.start < self.end


class Edit(NamedTuple):
    """Replace what `span` covers by `text`; an empty span inserts."""

    span: Span
    text: str


def conflict(edits: Iterable[Edit]) -> bool:
    """Whether two different edits overlap, so that they cannot be applied together."""
    ordered = sorted(set(edits))
    return any(a.span.overlaps(b.span) for a, b in pairwise(ordered))


def apply(lines: list[str], edits: Iterable[Edit]) -> str:
    """The text after all edits.

    `lines` keep their line endings. Identical edits count once; raises ValueError where edits overlap.
    """
    ordered = sorted(set(edits), reverse=True)
    if conflict(ordered):
        raise ValueError("edits overlap")
    lines = list(lines) or [""]
    for edit in ordered:
        start, end = edit.span.start, edit.span.end
        last = lines[end.line] if end.line < len(lines) else ""
        first = lines[start.line] if start.line < len(lines) else ""
        lines[start.line : end.line + 1] = [first[: start.column] + edit.text + last[end.column :]]
    return "".join(lines)
