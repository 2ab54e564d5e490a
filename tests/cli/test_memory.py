"""What a run remembers is what a run without memory finds, whatever happens to the project in between."""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from awaitest.cli import main
from awaitest.cli.memory import Memory
from awaitest.cli.session import CheckerSession, Request

SHOP = Path(__file__).parents[2] / "demo" / "shop"
MISTAKES = Path(__file__).parents[1] / "engine" / "data" / "mistakes.txt"

MORE = {
    "tests/test_more.py": "import pytest\nfrom helpers import opened\n\n\n@pytest.mark.asyncio\nasync def test_more(client):\n    client.get('/')\n",
    "tests/unit/test_deep.py": "import pytest\nfrom shop import tools\n\n\n@pytest.mark.asyncio\nasync def test_deep():\n    tools.work()\n",
    "tests/unit/conftest.py": "import pytest\n\n\n@pytest.fixture\nasync def late():\n    return 1\n",
    "shop/tools.py": "async def work():\n    return 1\n",
}
CONTENTS = [
    "", "x = 1\n", "def work():\n    return 1\n", "async def work():\n    return 1\n",
    "import pytest\n\n\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n",
    "import pytest\n\n\n@pytest.mark.anyio\nasync def test_one(client):\n    client.get('/')\n",
    "async def test_bare(client, late):\n    await client.get('/')\n",
    "import pytest\nfrom shop.tools import work\n\n\n@pytest.mark.asyncio\nasync def test_two(late):\n    work()\n",
    "import httpx\nimport pytest\n\n\n@pytest.fixture\ndef client():\n    return httpx.AsyncClient()\n",
    "import nest_asyncio\nnest_asyncio.apply()\n", "from httpx import AsyncClient as alias_httpx\n",
    "def pytest_pyfunc_call(pyfuncitem):\n    import asyncio\n", "def broken(:\n", "\0", "# -*- coding: nonsense -*-\n",
]  # fmt: skip
PLACES = [
    "tests/test_more.py", "tests/test_new.py", "tests/unit/test_deep.py", "tests/unit/test_new.py", "tests/conftest.py",
    "tests/unit/conftest.py", "tests/unit/__init__.py", "tests/helpers.py", "shop/tools.py", "shop/__init__.py",
    "tools.py", "conftest.py", "tests/tools.py", "helpers.py", "tests/new/test_there.py", "test_root.py",
]  # fmt: skip
SETTINGS = [
    ("pytest.ini", "[pytest]\nasyncio_mode = auto\n"), ("pytest.ini", "[pytest]\npython_files = check_*.py\n"),
    ("tox.ini", "[pytest]\n"), (".gitignore", "test_new.py\n"), ("requirements.txt", "httpx==0.27.0\n"), ("README.md", "x"),
]  # fmt: skip


HOUR = 3_600_000_000_000


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    shutil.copytree(SHOP, root, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    for name, text in MORE.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.chdir(root)
    monkeypatch.setenv("AWAITEST_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    return root


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were really checked."""
    names: list[str] = []
    check = CheckerSession.check

    def noted(session: CheckerSession, path: Path, text: str) -> object:
        names.append(path.name)
        return check(session, path, text)

    monkeypatch.setattr(CheckerSession, "check", noted)
    return names


Said = Callable[..., tuple[int, object, str]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    def say(*options: str) -> tuple[int, object, str]:
        code = main(["check", "--jobs", "1", "--output-format", "json", *options])
        out, complaints = capsys.readouterr()
        return code, json.loads(out or "null"), complaints

    return say


def change(root: Path, dice: random.Random) -> None:
    """One thing that happens to a project."""
    path = root / dice.choice(PLACES)
    files = sorted(root.rglob("*.py"))
    match dice.randrange(12):
        case 0 | 1:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dice.choice(CONTENTS))
        case 3:
            dice.choice(files).unlink()
        case 4:
            name, text = dice.choice(SETTINGS)
            (root / name).unlink() if (root / name).exists() else (root / name).write_text(text)
        case 5:
            path.parent.mkdir(parents=True, exist_ok=True)
            dice.choice(files).rename(path)
        case _:
            chosen = dice.choice(files)
            lines = chosen.read_text().splitlines(keepends=True)
            lines[dice.randrange(len(lines) + 1) :] = lines[dice.randrange(len(lines) + 1) :]
            chosen.write_text("".join(lines))


@pytest.mark.parametrize("seed", range(int(os.environ.get("AWAITEST_SEEDS", "1"))))
def test_whatever_changes_a_run_with_memory_says_what_one_without_says(
    project: Path, said: Said, seed: int, tmp_path: Path
) -> None:
    dice, elsewhere = random.Random(seed), tmp_path / "elsewhere"
    for _ in range(25):
        remembered = said()
        assert remembered == said(), "and says it again"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWAITEST_CACHE_DIR", str(elsewhere))
            shutil.rmtree(elsewhere / "runs", ignore_errors=True)
            assert remembered == said()
        change(project, dice)


@pytest.mark.parametrize(
    ("changes", "again"),
    [
        ({}, set()),
        ({"tests/test_cart.py": "\n# later\n"}, {"test_cart.py"}),
        ({"tests/test_more.py": "\n"}, {"test_more.py"}),
        ({"shop/tools.py": "\n"}, {"test_deep.py"}),
        ({"README.md": "said otherwise"}, set()),
        ({"shop/unasked.txt~": "left by an editor"}, set()),
        ({"../another.py": "x = 1\n"}, set()),
    ],
)
def test_only_what_a_change_can_have_touched_is_checked_again(
    project: Path, said: Said, checked: list[str], changes: dict[str, str], again: set[str]
) -> None:
    before = said()
    everything = set(checked)
    checked.clear()
    for name, text in changes.items():
        with (project / name).open("a") as file:
            file.write(text)
    assert said() == before
    assert set(checked) - {"conftest.py", "helpers.py"} == again < everything


@pytest.mark.parametrize(
    "name", ["pytest.ini", "tests/unit/__init__.py", ".gitignore", "requirements.txt", "../conftest.py"]
)
def test_what_says_how_tests_run_touches_everything(project: Path, said: Said, checked: list[str], name: str) -> None:
    said()
    everything = list(checked)
    checked.clear()
    (project / name).write_text("[pytest]\n" if name == "pytest.ini" else "")
    said()
    assert set(checked) >= {it for it in everything if it.startswith("test_")}


@pytest.mark.parametrize("name", ["another.py", "another"])
def test_what_comes_beside_a_project_that_is_a_package_may_be_imported(
    project: Path, said: Said, checked: list[str], name: str
) -> None:
    (project / "__init__.py").touch()
    said()
    checked.clear()
    (project.parent / name).touch() if name.endswith(".py") else (project.parent / name).mkdir()
    said()
    assert "test_more.py" in checked


def test_a_new_test_is_checked_alone(project: Path, said: Said, checked: list[str]) -> None:
    said()
    checked.clear()
    (project / "tests" / "test_fresh.py").write_text("def test_fresh():\n    pass\n")
    said()
    assert checked == ["test_fresh.py"]


def test_the_same_time_and_size_do_not_deceive_within_a_tick(project: Path, said: Said) -> None:
    path = project / "tests" / "test_more.py"
    path.write_text(MORE["tests/test_more.py"].replace("    client.get", "    return get"))
    now = time.time_ns() + HOUR
    os.utime(path, ns=(now, now))
    other = said()
    path.write_text(MORE["tests/test_more.py"])
    os.utime(path, ns=(now, now))
    assert said() != other


def test_what_was_only_touched_is_not_checked_again(project: Path, said: Said, checked: list[str]) -> None:
    said()
    checked.clear()
    for path in project.rglob("*.py"):
        path.touch()
    said()
    assert checked == []


@pytest.mark.parametrize("content", [b"", b"\0\xff", b"# awaitest cache 00\n{}", None])
@pytest.mark.usefixtures("project")
def test_a_torn_memory_is_none(said: Said, checked: list[str], tmp_path: Path, content: bytes | None) -> None:
    before = said()
    everything = list(checked)
    checked.clear()
    for file in (tmp_path / "cache" / "runs").rglob("*.txt"):
        file.write_bytes(file.read_bytes()[:-10] if content is None else content)
    assert said() == before
    assert checked == everything


@pytest.mark.usefixtures("project")
def test_files_asked_for_one_by_one_are_not_remembered(said: Said, checked: list[str]) -> None:
    said("tests/test_cart.py")
    checked.clear()
    said("tests/test_cart.py")
    assert checked == ["test_cart.py"]
    assert Memory.of(["tests/test_cart.py"], Request()) is None


def test_what_could_not_be_checked_is_said_each_time(project: Path, said: Said) -> None:
    (project / "tests" / "test_coded.py").write_bytes(b"# \xff\n")
    first = said()
    assert first[0] == 2
    assert "test_coded.py" in first[2]
    assert said() == first


def test_other_options_have_a_memory_of_their_own(project: Path, said: Said) -> None:
    (project / "tests" / "test_bare.py").write_text(CONTENTS[5])
    everything, none = said(), said("--ignore", "ALL")
    assert (everything, none) == (said(), said("--ignore", "ALL"))
    assert everything != none


def test_what_is_remembered_is_repaired(project: Path, said: Said, capsys: pytest.CaptureFixture[str]) -> None:
    path = project / "tests" / "test_bare.py"
    path.write_text(CONTENTS[5])
    assert said() == said()
    main(["check", "--fix", "--jobs", "1"])
    capsys.readouterr()
    assert "await client.get('/')" in path.read_text()
    assert "test_bare.py" not in str(said()[1])
