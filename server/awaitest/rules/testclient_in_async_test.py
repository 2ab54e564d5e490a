"""Reports a TestClient that an async test asks.

Finds requests of starlette's and FastAPI's `TestClient` in async tests, the first of each test.

Why: The call blocks the loop of the test until the app has answered, and the app runs on a loop of its own in another
thread. That goes well for simple apps. What the test made on its own loop, such as a database session, a lock or a
task, cannot be used by the app: it hangs, or is "attached to a different loop".

Bad:
    import pytest
    from fastapi.testclient import TestClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_users():
        with TestClient(app) as client:
            response = client.get("/users")
        assert response.status_code == 200

Good:
    from fastapi.testclient import TestClient

    from app.main import app

    def test_users():
        with TestClient(app) as client:
            response = client.get("/users")
        assert response.status_code == 200

Ignore: When the app shares nothing with the test that is bound to a loop.

Fix: Unsafe. Makes a test that awaits nothing a plain one. The refactoring from TestClient to AsyncClient is the other way.
"""

from __future__ import annotations

from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.facts import REQUESTS
from awaitest.engine.repair import fix, plain_edits
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import TEST, Run
from awaitest.engine.steps import Awaited, Called
from awaitest.engine.syntax import awaits
from awaitest.engine.values import FunctionValue, Instance, every

RULE = Rule("AWT312", "testclient-in-async-test", Severity.HINT)


def check(step: Called, run: Run) -> Iterator[Finding]:
    """The first request of a synchronous client in a test that runs on a loop."""
    if run.kind != TEST or not run.is_async or step.expected or not _asks(step, run):
        return
    first = next(other for other in run.steps if isinstance(other, Called) and _asks(other, run))
    awaited = any(isinstance(other, Awaited) and other.node.value is step.node for other in run.steps)
    if first is not step or awaited or run.verdict.by is None:
        return
    message = f"`{step.label}()` blocks the loop of this async test, and the app runs on another one. "
    message += "Use an `AsyncClient`, or a plain test."
    yield Finding(step.node, message, lambda: _fix(run))


def _asks(step: Called, run: Run) -> bool:
    """Whether this is a request of a TestClient."""
    derives = run.engine.world.derives
    receivers = [kind.receiver for kind in step.target if isinstance(kind, FunctionValue) and kind.receiver]
    return (
        step.label.rpartition(".")[2] in REQUESTS
        and bool(receivers)
        and len(receivers) == len(step.target)
        and all(
            every(receiver, Instance)
            and all(
                isinstance(it, Instance) and derives(it.cls, "TestClient", "starlette", "fastapi") for it in receiver
            )
            for receiver in receivers
        )
    )


def _fix(run: Run) -> Fix | None:
    needs_loop = awaits(run.node) or any(received.fixture.is_async for received in run.received())
    return None if needs_loop else fix(run, "Make it a plain test", plain_edits(run), safe=False)
