"""A unit of parsing: its text, what was read from it, and where that lies in the document."""

from __future__ import annotations

import ast
import copy
import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeVar

from awaitest.source.nodes import parts_of
from awaitest.source.parse import Fault, Parsed, parse_class, parse_member, parse_statement
from awaitest.source.splitter import Kind, split_lines
from awaitest.source.text import Position, Span

_DEFINED = re.compile(r"(?:async(?:\s|\\)+)?(?:def|class)(?:\s|\\)+(\w+)")
SegmentKind = Literal["statement", "class", "member"]
Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class Part:
    """The lines of one piece. Its text never changes, its first line moves with the text before it."""

    kind: Kind
    indent: int
    line: int
    text: str
    size: int
    segment: Segment | None = None


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """Why a segment could not be read as it stands."""

    segment: Segment
    fault: Fault

    @property
    def line(self) -> int:
        """The line in the document, from 0."""
        return self.segment.line_of(self.fault.row)

    @property
    def column(self) -> int:
        """In code points, from 0."""
        return self.fault.column

    @property
    def message(self) -> str:
        return self.fault.message

    @property
    def needs(self) -> tuple[int, int] | None:
        """The Python version that could read it, where the running one is too old."""
        return self.fault.needs

    @property
    def deep(self) -> bool:
        """Whether Python may read it, but it is nested too deeply for us."""
        return self.fault.deep


class Segment:
    """A unit of parsing. Line numbers in `body` count within the segment; `span` and `position` translate them.

    Segments are kept over edits that do not touch their text; those of a class do not hold the text of its members.
    """

    def __init__(self, kind: SegmentKind, parts: list[Part], member_lead: str | None = None) -> None:
        self.kind = kind
        self.owner: Segment | None = None
        self.members: list[Segment] = []
        self._parts = parts
        self._rows = [0]
        for part in parts:
            self._rows.append(self._rows[-1] + part.size)
        self._member_lead = member_lead
        self._all_parts: list[Part] = []
        self._class: ast.ClassDef | None = None
        self._gathered = False
        self._marked = False
        self._found: dict[Any, tuple[Any, ...]] = {}

    @property
    def line(self) -> int:
        """The first line in the document, from 0."""
        return self._parts[0].line

    @cached_property
    def text(self) -> str:
        return "".join(part.text for part in self._parts)

    @property
    def body(self) -> list[ast.stmt]:
        """The statements that could be read; a class stands here without its members."""
        return self._parsed.body

    @property
    def problems(self) -> list[SyntaxProblem]:
        fault = self._parsed.fault
        return [] if fault is None else [SyntaxProblem(self, fault)]

    @property
    def statements(self) -> list[ast.stmt]:
        """The body, where a class has its members in place."""
        if not self.members or not self.body:
            return self.body
        if not self._gathered:
            self._class, self._gathered = self._whole_class(), True
        return [self._class] if self._class is not None else []

    def line_of(self, row: int) -> int:
        """The line in the document of a row of this segment's text."""
        index = min(bisect_right(self._rows, row), len(self._parts)) - 1
        return self._parts[index].line + row - self._rows[index]

    def position(self, lineno: int, col_offset: int) -> Position:
        """The place in the document of a place as `ast` gives it in this segment."""
        row = lineno - 1 - self._parsed.shift
        return Position(self.line_of(row), self._column(row, col_offset))

    def span(self, node: ast.AST) -> Span:
        """The place in the document of a node of this segment; without decorators for definitions, as in `ast`."""
        lineno, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        start = self.position(lineno, column)
        if self.members and self.body and (node is self._class or node is self.body[0]):
            return Span(start, self._class_end())
        return Span(start, self.position(getattr(node, "end_lineno", lineno), getattr(node, "end_col_offset", column)))

    def name_span(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Span:
        """The place of the name that a definition binds."""
        start = self.position(node.lineno, node.col_offset)
        row = node.lineno - 1 - self._parsed.shift
        lines = self._source_lines[row : row + 10]
        lines[0] = lines[0][start.column :]
        found = _DEFINED.match("".join(lines))
        if found is None:
            return self.span(node)
        before = split_lines(found.group()[: found.start(1)] + "-")
        column = len(before[-1]) - 1 + (start.column if len(before) == 1 else 0)
        line = start.line + len(before) - 1
        return Span.of(line, column, line, column + len(node.name))

    def mark_nodes(self) -> None:
        """Let each node of the body know its segment: see `segment_of`."""
        if not self._marked:
            self._marked = True
            for statement in self.body:
                for node in parts_of(statement):
                    node.__dict__["segment"] = self

    @cached_property
    def _parsed(self) -> Parsed:
        if self.kind == "class":
            return parse_class(self.text, self._member_lead)
        return parse_member(self.text) if self.kind == "member" else parse_statement(self.text)

    @cached_property
    def _source_lines(self) -> list[str]:
        return split_lines(self._parsed.source)

    @cached_property
    def _text_lines(self) -> list[str]:
        return split_lines(self.text)

    def _column(self, row: int, offset: int) -> int:
        parsed = self._parsed
        if not parsed.source.isascii() and row < len(self._source_lines):
            line = self._source_lines[row]
            if not line.isascii():
                offset = len(line.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "replace"))
        if parsed.fault is not None and row < len(self._text_lines):
            offset = min(offset, len(self._text_lines[row].rstrip("\r\n")))
        return offset

    def made_of(self, parts: list[Part], member_lead: str | None) -> bool:
        """Whether a class made of these parts would read the same."""
        same = len(parts) == len(self._parts) and all(a is b for a, b in zip(parts, self._parts, strict=True))
        return same and member_lead == self._member_lead

    def gather(self, parts: list[Part]) -> None:
        """Take up the members of a class among its parts, in order."""
        self.members = [part.segment for part in parts if part.kind is Kind.MEMBER and part.segment is not None]
        self._all_parts = parts
        self._gathered = False
        self._found.clear()
        for member in self.members:
            member.owner = self

    def exchange(self, old: Segment, new: Segment) -> None:
        """Take up a member in the place of one."""
        new.owner = self
        self.members = swapped(self.members, [old], [new])
        self._all_parts = swapped(self._all_parts, old._parts, new._parts)
        self._found.clear()
        if self._gathered and self._class is not None and old.body and new.body:
            self._class.body = swapped(self._class.body, old.body, new.body)
        else:
            self._gathered = False

    def found(self, find: Callable[[ast.stmt], tuple[Result, ...]]) -> tuple[Result, ...]:
        """What `find` sees in the statements."""
        known = self._found.get(find)
        if known is None:
            known = self._found[find] = tuple(it for statement in self.statements for it in find(statement))
        return known

    def _whole_class(self) -> ast.ClassDef:
        definition = self.body[0]
        assert isinstance(definition, ast.ClassDef)
        whole = self._class or copy.copy(definition)
        whole.__dict__["segment"] = self
        own = iter(definition.body)
        statement = next(own, None)
        body: list[ast.stmt] = []
        seen = 0
        for part in self._all_parts:
            if part.kind is Kind.MEMBER and part.segment is not None:
                body += part.segment.body
                continue
            seen += part.size
            while statement is not None and statement.lineno <= seen:
                body.append(statement)
                statement = next(own, None)
        nothing = ast.Pass(
            lineno=whole.lineno, col_offset=whole.col_offset, end_lineno=whole.lineno, end_col_offset=whole.col_offset
        )
        whole.body = body or [nothing]
        return whole

    def _class_end(self) -> Position:
        (whole,) = self.statements
        assert isinstance(whole, ast.ClassDef)
        last = whole.body[-1]
        home = next((member for member in self.members if any(last is own for own in member.body)), self)
        return home.span(last).end


def swapped(items: list[Result], old: list[Result], new: list[Result]) -> list[Result]:
    """Items with some that stand in a row replaced."""
    at = items.index(old[0])
    return [*items[:at], *new, *items[at + len(old) :]]


def segment_of(node: ast.AST) -> Segment | None:
    """The segment whose `mark_nodes` met a node last."""
    segment: Segment | None = node.__dict__.get("segment")
    return segment
