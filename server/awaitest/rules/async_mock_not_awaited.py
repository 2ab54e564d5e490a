"""Reports a call of an AsyncMock that nobody awaits.

Finds a call that is a statement of its own, of an `AsyncMock` that the same function made.

Why: The call only makes a coroutine. It counts as called but never as awaited: side effects do not happen,
`assert_awaited` fails, and Python warns of a coroutine that was never awaited.

Bad:
    from unittest.mock import AsyncMock

    import pytest

    @pytest.mark.asyncio
    async def test_send():
        send = AsyncMock()
        send("bob")
        send.assert_awaited_once_with("bob")

Good:
    from unittest.mock import AsyncMock

    import pytest

    @pytest.mark.asyncio
    async def test_send():
        send = AsyncMock()
        await send("bob")
        send.assert_awaited_once_with("bob")

Ignore: When a test wants a coroutine that is never awaited.

Fix: Sometimes safe. Awaits the call. Unsafe where the test must become async for that.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Severity
from awaitest.engine.mocks import async_mocks
from awaitest.engine.repair import await_fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import MODULE, Run
from awaitest.engine.steps import Called, Discarded
from awaitest.engine.values import AsyncMockValue, every

RULE = Rule("AWT121", "async-mock-not-awaited", Severity.ERROR)


def check(step: Discarded, run: Run) -> Iterator[Finding]:
    """A statement that calls an AsyncMock and drops the coroutine."""
    node = step.node
    if step.expected or run.kind == MODULE or not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return
    name = node.func.id
    if not async_mocks(run, name) or not any(
        isinstance(it, Called) and it.node is node and _mocks(it) for it in run.steps
    ):
        return
    message = f"`{name}` is an AsyncMock, and nobody awaits the coroutine of `{name}(…)`. Write `await {name}(…)`."
    yield Finding(node, message, lambda: await_fix(run, node, f"Await `{name}(…)`"))


def _mocks(call: Called) -> bool:
    return every(call.target, AsyncMockValue) and AsyncMockValue(assertion=True) not in call.target
