"""Refactorings: what is offered where, what it makes of the text, and that the result runs."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.assist.casebook import APP, DATA, TEST_FILE, Case, at, cases, runs
from tests.rules.harness import comments, compile_error

from awaitest.assist.refactor import Refactoring, refactorings
from awaitest.check import Checker
from awaitest.project.files import DiskFiles
from awaitest.project.workspace import Workspace
from awaitest.source.document import Document
from awaitest.source.text import apply

NAMES = sorted(path.name for path in (DATA / "refactor").glob("*.md"))
CASES = {f"{name}: {case.title}": case for name in NAMES for case in cases(f"refactor/{name}")}
OFFERED = {title: case for title, case in CASES.items() if case.offered}


def offered(case: Case) -> list[Refactoring]:
    return refactorings(runs(case.files, case.headers), at(case.cursor))


def applied(case: Case, found: Refactoring) -> str:
    return apply(Document(case.files[TEST_FILE]).lines, [it.edit for it in found.fix.edits])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case(case: Case) -> None:
    found = offered(case)
    assert [(it.kind, "safe" if it.fix.safe else "unsafe", it.fix.title) for it in found] == list(case.offered)
    if not found:
        return
    text = applied(case, found[0])
    assert text == case.after
    assert compile_error(text) == ""
    assert Counter(comments(case.files[TEST_FILE])) <= Counter(comments(text))


@pytest.mark.parametrize("case", OFFERED.values(), ids=OFFERED)
def test_line_endings_are_kept(case: Case) -> None:
    windows = case.crlf()
    assert applied(windows, offered(windows)[0]) == windows.after


@pytest.mark.parametrize("name", NAMES)
def test_offers_and_silence_are_both_shown(name: str) -> None:
    assert {bool(case.offered) for case in cases(f"refactor/{name}")} == {True, False}


STYLES: dict[str, dict[str, str]] = {"strict": {}, "auto": {"asyncio_mode": "auto"}}


@pytest.mark.parametrize("style", STYLES)
def test_what_was_green_stays_green(style: str, tmp_path: Path) -> None:
    alone = [case for case in OFFERED.values() if len(case.files) == 1]
    chosen = [case for case in alone if case.headers == STYLES[style]]
    assert len(chosen) > 3
    options = "".join(f"{key} = {value}\n" for key, value in STYLES[style].items())
    files = {"app.py": APP, "pytest.ini": f"[pytest]\n{options}"}
    for number, case in enumerate(chosen):
        files[f"test_before_{number}.py"] = case.files[TEST_FILE]
        files[f"test_after_{number}.py"] = applied(case, offered(case)[0])
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error::RuntimeWarning"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    check = Checker(Workspace(DiskFiles(), python=Path(sys.prefix)))
    after = sorted(tmp_path.glob("test_after_*.py"))
    assert [diagnostic for path in after for diagnostic in check.check(path)] == []
