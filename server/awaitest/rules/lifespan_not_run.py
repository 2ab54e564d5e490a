"""Reports a client whose requests need what the app's lifespan sets, while nothing runs the lifespan.

Finds `AsyncClient` with an `ASGITransport`, and `TestClient` outside `with`, that send a request whose handler, or a
dependency of it, reads from `app.state` or `request.state` what only the lifespan, or a startup handler, of the app
puts there. Silent where a fixture or a helper in sight may run it or set the state.

Why: An `ASGITransport` sends requests and nothing else, and a `TestClient` starts the app when it is entered. Without
that the request fails: `AttributeError: 'State' object has no attribute 'db'`.

Bad:
    from contextlib import asynccontextmanager

    from fastapi import FastAPI, Request
    from fastapi.testclient import TestClient

    @asynccontextmanager
    async def lifespan(app):
        app.state.db = {}
        yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/items")
    async def read_items(request: Request):
        return request.app.state.db

    def test_items():
        client = TestClient(app)
        assert client.get("/items").json() == {}

Good:
    def test_items():
        with TestClient(app) as client:
            assert client.get("/items").json() == {}

Ignore: When a plugin sets the state.

Fix: Unsafe. The startup and shutdown of the app are run. A fixture enters the `TestClient` it gives; an `AsyncClient`
that is entered gets the block of a `LifespanManager` around it, where asgi-lifespan is installed. Not offered for other
shapes.
"""

from __future__ import annotations

from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.lifespans import needed
from awaitest.engine.managing import entered_edits, managed_edits
from awaitest.engine.repair import fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import FIXTURE, TEST, Run
from awaitest.engine.steps import Called
from awaitest.engine.values import Instance, every

RULE = Rule("AWT401", "lifespan-not-run", Severity.WARNING)


def check(step: Called, run: Run) -> Iterator[Finding]:
    """A client is made whose requests cannot be served."""
    if run.kind not in (TEST, FIXTURE) or step.expected or not every(step.result, Instance):
        return
    need = needed(run, step)
    if need is None:
        return
    message = (
        f"Nothing runs `{need.lifespan.name}` around this client: requests to `{need.handler.name}`, which reads "
        f"`{need.name}`, fail. Use {_way(step)}."
    )
    yield Finding(step.node, message, lambda: _fix(step, run))


def _way(step: Called) -> str:
    return f"`with {step.label}(…)`" if step.label.endswith("TestClient") else "`LifespanManager`"


def _fix(step: Called, run: Run) -> Fix | None:
    if step.label.endswith("TestClient"):
        return fix(run, "Use `with`", entered_edits(run, step.node), safe=False)
    return fix(run, "Run the lifespan with `LifespanManager`", managed_edits(run, step), safe=False)
