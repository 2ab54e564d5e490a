"""A text under edit: split into segments, each parsed once, and joined again into one logical module."""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple, TypeVar, cast

from awaitest.source.segment import Part, Segment, SyntaxProblem, segment_of, swapped
from awaitest.source.splitter import Kind, Piece, indent_behind, piece_at, pieces, split_lines
from awaitest.source.text import Position, Span

__all__ = ["Document", "Exchange", "Segment", "SyntaxProblem"]

Result = TypeVar("Result")


class Exchange(NamedTuple):
    """A segment that stands in the place of another."""

    old: Segment
    new: Segment


class Document:
    """One text. `lines` keep their endings and break only at `\\n`, `\\r\\n` and `\\r`; an empty text has none."""

    def __init__(self, text: str) -> None:
        self.lines = split_lines(text)
        self.shifts = 0
        """How often an edit moved the lines below it."""
        self._parts: list[Part] = []
        self._gathered: dict[Any, tuple[object, ...]] = {}
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
        return [problem for segment in self.broken for problem in segment.problems]

    @cached_property
    def remarks(self) -> list[Part]:
        """The pieces of the text that hold a `#`. The same list as long as they are the same."""
        return [part for part in self._parts if "#" in part.text]

    @cached_property
    def broken(self) -> list[Segment]:
        """The segments that Python cannot read as they stand. The same list as long as they are the same."""
        return [segment for segment in self.segments if segment.problems]

    def gathered(self, find: Callable[[ast.stmt], tuple[Result, ...]]) -> tuple[Result, ...]:
        """What `find` sees in each statement, in order; worked out again for those that an edit touched."""
        known = self._gathered.get(find)
        if known is None:
            top = (segment for segment in self.segments if segment.owner is None)
            known = self._gathered[find] = tuple(it for segment in top for it in segment.found(find))
        return cast("tuple[Result, ...]", known)

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

    def edit(self, span: Span, text: str) -> Exchange | None:
        """Replace what `span` covers; places behind the end of a line or of the text count as that end. Tells what it did where it
        did no more than change one statement or method."""
        first, last, changed = self._changed_lines(span, text)
        lines = split_lines(changed)
        self.lines[first:last] = lines
        delta = len(lines) - (last - first)
        unchanged_from = first + len(lines)
        begin = self._unsettled_from(first)
        start, indent = (self._parts[begin].line, self._parts[begin].indent) if self._parts else (0, 0)
        end = begin
        fresh: list[Piece] = []
        while start < len(self.lines):
            if start >= unchanged_from:
                while end < len(self._parts) and self._parts[end].line + delta < start:
                    end += 1
                known = self._parts[end] if end < len(self._parts) else None
                if known and known.line >= last and (known.line + delta, known.indent) == (start, indent):
                    break
            piece = piece_at(self.lines, start, indent)
            fresh.append(piece)
            start, indent = piece.end, indent_behind(self.lines, piece)
        else:
            end = len(self._parts)
        if delta:
            self.shifts += 1
            for part in self._parts[end:]:
                part.line += delta
        known_parts = {(part.kind, part.indent, part.text): part for part in self._parts[begin:end]}
        parts = [self._part(piece, known_parts) for piece in fresh]
        new = [at for at, part in enumerate(parts, begin) if at >= end or part is not self._parts[at]]
        if len(new) == 1 and len(parts) == end - begin and _alike(self._parts[new[0]], parts[new[0] - begin]):
            return self._exchange(new[0], parts[new[0] - begin])
        self._replace(begin, end, parts)
        return None

    @cached_property
    def _module(self) -> list[ast.stmt]:
        return [statement for segment in self.segments if segment.owner is None for statement in segment.statements]

    @cached_property
    def _own(self) -> set[Segment]:
        """The segments, once each node of theirs knows its segment."""
        for segment in self.segments:
            segment.mark_nodes()
        return set(self.segments)

    def _index(self, line: int) -> int:
        return bisect_right(self._parts, line, key=lambda part: part.line) - 1

    def _unsettled_from(self, line: int) -> int:
        """The first piece whose end an edit of a line may move: the one that holds it, and the one before where that ended
        because of this very line, or cannot be read."""
        at = self._index(line)
        before = self._parts[at - 1].segment if at > 0 else None
        settled = before is not None and not before.problems and self._parts[at].line < line
        return at if settled else max(at - 1, 0)

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

    def _exchange(self, at: int, part: Part) -> Exchange:
        """Put a statement or method in the place of one: what is known of all others stays."""
        old, segments = self._parts[at].segment, self.segments.copy()
        assert old is not None
        self._parts[at] = part
        new = part.segment = Segment(old.kind, [part])
        segments[segments.index(old)] = new
        before = old.owner or old
        if old.owner is not None:
            old.owner.exchange(old, new)
        for find in [it for it in self._gathered if before.found(it) or (new.owner or new).found(it)]:
            del self._gathered[find]
        own, module = self.__dict__.get("_own"), self.__dict__.get("_module")
        if own is not None:
            own.discard(old)
            own.add(new)
            new.mark_nodes()
        if module is not None and new.owner is None and old.body:
            self._module = swapped(module, old.body, new.body)
        elif new.owner is None:
            self.__dict__.pop("_module", None)
        if old.problems or new.problems:
            self.__dict__.pop("broken", None)
        if "#" in old.text or "#" in new.text:
            self.__dict__.pop("remarks", None)
        self.__dict__.pop("newline", None)
        self.segments = segments
        return Exchange(old, new)

    def _replace(self, begin: int, end: int, parts: list[Part]) -> None:
        """Put parts in place of others and gather the classes that are touched."""
        self._parts[begin:end] = parts
        self._gathered.clear()
        for name in ("newline", "segments", "remarks", "broken", "_module", "_own"):
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


def _alike(old: Part, new: Part) -> bool:
    """Whether a part can take the place of another without anything else noticing."""
    same = (old.kind, old.indent, _lead(old.text)) == (new.kind, new.indent, _lead(new.text))
    return same and old.kind in (Kind.STATEMENT, Kind.MEMBER) and old.segment is not None


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
