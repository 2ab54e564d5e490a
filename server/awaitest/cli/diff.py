"""Unified diffs: of a whole file for `--diff`, of one fix for the report."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

from awaitest.cli.terminal import Style, printable
from awaitest.source.splitter import split_lines
from awaitest.source.text import Edit, Position, Span, apply

NO_NEWLINE = "\\ No newline at end of file"
_PAINT = {"-": ("red",), "+": ("green",), "@": ("cyan",), "\\": ("dim",)}


def of_file(name: str, before: Sequence[str], after: Sequence[str]) -> str:
    """A diff that `patch -p0` takes; empty where nothing changed."""
    lines: list[str] = []
    for line in difflib.unified_diff(before, after, name, name):
        lines.append(line if line.endswith(("\n", "\r")) else f"{line}\n{NO_NEWLINE}\n")
    return "".join(lines)


def of_edits(lines: Sequence[str], edits: Iterable[Edit], context: int = 1) -> Iterator[str]:
    """The lines of a diff without file header and line ends, computed around the edits only."""
    moved = 0
    for first, last, group in _groups(lines, edits, context):
        before = list(lines[first:last])
        after = split_lines(apply(before, [_shifted(edit, -first) for edit in group]))
        yield f"@@ -{first + 1},{len(before)} +{first + 1 + moved},{len(after)} @@"
        moved += len(after) - len(before)
        yield from _changes(before, after)


def painted(lines: Iterable[str], style: Style) -> Iterator[str]:
    """The lines of a diff, printable and coloured."""
    for line in lines:
        yield style.paint(printable(line.rstrip("\r\n")), *_PAINT.get(line[:1], ()))


def _groups(lines: Sequence[str], edits: Iterable[Edit], context: int) -> Iterator[tuple[int, int, list[Edit]]]:
    """Edits whose surroundings touch, with the first line of the surroundings and the one after the last."""
    group: list[Edit] = []
    first = last = 0
    for edit in sorted(set(edits)):
        start, end = max(0, edit.span.start.line - context), min(len(lines), edit.span.end.line + 1 + context)
        if group and start > last:
            yield first, last, group
            group = []
        first, last = (min(first, start), max(last, end)) if group else (start, end)
        group.append(edit)
    if group:
        yield first, last, group


def _shifted(edit: Edit, lines: int) -> Edit:
    start, end = edit.span.start, edit.span.end
    return edit._replace(span=Span(Position(start.line + lines, start.column), Position(end.line + lines, end.column)))


def _changes(before: list[str], after: list[str]) -> Iterator[str]:
    for kind, start, end, new_start, new_end in difflib.SequenceMatcher(None, before, after, False).get_opcodes():
        if kind == "equal":
            yield from (f" {_bare(line)}" for line in before[start:end])
            continue
        yield from (f"-{_bare(line)}" for line in before[start:end])
        yield from (f"+{_bare(line)}" for line in after[new_start:new_end])


def _bare(line: str) -> str:
    return line.rstrip("\r\n")
