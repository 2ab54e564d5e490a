"""Reports a mock's assertion that is named but not called.

Finds `mock.assert_awaited_once` and the other assertions of mocks without parentheses, as a statement or behind
`assert`.

Why: Without the call nothing is compared: the line reads a method and drops it, and `assert mock.assert_awaited_once`
is always true. The test passes whether or not the mock was used.

Bad:
    from unittest.mock import AsyncMock

    import pytest

    @pytest.mark.asyncio
    async def test_send():
        send = AsyncMock()
        await send("bob")
        send.assert_awaited_once

Good:
    from unittest.mock import AsyncMock

    import pytest

    @pytest.mark.asyncio
    async def test_send():
        send = AsyncMock()
        await send("bob")
        send.assert_awaited_once()

Ignore: Never, as far as we know.

Fix: Safe. Calls the assertion. Not offered where it must be told what to compare with.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.members import MOCK_ASSERTIONS
from awaitest.engine.repair import fix, insert
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import Run
from awaitest.engine.steps import Checked, Discarded
from awaitest.engine.values import AsyncMockValue, Unknown, every
from awaitest.engine.words import short
from awaitest.source.text import Edit, Span

RULE = Rule("AWT125", "mock-assertion-not-called", Severity.ERROR)

_WITHOUT_ARGUMENTS = frozenset({"assert_called", "assert_called_once", "assert_not_called", "assert_awaited", "assert_awaited_once", "assert_not_awaited"})  # fmt: skip


def check(step: Discarded | Checked, run: Run) -> Iterator[Finding]:
    """A statement mentions an assertion and does not call it."""
    named = step.node.test if isinstance(step, Checked) else step.node
    if not isinstance(named, ast.Attribute) or named.attr not in MOCK_ASSERTIONS - {"reset_mock"}:
        return
    if not every(step.value, AsyncMockValue, Unknown):
        return
    name = short(named)
    effect = (
        "is always true, as it is not called" if isinstance(step, Checked) else "asserts nothing, as it is not called"
    )
    message = f"`{name}` {effect}. Write `{named.attr}(…)`."
    yield Finding(named, message, lambda: _fix(step, run, named))


def _fix(step: Discarded | Checked, run: Run, named: ast.Attribute) -> Fix | None:
    span = run.span(named)
    if named.attr not in _WITHOUT_ARGUMENTS:
        return None
    edits = [insert(span.end, "()")]
    if isinstance(step, Checked):
        whole = run.span(step.node)
        if whole.end != span.end or whole.start.line != span.start.line:
            return None
        edits.append(Edit(Span(whole.start, span.start), ""))
    return fix(run, "Call it", edits, safe=True)
