"""Reports `with` on an asynchronous context manager, and `async with` on a plain one.

Finds `with` over something that can only be entered by `async with`, such as an `AsyncClient`, a `LifespanManager` or
`asyncio.timeout()`, and `async with` over something that can only be entered by `with`, such as `pytest.raises()`; and
the same where a stack of `contextlib` enters it.

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
from awaitest.engine.entering import cannot_enter, entered_by_stack, entered_otherwise, enters_instead
from awaitest.engine.repair import fix, insert
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import MODULE, Run
from awaitest.engine.steps import Called, Entered
from awaitest.engine.words import short
from awaitest.engine.wrapping import async_around
from awaitest.source.text import Edit, Position, Span

RULE = Rule("AWT103", "missing-async-with", Severity.ERROR)

_ASYNC = re.compile(r"async\s+(?=with\b)")


def check(step: Entered | Called, run: Run) -> Iterator[Finding]:
    """A block or a stack enters what only the other kind can."""
    yield from _by_stack(step, run) if isinstance(step, Called) else _by_block(step, run)


def _by_block(step: Entered, run: Run) -> Iterator[Finding]:
    is_async = isinstance(step.statement, ast.AsyncWith)
    if step.expected or not cannot_enter(run, step.value, is_async):
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


def _by_stack(step: Called, run: Run) -> Iterator[Finding]:
    is_async = entered_by_stack(step)
    if is_async is None or step.expected or not cannot_enter(run, step.arguments[0], is_async):
        return
    entered = step.node.args[0]
    kind, right = ("a plain", "enter_context") if is_async else ("an asynchronous", "enter_async_context")
    message = f"`{step.label}` cannot enter `{short(entered)}`, {kind} context manager: Python raises TypeError. "
    message += f"Use `{right}`{'' if is_async else ' of an `AsyncExitStack`'}."
    yield Finding(entered, message, lambda: fix(run, f"Use `{right}`", entered_otherwise(run, step), safe=True))


def _fix(step: Entered, run: Run, is_async: bool) -> Fix | None:
    statement = step.statement
    items = {id(item.item): item for item in run.steps if isinstance(item, Entered) and item.statement is statement}
    if len(items) != len(statement.items) or not all(
        enters_instead(run, item.value, is_async) for item in items.values()
    ):
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
