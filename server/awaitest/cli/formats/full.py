"""The report for people: each problem with its code, the reason, and what the fix changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from awaitest.cli import diff
from awaitest.cli.report import Report, first_sentence, summary
from awaitest.cli.terminal import Style, printable, width_of
from awaitest.engine.diagnostic import Diagnostic, Fix, Severity
from awaitest.source.text import Span
from awaitest.sources import Sources, UnreadableError, shown

COLOUR = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.HINT: "cyan"}
MOST_LINES = 5
"""Of a longer span the first lines and the last one are shown."""
WIDEST = 160
"""Columns. Of a longer line the part around the span is shown."""


def render(report: Report, style: Style) -> str:
    blocks = ["\n".join(_block(it, report.sources, style)) for it in report.diagnostics]
    return "\n\n".join([*blocks, summary(report)]) + "\n"


def _block(diagnostic: Diagnostic, sources: Sources, style: Style) -> Iterator[str]:
    place = f"{printable(shown(diagnostic.path))}:{diagnostic.span.start.line + 1}:{diagnostic.span.start.column + 1}"
    colour = COLOUR[diagnostic.severity]
    severity = style.paint(f"[{diagnostic.severity.value}]", colour)
    yield f"{style.paint(place, 'bold')} {style.paint(diagnostic.code, colour)} {diagnostic.name} {severity}"
    what, why = first_sentence(diagnostic.message)
    yield f"  {printable(what)}"
    try:
        yield from _excerpt(sources.read(diagnostic.path).lines, diagnostic.span, style, colour)
    except UnreadableError:
        pass
    for line in why.splitlines():
        yield f"  {printable(line)}".rstrip()
    if diagnostic.fix:
        yield from _fix(diagnostic, diagnostic.fix, sources, style)


def _excerpt(lines: Sequence[str], span: Span, style: Style, colour: str) -> Iterator[str]:
    first, last = span.start.line, span.end.line
    if last > first and span.end.column == 0:
        last -= 1
    last = min(last, len(lines) - 1)
    gutter = len(str(last + 1))
    blank = style.paint(f"{'':{gutter}} |", "dim")
    if first <= last:
        yield blank
    for number in range(first, last + 1):
        if last - first >= MOST_LINES and first + 2 <= number < last:
            if number == first + 2:
                yield style.paint(f"{'':{gutter}} : ({last - first - 2} more lines)", "dim")
            continue
        line = lines[number].rstrip("\r\n")
        start = span.start.column if number == first else len(line) - len(line.lstrip())
        end = span.end.column if number == span.end.line else len(line.rstrip())
        text, marks = _underlined(line, start, max(start, end))
        yield f"{style.paint(f'{number + 1:>{gutter}} |', 'dim')} {text}".rstrip()
        if marks.strip():
            yield f"{blank} {style.paint(marks, colour)}"


def _underlined(line: str, start: int, end: int) -> tuple[str, str]:
    """A line and the marks below it; an empty span is marked by one."""
    before, inside, after = printable(line[:start]), printable(line[start:end]), printable(line[end:])
    if width_of(before) + width_of(inside) + width_of(after) > WIDEST:
        before = f"…{before[-WIDEST // 4 :]}" if len(before) > WIDEST // 4 else before
        inside = f"{inside[: WIDEST // 2]}…" if len(inside) > WIDEST // 2 else inside
        after = f"{after[: WIDEST // 4]}…" if len(after) > WIDEST // 4 else after
    return before + inside + after, " " * width_of(before) + "^" * max(1, width_of(inside))


def _fix(diagnostic: Diagnostic, fix: Fix, sources: Sources, style: Style) -> Iterator[str]:
    safety = style.paint("safe", "green") if fix.safe else style.paint("unsafe", "yellow")
    yield f"  fix ({safety}): {printable(fix.title)}"
    for path in dict.fromkeys(it.path for it in fix.edits):
        if path != diagnostic.path:
            yield f"  in {printable(shown(path))}:"
        try:
            lines = sources.read(path).lines
            changes = list(diff.of_edits(lines, [it.edit for it in fix.edits if it.path == path]))
        except (UnreadableError, ValueError):
            continue
        yield from (f"    {line}" for line in diff.painted(changes, style))
