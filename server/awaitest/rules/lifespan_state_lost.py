"""Reports a transport that goes past the `LifespanManager` that holds the app's lifespan state.

Finds `ASGITransport(app=app)` next to `LifespanManager(app)`, where the lifespan of the app yields a state and the app
reads it.

Why: What a lifespan yields reaches requests through the server. Here `LifespanManager` stands in for the server, and it
hands the state to requests that are sent to `manager.app` only. Sent to `app`, they fail: `AttributeError: 'State'
object has no attribute 'db'`.

Bad:
    from contextlib import asynccontextmanager

    import pytest
    from asgi_lifespan import LifespanManager
    from fastapi import FastAPI, Request
    from httpx import ASGITransport, AsyncClient

    @asynccontextmanager
    async def lifespan(app):
        yield {"db": {}}

    async def read_items(request: Request):
        return request.state.db

    @pytest.mark.asyncio
    async def test_items():
        app = FastAPI(lifespan=lifespan)
        app.get("/items")(read_items)
        async with LifespanManager(app):
            async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
                await client.get("/items")

Good:
    @pytest.mark.asyncio
    async def test_items():
        app = FastAPI(lifespan=lifespan)
        app.get("/items")(read_items)
        async with LifespanManager(app) as manager:
            async with AsyncClient(transport=ASGITransport(app=manager.app), base_url="http://test") as client:
                await client.get("/items")

Ignore: When the test needs an app without its state.

Fix: Safe. Sends the requests to `manager.app`. Offered where the block of the `LifespanManager` is around the
transport.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine import apps
from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.repair import fix, insert
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import MODULE, Run
from awaitest.engine.steps import Called, Entered
from awaitest.engine.values import Value
from awaitest.engine.wrapping import free_name
from awaitest.source.nodes import parts_of
from awaitest.source.text import Edit

RULE = Rule("AWT402", "lifespan-state-lost", Severity.ERROR)


def check(step: Called, run: Run) -> Iterator[Finding]:
    """A transport is made with an app whose lifespan somebody else runs."""
    made = apps.made_by(step.result, *apps.TRANSPORTS)
    if made is None or made.node is not step.node or run.kind == MODULE or step.expected:
        return
    app = apps.argument(made, "app", 0)
    lifespan = apps.lifespan_of(app)
    name = apps.needed_by_requests(run, apps.yielded_state(lifespan)) if lifespan is not None else None
    if (
        app is None
        or lifespan is None
        or name is None
        or not any(apps.calls(n, "LifespanManager") for n in apps.around(run))
    ):
        return
    message = (
        f"Requests to `app` go past the `LifespanManager`: `request.state.{name}`, which `{lifespan.name}` yields, is missing "
        "there. Use `ASGITransport(app=manager.app)`."
    )
    yield Finding(step.node, message, lambda: _fix(step, run, app))


def _fix(step: Called, run: Run, app: Value) -> Fix | None:
    """Name the manager where it has no name, and take its app."""
    given = [*step.node.args[:1], *(item.value for item in step.node.keywords if item.arg == "app")]
    for entered in (item for item in run.steps[: run.steps.index(step)] if isinstance(item, Entered)):
        made = apps.made_by(entered.value, *apps.MANAGERS)
        inside = any(part is step.node for part in parts_of(entered.statement))
        if made is None or apps.argument(made, "app", 0) != app or not inside or len(given) != 1:
            continue
        target, edits = entered.item.optional_vars, []
        if target is None:
            target = ast.Name(free_name(run, "manager"))
            edits = [insert(run.span(entered.item.context_expr).end, f" as {target.id}")]
        if isinstance(target, ast.Name):
            app_edit = Edit(run.span(given[0]), f"{target.id}.app")
            return fix(run, f"Use `{target.id}.app`", [*edits, app_edit], safe=True)
    return None
