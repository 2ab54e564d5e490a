"""Reports an AsyncMock that stands for a response whose `json()` is no coroutine.

Finds `….json.return_value = …` on an AsyncMock, or on what hangs on it, where the code that the test imports calls
`json()` and nowhere awaits it.

Why: All that hangs on an AsyncMock is one as well. `response.json()` gives a coroutine then, and the code under test
fails with `'coroutine' object is not subscriptable`, or goes on with a coroutine for data.

Bad:
    from unittest.mock import AsyncMock

    import pytest

    async def stars(client):
        response = await client.get("/stars")
        return response.json()["stars"]

    @pytest.mark.asyncio
    async def test_stars():
        client = AsyncMock()
        client.get.return_value.json.return_value = {"stars": 7}
        assert await stars(client) == 7

Good:
    from unittest.mock import AsyncMock, Mock

    import pytest

    async def stars(client):
        response = await client.get("/stars")
        return response.json()["stars"]

    @pytest.mark.asyncio
    async def test_stars():
        client = AsyncMock()
        client.get.return_value = Mock(json=Mock(return_value={"stars": 7}))
        assert await stars(client) == 7

Ignore: When the response is that of a library whose `json()` is a coroutine, as that of aiohttp.

Fix: Safe. Makes the response, or its `json`, a plain mock.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.mocks import async_mocks, is_free, root_of, settings, takes_json_as_data
from awaitest.engine.repair import fix, insert
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import MODULE, Run
from awaitest.engine.steps import Called
from awaitest.engine.values import AsyncMockValue, every
from awaitest.engine.words import short
from awaitest.source.edits import add_import
from awaitest.source.nodes import parts_of, spelt
from awaitest.source.text import Edit, Span

RULE = Rule("AWT124", "async-mock-response", Severity.ERROR)


def check(step: Called, run: Run) -> Iterator[Finding]:
    """An AsyncMock is made, and bodies are set on it that would have to be awaited."""
    if run.kind != MODULE and every(step.result, AsyncMockValue):
        bodies = (it for it in settings(run) if _is_body(run, it[0], step.node))
        yield from (_finding(run, target, statement) for target, statement in bodies)


def _finding(run: Run, target: ast.Attribute, statement: ast.Assign) -> Finding:
    response = short(target.value).removesuffix(".json")
    message = f"`{response}` is an AsyncMock, so that its `json()` gives a coroutine, which nobody awaits. "
    return Finding(target, message + "Make it a plain `Mock`.", lambda: _fix(run, target, statement))


def _is_body(run: Run, target: ast.Attribute, mock: ast.Call) -> bool:
    """Whether this is what `json()` of an AsyncMock gives, and the code under test takes it for plain data."""
    if not isinstance(target.value, ast.Attribute) or (target.value.attr, target.attr) != ("json", "return_value"):
        return False
    mocks, prefix = async_mocks(run, root_of(target)), f"{spelt(target)}."
    shaped = any(prefix.startswith(f"{spelt(it)}.") for it, _ in settings(run) if it is not target)
    return mocks[:1] == [mock] and not shaped and all(map(is_free, mocks)) and takes_json_as_data(run)


def _fix(run: Run, target: ast.Attribute, statement: ast.Assign) -> Fix | None:
    json, value = target.value, run.span(statement.value)
    bare = run.span(statement).end == value.end and not isinstance(statement.value, (ast.Tuple, ast.Yield))
    if not isinstance(json, ast.Attribute) or not bare:
        return None
    made = async_mocks(run, root_of(target))[0].func
    mock, owner = run.source(made).replace("AsyncMock", "Mock"), spelt(json.value)
    mentions = [it for it in parts_of(run.node) if isinstance(it, ast.Attribute) and spelt(it) == owner]
    whole = isinstance(json.value, ast.Attribute) and len(mentions) == 1
    opening = f"{mock}(json={mock}(return_value=" if whole else f"{mock}(return_value="
    start = run.span(json.value if whole else json).end
    edits = [Edit(Span(start, value.start), f" = {opening}"), insert(value.end, "))" if whole else ")")]
    imported = add_import(run.document, "unittest.mock", "Mock") if isinstance(made, ast.Name) else None
    return fix(run, "Use a plain `Mock`", [imported, *edits] if imported is not None else edits, safe=True)
