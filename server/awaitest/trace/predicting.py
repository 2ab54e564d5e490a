"""Where reading a test had told something else than running it."""

from __future__ import annotations

from collections.abc import Sequence

from awaitest.engine.steps import Row as Read
from awaitest.trace.traced import TracedTest


def predict(test: TracedTest, read: Sequence[Read]) -> None:
    """Note on each row of a run what the table that was read says otherwise of its line."""
    by_line: dict[int, list[Read]] = {}
    for it in read:
        by_line.setdefault(it.line, []).append(it)
    for row in test.rows:
        told = by_line.get(row.line, []) if row.path == test.path and not row.depth else []
        missing = any(it.awaited == "missing" for it in told)
        wrong = next((it.assertion for it in told if it.result.startswith(("fails", "proves nothing"))), "")
        if missing and row.awaited == "yes":
            row.predicted = "an `await` is missing"
        elif told and not missing and row.awaited == "never":
            row.predicted = "nothing is missing"
        elif wrong and "holds" in row.assertion:
            row.predicted = "the check fails, or proves nothing"


def title(test: TracedTest) -> str:
    """`test_x` or `TestA::test_x`: how `awaitest explain` names it."""
    return test.id.partition("::")[2].partition("[")[0]
