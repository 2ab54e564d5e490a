"""The real session, once through every command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from awaitest.cli import main, session

TEST = """\
import pytest
from httpx import ASGITransport, AsyncClient


@pytest.mark.asyncio
async def test_get(app):
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        client.get("/")
"""


CONFIGURATION = """\
[tool.pytest.ini_options]
asyncio_mode = 'strict'
asyncio_default_fixture_loop_scope = 'function'
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(CONFIGURATION, "utf-8")
    (tmp_path / "test_a.py").write_text(TEST)
    (tmp_path / "app.py").write_text("")
    (tmp_path / "notes.txt").touch()
    return tmp_path


def test_rules() -> None:
    rules = {rule.code: rule for rule in session.all_rules()}
    assert list(rules) == sorted(rules)
    rule = rules["AWT101"]
    assert (rule.name, rule.severity, rule.fix) == ("missing-await", "error", "sometimes")
    assert rule.summary == "Reports a coroutine that nobody awaits."
    assert rule.page.startswith("# missing-await (AWT101)\n\nReports a coroutine")


@pytest.mark.parametrize(
    ("options", "code", "out"),
    [
        ([], 1, "test_a.py:8:9: AWT101 [*] "),
        (["--select", "AWT2"], 0, ""),
        (["--ignore", "missing-await"], 0, ""),
    ],
)
@pytest.mark.usefixtures("project")
def test_check(capsys: pytest.CaptureFixture[str], options: list[str], code: int, out: str) -> None:
    assert main(["check", "--no-cache", "--output-format", "concise", *options]) == code
    said = capsys.readouterr().out
    assert said.startswith(out)
    assert len(said.splitlines()) == code


def test_fix(project: Path) -> None:
    assert main(["check", "--no-cache", "--fix"]) == 0
    assert (project / "test_a.py").read_text() == TEST.replace("client.get", "await client.get")


def test_a_wrong_setting(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (project / "pyproject.toml").open("a") as file:
        file.write("[tool.awaitest]\nselect = ['nope']\n")
    assert main(["check", "--no-cache"]) == 2
    assert capsys.readouterr().err.startswith("awaitest: pyproject.toml:5: 'nope'")


@pytest.mark.usefixtures("project")
def test_a_path_that_cannot_be_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--no-cache", "gone.py", "notes.txt"]) == 2
    err = capsys.readouterr().err
    assert err == "awaitest: gone.py does not exist\nawaitest: notes.txt is not a Python file\n"


@pytest.mark.usefixtures("project")
def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--no-cache", "test_a.py::test_get", "--output-format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["awaited"] for row in rows if row["line"] == 8] == ["missing"]
    assert main(["explain", "--no-cache", "test_a.py::test_gte"]) == 2


def test_config(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--no-cache", "test_a.py", "--output-format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["asyncio_mode"] == {"value": "strict", "source": f"{project / 'pyproject.toml'}:2"}
    assert found["anyio_mode"]["source"] == "default"


def test_a_broken_pytest_configuration_is_told_and_the_rest_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest\n", "utf-8")
    (tmp_path / "test_a.py").write_text("def test_a(): ...\n", "utf-8")
    assert main(["check", "test_a.py", "--no-cache"]) == 2
    out, err = capsys.readouterr()
    assert "Checked 1 file." in out
    assert err.startswith("awaitest: pytest.ini:1: ")
