"""Reports a fixture that returns a client from inside the `async with` that closes it.

Finds `return client` in a fixture, inside the `async with` block that opened the client.

Why: Leaving the function leaves the block, and that closes the client. Every test gets a closed one: `RuntimeError:
Cannot send a request, as the client has been closed.`

Bad:
    import pytest_asyncio
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest_asyncio.fixture
    async def client():
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            return client

Good:
    import pytest_asyncio
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest_asyncio.fixture
    async def client():
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            yield client

Ignore: When the tests need a closed client.

Fix: Safe. `yield` instead of `return`: the block ends after the test. A return annotation becomes `AsyncIterator[…]`.
Offered where the fixture has no other `return` of a value.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.clients import holds
from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.repair import fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import FIXTURE, Run
from awaitest.engine.steps import Entered, Gave
from awaitest.engine.values import sites
from awaitest.engine.yielding import exits, generator_edits, return_to_yield

RULE = Rule("AWT304", "fixture-returns-closed-client", Severity.ERROR)


def check(step: Gave, run: Run) -> Iterator[Finding]:
    """A fixture leaves the block of the client it returns."""
    if run.kind != FIXTURE or step.is_yield or not isinstance(step.node, ast.Return):
        return
    around = [item for item in run.steps if isinstance(item, Entered) and item.statement in step.inside]
    if not any(holds(item.value, site) for site in sites(step.value) for item in around):
        return
    message = (
        f"The fixture `{run.node.name}` returns from inside the `async with` that closes its client, so tests get a closed one. "
        "Use `yield`."
    )
    yield Finding(step.node, message, lambda: _fix(step.node, run))


def _fix(node: ast.AST, run: Run) -> Fix | None:
    if not isinstance(node, ast.Return) or not run.is_async or len(exits(run.node)) != 1:
        return None
    return fix(run, "Use `yield`", generator_edits(run, [return_to_yield(run, node)]), safe=True)
