"""Reports `await` on a value that cannot be awaited.

Finds `await` on results that are certainly plain: the parsed body of a response, what a `TestClient` call gives, a new
object, a mock's assertion.

Why: The test fails with `TypeError: object … can't be used in 'await' expression`, and the message does not say which
part was already there. A response is complete once the request was awaited; reading its body needs no second `await`.

Bad:
    import pytest
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_users():
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            response = await client.get("/users/")
        assert await response.json() == []

Good:
    import pytest
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_users():
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            response = await client.get("/users/")
        assert response.json() == []

Ignore: When a test wants the `TypeError`; inside `pytest.raises` nothing is reported.

Fix: Safe. Drops the `await`. Where that was the only one in a test of a `TestClient`, the test becomes a plain `def`
without marker.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.expecting import EXPECTING, called_name
from awaitest.engine.repair import dropped_await, fix, path_to, plain_test_edits
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import MODULE, Run
from awaitest.engine.steps import Awaited
from awaitest.engine.values import Collection, Instance, Plain, Value
from awaitest.engine.words import plainly, short

RULE = Rule("AWT105", "needless-await", Severity.ERROR)


def check(step: Awaited, run: Run) -> Iterator[Finding]:
    """An await on something that has no `__await__`."""
    if step.expected or not step.operand or not _cannot_be_awaited(step.operand, run):
        return
    if _overrides(step, run) or _left_to_the_test(step, run) or _fails_before(step, run):
        return
    message = f"`{short(step.node.value)}` gives {plainly(step.operand)}, which cannot be awaited. Drop the `await`: the value is already there."
    yield Finding(step.node, message, lambda: _fix(step, run))


def _cannot_be_awaited(value: Value, run: Run) -> bool:
    return all(
        isinstance(kind, (Plain, Collection))
        or (isinstance(kind, Instance) and run.engine.world.has(kind.cls, "__await__") is False)
        for kind in value
    )


def _overrides(step: Awaited, run: Run) -> bool:
    """Whether an async method calls the plain one that it overrides: which of the two is wrong cannot be told."""
    match step.node.value:
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name)):
            return name == getattr(run.node, "name", "")
    return False


def _left_to_the_test(step: Awaited, run: Run) -> bool:
    """Whether the value is that of an async fixture which nobody may have run for the test."""
    asked = (it.fixture for it in run.received() if it.name == getattr(step.node.value, "id", None))
    return any(it.function.is_async and run.engine.runner.handles(it, run.verdict) is not True for it in asked)


def _fails_before(step: Awaited, run: Run) -> bool:
    """Whether the test waits for an error of the call itself, after which nothing is left to be awaited."""
    if run.kind == MODULE or not isinstance(step.node.value, ast.Call):
        return False
    path = [step.node, *path_to(run.node, step.node)]
    return any(
        isinstance(block, ast.With)
        and inner is block.body[-1]
        and any(called_name(item.context_expr) in EXPECTING for item in block.items)
        for inner, block in pairwise(path)
    )


def _fix(step: Awaited, run: Run) -> Fix | None:
    edits = dropped_await(run, step.node)
    return fix(run, "Drop the `await`", [*edits, *plain_test_edits(run, step.node)], safe=True)
