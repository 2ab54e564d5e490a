"""Reports `await`, `async with` and `async for` in a function that is not `async def`.

Finds asynchronous syntax in a plain `def`.

Why: It is a syntax error. Python refuses the whole module, so none of its tests is collected, not just this one.

Bad:
    import pytest
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    def test_users():
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            await client.get("/users/")

Good:
    import pytest
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_users():
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            await client.get("/users/")

Ignore: Never: the module cannot be imported.

Fix: Sometimes safe. Makes the function `async def`; a test gets the marker it needs. For a helper or a nested function
the fix is unsafe, since its callers must await it from then on.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.repair import async_edits, fix, insert
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import HELPER, MODULE, NESTED, TEST, Run
from awaitest.engine.steps import Collected
from awaitest.engine.syntax import asynchronous

RULE = Rule("AWT106", "await-outside-async", Severity.ERROR)


def check(step: Collected, run: Run) -> Iterator[Finding]:
    """A plain function with asynchronous syntax; the first piece of it is shown."""
    if run.kind == MODULE or run.is_async:
        return
    for node in asynchronous(run.node)[:1]:
        word, place = _shown(node)
        message = (
            f"`{word}` needs `async def`, but `{run.node.name}` is a plain `def`: Python refuses the whole module."
        )
        yield Finding(place, message, lambda: _fix(run))


def _shown(node: ast.AST) -> tuple[str, ast.AST]:
    match node:
        case ast.AsyncWith(items=[first, *_]):
            return "async with", first.context_expr
        case ast.AsyncFor(iter=iterable) | ast.comprehension(iter=iterable):
            return "async for", iterable
    return "await", node


def _fix(run: Run) -> Fix | None:
    title = f"Make `{run.node.name}` async"
    if run.kind in (HELPER, NESTED):
        return fix(run, title, [insert(run.span(run.node).start, "async ")], safe=False)
    edits = async_edits(run)
    if edits is None and run.kind == TEST:
        return fix(run, title, [insert(run.span(run.node).start, "async ")], safe=False)
    return fix(run, title, edits, safe=True)
