"""A traced test in cells and sentences: what all formats show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from awaitest.trace.traced import Left, Row, TracedTest

HEADER = ("step", "line", "action", "awaited", "result", "assertion", "time")
_SAID = {
    "coroutine": "`{0}` was never awaited",
    "client": "an `{0}` was never closed",
    "stream": "the stream of a `{0}` was never closed",
    "task": "the task of `{0}` was still running when the test ended",
    "exception": "an exception of `{0}` was lost",
    "override": "`app.dependency_overrides` still replaces `{0}`",
}


def cells(test: TracedTest, shown: Sequence[Row]) -> list[list[str]]:
    """The execution table of the rows that are shown, see `folded`."""
    return [_cells(test, row) for row in shown]


def _cells(test: TracedTest, row: Row) -> list[str]:
    action = f"{'· ' * row.depth}{row.action}" + (f" (read as: {row.predicted})" if row.predicted else "")
    return [
        f"✗ {row.step}" if row.failed else _step(row),
        place(test, row),
        action,
        row.awaited,
        row.result,
        row.assertion,
        took(row),
    ]


def _step(row: Row) -> str:
    return str(row.step or "…")


def place(test: TracedTest, row: Row) -> str:
    """The line, with its file where it is another one than the test's."""
    if not row.line:
        return ""
    return str(row.line) if row.path == test.path else f"{Path(row.path).name}:{row.line}"


def took(row: Row) -> str:
    """Own time, and in brackets the time the step waited for others."""
    if not row.own and not row.waited:
        return ""
    return _milliseconds(row.own) + (f" (+{_milliseconds(row.waited)})" if row.waited >= 0.0005 else "")


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def names(test: TracedTest) -> list[str]:
    """The names of the variables, in order of appearance."""
    return list(test.rows[0].variables) if test.rows else []


def tracked(shown: Sequence[Row]) -> list[list[str]]:
    """The variable tracker of the same rows; empty where there are no variables."""
    return [[_step(row), *row.variables.values()] for row in shown] if shown and shown[0].variables else []


def requests(test: TracedTest) -> list[list[str]]:
    """Each request with its answer."""
    return [
        [
            f"{it['method']} {it['url']}",
            str(it.get("status") or it.get("error") or "no answer"),
            f"{it['route']} → {it['endpoint']}" if it.get("route") else "",
            _milliseconds(it["seconds"]) if it.get("seconds") is not None else "",
        ]
        for it in test.requests
    ]


def left_over(test: TracedTest) -> list[str]:
    """A sentence for everything that the test left behind."""
    return [sentence(test, it) for it in test.left]


def sentence(test: TracedTest, it: Left) -> str:
    """What was left behind, and where it was made."""
    told = _SAID[it.what].format(it.name)
    more = f": {it.detail}" if it.what == "exception" else ""
    if not it.line:
        return f"{told}{more}"
    where = f"line {it.line}" if it.path == test.path else f"{Path(it.path).name}:{it.line}"
    via = f", called on line {it.via}" if it.via else ""
    return f"{told}{more} ({where}{via})"


def loops(test: TracedTest) -> list[str]:
    """Each event loop with what ran on it: the test, its fixtures."""
    return [
        f"{loop}: {', '.join(who for who, on in test.loops.items() if on == loop)}"
        for loop in dict.fromkeys(test.loops.values())
    ]
