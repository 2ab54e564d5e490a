"""Reports that a test asks whether an AsyncMock was called, where it should ask whether it was awaited.

Finds `assert_called…` on an AsyncMock that the test makes, and on what hangs on it.

Why: An AsyncMock counts a call as soon as it is called. Code that forgets to await it, and so would send nothing, passes
such a test.

Bad:
    from unittest.mock import AsyncMock

    import pytest

    @pytest.mark.asyncio
    async def test_sends():
        send = AsyncMock()
        await send("hello")
        send.assert_called_once_with("hello")

Good:
    from unittest.mock import AsyncMock

    import pytest

    @pytest.mark.asyncio
    async def test_sends():
        send = AsyncMock()
        await send("hello")
        send.assert_awaited_once_with("hello")

Ignore: When the coroutine is handed to something that awaits it later, after the test.

Fix: Unsafe. Asks for the await: a test whose code forgets it fails then.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.mocks import async_mocks, is_free, root_of, settings
from awaitest.engine.repair import fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import MODULE, Run
from awaitest.engine.steps import Called
from awaitest.engine.words import short
from awaitest.source.edits import renamed
from awaitest.source.nodes import spelt

RULE = Rule("AWT123", "called-is-not-awaited", Severity.HINT)

_AWAITED = {
    "assert_called": "assert_awaited",
    "assert_called_once": "assert_awaited_once",
    "assert_called_with": "assert_awaited_with",
    "assert_called_once_with": "assert_awaited_once_with",
    "assert_any_call": "assert_any_await",
    "assert_has_calls": "assert_has_awaits",
}


def check(step: Called, run: Run) -> Iterator[Finding]:
    """A call of an assertion that counts calls."""
    named = step.node.func
    if run.kind == MODULE or not isinstance(named, ast.Attribute) or named.attr not in _AWAITED:
        return
    mocks, owner = async_mocks(run, root_of(named)), spelt(named.value)
    if not mocks or not (isinstance(named.value, ast.Name) or all(map(is_free, mocks))):
        return
    if any(f"{owner}.".startswith(f"{spelt(target)}.") for target, _ in settings(run)):
        return
    wanted = _AWAITED[named.attr]
    message = f"`{named.attr}` passes where `{short(named.value)}` is called and never awaited. Write `{wanted}`."
    yield Finding(step.node, message, lambda: _fix(run, named, wanted))


def _fix(run: Run, named: ast.Attribute, wanted: str) -> Fix | None:
    return fix(run, f"Use `{wanted}`", [renamed(run.span(named), named.attr, wanted)], safe=False)
