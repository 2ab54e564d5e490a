"""Reports a client that is closed by the method of the other kind of client.

Finds `close()` on an `AsyncClient` of httpx or httpx2, and `aclose()` on a `Client` or `TestClient`.

Why: An `AsyncClient` has no `close`, a synchronous client no `aclose`: the line raises an `AttributeError`, in a
fixture after the test has passed, and the client stays open.

Bad:
    import pytest_asyncio
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest_asyncio.fixture
    async def client():
        client = AsyncClient(transport=ASGITransport(app=app), base_url="http://test")
        yield client
        await client.close()

Good:
    import pytest_asyncio
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest_asyncio.fixture
    async def client():
        client = AsyncClient(transport=ASGITransport(app=app), base_url="http://test")
        yield client
        await client.aclose()

Ignore: When a test wants the `AttributeError`; inside `pytest.raises` nothing is reported.

Fix: Sometimes safe. Calls the right method, with `await` where it needs one; a client that a failure would leave open
gets an `async with`. Unsafe where a plain `def` has to become `async def`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.repair import await_edits, dropped_await, fix, path_to
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import MODULE, Run
from awaitest.engine.steps import Absent, Ended
from awaitest.engine.syntax import own_nodes
from awaitest.engine.values import Instance
from awaitest.engine.words import short
from awaitest.engine.wrapping import async_around, wrap_until_closed
from awaitest.source.edits import renamed
from awaitest.source.nodes import parts_of

RULE = Rule("AWT309", "wrong-close-method", Severity.ERROR)

_RIGHT = {"close": ("AsyncClient", "aclose"), "aclose": ("Client", "close")}


def check(step: Absent, run: Run) -> Iterator[Finding]:
    """A client lacks the method that is to close it."""
    name, right = _RIGHT.get(step.node.attr, ("", ""))
    if not name or step.expected or not _all_are(step, run, name) or _asks(run, step.node.attr):
        return
    kind = "an `AsyncClient`" if name == "AsyncClient" else "a synchronous client"
    call = f"await {short(step.node.value)}.{right}()" if right == "aclose" else f"{short(step.node.value)}.{right}()"
    message = f"`{short(step.node)}` raises AttributeError: {kind} has no `{step.node.attr}`. Write `{call}`."
    yield Finding(step.node, message, lambda: _fix(step, run, right))


def _all_are(step: Absent, run: Run, name: str) -> bool:
    world = run.engine.world
    return all(isinstance(kind, Instance) and world.derives(kind.cls, name, "httpx", "httpx2") for kind in step.owner)


def _asks(run: Run, name: str) -> bool:
    """Whether the function looks first which method there is."""
    parts = () if run.kind == MODULE else parts_of(run.node)
    return any(isinstance(part, ast.Constant) and part.value == name for part in parts)


def _fix(step: Absent, run: Run, right: str) -> Fix | None:
    if run.kind == MODULE:
        return None
    around = path_to(run.node, step.node)
    call = around[0]
    if not isinstance(call, ast.Call) or call.func is not step.node:
        return None
    if right == "close":
        edits = dropped_await(run, around[1]) if isinstance(around[1], ast.Await) else []
        return fix(run, "Use `close()`", [renamed(run.span(step.node), step.node.attr, right), *edits], safe=True)
    made = {site for item in run.steps if isinstance(item, Ended) for site in item.clients}
    site = next((kind.site for kind in step.owner if isinstance(kind, Instance) and kind.site in made), None)
    late = any(isinstance(part, ast.Try) and around[around.index(part) - 1] in part.finalbody for part in around)
    given = any(isinstance(part, ast.Yield) for part in own_nodes(run.node))
    if site is not None and not late and not given:
        return fix(run, "Use `async with`", wrap_until_closed(run, site, call) if run.is_async else None, safe=True)
    awaited = [] if isinstance(around[1], ast.Await) else await_edits(run, call)
    outer = async_around(run)
    if awaited is None or outer is None or not isinstance(around[1], (ast.Await, ast.Expr)):
        return None
    return fix(
        run, "Use `aclose()`", [renamed(run.span(step.node), step.node.attr, right), *awaited, *outer], safe=not outer
    )
