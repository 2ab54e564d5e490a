"""Reports a client of the network that outlives the loops it is used on.

Finds an AsyncClient without a transport, made when its module is imported or by a fixture of a wider scope, that several
tests use, each on a loop of its own.

Why: A client keeps its connections open. They belong to the loop that opened them, which is closed with its test: the
next test takes one of them up and fails with `RuntimeError: Event loop is closed`.

Bad:
    import pytest
    import pytest_asyncio
    from httpx import AsyncClient

    @pytest_asyncio.fixture(scope="module")
    async def client():
        async with AsyncClient(base_url="http://127.0.0.1:8000") as client:
            yield client

    @pytest.mark.asyncio
    async def test_first(client):
        assert (await client.get("/")).status_code == 200

    @pytest.mark.asyncio
    async def test_second(client):
        assert (await client.get("/")).status_code == 200

Good:
    import pytest
    import pytest_asyncio
    from httpx import AsyncClient

    @pytest_asyncio.fixture
    async def client():
        async with AsyncClient(base_url="http://127.0.0.1:8000") as client:
            yield client

    @pytest.mark.asyncio
    async def test_first(client):
        assert (await client.get("/")).status_code == 200

Ignore: When the server closes each connection after its answer.

Fix: None. A client for each test, or one loop for all tests: which one is meant is not known.
"""

from __future__ import annotations

from collections.abc import Iterator

from awaitest.engine.diagnostic import Severity
from awaitest.engine.facts import REQUESTS
from awaitest.engine.loop_scopes import own_loop
from awaitest.engine.network import network_client
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import MODULE, TEST, Run
from awaitest.engine.steps import Called
from awaitest.engine.values import FunctionValue, Made
from awaitest.project.config import LOOP_SCOPES

RULE = Rule("AWT313", "client-shared-across-loops", Severity.ERROR)


def check(step: Called, run: Run) -> Iterator[Finding]:
    """A client is made that outlives a test."""
    wider = run.kind == MODULE or (run.fixture is not None and run.fixture.scope in LOOP_SCOPES[1:])
    made = network_client(run, step.result) if wider and not step.expected else None
    if made is None or made.node is not step.node:
        return
    users = [other.node.name for other in run.sheet.runs if _uses(other, made)]
    if len(users) > 1:
        message = (
            f"`{step.label}` keeps connections of the loop of `{users[0]}`, which is closed when `{users[1]}` asks. "
        )
        yield Finding(step.node, message + "Make one for each loop, or run the tests on one loop.")


def _uses(run: Run, made: Made) -> bool:
    """Whether a test, on a loop of its own, sends a request through a client."""
    if run.kind != TEST or own_loop(run) != "function":
        return False
    asked = [
        kind.receiver
        for it in run.steps
        if isinstance(it, Called) and not it.expected
        for kind in it.target
        if isinstance(kind, FunctionValue) and kind.function.name in REQUESTS and kind.receiver is not None
    ]
    clients = [network_client(run, receiver) for receiver in asked]
    return any(client is not None and client.node is made.node for client in clients)
