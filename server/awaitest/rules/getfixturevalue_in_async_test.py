"""Reports `request.getfixturevalue()` of an async fixture in code that already runs on a loop.

Finds the call in async tests and async fixtures, where the fixture of that name, or one that it asks for, is async and
nothing has made it before.

Why: The fixture would have to run on the loop that is waiting for the call. pytest-asyncio raises `RuntimeError:
Runner.run() cannot be called from a running event loop`, anyio a similar one.

Bad:
    import pytest
    import pytest_asyncio

    @pytest_asyncio.fixture
    async def token():
        return "secret"

    @pytest.mark.asyncio
    async def test_token(request):
        assert request.getfixturevalue("token") == "secret"

Good:
    import pytest
    import pytest_asyncio

    @pytest_asyncio.fixture
    async def token():
        return "secret"

    @pytest.mark.asyncio
    async def test_token(token):
        assert token == "secret"

Ignore: When the name of the fixture is only known at run time; that is not reported.

Fix: Safe. Asks for the fixture with a parameter.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.fixtures import Fixture, requested
from awaitest.engine.repair import fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import FIXTURE, TEST, Run
from awaitest.engine.runner import Verdict
from awaitest.engine.signature import ask_instead
from awaitest.engine.steps import Called
from awaitest.engine.syntax import bound_names

RULE = Rule("AWT215", "getfixturevalue-in-async-test", Severity.ERROR)


def check(step: Called, run: Run) -> Iterator[Finding]:
    """A fixture that must run on a loop is wanted while the loop is busy."""
    if step.label != "request.getfixturevalue" or step.expected or not _on_a_loop(run):
        return
    name = step.node.args[0] if len(step.node.args) == 1 else None
    if not isinstance(name, ast.Constant) or not isinstance(name.value, str) or _knows_another_request(run):
        return
    fixtures, handles = run.engine.fixtures, run.engine.runner.handles
    made = fixtures.closure(_asked(run), run.seeker)
    wanted = fixtures.closure([name.value], run.seeker)
    new = [it for key, it in wanted.items() if it is not None and key not in made]
    late = next((it for it in new if it.is_async and handles(it, _verdict(run)) is True), None)
    if late is None or any(it is None or "request" in it.requests for key, it in made.items() if key != "request"):
        return
    needs = "is async" if late.name == name.value else f"needs `{late.name}`, which is async"
    message = f"The fixture `{name.value}` {needs}, and the loop already runs: `getfixturevalue` raises RuntimeError. "
    message += "Ask for it with a parameter."
    fixture = wanted[name.value]
    yield Finding(step.node, message, lambda: _fix(step, run, fixture) if fixture is not None else None)


def _on_a_loop(run: Run) -> bool:
    if run.kind == TEST:
        return run.is_async and run.verdict.by in {"pytest-asyncio", "anyio"}
    return run.kind == FIXTURE and run.fixture is not None and run.fixture.flavour == "pytest_asyncio" and run.is_async


def _verdict(run: Run) -> Verdict | None:
    return run.verdict if run.kind == TEST else None


def _asked(run: Run) -> list[str]:
    """What pytest makes before the function begins."""
    if run.kind == TEST and run.function is not None:
        return run.engine.runner.wanted(run.function, run.cls, run.marks)
    return requested(run.node, run.cls is not None)


def _knows_another_request(run: Run) -> bool:
    return "request" not in requested(run.node, run.cls is not None) or "request" in bound_names(run.node.body)


def _fix(step: Called, run: Run, fixture: Fixture) -> Fix | None:
    return fix(run, f"Ask for `{fixture.name}`", ask_instead(run, step.node, fixture), safe=True)
