"""Every case of every rule, in all its variants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.rules.harness import CASES, check_case, mark_of, wrong_fixes, wrong_marks
from tests.rules.notation import NO_FIX, Case, CaseFile, NotationError, read_cases
from tests.rules.variants import VARIANTS

from awaitest.registry import all_rules

FILES = sorted(CASES.glob("*.md"))


def readable() -> Iterator[CaseFile]:
    """The files that can be understood; `test_file` fails for the others."""
    for path in FILES:
        try:
            yield read_cases(path)
        except NotationError:
            continue


ALL = [(file, case) for file in readable() for case in (*file.invalid, *file.valid)]
EVERY_CASE = [pytest.param(case, id=f"{file.rule}: {case.title}") for file, case in ALL]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem.replace("_", "-"))
def test_file(path: Path) -> None:
    file = read_cases(path)
    assert file.rule in {loaded.rule.name for loaded in all_rules()}, "no such rule"
    assert len(file.invalid) >= 3, "a rule needs 3 invalid cases"
    assert len(file.valid) >= 5, "a rule needs 5 valid cases"
    cases = [*file.invalid, *file.valid]
    assert _repeated(case.title for case in cases) == []
    assert _repeated(str((sorted(case.files.items()), sorted(case.headers.items()))) for case in cases) == []
    skipped = {name for case in cases for name in skipped_by(case)}
    assert skipped <= set(VARIANTS), "no such variant"
    for case in file.invalid:
        assert case.own, f"{case.place}: {case.title}: nothing is marked"
        assert not case.title.startswith("missed:"), f"{case.place}: a gap is a valid case"
        has_fix = any(mark.fix != NO_FIX for mark in case.own)
        assert bool(case.fixed) == has_fix, (
            f"{case.place}: {case.title}: code after the fix where a fix is marked, only there"
        )
        assert set(case.fixed) <= set(case.files), f"{case.place}: {case.title}: a fix makes no files"
        same = [path for path, text in case.fixed.items() if case.files[path] == text]
        assert same == [], f"{case.place}: {case.title}: not changed by the fix"
    for case in file.valid:
        assert case.own == [], f"{case.place}: {case.title}: reported, so not valid"
        assert not case.fixed, f"{case.place}: {case.title}: nothing to fix"


def skipped_by(case: Case) -> list[str]:
    """The variants a case does without."""
    return case.headers.get("skip", "").replace(",", " ").split()


def _repeated(items: Iterator[str]) -> list[str]:
    return [item for item, count in Counter(items).items() if count > 1]


@pytest.mark.parametrize("case", EVERY_CASE)
def test_case(case: Case) -> None:
    found = check_case(case)
    wrong = [text for text in (wrong_marks(case, found), wrong_fixes(case, found)) if text]
    if wrong:
        pytest.fail("\n\n".join(wrong), pytrace=False)


@pytest.mark.parametrize("case", EVERY_CASE)
def test_variants(case: Case) -> None:
    for name in VARIANTS.keys() - skipped_by(case):
        changed = VARIANTS[name](case)
        if changed is None:
            continue
        found = check_case(changed)
        wrong = wrong_marks(changed, found)
        if not wrong and name != "wide-statement":
            wrong = wrong_fixes(changed, found, one_by_one=False)
        if wrong:
            pytest.fail(f"{name}: {wrong}", pytrace=False)


@pytest.mark.parametrize("case", EVERY_CASE)
def test_without_sources(case: Case) -> None:
    """Where no library can be read, less may be reported, never more."""
    expected = {(mark.path, mark.span, mark.rule) for mark in case.marks}
    found = [mark_of(diagnostic) for diagnostic in check_case(case, sources=False)]
    assert [mark for mark in found if (mark.path, mark.span, mark.rule) not in expected] == []
