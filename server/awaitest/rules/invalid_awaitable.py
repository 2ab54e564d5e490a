"""Reports a call that gets a function, a coroutine or a list where it needs another of them.

Finds functions that were not called in `wait_for()`, `gather()` and `create_task()`, lists in `gather()`, coroutines in
`asyncio.wait()`, and coroutines in `start_soon()` and other calls that want the function itself.

Why: The call raises an error, in a task group often far from the line that caused it, and the work is never done.

Bad:
    import asyncio

    import pytest

    async def load() -> int:
        return 1

    @pytest.mark.asyncio
    async def test_load():
        assert await asyncio.wait_for(load, 1) == 1

Good:
    import asyncio

    import pytest

    async def load() -> int:
        return 1

    @pytest.mark.asyncio
    async def test_load():
        assert await asyncio.wait_for(load(), 1) == 1

Ignore: When a test wants the error; inside `pytest.raises` nothing is reported.

Fix: Safe. Calls the function, unpacks the list, starts the coroutines as tasks, or passes the function and its
arguments. Offered where the arguments allow it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Severity
from awaitest.engine.repair import fix, insert
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import Run
from awaitest.engine.steps import Called
from awaitest.engine.tasks import STARTING, called_edits, holds_coroutines, separated_edits, started_edits
from awaitest.engine.uses import is_coroutine_function, library_callee
from awaitest.engine.values import Collection, Coroutine, Instance, Kind, Plain, Value, every
from awaitest.engine.words import describe, plainly, short

RULE = Rule("AWT111", "invalid-awaitable", Severity.ERROR)

_RUNNING = frozenset({"asyncio.run", "asyncio.Runner.run", "asyncio.AbstractEventLoop.run_until_complete"})
_AWAITING = STARTING | {"asyncio.gather", "asyncio.wait_for", "asyncio.shield", "asyncio.TaskGroup.create_task"}
_CALLING = frozenset({"anyio.TaskGroup.start_soon", "anyio.TaskGroup.start", "trio.Nursery.start_soon", "trio.Nursery.start", "anyio.run", "trio.run", "asyncio.to_thread", "anyio.BlockingPortal.call", "anyio.BlockingPortal.start_task_soon"})  # fmt: skip


def check(step: Called, run: Run) -> Iterator[Finding]:
    """An argument is not of the kind that asyncio, anyio or trio can work with."""
    callee = library_callee(step.target)
    if step.expected or callee is None or not step.node.args or not run.mine(step.node):
        return
    first, value, name = step.node.args[0], step.arguments[0], short(step.node)
    if callee in _CALLING and every(value, Coroutine):
        message = f"`{name}` calls what it is given, and a coroutine cannot be called. Pass the function and its arguments instead of `{short(first)}`."
        yield Finding(first, message, lambda: fix(run, "Pass the function", separated_edits(run, first), safe=True))
    elif callee == "asyncio.wait" and holds_coroutines(value):
        fails = run.engine.project.environment.python >= (3, 11) or every(value, Coroutine)
        why = "raises TypeError for coroutines" if fails else "takes no coroutines from Python 3.11 on"
        message = f"`{name}` {why}: it waits for tasks. Start them with `asyncio.create_task()`."
        level = None if fails else Severity.WARNING
        yield Finding(first, message, lambda: fix(run, "Start tasks", started_edits(run, step), safe=True), level)
    elif callee in _AWAITING or (callee in _RUNNING and not run.is_async):
        several = callee == "asyncio.gather"
        for node, given in zip(step.node.args[: None if several else 1], step.arguments, strict=False):
            yield from _awaited(run, name, node, given, several)


def _awaited(run: Run, name: str, node: ast.expr, value: Value, several: bool) -> Iterator[Finding]:
    if value and all(is_coroutine_function(run.engine.world, kind) for kind in value):
        message = f"`{name}` needs a coroutine, but `{short(node)}` is a function, which cannot be awaited. Call it."
        yield Finding(node, message, lambda: fix(run, "Call it", called_edits(run, node, value), safe=True))
    elif isinstance(node, ast.Starred):
        return
    elif several and every(value, Collection):
        message = f"`{name}` gets a {describe(value)} as one awaitable, which raises TypeError. Unpack it with `*`."
        yield Finding(node, message, lambda: fix(run, "Unpack it", [insert(run.span(node).start, "*")], safe=True))
    elif value and all(_is_plain(kind, run) for kind in value):
        message = f"`{name}` needs something to await, but gets {plainly(value)}. Use the value as it is."
        yield Finding(node, message)


def _is_plain(kind: Kind, run: Run) -> bool:
    return isinstance(kind, (Plain, Collection)) or (
        isinstance(kind, Instance) and run.engine.world.has(kind.cls, "__await__") is False
    )
