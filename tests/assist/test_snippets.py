"""Every snippet, as VS Code inserts it and as the server fits it, passes in a fresh project of each style and has no findings."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.assist.snippets import APP, complete, end_of, expanded, inserted
from tests.rules.harness import CaseWorkspace, environment_of

from awaitest.assist.snippets.catalog import catalog
from awaitest.check import Checker
from awaitest.project.files import DiskFiles
from awaitest.source.text import Position

ROOT = Path(__file__).parents[2]
STAND_IN = """\
from contextlib import asynccontextmanager

log = []


class Transaction:
    async def rollback(self):
        log.append("rollback")


class Connection:
    async def begin(self):
        return Transaction()


class Engine:
    @asynccontextmanager
    async def connect(self):
        yield Connection()


class AsyncSession:
    def __init__(self, bind, *, expire_on_commit, join_transaction_mode):
        assert isinstance(bind, Connection)
        assert (expire_on_commit, join_transaction_mode) == (False, "create_savepoint")

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        log.append("close")

    async def commit(self):
        log.append("commit")


def create_async_engine(_):
    return Engine()
"""
"""An SQLAlchemy that only writes down what is done, on any backend."""

ENTRIES = json.loads((ROOT / "snippets" / "awaitest.json").read_text(encoding="utf-8"))


TEXTS = {
    "empty": "a",
    "marked": "import pytest\n\npytestmark = pytest.mark.RUNNER\n\n\na",
    "class": "import pytest\n\n\nclass TestHere:\n    def test_here(self) -> None:\n        assert pytest\n\n    a",
    "qualified": "import httpx\nimport pytest\n\nfrom app import main\n\n\n"
    "def test_here() -> None:\n    assert httpx\n    assert pytest\n    assert main.app\n\n\na",
    "plain": '"""Without annotations."""\n\n\ndef test_here():\n    assert True\n\n\na',
    "client": "a",
}
"""Test files with the cursor at the end, by the folder they lie in; the last has a client fixture in sight."""

WIDEST = 93
"""Columns. Only `httpx2.AsyncClient(…)` inside a method goes beyond the usual 88."""

SERVED = {"empty": 9, "marked": 8, "class": 8, "qualified": 9, "plain": 9, "client": 10}
"""How many files each of them gives: no plain test where all are marked, no class in a class; the last has a conftest."""


@dataclass(frozen=True)
class Style:
    """A kind of project: a line of its configuration, what its environment lacks, and how it marks async tests."""

    option: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    mark: str = ""
    runner: str = "asyncio"


STYLES = {
    "strict, httpx": Style(mark="asyncio"),
    "auto, httpx2": Style('asyncio_mode = "auto"', {"asyncio_mode": "auto", "without": "httpx"}),
    "anyio marker, httpx2": Style(headers={"without": "pytest-asyncio, httpx"}, mark="anyio", runner="anyio"),
    "anyio auto, httpx": Style('anyio_mode = "auto"', {"without": "pytest-asyncio"}, runner="anyio"),
}

USES = {
    "aclient": "async def test_use(client) -> None:\n    assert (await client.get('/')).status_code == 200\n",
    "alifespan": "async def test_use(client) -> None:\n    assert (await client.get('/started')).json() is True\n",
    "aauth": "async def test_use(auth_client) -> None:\n    assert (await auth_client.get('/credentials')).json() == 'Bearer token'\n",
    "adb": """\
async def test_use(session) -> None:
    log.clear()
    await session.commit()


def test_rolled_back() -> None:
    assert log == ["commit", "close", "rollback"]
""",
    "aoverride": """\
def test_use(override) -> None:
    assert app.dependency_overrides[get_service]() is None


def test_restored() -> None:
    assert app.dependency_overrides == {}
""",
    "abackend": "def test_use(anyio_backend) -> None:\n    assert anyio_backend == 'asyncio'\n",
}
"""Tests that use the fixtures."""

STATIC = Style(mark="asyncio")
USE_IMPORTS = """\
import pytest
from sqlalchemy.ext.asyncio import log

from app.dependencies import get_service
from app.main import app


"""


def project_of(style: Style) -> dict[str, str]:
    lines = ["[tool.pytest.ini_options]", 'pythonpath = ["."]', 'filterwarnings = ["error"]', style.option]
    scope = 'asyncio_default_fixture_loop_scope = "function"'
    return {**APP, "pyproject.toml": "\n".join([*lines, scope, ""])}


def placed(folder: str, prefix: str, text: str, style: Style) -> Iterator[tuple[str, str]]:
    """The file that holds a snippet; a fixture stands in a conftest.py, with a test beside it that asks for it."""
    if prefix not in USES:
        yield f"tests/{folder}/test_{folder}_{prefix}.py", text
        return
    mark = f"@pytest.mark.{style.mark}\n" if style.mark else ""
    yield f"tests/{folder}/{prefix}/conftest.py", text
    use = USE_IMPORTS + USES[prefix].replace("async def test", f"{mark}async def test")
    yield f"tests/{folder}/{prefix}/test_{folder}_{prefix}.py", use


def static_files() -> Iterator[tuple[str, str]]:
    """As VS Code inserts the snippets into empty files."""
    for number, entry in enumerate(ENTRIES.values()):
        text = expanded("\n".join(entry["body"])).replace("\t", "    ") + "\n"
        yield from placed(f"static{number}", entry["prefix"], text, STATIC)


def served_files(style: Style) -> Iterator[tuple[str, str]]:
    """As the server fits them to each kind of place."""
    project = project_of(style)
    for each in complete(
        project | {"tests/new/conftest.py": ""}, "tests/new/conftest.py", Position(0, 0), style.headers
    ):
        text = inserted("", Position(0, 0), each) + "\n"
        yield from placed("new", each.prefix, text, style)
        if each.prefix == "aclient":
            project["tests/client/conftest.py"] = text
    yield "tests/client/conftest.py", project["tests/client/conftest.py"]
    for folder, text in TEXTS.items():
        path, at = f"tests/{folder}/test_new.py", end_of(text)
        text = text.replace("RUNNER", style.runner)
        for each in complete(project | {path: text}, path, at, style.headers):
            if each.prefix not in USES:
                yield from placed(folder, each.prefix, inserted(text, at, each) + "\n", style)


def written(folder: Path, files: Mapping[str, str]) -> list[Path]:
    paths = [folder / name for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return paths


def findings(paths: Iterable[Path], headers: Mapping[str, str]) -> list[str]:
    """What awaitest says of the files."""
    checker = Checker(CaseWorkspace(DiskFiles(), environment_of(headers)))
    return [f"{path.name}: {found.message}" for path in paths for found in checker.check(path)]


def run(folder: Path, *command: str) -> str:
    """What a command says; empty where it has nothing to complain of."""
    environment = os.environ | {"PYTHONPATH": str(folder.with_name("stand_ins"))}
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return f"{done.stdout}{done.stderr}" if done.returncode else ""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    written(tmp_path / "stand_ins", {"sqlalchemy/ext/asyncio.py": STAND_IN})
    return tmp_path / "project"


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES.keys())
def test_served_snippets_pass_as_a_careful_user_would_write_them(style: Style, folder: Path) -> None:
    served = dict(served_files(style))
    fixtures = 12 if style.runner == "anyio" else 10
    assert Counter(path.split("/")[1] for path in served) == {**SERVED, "new": fixtures}
    written(folder, project_of(style))
    paths = written(folder, served)
    assert run(folder, "pytest", "-q", "-p", "no:cacheprovider", "tests") == ""
    assert findings(paths, style.headers) == []
    ours = [str(path) for path in paths if path.parent.name not in USES or path.name == "conftest.py"]
    assert run(folder, "ruff", "format", "--isolated", "--diff", f"--line-length={WIDEST}", *ours) == ""
    assert run(folder, "ruff", "check", "--isolated", "--quiet", "--extend-select", "I", *ours) == ""


@pytest.mark.parametrize("name", ["strict, httpx", "auto, httpx2"])
def test_static_snippets_pass_where_pytest_asyncio_runs_tests(name: str, folder: Path) -> None:
    written(folder, project_of(STYLES[name]))
    paths = written(folder, dict(static_files()))
    assert run(folder, "pytest", "-q", "-p", "no:cacheprovider", "tests") == ""
    assert findings(paths, {}) == []


@pytest.mark.parametrize("title", ENTRIES)
def test_entries_are_written_alike(title: str) -> None:
    entry = ENTRIES[title]
    assert list(entry) == ["prefix", "description", "include", "body"]
    assert re.fullmatch(r"a[a-z]{2,10}", entry["prefix"])
    is_fixture = any("fixture" in line for line in entry["body"])
    assert entry["include"] == ["test_*.py", "*_test.py", *(["conftest.py"] if is_fixture else [])]
    assert not any(line.lstrip("\t").startswith(" ") for line in entry["body"])
    stops = [int(number) for line in entry["body"] for number in re.findall(r"\$\{(\d+)[:|]", line)]
    assert sorted(stops) == list(range(1, len(stops) + 1))
    assert entry["body"][-1].endswith("$0")


def test_the_server_reads_the_same_entries() -> None:
    read = [(each.title, each.prefix, each.description) for each in catalog()]
    assert read == [(title, entry["prefix"], entry["description"]) for title, entry in ENTRIES.items()]
