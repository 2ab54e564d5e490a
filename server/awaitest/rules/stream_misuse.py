"""Reports a stream that is awaited, and a plain request that is entered like a stream.

Finds `await client.stream(…)` and `async with client.get(…)` on an `AsyncClient` of httpx or httpx2.

Why: `stream()` gives an asynchronous context manager, which keeps the connection open while its block runs; the other
requests give a coroutine, whose response was read to its end. Each in the place of the other is a `TypeError`.

Bad:
    import pytest
    from httpx import AsyncClient

    @pytest.mark.asyncio
    async def test_events(client: AsyncClient):
        response = await client.stream("GET", "/events")
        assert response.status_code == 200

Good:
    import pytest
    from httpx import AsyncClient

    @pytest.mark.asyncio
    async def test_events(client: AsyncClient):
        async with client.stream("GET", "/events") as response:
            assert response.status_code == 200

Ignore: When a test wants the `TypeError`; inside `pytest.raises` nothing is reported.

Fix: Safe. Enters the stream around the statements that use the response, or awaits the request. Offered where nothing
else shares the statement.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.facts import REQUESTS
from awaitest.engine.nesting import unwrapped_edits
from awaitest.engine.repair import dropped_await, fix, statement_of
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import Run
from awaitest.engine.steps import Awaited, Called, Entered
from awaitest.engine.uses import library_callee
from awaitest.engine.values import Coroutine, Manager, Site, every
from awaitest.engine.words import short
from awaitest.engine.wrapping import wrap_assigned

RULE = Rule("AWT108", "stream-misuse", Severity.ERROR)

_STREAMS = frozenset({"httpx.AsyncClient.stream", "httpx2.AsyncClient.stream"})
_REQUESTS = frozenset(f"{library}.AsyncClient.{name}" for library in ("httpx", "httpx2") for name in REQUESTS)


def check(step: Awaited | Entered, run: Run) -> Iterator[Finding]:
    """A request meets the syntax of the other kind."""
    if step.expected:
        return
    if isinstance(step, Awaited):
        call = step.node.value
        if every(step.operand, Manager) and _callee(run, call) in _STREAMS:
            message = f"`{short(call)}` gives an asynchronous context manager, which cannot be awaited. Enter it with `async with`."
            yield Finding(step.node, message, lambda: _enter(step, run))
    elif isinstance(step.statement, ast.AsyncWith) and every(step.value, Coroutine):
        call = step.item.context_expr
        if _callee(run, call) in _REQUESTS:
            message = (
                f"`{short(call)}` gives a coroutine, which `async with` cannot enter. Await it, or use `stream()`."
            )
            yield Finding(
                call, message, lambda: fix(run, "Await it", unwrapped_edits(run, step.statement, "await "), safe=True)
            )


def _callee(run: Run, call: ast.AST) -> str | None:
    found = (step.target for step in run.steps if isinstance(step, Called) and step.node is call)
    return library_callee(next(found, frozenset()))


def _enter(step: Awaited, run: Run) -> Fix | None:
    statement = statement_of(run.node, step.node)
    target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
    if not isinstance(target, ast.Name):
        return None
    made = Site(step.node.value, run.module, "", named={target.id})
    edits = wrap_assigned(run, made)
    return None if edits is None else fix(run, "Use `async with`", [*edits, *dropped_await(run, step.node)], safe=True)
