"""The detection benchmark plants known mistakes, and asks every tool the same question of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.detection import peers
from benchmarks.detection.measure import measure, sample
from benchmarks.detection.same import equal, same
from benchmarks.detection.suite import Suite

TEST = """\
import pytest
from httpx import ASGITransport, AsyncClient

from app import app


@pytest.mark.asyncio
async def test_users():
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        response = await client.get("/users")
        assert response.status_code == 200
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\nasyncio_mode = "strict"\n', encoding="utf-8")
    (tmp_path / "app.py").write_text("from fastapi import FastAPI\n\napp = FastAPI()\n", encoding="utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_users.py").write_text(TEST, encoding="utf-8")
    return tmp_path


def test_what_is_planted_is_found_and_repaired(root: Path) -> None:
    outcomes = list(measure(root, sample(Suite(root), 5, 1)))
    kinds = {it.mutant.kind for it in outcomes}
    assert {"await dropped: client", "marker dropped: test", "async dropped: with", "base_url dropped"} <= kinds
    assert [it.mutant.kind for it in outcomes if not (it.found and it.right_rule and it.parses)] == []


def test_what_lies_above_a_suite_is_none_of_its(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n", encoding="utf-8")
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "app.py").write_text("from fastapi import FastAPI\n\napp = FastAPI()\n", encoding="utf-8")
    (tmp_path / "suite" / "test_users.py").write_text(TEST, encoding="utf-8")
    outcomes = list(measure(tmp_path / "suite", sample(Suite(tmp_path / "suite"), 5, 1)))
    assert [it.right_rule for it in outcomes if it.mutant.kind == "marker dropped: test"] == [True]


@pytest.mark.parametrize(
    ("line", "file", "text"),
    [
        ("tests/test_a.py:10:9: ASYNC100 no checkpoint", "tests/test_a.py", "ASYNC100 no checkpoint"),
        ("  /tmp/x y/test_a.py:3:5 - error: bad (reportCall)", "/tmp/x y/test_a.py", "error: bad (reportCall)"),
        (
            "test_a.py:7: error: Missing await  [unused-coroutine]",
            "test_a.py",
            "error: Missing await  [unused-coroutine]",
        ),
    ],
)
def test_a_finding_of_another_tool_is_read(line: str, file: str, text: str) -> None:
    found = peers.parsed(line)
    assert found == (file, text)


def test_only_what_is_new_counts(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that complains of each file of tests once, and twice where no `await` is left."""
    script = root / "tool.py"
    script.write_text(
        "import sys\n"
        "for name in sys.argv[1:]:\n"
        "    print(f'{name}:1:1: X1 always')\n"
        "    if 'await' not in open(name, encoding='utf-8').read():\n"
        "        print(f'{name}:2:1: X2 no await')\n",
        encoding="utf-8",
    )
    chosen = sample(Suite(root), 5, 1)
    monkeypatch.setattr(peers, "COMMANDS", {"python3": [str(script)]})
    (found,) = peers.found_by(root, chosen).values()
    said = {mutant.kind for mutant, new in found.items() if new}
    assert said == {"await dropped: client"}
    assert len(found) == sum(map(len, chosen.values()))


@pytest.mark.parametrize(
    ("kind", "original", "other"),
    [
        (
            "marker dropped: module",
            "pytestmark = pytest.mark.asyncio\n\n\nasync def test_a(): ...\n",
            "@pytest.mark.asyncio\nasync def test_a(): ...\n",
        ),
        (
            "ASGITransport turned into app=",
            "from httpx import ASGITransport\n\nAsyncClient(transport=ASGITransport(app))\n",
            "AsyncClient(transport=httpx.ASGITransport(app=app))\n",
        ),
        ("base_url dropped", 'AsyncClient(base_url="http://a")\n', 'AsyncClient(base_url="http://test")\n'),
    ],
)
def test_what_a_mistake_leaves_open_may_be_spelt_otherwise(kind: str, original: str, other: str) -> None:
    assert not same(other, original)
    assert equal(other, original, kind)
    assert not equal(other, original, "async dropped: with")


@pytest.mark.parametrize(
    ("inside", "is_equal"),
    [
        ("assert response.status_code == 200", True),
        ("await response.aread()", False),
        ("assert client.is_closed", False),
    ],
)
def test_a_block_may_end_before_what_neither_uses_its_client_nor_awaits(inside: str, is_equal: bool) -> None:
    head = "async def test_a():\n    async with AsyncClient() as client:\n        response = await client.get('/')\n"
    original, other = f"{head}        {inside}\n", f"{head}    {inside}\n"
    assert equal(other, original, "async with turned into an assignment: test") is is_equal


def test_a_marker_with_other_arguments_is_another_one() -> None:
    original = 'pytestmark = pytest.mark.asyncio(loop_scope="session")\n\n\nasync def test_a(): ...\n'
    assert not equal("@pytest.mark.asyncio\nasync def test_a(): ...\n", original, "marker dropped: module")
