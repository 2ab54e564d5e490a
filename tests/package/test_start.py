"""The server of the package starts under every Python from 3.10 up, and nothing of the user's runs with it."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from tests.package.conftest import interpreters
from tests.package.rpc import ISOLATED, Ended, session

OLDEST = (3, 10)
FOUND = interpreters()
TRAP = "import pathlib\n(pathlib.Path({marks!r}) / {name!r}).touch()\n"


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


NEW = {name: path for name, path in FOUND.items() if version(name) >= OLDEST}
OLD = {name: path for name, path in FOUND.items() if version(name) < OLDEST}


def start(python: str, installed: Path, cwd: Path, cache: Path, env: dict[str, str] | None = None) -> Ended:
    """As the client starts it."""
    flags = [*ISOLATED, "-X", f"pycache_prefix={cache}"]
    return session([python, *flags, str(installed / "server" / "launch.py")], cwd, env)


def assert_served(ended: Ended) -> None:
    assert (ended.code, ended.errors) == (0, "")
    assert set(ended.answers) == {1, 2}
    assert ended.answers[1]["capabilities"]["textDocumentSync"]
    assert ended.answers[2] is None


@pytest.mark.parametrize("name", NEW)
def test_starts_under_every_python(name: str, installed: Path, tmp_path: Path) -> None:
    assert_served(start(NEW[name], installed, tmp_path, tmp_path / "cache"))
    assert not list(installed.rglob("__pycache__")), "the extension's folder stays as it was installed"
    assert list((tmp_path / "cache").rglob("*.pyc"))


@pytest.mark.parametrize("name", OLD)
def test_an_older_python_is_told_in_one_line(name: str, installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [OLD[name], "-I", "-S", str(installed / "server" / "launch.py")],
        cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"awaitest needs Python 3.10 or newer; this is {name}.")
    assert done.stderr.count("\n") == 1


@pytest.fixture
def hostile(tmp_path: Path) -> tuple[Path, Path, Path, dict[str, str]]:
    """Traps in every place that Python reads on its own: an environment's Python, a working directory, the folder in
    which a trap that went off leaves its mark, and environment variables."""
    marks, cwd, home, env = (tmp_path / name for name in ("marks", "cwd", "path", "env"))
    for folder in (marks, cwd, home):
        folder.mkdir()
    venv.create(env, with_pip=False, symlinks=os.name != "nt")
    (packages,) = [*env.glob("lib/python*/site-packages"), *env.glob("Lib/site-packages")]

    def trap(path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(TRAP.format(marks=str(marks), name=path.relative_to(tmp_path).as_posix().replace("/", " ")))

    for folder in (packages, home):
        trap(folder / "sitecustomize.py")
        trap(folder / "usercustomize.py")
        for name in ("pygls", "lsprotocol", "attrs", "awaitest"):
            trap(folder / name / "__init__.py")
    for name in ("typing.py", "json.py", "pygls.py", "awaitest.py", "launch.py"):
        trap(cwd / name)
    trap(home / "startup.py")
    (packages / "evil.pth").write_text(f"import pathlib; (pathlib.Path({str(marks)!r}) / 'pth').touch()\n")
    variables = {"PYTHONPATH": str(home), "PYTHONSTARTUP": str(home / "startup.py"), "PYTHONINSPECT": "1"}
    python = env / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    return python, cwd, marks, {**os.environ, **variables, "VIRTUAL_ENV": str(env)}


def test_nothing_of_a_hostile_environment_runs(
    hostile: tuple[Path, Path, Path, dict[str, str]], installed: Path, tmp_path: Path
) -> None:
    python, cwd, marks, env = hostile
    assert_served(start(str(python), installed, cwd, tmp_path / "cache", env))
    assert sorted(mark.name for mark in marks.iterdir()) == []


def test_the_traps_do_go_off(hostile: tuple[Path, Path, Path, dict[str, str]]) -> None:
    python, cwd, marks, env = hostile
    for arguments in (["-c", "import pygls, typing"], ["-I", "-c", "import pygls"]):
        subprocess.run(
            [python, *arguments], cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    went_off = {mark.name.split()[-1] for mark in marks.iterdir()}
    assert {"pth", "sitecustomize.py"} <= went_off, "an isolated Python with site runs these"
    assert any("pygls" in mark.name for mark in marks.iterdir())


def test_this_python_is_among_those_tried() -> None:
    assert "{}.{}".format(*sys.version_info) in NEW
