"""Reports a task or future that nobody awaits.

Finds `asyncio.gather()`, `create_task()`, `ensure_future()` and `shield()` whose future is dropped, or used as if it
were the results, and `loop.run_in_executor()` whose future is used so. A started task is reported where the test waits for nothing afterwards, or only for the answers to its
own requests.

Why: Nothing waits for the work. Where the test ends first, pytest's event loop cancels it, and an error in it is lost
without a failure or a warning. `results = asyncio.gather(…)` gives a future, which has no results yet.

Bad:
    import asyncio

    import pytest
    from httpx import AsyncClient

    @pytest.mark.asyncio
    async def test_users(client: AsyncClient):
        asyncio.gather(client.get("/users/1"), client.get("/users/2"))

Good:
    import asyncio

    import pytest
    from httpx import AsyncClient

    @pytest.mark.asyncio
    async def test_users(client: AsyncClient):
        await asyncio.gather(client.get("/users/1"), client.get("/users/2"))

Ignore: When the work is meant to be cut off at the end of the test.

Fix: Sometimes safe. Puts `await` where the future is made; a task that is read once is awaited there, so that what runs
beside it still does. A started task that is dropped is kept and awaited at the end of its block
instead, which is unsafe: the test then takes as long as the task.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Severity
from awaitest.engine.repair import await_fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import TEST, Run
from awaitest.engine.steps import Called
from awaitest.engine.syntax import OF_FUTURES
from awaitest.engine.tasks import STARTING, await_later, ends, waits_after
from awaitest.engine.uses import Use, fails_at, library_callee, reads_result, uses
from awaitest.engine.words import short

RULE = Rule("AWT107", "dropped-task", Severity.ERROR)

_COLLECTING = frozenset({"asyncio.gather", "asyncio.shield"})
_THREAD = "asyncio.AbstractEventLoop.run_in_executor"
"""The thread runs on without anybody who waits: its future may be dropped on purpose."""


def check(step: Called, run: Run) -> Iterator[Finding]:
    """A future is dropped, or read as if it were the results."""
    callee = library_callee(step.target)
    if not run.is_async or step.expected or callee not in _COLLECTING | STARTING | {_THREAD} or not run.mine(step.node):
        return
    places = uses(run, step.node)
    if places is None:
        return
    name = short(step.node)
    if places and _meant_as_results(places, run):
        message = f"`{name}` gives a future, not the results: nobody awaits it. Await it to get them."
        where = places[0].node if callee in STARTING and len(places) == 1 else step.node
        yield Finding(step.node, message, lambda: await_fix(run, where, f"Await `{name}`"))
    elif callee != _THREAD and all(isinstance(use.parent, ast.Expr) for use in places):
        yield from _dropped(step, run, name, starts=callee in STARTING)


def _meant_as_results(places: list[Use], run: Run) -> bool:
    """Whether all that is done with a future needs its results, or some of it fails while nobody awaits it."""
    if any(fails_at(use, OF_FUTURES) for use in places):
        return not any(isinstance(use.parent, ast.Await) for use in places)
    return all(
        reads_result(use, OF_FUTURES) or (run.kind == TEST and isinstance(use.parent, ast.Return)) for use in places
    )


def _dropped(step: Called, run: Run, name: str, starts: bool) -> Iterator[Finding]:
    if not starts:
        message = f"Nobody awaits `{name}`: the test does not wait for it, and an error in it is lost. Await it."
        yield Finding(step.node, message, lambda: await_fix(run, step.node, f"Await `{name}`"))
    elif run.kind == TEST and (waits := waits_after(run, step.node)) is not None and ends(run, step):
        message = f"`{name}` starts a task nobody awaits: a test that ends first cancels it, and its errors are lost. Keep and await it."
        yield Finding(step.node, message, lambda: await_later(run, step.node), Severity.WARNING if waits else None)
