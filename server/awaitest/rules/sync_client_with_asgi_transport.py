"""Reports a synchronous client over the transport of an asynchronous one.

Finds a `Client` of httpx or httpx2 that is given an `ASGITransport`.

Why: An ASGI app is awaited, which a synchronous client cannot do: entering the client, its first request and its
`close()` each raise `AttributeError: 'ASGITransport' object has no attribute …`.

Bad:
    from httpx import ASGITransport, Client

    from app.main import app

    def test_users():
        with Client(transport=ASGITransport(app=app), base_url="http://test") as client:
            assert client.get("/users").status_code == 200

Good:
    import pytest
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_users():
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            assert (await client.get("/users")).status_code == 200

Ignore: When a test wants the `AttributeError`; where the function has a `pytest.raises`, nothing is reported.

Fix: Unsafe. Makes it an `AsyncClient`, awaits its requests and makes the test async. Offered where a `with` enters the
client and only requests use it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.apps import argument
from awaitest.engine.clients import LIBRARIES, import_edits
from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.facts import REQUESTS
from awaitest.engine.repair import await_edits, fix, insert, path_to
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import MODULE, Run
from awaitest.engine.steps import Called
from awaitest.engine.values import ClassValue, Instance, every
from awaitest.engine.wrapping import async_around
from awaitest.source.edits import renamed
from awaitest.source.nodes import parts_of

RULE = Rule("AWT311", "sync-client-with-asgi-transport", Severity.ERROR)


def check(step: Called, run: Run) -> Iterator[Finding]:
    """A synchronous client gets a transport that only awaits."""
    world, kind = run.engine.world, next(iter(step.result), None)
    if len(step.result) != 1 or not isinstance(kind, Instance) or kind.made is None or kind.made.node is not step.node:
        return
    library = next((name for name in LIBRARIES if world.derives(kind.cls, "Client", name)), None)
    init, transport = world.member(kind.cls, "__init__"), argument(kind.made, "transport")
    if library is None or init is None or init.owner.package != library or not transport:
        return
    if any(item.expected for item in run.steps) or not every(transport, Instance):
        return
    classes = [item.cls for item in transport if isinstance(item, Instance)]
    asgi = all(world.derives(cls, "ASGITransport", *LIBRARIES) for cls in classes)
    at = next((item for item in step.node.keywords if item.arg == "transport"), None)
    if at is None or not asgi or any(world.has(cls, "handle_request") is not False for cls in classes):
        return
    message = (
        f"`{step.label}` is synchronous and cannot await what an `ASGITransport` does: its first use raises AttributeError. "
        "Use an `AsyncClient`."
    )
    yield Finding(at, message, lambda: _fix(step, run, library))


def _fix(step: Called, run: Run, library: str) -> Fix | None:
    called, own = step.node.func, every(step.target, ClassValue)
    around = path_to(run.node, step.node) if run.kind != MODULE and own else []
    block = around[1] if len(around) > 1 else None
    if not isinstance(block, ast.With) or len(block.items) != 1 or block.items[0].context_expr is not step.node:
        return None
    name, outer, spelt = (
        block.items[0].optional_vars,
        async_around(run),
        getattr(called, "attr", getattr(called, "id", "")),
    )
    if not isinstance(name, ast.Name) or outer is None or spelt != "Client":
        return None
    edits = [*outer, insert(run.span(block).start, "async ")]
    for part in parts_of(run.node):
        if isinstance(part, ast.Name) and part.id == name.id and part is not name:
            above = path_to(run.node, part)
            asks = isinstance(above[0], ast.Attribute) and above[0].attr in REQUESTS - {"stream", "sse", "websocket"}
            request = above[1] if asks and isinstance(above[1], ast.Call) and above[1].func is above[0] else None
            awaited = await_edits(run, request) if request is not None and block in above else None
            if awaited is None:
                return None
            edits += awaited
    edits.append(renamed(run.span(called), spelt, "AsyncClient"))
    if isinstance(called, ast.Name):
        edits += import_edits(run, library, "Client", "AsyncClient")
    return fix(run, "Use an `AsyncClient`", edits, safe=False)
