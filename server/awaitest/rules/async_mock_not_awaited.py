"""Reports a call of an AsyncMock that nobody awaits.

Finds a call of an `AsyncMock` that the same function made, where it is a statement of its own, is bound to
a name that nothing reads, or is compared, indexed or otherwise used as if it were the result.

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
from awaitest.engine.facts import UNITTEST_COMPARISONS, UNITTEST_CONDITIONS
from awaitest.engine.mocks import async_mocks
from awaitest.engine.repair import await_fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import MODULE, Run
from awaitest.engine.steps import Called, Discarded
from awaitest.engine.syntax import INSPECTED
from awaitest.engine.uses import Use, reads_result, uses
from awaitest.engine.values import AsyncMockValue, every

RULE = Rule("AWT121", "async-mock-not-awaited", Severity.ERROR)


def check(step: Discarded | Called, run: Run) -> Iterator[Finding]:
    """The coroutine of an AsyncMock is dropped, or read as if it were the result."""
    node = step.node
    if step.expected or run.kind == MODULE or not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return
    name = node.func.id
    calls = (it for it in (step, *run.steps) if isinstance(it, Called) and it.node is node)
    if not any(map(_mocks, calls)) or not async_mocks(run, name) or (isinstance(step, Called) and not _read(run, node)):
        return
    made = f"the coroutine of `{name}(…)`"
    taken = isinstance(step, Called) and uses(run, node)
    fate = f"`{run.node.name}` takes {made} for its result" if taken else f"nobody awaits {made}"
    message = f"`{name}` is an AsyncMock, and {fate}. Write `await {name}(…)`."
    yield Finding(node, message, lambda: await_fix(run, node, f"Await `{name}(…)`"))


def _read(run: Run, node: ast.Call) -> bool:
    places = uses(run, node)
    return places is not None and all(reads_result(use, INSPECTED) or _is_asserted(use) for use in places)


def _is_asserted(use: Use) -> bool:
    """Whether a test case compares it, or takes it for true or false."""
    match use.parent:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=attribute)):
            return attribute in UNITTEST_COMPARISONS | UNITTEST_CONDITIONS
    return False


def _mocks(call: Called) -> bool:
    return every(call.target, AsyncMockValue) and AsyncMockValue(assertion=True) not in call.target
