"""Reports what a client over ASGITransport cannot do: WebSockets, and streams without an end.

Finds `websocket_connect` on an AsyncClient, WebSockets over a client with `ASGITransport`, and requests of a route whose
generator never ends.

Why: `ASGITransport` speaks HTTP alone, and hands out a response when the app has sent all of it. A WebSocket gets
`404 Not Found` or has no method at all; a stream without an end never comes, so that the test hangs.

Bad:
    import pytest
    from fastapi import FastAPI
    from httpx import ASGITransport, AsyncClient

    app = FastAPI()

    @pytest.mark.asyncio
    async def test_socket():
        transport = ASGITransport(app=app)
        async with AsyncClient(transport=transport, base_url="http://test") as ac:
            async with ac.websocket_connect("/ws") as socket:
                await socket.send_text("hello")

Good:
    from fastapi import FastAPI, WebSocket
    from fastapi.testclient import TestClient

    app = FastAPI()

    @app.websocket("/ws")
    async def echo(socket: WebSocket):
        await socket.accept()
        await socket.send_text(await socket.receive_text())

    def test_socket():
        with TestClient(app) as client, client.websocket_connect("/ws") as socket:
            socket.send_text("hello")

Ignore: When the transport was replaced by one that can.

Fix: None. The way out is another client: `TestClient`, `ASGIWebSocketTransport` of httpx-ws, or a server that runs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.apps import app_made, over_asgi, receiver, swallows_errors
from awaitest.engine.diagnostic import Severity
from awaitest.engine.endless import may_be_cut
from awaitest.engine.lifespans import app_behind, replaces
from awaitest.engine.routes import handler_of, may_stream_forever, streams_forever
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import MODULE, Run
from awaitest.engine.steps import Absent, Called
from awaitest.engine.uses import library_callee
from awaitest.engine.values import FunctionInfo, Instance, Value
from awaitest.engine.words import short

RULE = Rule("AWT314", "unsupported-by-asgi-transport", Severity.ERROR)


def check(step: Called | Absent, run: Run) -> Iterator[Finding]:
    """A client is asked for more than its transport can do."""
    if step.expected or run.kind == MODULE:
        return
    name = short(step.node if isinstance(step, Absent) else step.node.func)
    if isinstance(step, Absent):
        if step.node.attr == "websocket_connect" and all(_is_client(run, kind) for kind in step.owner):
            message = f"`{name}` raises AttributeError: an AsyncClient has no WebSockets. "
            yield Finding(step.node, message + "Use `TestClient`.")
        return
    client = _socket_client(step)
    if client is not None and over_asgi(client):
        message = f"`{name}` gets 404: the `ASGITransport` of its client speaks HTTP alone. "
        yield Finding(step.node, message + "Use `TestClient`, or `ASGIWebSocketTransport` of httpx-ws.")
    endless = _endless(step, run)
    if endless is not None:
        message = f"`{name}` never gets its response: `{endless.name}` streams without an end, and `ASGITransport` waits for it. "
        yield Finding(step.node, message + "Use `TestClient`, or a server that runs.")


def _is_client(run: Run, kind: object) -> bool:
    return isinstance(kind, Instance) and run.engine.world.derives(kind.cls, "AsyncClient", "httpx", "httpx2")


def _socket_client(step: Called) -> Value | None:
    """The client that opens a WebSocket in this call."""
    callee = library_callee(step.target)
    if callee == "httpx_ws.aconnect_ws":
        names = [keyword.arg for keyword in step.node.keywords]
        place = len(step.node.args) + names.index("client") if "client" in names else 1
        return step.arguments[place] if place < len(step.arguments) else None
    return receiver(step.target) if callee == "httpx2.AsyncClient.websocket" else None


def _endless(step: Called, run: Run) -> FunctionInfo | None:
    """The handler behind `stream("GET", …)` or `get(…)`, where it hands out a generator that never ends."""
    client, given = receiver(step.target), [it.value if isinstance(it, ast.Constant) else None for it in step.node.args]
    owner, _, name = (library_callee(step.target) or "").rpartition(".")
    method, path = [*given[:2], None, None][:2] if name == "stream" else ["get", *given[:1], None][:2]
    if client is None or not owner.endswith("AsyncClient") or name not in {"stream", "get"} or not over_asgi(client):
        return None
    made = app_made(app_behind(client))
    if made is None or not isinstance(method, str) or not isinstance(path, str) or not may_stream_forever(run, made):
        return None
    if swallows_errors(client) or may_be_cut(run, step.node) or replaces(run, run.node, run.seeker):
        return None
    handler = handler_of(run, made, (method.lower(), path.partition("?")[0]))
    return handler if handler is not None and streams_forever(run, handler) else None
