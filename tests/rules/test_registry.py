"""Every rule is complete, well named and tells the truth about itself: its page is executed, its fixes are those of its cases."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from tests.rules.harness import CASES, apply_fixes, check
from tests.rules.notation import FIX, UNSAFE_FIX, CaseFile, read_cases, read_code

from awaitest.cli import session
from awaitest.engine.rule import LoadedRule
from awaitest.registry import SYNTAX_CODE, SYNTAX_NAME, all_rules

HEADINGS = ["What it does", "Why is this bad?", "Bad", "Good", "When to ignore", "Fix"]
FIXES = {
    "Safe.": {FIX},
    "Unsafe.": {UNSAFE_FIX},
    "Sometimes safe.": {FIX, UNSAFE_FIX},
    "None.": set(),
}
"""How the section on the fix begins → the fixes that the rule's cases show."""

LONGEST_SENTENCE = 120
RULES = pytest.mark.parametrize("loaded", all_rules(), ids=lambda loaded: loaded.rule.name)


def section(loaded: LoadedRule, heading: str) -> str:
    return loaded.page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0].strip()


def block(loaded: LoadedRule, heading: str) -> str:
    blocks = re.findall(r"^```(python|toml)\n(.*?)^```$", section(loaded, heading), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1, f"one block of code under {heading}"
    language, code = blocks[0]
    return code if language == "python" else f"#- pyproject.toml\n{code}"


def cases_of(loaded: LoadedRule) -> Path:
    return CASES / f"{loaded.rule.name.replace('-', '_')}.md"


@cache
def cases(loaded: LoadedRule) -> CaseFile:
    return read_cases(cases_of(loaded))


def test_codes_and_names_are_unique() -> None:
    codes = Counter([SYNTAX_CODE, *(loaded.rule.code for loaded in all_rules())])
    names = Counter([SYNTAX_NAME, *(loaded.rule.name for loaded in all_rules())])
    assert max(codes.values()) == 1
    assert max(names.values()) == 1


@RULES
def test_code_and_name(loaded: LoadedRule) -> None:
    assert re.fullmatch(r"AWT[1-4]\d{2}", loaded.rule.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", loaded.rule.name)
    assert loaded.check.__module__ == f"awaitest.rules.{loaded.rule.name.replace('-', '_')}"


@RULES
def test_page(loaded: LoadedRule) -> None:
    assert re.findall(r"^## (.*)$", loaded.page, re.MULTILINE) == HEADINGS
    assert all(section(loaded, heading) for heading in HEADINGS)
    summary = next(rule.summary for rule in session.all_rules() if rule.code == loaded.rule.code)
    assert re.fullmatch(r"Reports .*[^.]\.", summary), "one sentence"
    assert not re.search(r"[.!?] [A-Z]", summary), "one sentence"


@pytest.mark.parametrize("sources", [True, False], ids=["installed", "built-in"])
@RULES
def test_bad_example(loaded: LoadedRule, sources: bool) -> None:
    """What the page shows is found by reading the libraries, and where none can be read by what is built in."""
    code = read_code(block(loaded, "Bad"))
    found = check(code.files, code.headers, sources)
    assert [diagnostic.name for diagnostic in found] == [loaded.rule.name]
    fix = found[0].fix
    if fix is not None:
        assert check(apply_fixes(code.files, [fix]), code.headers, sources) == ()


@RULES
def test_good_example(loaded: LoadedRule) -> None:
    code = read_code(block(loaded, "Good"))
    assert check(code.files, code.headers) == ()


@RULES
def test_cases_exist(loaded: LoadedRule) -> None:
    assert cases_of(loaded).is_file()


@RULES
def test_page_tells_what_the_fix_is(loaded: LoadedRule) -> None:
    begin = re.match(r"(Sometimes safe|[A-Z]\w*)\.", section(loaded, "Fix"))
    assert begin is not None
    assert begin[0] in FIXES
    shown = {mark.fix for case in cases(loaded).invalid for mark in case.own if mark.fix}
    assert shown == FIXES[begin[0]]


@RULES
def test_messages(loaded: LoadedRule) -> None:
    found = {
        diagnostic.message
        for case in cases(loaded).invalid
        for diagnostic in check(case.files, case.headers)
        if diagnostic.name == loaded.rule.name
    }
    assert found
    for message in found:
        assert message.endswith("."), message
        assert "please" not in message.lower()
        assert len(first_sentence(message)) <= LONGEST_SENTENCE, message


def first_sentence(message: str) -> str:
    """Up to the first full stop before a blank; dots in code do not count."""
    hidden = re.sub(r"`[^`]*`", lambda found: "x" * len(found[0]), message)
    return message[: hidden.find(". ") + 1] or message


@pytest.mark.parametrize(
    ("message", "first"),
    [("A b.", "A b."), ("A `b. c` d. E.", "A `b. c` d."), ("See a.b here. Then.", "See a.b here.")],
)
def test_first_sentence(message: str, first: str) -> None:
    assert first_sentence(message) == first
