"""Reports a client of a test that asks a real host.

Finds an `AsyncClient` of httpx or httpx2 with a `base_url` elsewhere than on this machine and without a transport,
where no library that plays the network for tests is installed.

Why: The requests leave the process: they are slow, fail without a network, and do not run the app under test. With an
invented name such as `http://test` they raise ConnectError. Often the transport was forgotten.

Bad:
    import pytest
    from httpx import AsyncClient

    @pytest.mark.asyncio
    async def test_users():
        async with AsyncClient(base_url="http://test") as client:
            assert (await client.get("/users")).status_code == 200

Good:
    import pytest
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_users():
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            assert (await client.get("/users")).status_code == 200

Ignore: When the test is meant to ask that host.

Fix: None. Which app to ask is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from awaitest.engine.apps import argument
from awaitest.engine.diagnostic import Severity
from awaitest.engine.network import network_client
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import FIXTURE, TEST, Run
from awaitest.engine.steps import Called
from awaitest.engine.values import text_of

RULE = Rule("AWT307", "real-network-client", Severity.HINT)

_HOST = re.compile(r"https?://([^/:?#@]+)(?:[/:?#]|$)")


def check(step: Called, run: Run) -> Iterator[Finding]:
    """A client is made for a host that is not this machine."""
    made = network_client(run, step.result) if run.kind in (TEST, FIXTURE) and not step.expected else None
    if made is None or made.node is not step.node:
        return
    base = argument(made, "base_url")
    found = _HOST.match(text_of(base) or "") if base is not None else None
    if found is None or _is_here(found[1]):
        return
    message = f"`{step.label}` has no transport: its requests go to the host `{found[1]}`, not to the app. "
    message += "Give it `transport=ASGITransport(app=app)`."
    yield Finding(step.node, message)


def _is_here(host: str) -> bool:
    return host in {"localhost", "0.0.0.0"} or host.startswith("127.") or host.endswith(".localhost")
