"""Reports a fixture that yields inside a task group or timeout of anyio.

Finds `yield` inside `create_task_group()`, `CancelScope()`, `move_on_after()` or `fail_after()` of anyio, in an async
fixture that pytest-asyncio runs.

Why: pytest-asyncio runs what stands before and behind the `yield` in two tasks, and a cancel scope has to be left by
the task that entered it. The test passes, and then its teardown fails with `RuntimeError: Attempted to exit cancel
scope in a different task than it was entered in`.

Bad:
    import anyio
    import pytest
    import pytest_asyncio

    @pytest_asyncio.fixture
    async def tasks():
        async with anyio.create_task_group() as group:
            yield group

    @pytest.mark.asyncio
    async def test_tasks(tasks):
        tasks.start_soon(anyio.sleep, 0)

Good:
    @pytest.fixture
    def anyio_backend():
        return "asyncio"

    @pytest.fixture
    async def tasks():
        async with anyio.create_task_group() as group:
            yield group

    @pytest.mark.anyio
    async def test_tasks(tasks):
        tasks.start_soon(anyio.sleep, 0)

Ignore: When another plugin runs the fixture in one task.

Fix: None. Let anyio run fixture and test, or open the group in the test.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Severity
from awaitest.engine.repair import path_to
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import FIXTURE, Run
from awaitest.engine.steps import Entered, Gave
from awaitest.engine.streams import target_of
from awaitest.engine.takers import may_take
from awaitest.engine.uses import library_callee
from awaitest.engine.values import Instance, Value
from awaitest.engine.words import short

RULE = Rule("AWT220", "cancel-scope-across-yield", Severity.ERROR)

_SCOPES = frozenset({"anyio.create_task_group", "anyio.move_on_after", "anyio.fail_after"})


def check(step: Gave, run: Run) -> Iterator[Finding]:
    """A fixture hands out its value while a cancel scope is open."""
    fixture = run.fixture
    if run.kind != FIXTURE or fixture is None or not fixture.is_async or not step.is_yield or step.expected:
        return
    if run.engine.runner.handles(fixture, None) is not True:
        return
    for entered in (it for it in run.steps if isinstance(it, Entered) and it.statement in path_to(run.node, step.node)):
        call = entered.item.context_expr
        if (_is_scope(run, call) or _is_cancel_scope(run, entered.value)) and not may_take(run, fixture):
            message = (
                f"The fixture `{fixture.name}` yields inside `{short(call)}`: pytest-asyncio leaves it in another task, which "
                "fails. Let anyio run fixture and test, or open it in the test."
            )
            yield Finding(call, message)
            return


def _is_cancel_scope(run: Run, value: Value) -> bool:
    derives = run.engine.world.derives
    return bool(value) and all(
        isinstance(kind, Instance) and derives(kind.cls, "CancelScope", "anyio") for kind in value
    )


def _is_scope(run: Run, call: ast.expr) -> bool:
    return library_callee(target_of(run, call)) in _SCOPES
