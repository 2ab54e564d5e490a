"""Reports a client that is used when it is closed, or entered when it is open.

Finds requests after the `async with` block or `aclose()` that closed the client, and `async with` over a client that
was entered, used or closed before.

Why: A client lives once. httpx answers with `RuntimeError: Cannot send a request, as the client has been closed.`,
`Cannot reopen a client instance, once it has been closed.` or `Cannot open a client instance more than once.`

Bad:
    import pytest
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_users():
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            response = await client.get("/users/")
        again = await client.get("/users/")
        assert response.json() == again.json()

Good:
    import pytest
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_users():
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            response = await client.get("/users/")
            again = await client.get("/users/")
        assert response.json() == again.json()

Ignore: When a test wants the `RuntimeError`; inside `pytest.raises` nothing is reported.

Fix: Unsafe. Moves the statements that use the client into the block that closes it, where they follow it directly.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.clients import block_of, class_of, library_of, sent
from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.repair import fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import MODULE, Run
from awaitest.engine.state import CLOSED, OPEN, USED
from awaitest.engine.steps import ClientUsed
from awaitest.engine.words import short
from awaitest.engine.wrapping import pull_in, pull_into_try

RULE = Rule("AWT303", "client-used-after-close", Severity.ERROR)

_PROBLEMS = {
    ("request", CLOSED): 'is closed here, so this fails with "Cannot send a request, as the client has been closed". '
    "Send it while the client is open.",
    ("enter", CLOSED): 'is closed here, so this fails with "Cannot reopen a client instance, once it has been closed". '
    "Make a new client.",
    (
        "enter",
        OPEN,
    ): 'is open here, so this fails with "Cannot open a client instance more than once". Use it as it is.',
    ("enter", USED): 'has sent a request, so this fails with "Cannot open a client instance more than once". '
    "Enter it before its first request.",
}


def check(step: ClientUsed, run: Run) -> Iterator[Finding]:
    """A client is in the wrong state for what is asked of it."""
    problem = _PROBLEMS.get((step.action, step.certain or ""))
    if problem is None or step.expected or step is not _first(step, run):
        return
    site = step.site
    cls = class_of(run, site)
    if step.certain == USED and not sent(run, site, step):
        return
    if (site.inherited and step.certain == CLOSED) or cls is None or library_of(run, cls, "__aenter__", "send") is None:
        return
    yield Finding(step.node, f"{_name(step)} {problem}", lambda: _fix(step, run))


def _first(step: ClientUsed, run: Run) -> ClientUsed | None:
    """The first failing use of the same client: what follows never runs."""
    uses = (other for other in run.steps if isinstance(other, ClientUsed) and other.site is step.site)
    return next((use for use in uses if (use.action, use.certain) in _PROBLEMS and not use.expected), None)


def _name(step: ClientUsed) -> str:
    node = step.node.func if isinstance(step.node, ast.Call) else step.node
    name = node.value if isinstance(node, ast.Attribute) and step.action == "request" else node
    return f"`{short(name)}`" if isinstance(name, (ast.Name, ast.Attribute)) else "The client"


def _fix(step: ClientUsed, run: Run) -> Fix | None:
    if step.action != "request" or run.kind == MODULE:
        return None
    around = block_of(run, step)
    if isinstance(around, ast.Try):
        return fix(run, "Move it into the `try`", pull_into_try(run, around, step.node, step.site.named), safe=False)
    edits = pull_in(run, around, step.node, step.site.named) if around is not None else None
    return fix(run, "Move it into the `async with`", edits, safe=False)
