"""Reports a plain test that asks for an async fixture nobody runs for it.

Finds `def` tests whose fixtures include an `async def` one that a plugin runs only for async tests. anyio does so: it
runs async fixtures for the tests it runs itself.

Why: The test fails with `requested an async fixture …, with no plugin or hook that handled it`, or before pytest 9 gets
a coroutine instead of the value.

Bad:
    import pytest

    @pytest.fixture
    def anyio_backend():
        return "asyncio"

    @pytest.fixture
    async def token():
        return "secret"

    def test_token(token):
        assert token == "secret"

Good:
    import pytest

    @pytest.fixture
    def anyio_backend():
        return "asyncio"

    @pytest.fixture
    async def token():
        return "secret"

    @pytest.mark.anyio
    async def test_token(token):
        assert token == "secret"

Ignore: When a plugin that this project cannot see runs async fixtures.

Fix: Unsafe. Makes the test `async def` with the marker of anyio, which runs the fixture.
"""

from __future__ import annotations

from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.repair import async_edits, fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import TEST, Run
from awaitest.engine.runner import in_testcase
from awaitest.engine.steps import Received
from awaitest.engine.takers import is_meant_for

RULE = Rule("AWT205", "async-fixture-in-sync-test", Severity.ERROR)


def check(step: Received, run: Run) -> Iterator[Finding]:
    """A plain test receives what nobody awaited."""
    fixture = step.fixture
    if run.kind != TEST or run.is_async or not fixture.is_async or fixture.flavour != "pytest":
        return
    runner = run.engine.runner
    if runner.handles(fixture, None) is not False:
        return
    if run.cls is not None and in_testcase(run.engine.world, run.cls) is not False:
        return
    assert run.function is not None
    if runner.asks_backend(run.function, run.cls, run.marks) or not is_meant_for(run, fixture):
        return
    message = (
        f"`{run.node.name}` is a plain `def`, so nobody runs its async fixture `{step.name}`: anyio does so "
        "only for async tests. Make the test async."
    )
    yield Finding(step.node, message, lambda: _fix(run))


def _fix(run: Run) -> Fix | None:
    edits = async_edits(run, "anyio") if run.verdict.by in ("anyio", None) else None
    return fix(run, f"Make `{run.node.name}` async", edits, safe=False)
