"""`awaitest config`: who runs tests here, and what the fixtures give."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from awaitest.check import Checker
from awaitest.engine.overview import runners, visible_fixtures
from awaitest.project.files import DiskFiles, OverlayFiles
from awaitest.project.workspace import Workspace

ROOT = Path("/memory")
TEST = ROOT / "tests/test_a.py"
CONFTEST = """\
import pytest
import pytest_asyncio
from httpx import AsyncClient


@pytest_asyncio.fixture(scope="module")
async def client():
    async with AsyncClient() as ac:
        yield ac


@pytest.fixture
def number():
    return 1
"""
MODULE = """\
import pytest


@pytest.fixture
def number(number):
    return str(number)
"""


def checker(options: str = "") -> Checker:
    texts = {ROOT / "pytest.ini": f"[pytest]\n{options}", ROOT / "tests/conftest.py": CONFTEST, TEST: MODULE}
    return Checker(Workspace(OverlayFiles(texts, DiskFiles()), python=Path(sys.prefix)))


@pytest.mark.parametrize(
    ("options", "by"),
    [
        ("", ["nobody", "pytest-asyncio", "anyio"]),
        ("asyncio_mode = auto", ["pytest-asyncio"] * 3),
        ("anyio_mode = auto", ["anyio", "pytest-asyncio", "anyio"]),
        ("addopts = -p no:asyncio", ["nobody", "nobody", "anyio"]),
        ("asyncio_mode = wrong", ["cannot be told", "pytest-asyncio", "anyio"]),
    ],
)
def test_runners(options: str, by: list[str]) -> None:
    check = checker(options)
    project = check.workspace.project_of(TEST)
    assert [it.by for it in runners(check.engine(project), project.module(TEST))] == by


def test_visible_fixtures() -> None:
    check = checker()
    project = check.workspace.project_of(TEST)
    found = visible_fixtures(check.engine(project), project.module(TEST))
    assert [(it.fixture.name, it.gives, it.fixture.scope, it.fixture.is_async, it.hides) for it in found] == [
        ("number", "str", "function", False, True),
        ("client", "AsyncClient", "module", True, False),
    ]
