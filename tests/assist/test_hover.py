"""Hovers: what is told at a place."""

from __future__ import annotations

from functools import cache

import pytest
from tests.assist.casebook import TEST_FILE, runs

from awaitest.assist.hover import Hover, hover
from awaitest.engine.run import Run
from awaitest.source.text import Position

CONFTEST = """\
import pytest
import pytest_asyncio
from fastapi.testclient import TestClient
from httpx import ASGITransport, AsyncClient

from app import app


@pytest_asyncio.fixture(scope="module")
async def client():
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as ac:
        yield ac


@pytest.fixture
def sync_client():
    return TestClient(app)


@pytest.fixture
async def lost():
    return AsyncClient()


@pytest.fixture
def token(request):
    return request.param
"""
SUITE = """\
import asyncio

import pytest
from httpx import AsyncClient


async def load() -> dict[str, int]:
    return {}


@pytest.mark.asyncio
async def test_awaited(client, lost, unheard_of, token):
    response = await client.get("/awaited")
    assert response.json() == {}
    print(lost)
    print(token)
    print(unheard_of.thing())


@pytest.mark.asyncio
async def test_missing(client):
    client.post("/missing")
    kept = client.get("/kept")
    later = client.get("/later")
    await later
    task = asyncio.create_task(load())
    await task


def test_plain(sync_client, client):
    sync_client.get("/plain")
    client.put("/sync")


@pytest.mark.asyncio
async def test_states(flag):
    new = AsyncClient()
    await new.get("/new")
    async with AsyncClient() as own:
        await own.delete("/own")
    await own.patch("/closed")
    if flag:
        own = AsyncClient()
    await own.head("/either")

    async def inner():
        return await load()

    assert await inner() == {}
"""
FILES = {TEST_FILE: SUITE, "tests/conftest.py": CONFTEST}
CLIENT = "async fixture `client` (scope module), tests/conftest.py:10"

TOLD = {
    'await client.‸get("/awaited")': f"""\
`client.get(…)` is awaited and gives `Response`

- `client`: `AsyncClient`, open
- {CLIENT}""",
    '‸await client.get("/awaited")': f"""\
`client.get(…)` is awaited and gives `Response`

- `client`: `AsyncClient`, open
- {CLIENT}""",
    'await cl‸ient.get("/awaited")': f"""\
`client`: `AsyncClient`, open

- {CLIENT}""",
    "response.‸json() == {}": "`response.json(…)` gives `JSON`; there is nothing to await",
    "test_awaited(‸client": f"""\
`client`: `AsyncClient`, open

- {CLIENT}
- awaited before the test begins""",
    "test_awaited(client, ‸lost": """\
`lost`: a coroutine that **nobody runs**: see its fixture

- async fixture `lost` (scope function), tests/conftest.py:21""",
    "unheard_of, ‸token": """\
`token`

- fixture `token` (scope function), tests/conftest.py:26""",
    'client.‸post("/missing")': f"""\
`client.post(…)` is **not awaited**: its coroutine never runs

- put `await` before it to get `Response`
- `client`: `AsyncClient`, open
- {CLIENT}""",
    '‸kept = client.get("/kept")': "`kept`: coroutine of client.get(), never awaited",
    'later = client.‸get("/later")': f"""\
`client.get(…)` makes a coroutine, which is awaited later and gives `Response`

- `client`: `AsyncClient`, open
- {CLIENT}""",
    "await ‸later": "`later`: coroutine of client.get(), awaited",
    "create_task(‸load())": "`load(…)` makes a coroutine, which is handed on and gives `dict`",
    "‸await task": "`task` is awaited and gives `dict`",
    'sync_client.‸get("/plain")': """\
`sync_client.get(…)` gives `Response`; there is nothing to await

- `sync_client`: `TestClient`
- fixture `sync_client` (scope function), tests/conftest.py:16""",
    'client.‸put("/sync")': f"""\
`client.put(…)` is **not awaited**: its coroutine never runs

- put `await` before it to get `Response` and make `test_plain` an `async def`
- `client`: `AsyncClient`, open
- {CLIENT}""",
    "new = ‸AsyncClient()": "`AsyncClient(…)` makes an object of `AsyncClient`",
    "‸new = AsyncClient()": "`new`: `AsyncClient`, not entered yet",
    'await n‸ew.get("/new")': "`new`: `AsyncClient`, not entered yet",
    "as ‸own:": "`own`: `AsyncClient`, open",
    'await o‸wn.patch("/closed")': "`own`: `AsyncClient`, closed",
    'await own.‸head("/either")': """\
`own.head(…)` is awaited and gives `Response`

- `own`: `AsyncClient`, not entered yet or closed""",
    "return await lo‸ad()": "`load(…)` is awaited and gives `dict`",
}
SILENT = ["import ‸asyncio", "print(‸lost)", "‸print(token)", "unheard_of.‸thing()", "print(‸unheard_of", 'get("/aw‸aited")', "‸def load", "if ‸flag"]  # fmt: skip


@cache
def suite() -> list[Run]:
    return runs(FILES, {})


def told(place: str) -> Hover | None:
    snippet = place.replace("‸", "")
    assert SUITE.count(snippet) == 1
    before = SUITE[: SUITE.index(snippet) + place.index("‸")].split("\n")
    return hover(suite(), Position(len(before) - 1, len(before[-1])))


@pytest.mark.parametrize(("place", "markdown"), TOLD.items(), ids=TOLD)
def test_told(place: str, markdown: str) -> None:
    found = told(place)
    assert found is not None
    assert found.markdown == markdown


@pytest.mark.parametrize("place", SILENT)
def test_silent(place: str) -> None:
    assert told(place) is None


def test_span_is_the_whole_expression() -> None:
    found = told('await client.‸get("/awaited")')
    assert found is not None
    line = SUITE.split("\n")[found.span.start.line]
    assert line[found.span.start.column : found.span.end.column] == 'await client.get("/awaited")'
