"""Rows that repeat themselves are told in few."""

from __future__ import annotations

import pytest

from awaitest.trace.folding import folded
from awaitest.trace.html import page
from awaitest.trace.markdown import document
from awaitest.trace.telling import cells, tracked
from awaitest.trace.traced import Row, Trace, TracedTest


def rows(text: str) -> list[Row]:
    """One row for each letter, which is its line; a capital one failed."""
    return [
        Row(step, "t.py", ord(letter.lower()), letter, variables={"x": str(step)}, failed=letter.isupper())
        for step, letter in enumerate(text, 1)
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("abc", "abc"),
        ("aaaaa", "aaaaa"),
        ("aaaaaa", "aaa2a"),
        ("s" + "ab" * 900 + "e", "sababab896abe"),
        ("ab" * 900 + "a", "ababab896aba"),
        ("ab" * 4 + "c" * 7, "ababababccc3c"),
        ("a" * 9 + "A", "aaa5aA"),
        ("b" * 3 + "A" * 9, "bbbAAAAAAAAA"),
        ("abab" + "abac" * 9, "abababacabacabac5abac"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    told = [row.action if row.step else row.action.split(" ")[1] for row in folded(rows(text))]
    assert "".join(told) == shown


def test_all_views_show_the_same_rows() -> None:
    test = TracedTest("t.py::test", "t.py", 1, "test", "passed", rows=rows("s" + "ab" * 9))
    shown = folded(test.rows)
    assert [row[0] for row in cells(test, shown)] == [*"1234567", "…", "18", "19"]
    assert [row[:2] for row in tracked(shown)] == [
        *([it, it] for it in "1234567"),
        ["…", ""],
        ["18", "18"],
        ["19", "19"],
    ]
    assert cells(test, shown)[7][2] == "… 5 more times …"
    assert sum("5 more times" in line for line in document(test)) == 1
    assert page(Trace([test], 0, "")).count("5 more times") == 1
