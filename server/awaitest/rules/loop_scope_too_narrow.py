"""Reports a fixture that lives longer than the loop it runs on.

Finds fixtures of pytest-asyncio whose `scope` is wider than their `loop_scope`, be that written down or the default of
the configuration, and async fixtures that ask for an `anyio_backend` of a narrower scope.

Why: The loop would end before the fixture does. pytest refuses that with ScopeMismatch for every test that asks for the
fixture, and plain tests get an AssertionError without a word.

Bad:
    import pytest_asyncio

    @pytest_asyncio.fixture(scope="session", loop_scope="function")
    async def token():
        return "secret"

Good:
    import pytest_asyncio

    @pytest_asyncio.fixture(scope="session", loop_scope="session")
    async def token():
        return "secret"

Ignore: When no test asks for the fixture.

Fix: Safe. Gives the loop the scope of the fixture. Tests that use what is bound to that loop need the same
`loop_scope`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.fixtures import Fixture
from awaitest.engine.loop_scopes import fixture_loop
from awaitest.engine.repair import fix, insert
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import Run
from awaitest.engine.steps import Collected
from awaitest.project.config import LOOP_SCOPES
from awaitest.source.text import Edit

RULE = Rule("AWT213", "loop-scope-too-narrow", Severity.ERROR)


def check(step: Collected, run: Run) -> Iterator[Finding]:
    """A fixture whose loop ends first."""
    fixture = run.fixture
    if fixture is not None and fixture.is_async and "anyio_backend" in fixture.requests:
        yield from _of_anyio(fixture, run)
    loop = fixture_loop(fixture, run) if fixture is not None else None
    if fixture is None or loop is None or fixture.scope not in LOOP_SCOPES:
        return
    if LOOP_SCOPES.index(fixture.scope) <= LOOP_SCOPES.index(loop):
        return
    whence = "" if fixture.loop_scope else " by the configuration"
    message = f"`{fixture.name}` has the scope `{fixture.scope}`, its loop only `{loop}`{whence}: pytest refuses that. "
    message += f'Say `loop_scope="{fixture.scope}"`.'
    yield Finding(fixture.decorator, message, lambda: _fix(run, fixture))


def _of_anyio(fixture: Fixture, run: Run) -> Iterator[Finding]:
    backend = run.engine.fixtures.find("anyio_backend", run.seeker)
    scopes = (fixture.scope, backend.scope if backend is not None else "?")
    if set(scopes) <= set(LOOP_SCOPES) and LOOP_SCOPES.index(scopes[0]) > LOOP_SCOPES.index(scopes[1]):
        message = f"`{fixture.name}` has the scope `{scopes[0]}`, but `anyio_backend` only `{scopes[1]}`: pytest refuses that. "
        message += f'Give `anyio_backend` `scope="{scopes[0]}"`.'
        yield Finding(fixture.decorator, message)


def _fix(run: Run, fixture: Fixture) -> Fix | None:
    made = fixture.decorator
    given = {item.arg: item.value for item in made.keywords} if isinstance(made, ast.Call) else {}
    if fixture.flavour != "pytest_asyncio" or "scope" not in given:
        return None
    text = run.source(given["scope"])
    if "loop_scope" in given:
        edit = Edit(run.span(given["loop_scope"]), text)
    else:
        edit = insert(run.span(given["scope"]).end, f", loop_scope={text}")
    return fix(run, f"Say `loop_scope={text}`", [edit], safe=True)
