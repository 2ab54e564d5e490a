"""The corpus tool: it unpacks nothing outside its folder, and its list of judged findings is sound."""

from __future__ import annotations

import io
import json
import re
import tarfile
from pathlib import Path

import pytest
from benchmarks import corpus
from benchmarks.corpus import Pin, Place, compare, read_lock, roots_of_tests, unpack


def archive(*members: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for member in members:
            member.size = 2 if member.isfile() else 0
            tar.addfile(member, io.BytesIO(b"x\n") if member.isfile() else None)
    return buffer.getvalue()


def link(name: str, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


@pytest.mark.parametrize(
    ("member", "written"),
    [
        (tarfile.TarInfo("p-1.0/tests/test_a.py"), ["tests/test_a.py"]),
        (tarfile.TarInfo("p-1.0/../../evil.py"), []),
        (tarfile.TarInfo("../evil.py"), ["evil.py"]),
        (tarfile.TarInfo("/evil.py"), ["evil.py"]),
        (tarfile.TarInfo("p-1.0"), []),
        (link("p-1.0/tests", "/"), []),
    ],
    ids=lambda value: value.name if isinstance(value, tarfile.TarInfo) else "",
)
def test_unpack_stays_inside(member: tarfile.TarInfo, written: list[str], tmp_path: Path) -> None:
    target = tmp_path / "package"
    assert unpack(archive(member), target) == len(written)
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.py")] == [
        f"package/{it}" for it in written
    ]


def test_unpack_follows_no_link_that_is_there(tmp_path: Path) -> None:
    target, outside = tmp_path / "package", tmp_path / "outside"
    outside.mkdir()
    target.mkdir()
    (target / "tests").symlink_to(outside)
    assert unpack(archive(tarfile.TarInfo("p-1.0/tests/evil.py")), target) == 0
    assert list(outside.iterdir()) == []


def test_lock_pins_everything() -> None:
    pins = read_lock(corpus.LOCK.read_text(encoding="utf-8"))
    assert len(pins) > 20
    assert [pin for pin in pins if not pin.version or not re.fullmatch("[0-9a-f]{64}", pin.sha256)] == []
    assert read_lock("# comment\n\nhttpx 1.0 abc\nmcp\n") == [Pin("httpx", "1.0", "abc"), Pin("mcp")]


def test_roots_are_outermost(tmp_path: Path) -> None:
    for name in ("tests/unit/tests/test_a.py", "src/p/test_b.py", "src/p/code.py", "plugin/test/conftest.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [path.relative_to(tmp_path).as_posix() for path in roots_of_tests(tmp_path)] == [
        "plugin/test",
        "src/p/test_b.py",
        "tests",
    ]


def test_judged_findings_are_sound() -> None:
    records = json.loads(corpus.JUDGED.read_text(encoding="utf-8"))
    packages = {pin.name for pin in read_lock(corpus.LOCK.read_text(encoding="utf-8"))}
    for record in records:
        assert record.keys() == {"package", "file", "line", "code", "verdict", "why"}
        assert record["package"] in packages
        assert record["verdict"] == "true", f"a known false alarm: {record}"
        assert record["why"].strip()
    places = [(it["package"], it["file"], it["line"], it["code"]) for it in records]
    assert places == sorted(set(places))


@pytest.mark.parametrize(
    ("lines", "verdict", "code"),
    [([1], "true", 0), ([1, 2], "true", 1), ([], "true", 1), ([1], "false", 1)],
    ids=["same", "new", "gone", "false"],
)
def test_compare(
    lines: list[int], verdict: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        corpus, "judged", lambda: {Place("p", "t.py", 1, "AWT101"): verdict, Place("q", "t.py", 1, "AWT101"): "true"}
    )
    assert compare([Place("p", "t.py", line, "AWT101", "message") for line in lines], {"p"}) == code
    assert f"{len(lines)} findings, 1 judged" in capsys.readouterr().out


PACKAGE = {
    "pytest.ini": "[pytest]\n",
    "tests/test_a.py": """import pytest


async def load():
    return 1


@pytest.mark.asyncio
async def test_load():
    load()
""",
}


@pytest.mark.parametrize(
    ("line", "code"), [(10, 0), (9, 1), (None, 1)], ids=["judged", "judged elsewhere", "new and unjudged"]
)
def test_check_fails_on_what_nobody_judged(
    line: int | None, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in PACKAGE.items():
        (tmp_path / "p" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "p" / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(corpus, "CORPUS", tmp_path)
    monkeypatch.setattr(
        corpus, "judged", lambda: {Place("p", "tests/test_a.py", line, "AWT101"): "true"} if line else {}
    )
    assert corpus.check() == code
    assert "1 packages, 1 async tests" in capsys.readouterr().out


def test_check_of_nothing_is_no_success(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(corpus, "CORPUS", tmp_path)
    assert corpus.check() != 0


def test_continuous_integration_checks_the_corpus() -> None:
    """`.ci/run` is `make test`, whose last line is `make corpus`: it fetches what the lock pins and compares."""
    makefile = (corpus.ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = re.search(r"^test:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert recipe is not None
    assert recipe[1].splitlines()[-1] == "\t$(MAKE) corpus"
    assert (corpus.ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()[-1] == "make test"
