"""Two suites in the manner of real ones: in the first every line with a comment is a mistake, in the second nothing is."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from awaitest.check import Checker
from awaitest.project.files import DiskFiles, OverlayFiles
from awaitest.project.workspace import Workspace

DATA = Path(__file__).parent / "data"
FOLDER = Path("/memory/tests")
AUTO = "[pytest]\nasyncio_mode = auto\n"


def found(name: str) -> list[tuple[int, str]]:
    """Line and code of every finding in a suite of the data folder."""
    texts = {
        FOLDER.parent / "pytest.ini": AUTO,
        FOLDER / "__init__.py": "",
        FOLDER / "conftest.py": (DATA / f"{name}_conftest.txt").read_text("utf-8"),
        FOLDER / "test_suite.py": (DATA / f"{name}.txt").read_text("utf-8"),
    }
    checker = Checker(Workspace(OverlayFiles(texts, DiskFiles()), python=Path(sys.prefix)))
    files = (FOLDER / "conftest.py", FOLDER / "test_suite.py")
    return sorted((item.span.start.line + 1, item.code) for path in files for item in checker.check(path))


def expected(name: str) -> list[tuple[int, str]]:
    lines = (DATA / f"{name}.txt").read_text("utf-8").splitlines()
    return sorted(
        (number, code)
        for number, line in enumerate(lines, 1)
        if "  # AWT" in line
        for code in re.findall(r"AWT\d+", line)
    )


def test_every_mistake_is_found_and_nothing_else() -> None:
    assert len(expected("mistakes")) > 50
    assert found("mistakes") == expected("mistakes")


def test_nothing_is_said_about_look_alikes() -> None:
    assert found("look_alikes") == []


@pytest.mark.parametrize(
    ("modules", "marked", "settings", "reported"),
    [
        (9, 0, "", 9),
        (10, 0, "", 0),
        (13, 3, "", 0),
        (12, 3, "", 9),
        (10, 0, "[pytest]\n", 10),
    ],
)
def test_many_modules_that_mark_nothing_have_a_runner_out_of_sight(
    tmp_path: Path, modules: int, marked: int, settings: str, reported: int
) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    if settings:
        (tmp_path / "pytest.ini").write_text(settings)
    paths = [tmp_path / "tests" / f"test_{number}.py" for number in range(modules)]
    (tmp_path / "tests").mkdir()
    for number, path in enumerate(paths):
        mark = "@pytest.mark.asyncio\n" if number < marked else ""
        path.write_text(f"import pytest\n\n\n{mark}async def test_it():\n    pass\n")
    checker = Checker(Workspace(python=Path(sys.prefix)))
    assert [item.code for path in paths for item in checker.check(path)] == ["AWT201"] * reported
