"""`awaitest trace`: the formats, exit codes and mistakes in the call."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.trace.conftest import IMPORTS

from awaitest.cli import main

PASSES = """\
async def test_hello():
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        response = await client.get("/hello")
    assert response.status_code == 200, "<b>&"


async def test_lost(monkeypatch):
    monkeypatch.setenv("HOME", "|")
    asyncio.sleep(0)
    assert app is None
"""


@pytest.fixture
def folder(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (project / "test_it.py").write_text(IMPORTS + PASSES)
    monkeypatch.chdir(project)
    monkeypatch.setenv("COLUMNS", "160")
    return project


pytestmark = pytest.mark.usefixtures("folder")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["trace", *arguments, "--no-cache"])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_text_wide_and_narrow(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = run(capsys, "test_it.py::test_hello")
    assert (code, err) == (0, "")
    assert out.startswith("test_it.py::test_hello  passed\n\nstep  line")
    for told in ("GET /hello with `client`", "variables after each step", "FastAPI instance", "/hello → hello"):
        assert told in out
    monkeypatch.setenv("COLUMNS", "60")
    _, narrow, _ = run(capsys, "test_it.py::test_hello")
    assert max(map(len, narrow.splitlines())) <= 60


def test_a_failing_test_says_what_it_left(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    code, out, _ = run(capsys, "test_it.py::test_lost")
    assert code == 1
    assert not (folder / ".pytest_cache").exists()
    assert re.search(r"^✗ \d+ .*`assert app is None` fails: FastAPI instance is None", out, re.MULTILINE)
    line = IMPORTS.count("\n") + 9
    assert f"- `sleep()` was never awaited (line {line})" in out


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "test_it.py", "--format", "json")
    told = json.loads(out)
    assert code == told["exit_code"] == 1
    assert [test["outcome"] for test in told["tests"]] == ["passed", "failed"]
    assert told["tests"][0]["rows"][-1]["action"] == "the test passes"


def test_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "test_it.py::test_lost", "--format", "markdown")
    assert out.startswith("## test\\_it.py::test\\_lost\n")
    assert "| step | line | action | awaited | result | assertion | time |" in out
    assert "### Left behind" in out


def test_html_needs_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "test_it.py::test_hello", "--format", "html")
    assert out.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert "<script" not in out
    assert re.findall(r"(?:src|href)=", out) == []
    assert "default-src 'none'; style-src 'sha256-" in out
    assert out.count("<caption>") == 2
    assert '<th scope="col">' in out
    assert '<th scope="row">' in out
    assert out.count('role="region" tabindex="0" aria-label="') == 2  # wide tables are scrolled by keys too
    assert "<b>" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.py::test_x"], "nowhere.py: no such file"),
        (["::test_x"], "no such file"),
        (["test_it.py", "--python", "nowhere"], "does not exist"),
    ],
)
def test_mistakes_in_the_call(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_pytest_says_why_there_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "test_it.py::test_other")
    assert (code, out) == (4, "")
    assert "test_other" in err
