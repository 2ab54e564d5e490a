"""Reports a fixture that is called or awaited like a function.

Finds `token()` and `await token` where `token` is a function under `@pytest.fixture` or `@pytest_asyncio.fixture`, not
a parameter.

Why: pytest makes what a fixture gives and hands it to whoever has a parameter of its name. The decorated function
itself refuses to be called with `Fixture … called directly`, and cannot be awaited.

Bad:
    import pytest
    import pytest_asyncio

    @pytest_asyncio.fixture
    async def token():
        return "secret"

    @pytest.mark.asyncio
    async def test_token():
        assert await token() == "secret"

Good:
    import pytest
    import pytest_asyncio

    @pytest_asyncio.fixture
    async def token():
        return "secret"

    @pytest.mark.asyncio
    async def test_token(token):
        assert token == "secret"

Ignore: When a test wants pytest's refusal; inside `pytest.raises` nothing is reported.

Fix: Safe. Asks for the fixture with a parameter and uses that. Not offered in helpers, and where the fixture cannot be
seen from the test.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Severity
from awaitest.engine.fixtures import Fixture
from awaitest.engine.repair import fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import Run
from awaitest.engine.signature import ask_instead
from awaitest.engine.steps import Awaited, Called
from awaitest.engine.values import FunctionValue, Value

RULE = Rule("AWT217", "fixture-called-directly", Severity.ERROR)


def check(step: Called | Awaited, run: Run) -> Iterator[Finding]:
    """The function of a fixture where its value was wanted."""
    if step.expected:
        return
    called = isinstance(step, Called)
    fixture = _fixture(run, step.target if isinstance(step, Called) else step.operand)
    if fixture is None:
        return
    node = step.node if isinstance(step, Called) else step.node.value
    does = 'pytest refuses the call: "Fixture called directly"' if called else "the function itself cannot be awaited"
    message = f"`{fixture.function.name}` is a fixture, and {does}. Ask for it with a parameter `{fixture.name}`."
    edits = None if isinstance(step, Called) and (step.node.args or step.node.keywords) else node
    yield Finding(
        step.node,
        message,
        lambda: fix(run, f"Ask for `{fixture.name}`", ask_instead(run, edits, fixture), safe=True) if edits else None,
    )


def _fixture(run: Run, value: Value) -> Fixture | None:
    """The fixture whose function this certainly is."""
    if len(value) != 1:
        return None
    (kind,) = value
    if not isinstance(kind, FunctionValue) or isinstance(kind.function.node, ast.Lambda):
        return None
    function = kind.function
    fixture = run.engine.fixtures.made_by(function.module, kind.function.node, function.owner)
    return fixture if fixture is not None and fixture.flavour in {"pytest", "pytest_asyncio"} else None
