"""What the walkthrough teaches is true: its code runs, its table is the one awaitest draws, its answers are what happens."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from scripts.package import ROOT

PAGES = {
    path.stem.partition("-")[2]: path.read_text(encoding="utf-8")
    for path in (ROOT / "media" / "walkthrough").glob("*.md")
}
HEAD = "import pytest\nfrom httpx import ASGITransport, AsyncClient\n\nfrom app import app, hello\n\n"
CLIENT = """
@pytest.fixture
def ac():
    return AsyncClient(transport=ASGITransport(app=app), base_url="http://test")
"""
SETTINGS = "[tool.pytest.ini_options]\nasyncio_default_fixture_loop_scope = 'function'\n"


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGES[page], re.S)


def tables(page: str) -> list[list[dict[str, str]]]:
    """The tables of a page, as rows by column."""
    found = []
    for text in re.findall(r"(?:^\|.*\n)+", PAGES[page], re.M):
        head, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines())
        found.append([dict(zip(head, row, strict=True)) for row in rows])
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    (tmp_path / "app.py").write_text(blocks("endpoint")[0])
    return tmp_path


def pytest_says(project: Path, test: str) -> str:
    (project / "test_it.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "test_it.py"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False).stdout


def explained(project: Path, test: str) -> list[Mapping[str, Any]]:
    (project / "test_it.py").write_text(test)
    command = [sys.executable, "-m", "awaitest", "explain", "--output-format", "json", "test_it.py::test_hello"]
    rows: list[Mapping[str, Any]] = json.loads(
        subprocess.check_output(command, cwd=project, env={**os.environ, "PYTHONPATH": str(ROOT / "server")})
    )
    return rows


def test_the_lesson_passes(project: Path) -> None:
    assert "1 passed" in pytest_says(project, blocks("result")[0])


def test_each_page_adds_to_the_lesson() -> None:
    lesson = blocks("result")[0]
    for page in ("test", "client", "await", "assert"):
        lines = [
            line for line in "".join(blocks(page)).splitlines() if line.strip() not in ("", "...", "# test_hello.py")
        ]
        assert [line for line in lines if line not in lesson.splitlines()] == []


def test_the_table_is_that_of_the_lesson_without_await(project: Path) -> None:
    rows = explained(project, blocks("result")[0].replace("await ac", "ac"))
    steps, names = tables("table")
    assert len(steps) == len(names) == next(row["step"] for row in rows if row["result"].startswith("fails"))
    for row, step, held in zip(rows, steps, names, strict=False):
        shown = {**step, "action": step["action"].removesuffix("…`")}
        assert row["action"].startswith(shown.pop("action"))
        assert shown == {column: str(row[column]) for column in shown}
        assert held == {"step": str(row["step"]), **row["variables"]}


@pytest.mark.parametrize(
    ("question", "before", "outcome"),
    [
        (0, CLIENT, r"1 passed"),
        (1, "@pytest.mark.asyncio\nasync def test_closed():\n", r"RuntimeError[\s\S]*1 failed"),
        (2, "", r"async def functions are not natively supported[\s\S]*1 failed"),
    ],
)
def test_the_answers_are_what_happens(project: Path, question: int, before: str, outcome: str) -> None:
    assert PAGES["quiz"].count("<summary>Answer</summary>") == len(blocks("quiz")) == 3
    assert re.search(outcome, pytest_says(project, HEAD + before + blocks("quiz")[question]))
