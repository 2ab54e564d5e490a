"""Reports an async fixture that nobody runs.

Finds `async def` fixtures under `@pytest.fixture` in strict mode, where neither pytest-asyncio nor anyio takes them.

Why: pytest calls the function and gets a coroutine or an asynchronous generator instead of a value. Every test that
asks for the fixture fails with `requested an async fixture …, with no plugin or hook that handled it`.

Bad:
    import pytest

    @pytest.fixture
    async def token():
        return "secret"

    @pytest.mark.asyncio
    async def test_token(token):
        assert token == "secret"

Good:
    import pytest
    import pytest_asyncio

    @pytest_asyncio.fixture
    async def token():
        return "secret"

    @pytest.mark.asyncio
    async def test_token(token):
        assert token == "secret"

Ignore: When a plugin that this project cannot see runs async fixtures.

Fix: Safe. Uses `@pytest_asyncio.fixture`, with its import. Offered where pytest-asyncio is installed.
"""

from __future__ import annotations

from collections.abc import Iterator

from packaging.version import Version

from awaitest.engine.diagnostic import Severity
from awaitest.engine.fixtures import requested
from awaitest.engine.repair import fix, fixture_edits
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import FIXTURE, TEST, Run
from awaitest.engine.runner import in_testcase
from awaitest.engine.steps import Collected
from awaitest.engine.takers import is_meant_for

RULE = Rule("AWT204", "unhandled-async-fixture", Severity.ERROR)


def check(step: Collected, run: Run) -> Iterator[Finding]:
    """An async fixture that no plugin takes."""
    fixture = run.fixture
    if run.kind != FIXTURE or fixture is None or not fixture.is_async or not unhandled(run):
        return
    name, version = run.node.name, run.engine.project.environment.version("pytest")
    outcome = "fails" if version is None or version >= Version("9") else "gets what nobody ran"
    message = (
        f"Nobody runs the async fixture `{name}`: strict mode leaves `@pytest.fixture` to pytest, which cannot await it. "
        f"Every test that asks for `{fixture.name}` {outcome}. Use `@pytest_asyncio.fixture`."
    )
    yield Finding(
        fixture.decorator, message, lambda: fix(run, "Use `@pytest_asyncio.fixture`", fixture_edits(run), safe=True)
    )


def unhandled(run: Run) -> bool:
    """Whether neither plugin takes the fixture, whoever asks for it."""
    fixture = run.fixture
    assert fixture is not None
    if run.engine.runner.handles(fixture, None) is not False:
        return False
    if run.cls is not None and in_testcase(run.engine.world, run.cls) is not False:
        return False
    return not any(_runs_elsewhere(test, fixture.name) for test in run.sheet.runs) and not is_meant_for(run, fixture)


def _runs_elsewhere(test: Run, name: str) -> bool:
    """Whether a test that asks for the fixture is run by somebody who cannot be told, and may take the fixture too."""
    return (
        test.kind == TEST
        and test.is_async
        and test.verdict.by is None
        and test.verdict.reason is None
        and name in requested(test.node, test.cls is not None)
    )
