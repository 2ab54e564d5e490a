"""The execution table of the lesson, right and wrong."""

from __future__ import annotations

import sys
from pathlib import Path

from awaitest.check import Checker
from awaitest.engine.steps import Row
from awaitest.project.files import DiskFiles, OverlayFiles
from awaitest.project.workspace import Workspace

APP = """\
from fastapi import FastAPI

app = FastAPI()
"""
RIGHT = """\
import pytest
from httpx import ASGITransport, AsyncClient

from app import app


@pytest.mark.asyncio
async def test_hello():
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as ac:
        response = await ac.get("/hello")
    assert response.status_code == 200
"""
WRONG = RIGHT.replace("await ", "")


def table(text: str) -> list[Row]:
    folder = Path("/memory")
    files = OverlayFiles(
        {folder / "app.py": APP, folder / "test_hello.py": text, folder / "pytest.ini": ""}, DiskFiles()
    )
    rows = Checker(Workspace(files, python=Path(sys.prefix))).explain(folder / "test_hello.py", "test_hello")
    assert rows is not None
    return rows


def told(rows: list[Row]) -> list[tuple[int, str, str, str, str]]:
    return [(row.line, row.action, row.awaited, row.result, row.assertion) for row in rows]


def test_the_right_test() -> None:
    rows = table(RIGHT)
    assert told(rows) == [
        (9, "call `ASGITransport(…)`", "–", "ASGITransport", "–"),
        (9, "create AsyncClient", "–", "instance", "–"),
        (9, "enter `async with AsyncClient(transport=ASGITransport(app=app), base_url=\"htt…`", "yes", "AsyncClient", "–"),
        (10, "GET /hello with `ac`", "yes", "Response", "–"),
        (9, "leave `async with`: close AsyncClient", "yes", "closed", "–"),
        (11, "check", "–", "–", "`assert response.status_code == 200`"),
    ]  # fmt: skip
    assert [row.variables for row in rows][2:] == [
        {"app": "instance", "ac": "open", "response": "none"},
        {"app": "instance", "ac": "open", "response": "Response"},
        {"app": "instance", "ac": "closed", "response": "Response"},
        {"app": "instance", "ac": "closed", "response": "Response"},
    ]


def test_the_await_is_missing() -> None:
    rows = table(WRONG)
    assert told(rows)[3:] == [
        (10, "GET /hello with `ac`", "missing", "coroutine, never run", "–"),
        (9, "leave `async with`: close AsyncClient", "yes", "closed", "–"),
        (11, "check", "–", "fails: a coroutine has no attribute status_code", "`assert response.status_code == 200`"),
    ]
    assert rows[-1].variables["response"] == "coroutine, never awaited"


def test_steps_are_numbered_from_one() -> None:
    assert [row.step for row in table(RIGHT)] == [1, 2, 3, 4, 5, 6]


def test_unknown_test_has_no_table() -> None:
    files = OverlayFiles({Path("/memory/test_a.py"): "async def test_a(): ..."})
    assert Checker(Workspace(files)).explain(Path("/memory/test_a.py"), "test_b") is None
