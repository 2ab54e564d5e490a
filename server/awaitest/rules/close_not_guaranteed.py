"""Reports `aclose()` that a failure on the way skips.

Finds clients that are closed by `await client.aclose()` alone, with assertions or calls before it that may fail,
outside `finally`.

Why: When the test fails, the client stays open. Its connections leak into the tests that follow, which then warn about
sockets and transports that are none of theirs.

Bad:
    import pytest
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_users():
        client = AsyncClient(transport=ASGITransport(app=app), base_url="http://test")
        response = await client.get("/users/")
        assert response.json() == []
        await client.aclose()

Good:
    import pytest
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_users():
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            response = await client.get("/users/")
            assert response.json() == []

Ignore: When the test is about `aclose()` itself.

Fix: Safe. Turns creation and `aclose()` into one `async with`. Offered where both stand in the same block.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.clients import class_of, closes_itself
from awaitest.engine.diagnostic import Severity
from awaitest.engine.repair import fix, path_to
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import MODULE, Run
from awaitest.engine.steps import Awaited, Called, Checked, ClientUsed, Closing, Created, Ended, Entered
from awaitest.engine.values import Site, sites
from awaitest.engine.wrapping import wrap_until_closed

RULE = Rule("AWT302", "close-not-guaranteed", Severity.WARNING)


def check(step: Ended, run: Run) -> Iterator[Finding]:
    """A client whose only way to be closed may be skipped."""
    if run.kind == MODULE:
        return
    entered = {site for item in run.steps if isinstance(item, Entered) for site in sites(item.value)}
    for site in step.clients:
        closings = {id(item.node): item for item in step.closings if item.site is site}
        cls = class_of(run, site)
        if len(closings) != 1 or site.escaped or site in entered or cls is None or closes_itself(run, cls):
            continue
        (closing,) = closings.values()
        if not _skippable(closing, run) or not _may_fail(site, closing, run):
            continue
        yield _finding(site, closing.node, run)


def _finding(site: Site, closing: ast.AST, run: Run) -> Finding:
    name = min(site.named, default="the client")
    message = (
        f"`{name}` stays open when `{run.node.name}` fails before this line: nothing guarantees `aclose()`. "
        f"Make it with `async with {site.label}(…) as {name}:`."
    )
    return Finding(
        closing, message, lambda: fix(run, "Use `async with`", wrap_until_closed(run, site, closing), safe=True)
    )


def _skippable(closing: Closing, run: Run) -> bool:
    """Whether it is awaited, and neither in a `finally` nor in an `except` that pairs with another."""
    chain = path_to(run.node, closing.node)
    handled = any(isinstance(part, (ast.ExceptHandler, ast.FunctionDef, ast.Lambda)) for part in chain[:-1])
    return not closing.guaranteed and bool(chain) and isinstance(chain[0], ast.Await) and not handled


def _may_fail(site: Site, closing: Closing, run: Run) -> bool:
    """Whether something happens between creation and close that can raise."""
    steps = run.steps
    made = next((place for place, item in enumerate(steps) if isinstance(item, Created) and item.site is site), None)
    end = next(
        (place for place, item in enumerate(steps) if isinstance(item, ClientUsed) and item.node is closing.node), 0
    )
    if made is None or steps[made].expected:
        return False
    between = (item for item in steps[made + 1 : end] if isinstance(item, (Awaited, Called, Checked)))
    return any(item.node is not site.node and getattr(item.node, "value", None) is not site.node for item in between)
