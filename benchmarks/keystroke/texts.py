"""Test files of a given length, as people write them: one mistake in ten tests."""

from __future__ import annotations

from itertools import count

HEAD = """\
import pytest
import pytest_asyncio
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

app = FastAPI()


@pytest_asyncio.fixture
async def client():
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        yield client


"""
TEST = """\
@pytest.mark.asyncio
async def test_item_{number}(client):
    payload = {{"sku": "sku-{number}", "count": {number}}}
    created = await client.post("/items", json=payload)
    assert created.status_code == 201
    response = {maybe}client.get("/items/{number}")
    assert response.status_code == 200
    assert response.json()["sku"] == payload["sku"]
    for name in ("a", "b"):
        assert name in response.text


"""


def generated(lines: int) -> str:
    """A file of about so many lines."""
    text = HEAD
    for number in count():
        if text.count("\n") >= lines:
            return text
        text += TEST.format(number=number, maybe="" if number % 10 == 3 else "await ")
    raise AssertionError


def in_one_class(lines: int) -> str:
    """The same tests as methods of one class."""
    head, body = HEAD, generated(lines).removeprefix(HEAD).replace("(client)", "(self, client)")
    return f"{head}class TestItems:\n" + "".join(
        f"    {line}" if line.strip() else line for line in body.splitlines(True)
    )


def middle(text: str, wanted: str) -> int:
    """The line nearest to the middle that contains a text."""
    lines = text.splitlines()
    return min((at for at, line in enumerate(lines) if wanted in line), key=lambda at: abs(at - len(lines) // 2))
