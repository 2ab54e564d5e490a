"""Tables as Markdown. A cell's text stays text; what stands between backticks stays code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from awaitest.trace.folding import folded
from awaitest.trace.telling import HEADER, cells, left_over, loops, names, requests, tracked
from awaitest.trace.traced import TracedTest


def document(test: TracedTest) -> Iterator[str]:
    """The lines of a page about one test."""
    shown = folded(test.rows)
    yield f"## {escaped(test.id)}"
    yield ""
    yield f"{test.outcome}{': ' + escaped(test.message.splitlines()[0]) if test.message else ''}"
    for title, header, lines in (
        ("", HEADER, cells(test, shown)),
        ("Variables after each step", ("step", *names(test)), tracked(shown)),
        ("Requests", ("request", "answer", "route", "time"), requests(test)),
    ):
        if lines:
            yield ""
            if title:
                yield f"### {title}"
                yield ""
            yield from table(header, lines)
    for title, told in (("Left behind", left_over(test)), ("Event loops", loops(test))):
        if told:
            yield ""
            yield f"### {title}"
            yield ""
            yield from (f"- {escaped(line)}" for line in told)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table."""
    yield f"| {' | '.join(escaped(name) for name in header)} |"
    yield f"|{' --- |' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(escaped(cell) for cell in row)} |"


def escaped(cell: str) -> str:
    """Text that Markdown shows as it is, in one line."""
    text = " ".join(cell.split())
    parts = text.split("`") if text.count("`") % 2 == 0 else [text]
    parts[::2] = [re.sub(r"([\\`*_<>\[\]~&])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts).replace("|", "\\|")
