from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.cli import fake
from tests.cli.conftest import Run

from awaitest.cli import watching
from awaitest.cli.arguments import parser
from awaitest.cli.session import Request

Change = Callable[[], object]


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of all files that were checked so far."""
    names: list[str] = []
    check = fake.FakeSession.check

    def noting(self: fake.FakeSession, path: Path, text: str) -> object:
        names.append(path.name)
        return check(self, path, text)

    monkeypatch.setattr(fake.FakeSession, "check", noting)
    return names


def watch(changes: list[Change]) -> int:
    """Watch while the changes happen one after another; then press Ctrl-C."""

    def waits() -> Iterator[None]:
        for change in changes:
            change()
            yield
        raise KeyboardInterrupt

    pause = waits()
    return watching.watch(parser().parse_args(["check", "--output-format", "concise"]), Request(), lambda: next(pause))


def written(path: Path, text: str) -> Change:
    def write() -> None:
        before = path.stat().st_mtime_ns if path.exists() else 0
        path.write_text(text)
        os.utime(path, ns=(before + 1000, before + 1000))

    return write


def test_only_what_changed_is_checked_again(
    project: Path, checked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    one, two, conftest = (project / name for name in ("test_1.py", "test_2.py", "conftest.py"))
    one.write_text("ERR\n")
    two.write_text("WARN\n")
    looks: list[list[str]] = []

    def noted() -> None:
        looks.append(sorted(checked))
        checked.clear()

    changes = [noted, written(one, "fine\n"), noted, written(conftest, ""), noted, two.unlink, noted]
    assert watch(changes) == 0
    assert looks == [["test_1.py", "test_2.py"], ["test_1.py"], ["test_1.py", "test_2.py"], ["test_1.py"]]
    out, err = capsys.readouterr()
    assert [line.split(" ")[0:2] for line in out.splitlines()] == [
        ["test_1.py:1:1:", "AWT101"],
        ["test_2.py:1:1:", "AWT301"],
        ["test_2.py:1:1:", "AWT301"],
        ["test_2.py:1:1:", "AWT301"],
    ]
    said = re.findall(r"\[\d\d:\d\d:\d\d\] (.*)", err)
    assert said == [
        f"watching 2 files below {project}; Ctrl-C ends",
        "test_1.py changed",
        f"watching 2 files below {project}; Ctrl-C ends",
        "conftest.py changed",
        f"watching 2 files below {project}; Ctrl-C ends",
        "test_2.py changed",
        f"watching 1 file below {project}; Ctrl-C ends",
    ]


def test_a_mistake_in_the_settings_is_said_and_watched(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "test_1.py").write_text("ERR\n")
    settings = project / "settings.txt"
    settings.write_text("bad\n")

    def repaired() -> None:
        settings.unlink()
        (project / "pyproject.toml").touch()

    assert watch([repaired]) == 0
    out, err = capsys.readouterr()
    assert "awaitest: settings.txt:1: bad" in err
    assert out.startswith("test_1.py:1:1: AWT101")


def test_ctrl_c_during_a_check(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "test_1.py").write_text("")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fake.FakeSession, "check", interrupted)
    assert run("check") == (130, "", "")


def test_stamps_leave_out_environments(tmp_path: Path) -> None:
    for name in ("app.py", "pytest.ini", "notes.txt", "venv/pyvenv.cfg", "venv/x.py", ".git/x.py", "node_modules/x.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "gone.py").symlink_to(tmp_path / "nothing.py")
    assert {path.name for path in watching.stamps(tmp_path)} == {"app.py", "pytest.ini"}
