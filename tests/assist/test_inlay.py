"""Inlay hints: types of parameters that fixtures fill."""

from __future__ import annotations

import pytest
from tests.assist.casebook import TEST_FILE, runs

from awaitest.assist.inlay import hints

SUITE = """\
from unittest.mock import MagicMock

import pytest
import pytest_asyncio
from fastapi.testclient import TestClient
from httpx import AsyncClient


class Store:
    @pytest.fixture
    def own(self):
        return Store()


@pytest_asyncio.fixture
async def ac():
    async with AsyncClient() as client:
        yield client


@pytest.fixture
async def unhandled():
    async with AsyncClient() as client:
        yield client


@pytest.fixture
def either(flag):
    return TestClient(None) if flag else Store()


@pytest.fixture
def store(ac):
    return Store()


@pytest.fixture
def mock():
    return MagicMock()


@pytest.fixture
def number():
    return 3


@pytest.fixture
def numbers():
    return [3]


@pytest.mark.asyncio
async def test_all(ac, unhandled, either, store, mock, number, numbers, typed: Store, missing, request, default=1):
    pass


@pytest.mark.parametrize("number", [None])
def test_set(number, *, ac, mock: object):
    pass


def helper(ac):
    pass
"""


def labels(headers: dict[str, str]) -> list[str]:
    """Every line that has hints, hints in place."""
    rows = SUITE.split("\n")
    found = hints(runs({TEST_FILE: SUITE}, headers))
    for hint in sorted(found, key=lambda hint: hint.position, reverse=True):
        row = rows[hint.position.line]
        rows[hint.position.line] = f"{row[: hint.position.column]}‹{hint.label}›{row[hint.position.column :]}"
    return [row for row in rows if "‹" in row]


TEST = "async def test_all(ac‹: AsyncClient›, unhandled{}, either, store‹: Store›, mock, number‹: int›, numbers, typed: Store, missing, request, default=1):"


@pytest.mark.parametrize(
    ("headers", "unhandled"),
    [({}, ""), ({"asyncio_mode": "auto"}, "‹: AsyncClient›"), ({"environment": "unknown"}, "")],
    ids=["strict", "auto", "unknown"],
)
def test_hints(headers: dict[str, str], unhandled: str) -> None:
    assert labels(headers) == [
        "def store(ac‹: AsyncClient›):",
        TEST.format(unhandled),
        "def test_set(number, *, ac‹: AsyncClient›, mock: object):",
    ]


def test_tooltip_names_the_fixture() -> None:
    first = hints(runs({TEST_FILE: SUITE}, {}))[0]
    assert first.tooltip == "The fixture `ac` gives AsyncClient."
