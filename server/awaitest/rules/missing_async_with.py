"""Reports `with` on an asynchronous context manager, and `async with` on a plain one.

Finds `with` over something that can only be entered by `async with`, such as an `AsyncClient`, a `LifespanManager` or
`asyncio.timeout()`, and `async with` over something that can only be entered by `with`, such as `pytest.raises()`.

Why: Python raises a `TypeError` where the block begins; its body never runs.

Bad:
    import pytest
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_users():
        with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            await client.get("/users/")

Good:
    import pytest
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_users():
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            await client.get("/users/")

Ignore: When a test wants the `TypeError`; inside `pytest.raises` nothing is reported.

Fix: Sometimes safe. Adds or drops `async`. In a plain `def` the function must become `async def` too, with the marker
that makes somebody run it; that is unsafe. Offered where everything that the statement enters can be entered so.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.repair import fix, insert
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import MODULE, Run
from awaitest.engine.steps import Entered
from awaitest.engine.values import Instance, Kind, Manager
from awaitest.engine.words import short
from awaitest.engine.wrapping import async_around
from awaitest.source.text import Edit, Position, Span

RULE = Rule("AWT103", "missing-async-with", Severity.ERROR)

_ASYNC = re.compile(r"async\s+(?=with\b)")


def check(step: Entered, run: Run) -> Iterator[Finding]:
    """A block enters what only the other kind of block can."""
    is_async = isinstance(step.statement, ast.AsyncWith)
    if step.expected or not _cannot_enter(step, run, is_async):
        return
    entered = step.item.context_expr
    name = short(entered)
    if is_async:
        message = (
            f"`async with` cannot enter `{name}`, a plain context manager: Python raises TypeError. Drop the `async`."
        )
    else:
        message = f"`with` cannot enter `{name}`, an asynchronous context manager: Python raises TypeError. Write `async with`."
    yield Finding(entered, message, lambda: _fix(step, run, is_async))


def _cannot_enter(step: Entered, run: Run, is_async: bool) -> bool:
    """Whether what is entered certainly lacks the methods this block needs, and has those of the other kind."""
    needed, other = ("__aenter__", "__enter__") if is_async else ("__enter__", "__aenter__")
    return all(_has(kind, run, needed) is False for kind in step.value) and any(
        _has(kind, run, other) is True for kind in step.value
    )


def _can_instead(step: Entered, run: Run, is_async: bool) -> bool:
    """Whether the other kind of block can enter this."""
    other = "__enter__" if is_async else "__aenter__"
    able = bool(step.value) and all(_has(kind, run, other) is True for kind in step.value)
    return able or _cannot_enter(step, run, is_async)


def _has(kind: Kind, run: Run, method: str) -> bool | None:
    if isinstance(kind, Manager):
        return kind.is_async is (method == "__aenter__")
    return run.engine.world.has(kind.cls, method) if isinstance(kind, Instance) else None


def _fix(step: Entered, run: Run, is_async: bool) -> Fix | None:
    statement = step.statement
    items = {id(item.item): item for item in run.steps if isinstance(item, Entered) and item.statement is statement}
    if len(items) != len(statement.items) or not all(_can_instead(item, run, is_async) for item in items.values()):
        return None
    start = run.span(statement).start
    if not is_async:
        around = None if run.kind == MODULE else async_around(run)
        return (
            None
            if around is None
            else fix(run, "Use `async with`", [insert(start, "async "), *around], safe=not around)
        )
    found = _ASYNC.match(run.document.lines[start.line], start.column)
    if found is None:
        return None
    return fix(run, "Drop the `async`", [Edit(Span(start, Position(start.line, found.end())), "")], safe=True)
