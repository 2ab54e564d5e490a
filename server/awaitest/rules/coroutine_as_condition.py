"""Reports a coroutine that is taken for true or false, or compared, instead of its result.

Finds coroutines nobody awaited in `assert`, `if`, `while`, `and`, `or`, `not` and in comparisons.

Why: A coroutine is an object, so it is always true and never equal to data. `assert user_exists(client, 7)` passes
whatever the app answers: the test is green and proves nothing.

Bad:
    import pytest

    async def user_exists(name: str) -> bool:
        return name == "alice"

    @pytest.mark.asyncio
    async def test_user():
        assert user_exists("nobody")

Good:
    import pytest

    async def user_exists(name: str) -> bool:
        return name == "alice"

    @pytest.mark.asyncio
    async def test_user():
        assert await user_exists("alice")

Ignore: When the test is about the coroutine object itself.

Fix: Sometimes safe. Puts `await` where the coroutine is made. In a plain `def` the function must become `async def`
too, with the marker that makes somebody run it; that is unsafe.
"""

from __future__ import annotations

from collections.abc import Iterator

from awaitest.engine.diagnostic import Severity
from awaitest.engine.repair import await_fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import Run
from awaitest.engine.steps import Misuse, Misused

RULE = Rule("AWT102", "coroutine-as-condition", Severity.ERROR)

_CLAIMS = {
    Misuse.CONDITION: "so this is always true, whatever the app does",
    Misuse.COMPARED: "so this compares a coroutine, never its result",
    Misuse.ASKED: "so this asks a coroutine, never its result",
}


def check(step: Misused, run: Run) -> Iterator[Finding]:
    """A coroutine decides a branch, or is compared."""
    claim = _CLAIMS.get(step.how)
    if claim is None:
        return
    site = step.coroutine.site
    message = f"`{site.label}(…)` is not awaited, {claim}. Await it, so that its result is looked at."
    if run.mine(site.node):
        yield Finding(site.node, message, lambda: await_fix(run, site.node, f"Await `{site.label}(…)`"))
    else:
        yield Finding(step.node, f"{message} It is made in {site.module.name}.")
