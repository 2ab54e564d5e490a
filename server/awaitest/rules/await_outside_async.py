"""Reports `await`, `async with` and `async for` in a function that is not `async def`.

## What it does

Finds asynchronous syntax in a plain `def`.

## Why is this bad?

It is a syntax error. Python refuses the whole module, so none of its tests is collected, not just this one.

## Bad

```python
import pytest
from httpx import ASGITransport, AsyncClient

from app.main import app


@pytest.mark.asyncio
def test_users():
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        await client.get("/users/")
```

## Good

```python
import pytest
from httpx import ASGITransport, AsyncClient

from app.main import app


@pytest.mark.asyncio
async def test_users():
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        await client.get("/users/")
```

## When to ignore

Never: the module cannot be imported.

## Fix

Sometimes safe. Makes the function `async def`; a test gets the marker it needs. For a helper the fix is unsafe, since its callers must
await it from then on.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.repair import async_edits, fix, insert
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import HELPER, MODULE, Run
from awaitest.engine.steps import Awaited, Entered, Iterated, Step

RULE = Rule("AWT106", "await-outside-async", Severity.ERROR)


def check(step: Awaited | Entered | Iterated, run: Run) -> Iterator[Finding]:
    """The first piece of asynchronous syntax in a function that is not async."""
    if run.kind == MODULE or run.is_async or step is not next(filter(_is_async, run.steps), None):
        return
    word = _word(step)
    name = run.node.name
    message = f"`{word}` needs `async def`, but `{name}` is a plain `def`: Python refuses the whole module."
    yield Finding(_place(step), message, lambda: _fix(run))


def _is_async(step: Step) -> bool:
    return (
        isinstance(step, Awaited)
        or (isinstance(step, Entered) and isinstance(step.statement, ast.AsyncWith))
        or (isinstance(step, Iterated) and step.is_async)
    )


def _word(step: Step) -> str:
    return {Awaited: "await", Entered: "async with", Iterated: "async for"}[type(step)]


def _place(step: Awaited | Entered | Iterated) -> ast.AST:
    return step.iterable if isinstance(step, Iterated) else step.node


def _fix(run: Run) -> Fix | None:
    title = f"Make `{run.node.name}` async"
    if run.kind == HELPER:
        return fix(run, title, [insert(run.span(run.node).start, "async ")], safe=False)
    return fix(run, title, async_edits(run), safe=True)
