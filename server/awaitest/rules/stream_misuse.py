"""Reports a stream that is awaited, looped over or read like a plain response, and a plain request that is entered like a stream.

Finds `await client.stream(…)`, `for … in client.stream(…)` and `async with client.get(…)` on an `AsyncClient` of httpx or httpx2, and inside
`async with client.stream(…)` over an `ASGITransport` a plain `iter_lines()`, or a body that nobody has read.

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
from functools import partial

from awaitest.engine.apps import over_asgi, receiver
from awaitest.engine.diagnostic import Severity
from awaitest.engine.facts import REQUESTS
from awaitest.engine.nesting import unwrapped_edits
from awaitest.engine.repair import fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import Run
from awaitest.engine.steps import Awaited, Entered, Iterated
from awaitest.engine.streams import PLAIN_LOOPS, entered, iterated, misread, read_before, target_of
from awaitest.engine.uses import library_callee
from awaitest.engine.values import Coroutine, Manager, every
from awaitest.engine.words import short

RULE = Rule("AWT108", "stream-misuse", Severity.ERROR)

_STREAMS = frozenset({"httpx.AsyncClient.stream", "httpx2.AsyncClient.stream"})
_REQUESTS = frozenset(f"{library}.AsyncClient.{name}" for library in ("httpx", "httpx2") for name in REQUESTS)


def check(step: Awaited | Entered | Iterated, run: Run) -> Iterator[Finding]:
    """A request meets the syntax of the other kind."""
    if step.expected:
        return
    if isinstance(step, Awaited):
        if every(step.operand, Manager) and library_callee(target_of(run, call := step.node.value)) in _STREAMS:
            text = f"`{short(call)}` gives an asynchronous context manager, which cannot be awaited. Enter it with `async with`."
            yield Finding(step.node, text, lambda: fix(run, "Use `async with`", entered(run, step.node), safe=True))
    elif isinstance(step, Iterated):
        if every(step.value, Manager) and library_callee(target_of(run, step.iterable)) in _STREAMS:
            text = f"`{short(step.iterable)}` gives an asynchronous context manager, which cannot be looped over. "
            text += "Enter it with `async with`, and go over `aiter_lines()` of the response."
            yield Finding(step.iterable, text)
    elif isinstance(step.statement, ast.AsyncWith) and every(step.value, Coroutine):
        call = step.item.context_expr
        if library_callee(target_of(run, call)) in _REQUESTS:
            text = f"`{short(call)}` gives a coroutine, which `async with` cannot enter. Await it, or use `stream()`."
            edits = partial(unwrapped_edits, run, step.statement, "await ")
            yield Finding(call, text, lambda: fix(run, "Await it", edits(), safe=True))
    elif isinstance(step.statement, ast.AsyncWith):
        yield from _unread(step.statement, step.item, run)


def _unread(statement: ast.AsyncWith, item: ast.withitem, run: Run) -> Iterator[Finding]:
    target, use = target_of(run, item.context_expr), misread(statement, item.optional_vars)
    client = receiver(target)
    if use is None or client is None or not over_asgi(client) or library_callee(target) not in _STREAMS:
        return
    if use.attr in PLAIN_LOOPS:
        text = f"`{short(use)}` raises RuntimeError: the stream is asynchronous. Use `async for` and `a{use.attr}()`."
        yield Finding(use, text, lambda: fix(run, f"Use `a{use.attr}()`", iterated(run, use), safe=True))
    else:
        text = f"`{short(use)}` raises ResponseNotRead: nothing has read the body of this stream. "
        text += f"Read it before, with `await {short(use.value)}.aread()`."
        yield Finding(use, text, lambda: fix(run, "Read the body", read_before(run, statement, use), safe=True))
