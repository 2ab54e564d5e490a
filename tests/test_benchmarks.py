"""The zoo tool reads pytest's last line, applies fixes and drops annotations as it says."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchmarks.batch.project import write
from benchmarks.reproduction.__main__ import Pytest, reproduced
from benchmarks.reproduction.claims import CLAIMS
from benchmarks.trace import __main__ as cost
from benchmarks.zoo_cases import Finding, drop_annotations, outcome_of, repaired

from awaitest.check import Checker
from awaitest.project.workspace import Workspace
from awaitest.registry import all_rules


@pytest.mark.parametrize(
    ("last", "code", "expected"),
    [
        ("1 passed in 0.02s", 0, ("passes", False)),
        ("1 passed, 2 warnings in 0.02s", 0, ("passes", True)),
        ("1 skipped in 0.02s", 0, ("skipped", False)),
        ("1 xfailed, 1 warning in 0.02s", 0, ("xfailed", True)),
        ("1 failed, 1 passed in 0.02s", 1, ("fails", False)),
        ("1 error in 0.02s", 1, ("fails", False)),
        ("no tests ran in 0.01s", 5, ("fails", False)),
    ],
)
def test_outcome(last: str, code: int, expected: tuple[str, bool]) -> None:
    assert outcome_of(f"..\n{last}\n", code) == expected


def edit(row: int, column: int, end_column: int, content: str) -> dict[str, Any]:
    return {
        "content": content,
        "location": {"row": row, "column": column},
        "end_location": {"row": row, "column": end_column},
    }


def finding(applicability: str, *edits: dict[str, Any]) -> Finding:
    fix = {"applicability": applicability, "message": "", "edits": list(edits)}
    return Finding("case/t.py", 1, "AWT101", "error", "", fix)


@pytest.mark.parametrize(
    ("findings", "unsafe", "text"),
    [
        ([finding("safe", edit(2, 5, 5, "await "))], False, "é = 1\ny = await f()\n"),
        ([finding("safe", edit(1, 5, 6, "2"), edit(2, 5, 8, "3"))], False, "é = 2\ny = 3\n"),
        ([finding("unsafe", edit(1, 5, 6, "2"))], False, None),
        ([finding("unsafe", edit(1, 5, 6, "2"))], True, "é = 2\ny = f()\n"),
        ([finding("safe", edit(3, 1, 1, "z\n"))], False, "é = 1\ny = f()\nz\n"),
        ([finding("safe", edit(2, 5, 5, "a "))] * 2, False, "é = 1\ny = a f()\n"),
        ([finding("safe", edit(2, 5, 8, "a")), finding("safe", edit(2, 6, 7, "b"))], False, "é = 1\ny = a\n"),
        ([Finding("case/t.py", 1, "AWT101", "error", "")], True, None),
    ],
    ids=["insert", "two edits", "unsafe unwanted", "unsafe", "at the end", "same twice", "clash", "no fix"],
)
def test_repaired(findings: list[Finding], unsafe: bool, text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "case" / "t.py"
    path.parent.mkdir()
    path.write_text("é = 1\ny = f()\n", encoding="utf-8")
    assert repaired(tmp_path, findings, unsafe=unsafe) == (None if text is None else {path: text})


@pytest.mark.parametrize(
    ("source", "bare"),
    [
        ("async def test_a(client: AsyncClient, n: int): ...\n", "async def test_a(client, n: int): ...\n"),
        ("@pytest.fixture\ndef c(é: httpx.AsyncClient): ...\n", "@pytest.fixture\ndef c(é): ...\n"),
        ("def helper(client: AsyncClient): ...\n", "def helper(client: AsyncClient): ...\n"),
    ],
    ids=["test", "fixture", "helper"],
)
def test_drop_annotations(source: str, bare: str) -> None:
    assert drop_annotations(source) == bare


def test_the_project_of_the_batch_has_the_mistakes_that_were_planted(tmp_path: Path) -> None:
    write(tmp_path / "project", tests=4, modules=3, length=5)
    tests = sorted(tmp_path.rglob("test_*.py"))
    checker = Checker(Workspace(python=Path(sys.prefix)))
    found = [(path.stem, it.code) for path in tests for it in checker.check(path)]
    assert len(tests) == 4
    assert found == [(f"test_{number}", "AWT101") for number in range(4)]


def test_every_rule_says_what_pytest_shows() -> None:
    assert {loaded.rule.name for loaded in all_rules()} == CLAIMS.keys()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the runs fork")
def test_a_claim_is_reproduced_or_not(tmp_path: Path) -> None:
    loaded = next(it for it in all_rules() if it.rule.name == "async-generator-test")
    claim = CLAIMS[loaded.rule.name]
    with Pytest(sys.executable) as real:
        assert list(reproduced(loaded, claim, real, tmp_path)) == []
        (wrong,) = reproduced(loaded, replace(claim, bad="1 passed"), real, tmp_path)
        assert wrong.startswith("bad: not '1 passed', but 1 xfailed")
        (wrong,) = reproduced(loaded, replace(claim, repaired="1 xfailed"), real, tmp_path)
        assert wrong.startswith("repaired: not '1 xfailed', but 1 passed")


SUITE = "import asyncio\n\nimport pytest\n\n\n@pytest.mark.parametrize('x', [1, 2])\ndef test_it(x):\n    assert x\n"
LEAVES = "\n\ndef test_left():\n    async def work(): ...\n\n    work()\n"


def test_the_cost_of_a_trace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "test_it.py").write_text(SUITE + LEAVES)
    arguments = [str(tmp_path), "--rounds", "4", "--spread", "9", "--kind", "traced", "--kind", "strict", "-Wignore"]
    monkeypatch.setattr(sys, "argv", ["trace", *arguments])
    assert cost.main() == 1
    first, traced, quickest, strict, _, changed = capsys.readouterr().out.split("\n")[:6]
    assert first.startswith(f"{tmp_path.name}: 3 tests, exit code 0, ")
    assert traced.startswith("  traced   0 outcomes differ; a test × ")
    assert "the quickest of 3 rounds × " in quickest
    assert strict.startswith("  strict   1 outcomes differ; ")
    assert changed.startswith("    test_it.py::test_left (call) #1: passed → failed: ")


def told(whole: float, **seconds: float) -> cost.Told:
    return cost.Told({}, {}, seconds, whole, 0)


def test_ratios_of_costs() -> None:
    plain = [told(10, a=2, b=4), told(10, a=2, b=4), told(20, a=4, b=8)]
    other = [told(15, a=6, b=4), told(30, a=6, b=4), told(30, a=6, b=4)]
    assert cost.costs(plain, other) == {
        "a test": pytest.approx(2.0),
        "all tests": pytest.approx(10 / 6),
        "the rest": pytest.approx(2.5),
        "the run": pytest.approx(1.5),
    }
    assert (cost.best(plain, other), cost.spread(plain), cost.spread(plain[:2])) == (1.5, 1.0, float("inf"))
