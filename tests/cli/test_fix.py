from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Run

from awaitest.cli import writing
from awaitest.cli.report import Report
from awaitest.engine.diagnostic import Diagnostic, FileEdit, Fix, Severity
from awaitest.fixing import ROUNDS, parses, repair
from awaitest.source.text import Edit, Span
from awaitest.sources import Sources


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"ERR\nERR\n", b"OK_\nOK_\n"),
        (b"a\r\nERR\r\nb\r\n", b"a\r\nOK_\r\nb\r\n"),
        (b"a\rERR\n'\x0c' # ERR\r\n", b"a\rOK_\n'\x0c' # OK_\r\n"),
        (b"\xef\xbb\xbfERR", b"\xef\xbb\xbfOK_"),
        (b"# coding: latin-1\n'\xe9'; ERR\n", b"# coding: latin-1\n'\xe9'; OK_\n"),
        ("'\N{GRINNING FACE}' + ERR\n".encode(), "'\N{GRINNING FACE}' + OK_\n".encode()),
        (b"def f(:\n  ERR\n", b"def f(:\n  OK_\n"),
    ],
)
def test_bytes_around_the_fix_stay(run: Run, project: Path, before: bytes, after: bytes) -> None:
    file = project / "test_a.py"
    file.write_bytes(before)
    code, out, err = run("check", "--fix")
    count = before.count(b"ERR")
    assert file.read_bytes() == after
    assert (code, out) == (0, "No problems found. Checked 1 file.\n")
    assert err == f"Fixed {count} problem{'s' if count > 1 else ''} in 1 file.\n"
    assert [it.name for it in project.iterdir()] == ["test_a.py"]


@pytest.mark.parametrize("mode", [0o755, 0o600, 0o644])
def test_permissions_stay(run: Run, project: Path, mode: int) -> None:
    file = project / "test_a.py"
    file.write_text("ERR\n")
    file.chmod(mode)
    run("check", "--fix")
    assert (file.read_text(), file.stat().st_mode & 0o7777) == ("OK_\n", mode)


def test_a_link_stays_a_link(run: Run, project: Path) -> None:
    (project / "kept").mkdir()
    target = project / "kept" / "real.py"
    target.write_text("ERR\n")
    (project / "test_a.py").symlink_to(target)
    run("check", "test_a.py", "--fix")
    assert (project / "test_a.py").is_symlink()
    assert target.read_text() == "OK_\n"


def test_unsafe_fixes_only_when_asked(run: Run, project: Path) -> None:
    file = project / "test_a.py"
    file.write_text("ERR RISKY\n".replace(" ", ";"))
    assert run("check", "--fix")[0] == 1
    assert file.read_text() == "OK_;RISKY\n"
    assert run("check", "--fix", "--unsafe-fixes")[0] == 0
    assert file.read_text() == "OK_;CALM\n"


def test_a_fix_that_breaks_the_code_is_taken_back(run: Run, project: Path) -> None:
    file = project / "test_a.py"
    file.write_text("ERR\nBREAK\nERR\n")
    code, out, err = run("check", "--fix", "--output-format", "concise")
    assert (code, out) == (1, "test_a.py:2:1: AWT103 [*] `BREAK` breaks.\n")
    assert file.read_text() == "OK_\nBREAK\nOK_\n"
    assert "awaitest: test_a.py: the fix “Write (” would break the code and was not applied; please report" in err
    assert err.endswith("Fixed 2 problems in 1 file.\n")


def test_a_read_only_file_is_left_and_the_rest_goes_on(run: Run, project: Path) -> None:
    for name in ("test_a.py", "test_b.py"):
        (project / name).write_text("ERR\n")
    (project / "test_a.py").chmod(0o444)
    code, _, err = run("check", "--fix")
    assert code == 1
    assert err == "awaitest: test_a.py: is read-only; not fixed\nFixed 1 problem in 1 file.\n"
    assert [(project / name).read_text() for name in ("test_a.py", "test_b.py")] == ["ERR\n", "OK_\n"]


def test_text_that_does_not_fit_the_encoding_is_not_written(run: Run, project: Path) -> None:
    file = project / "test_a.py"
    file.write_bytes(b"# coding: latin-1\n'CAFE'\n")
    code, _, err = run("check", "--fix")
    assert code == 2
    assert err.startswith("awaitest: test_a.py: in line 2 of the repaired text, iso-8859-1 cannot hold")
    assert file.read_bytes() == b"# coding: latin-1\n'CAFE'\n"


def test_a_file_that_changed_meanwhile_is_not_overwritten(project: Path) -> None:
    file = project / "test_a.py"
    file.write_text("ERR\n")
    source = Sources().read(file)
    source.replace("OK_\n")
    file.write_text("somebody's work\n")
    with pytest.raises(writing.NotWrittenError, match="changed on disk meanwhile"):
        writing.write(source)
    assert file.read_text() == "somebody's work\n"


def test_a_failed_write_leaves_the_old_file_alone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = project / "test_a.py"
    file.write_text("ERR\n")
    source = Sources().read(file)
    source.replace("OK_\n")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(writing.NotWrittenError, match="No space left on device"):
        writing.write(source)
    assert file.read_text() == "ERR\n"
    assert [it.name for it in project.iterdir()] == ["test_a.py"]


def test_fixes_that_undo_each_other_end(run: Run, project: Path) -> None:
    (project / "test_a.py").write_text("FLIP\n")
    code, _, err = run("check", "--fix")
    assert code == 1
    assert f"fixes still change the text after {ROUNDS} rounds; please report" in err


def test_diff_writes_nothing(run: Run, project: Path) -> None:
    file = project / "test_a.py"
    file.write_text("a\nb\nc\nd\nERR\nRISKY")
    diff = (
        "--- test_a.py\n+++ test_a.py\n@@ -2,5 +2,5 @@\n b\n c\n d\n-ERR\n+OK_\n RISKY\n\\ No newline at end of file\n"
    )
    assert run("check", "--diff") == (1, diff, "")
    assert run("check", "--diff", "--exit-zero")[0] == 0
    assert "+CALM\n" in run("check", "--diff", "--unsafe-fixes")[1]
    assert file.read_text() == "a\nb\nc\nd\nERR\nRISKY"


def test_no_diff(run: Run, project: Path) -> None:
    (project / "test_a.py").write_text("WARN\n")
    assert run("check", "--diff") == (0, "", "")


class Pipe(io.TextIOWrapper):
    """A standard stream whose bytes can be read back."""

    def __init__(self, content: bytes = b"") -> None:
        self.bytes = io.BytesIO(content)
        super().__init__(self.bytes, "utf-8")


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [(b"ERR\r\nWARN\r\n", b"OK_\r\nWARN\r\n", 1), (b"fine\n", b"fine\n", 0), (b"CRASH\n", b"CRASH\n", 2)],
)
def test_stdin_is_handed_back_repaired(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch, before: bytes, after: bytes, code: int
) -> None:
    out = Pipe()
    monkeypatch.setattr(sys, "stdin", Pipe(before))
    monkeypatch.setattr(sys, "stdout", out)
    assert run("check", "-", "--stdin-filename", "test_a.py", "--fix")[0] == code
    assert out.bytes.getvalue() == after
    assert not list(project.iterdir())


def test_stdin_diff(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Pipe(b"ERR\n"))
    code, out, _ = run("check", "-", "--stdin-filename", "test_a.py", "--diff")
    assert (code, out) == (1, "--- test_a.py\n+++ test_a.py\n@@ -1 +1 @@\n-ERR\n+OK_\n")


def _found(path: Path, *edits: tuple[str, Edit], safe: bool = True) -> Diagnostic:
    fix = Fix("repair", tuple(FileEdit(path.with_name(name), edit) for name, edit in edits), safe)
    return Diagnostic("AWT101", "missing-await", Severity.ERROR, "wrong", path, Span.of(0, 0, 0, 1), fix)


def _replaced(start: int, end: int, text: str) -> Edit:
    return Edit(Span.of(0, start, 0, end), text)


@pytest.mark.parametrize(
    ("fixes", "texts", "fixed"),
    [
        # apart
        ([[("a.txt", _replaced(0, 1, "A"))], [("a.txt", _replaced(3, 4, "D"))]], ["AbcD", "wxyz"], 2),
        # overlapping: the first wins
        ([[("a.txt", _replaced(0, 3, "1"))], [("a.txt", _replaced(2, 4, "2"))]], ["1d", "wxyz"], 1),
        # two insertions at one place
        ([[("a.txt", _replaced(1, 1, "1"))], [("a.txt", _replaced(1, 1, "2"))]], ["a1bcd", "wxyz"], 1),
        # the same edit, shared by two fixes
        (
            [
                [("a.txt", _replaced(0, 0, "+")), ("a.txt", _replaced(1, 2, "B"))],
                [("a.txt", _replaced(0, 0, "+")), ("a.txt", _replaced(3, 4, "D"))],
            ],
            ["+aBcD", "wxyz"],
            2,
        ),
        # both files or none
        (
            [
                [("a.txt", _replaced(0, 1, "A")), ("b.txt", _replaced(0, 1, "W"))],
                [("a.txt", _replaced(3, 4, "D")), ("b.txt", _replaced(0, 2, "-"))],
            ],
            ["Abcd", "Wxyz"],
            1,
        ),
        # a fix at odds with itself
        ([[("a.txt", _replaced(0, 2, "1")), ("a.txt", _replaced(1, 3, "2"))]], ["abcd", "wxyz"], 0),
        # a file that is not there
        ([[("a.txt", _replaced(0, 1, "A")), ("gone.txt", _replaced(0, 0, "1"))]], ["abcd", "wxyz"], 0),
    ],
)
def test_fixes_apply_whole_and_do_not_overlap(
    tmp_path: Path, fixes: list[list[tuple[str, Edit]]], texts: list[str], fixed: int
) -> None:
    (tmp_path / "a.txt").write_text("abcd")
    (tmp_path / "b.txt").write_text("wxyz")
    sources = Sources()
    report = Report([_found(tmp_path / "a.txt", *fix) for fix in fixes], [], sources)
    done = repair(report, lambda: Report([], [], sources), unsafe=False, obstacle=lambda _: None)
    assert [sources.read(tmp_path / name).text for name in ("a.txt", "b.txt")] == texts
    assert done.fixed == fixed


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.py", "x = 1\n", True),
        ("a.py", "x = (\n", False),
        ("a.py", "x = '\\d'\n", True),
        ("a.py", "x = '\0'\n", False),
        ("a.py", "(" * 3000 + ")" * 3000, False),
        ("a.toml", "a = 1\n", True),
        ("a.toml", "a = \n", False),
        ("a.ini", "[", True),
    ],
)
def test_parses(name: str, text: str, expected: bool) -> None:
    assert parses(Path(name), text) is expected
