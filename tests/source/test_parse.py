"""What stays readable in broken code, and what is said about the rest."""

from __future__ import annotations

import ast
import sys

import pytest

from awaitest.source.document import Document

BROKEN = {
    "half-typed call": ("def f(a):\n    r = g(\n    assert r\n", "def f(a):\n    pass\n    assert r", 1),
    "signature without end": ("def f(a\n    x = 1\n", "def f(a):\n    x = 1", 0),
    "signature with a comma": ("async def f(a, \n\nx\n", "async def f(a):\n    pass\nx", 0),
    "unreadable signature": ("def f(1 +):\n    x\n", "def f(*_, **__):\n    x", 0),
    "missing colon": ("def f()\n    if a\n        x\n", "def f():\n    if a:\n        x", 0),
    "bodyless for": ("def f():\n    for x in y:\n    z\n", "def f():\n    for x in y:\n        pass\n    z", 2),
    "half-typed for": ("def f():\n    for x in\n        y\n", "def f():\n    if 1:\n        y", 1),
    "half-typed with": ("def f():\n    with a as\n    z\n", "def f():\n    pass\n    z", 1),
    "try alone": ("def f():\n    try:\n        a\n    b\n", "def f():\n    if 1:\n        a\n    b", 3),
    "broken statement in try": (
        "def f():\n    try:\n        a = (\n    except X:\n        b\n",
        "def f():\n    try:\n        pass\n    except X:\n        b",
        2,
    ),
    "orphan else": ("def f():\n    x\n    else:\n        y\n", "def f():\n    x\n    if 1:\n        y", 2),
    "broken decorator": ("@a(\ndef f():\n    x\n", "@...\ndef f():\n    x", 0),
    "half-typed attribute": ("def f():\n    x.\n    y\n", "def f():\n    pass\n    y", 1),
    "broken class header": (
        "class A(1 +):\n    def m(self):\n        x\n",
        "class A(...):\n    def m(self):\n        x",
        0,
    ),
    "broken class statement": ("class A:\n    x = =\n    y = 1\n    def m(self): x\n", None, 1),
    "unexpected indent": ("def f():\n    a\n        b\n    c\n", "def f():\n    if 1:\n        b\n    c", 2),
    "unclosed triple quote": ("def f():\n    a\n    b = '''\n    c\n", "def f():\n    a\n    pass", 2),
    "NUL": ("def f():\n    a\0\n    b\n", "def f():\n    pass\n    b", 1),
    "surrogate": ("def f():\n    a = '\ud800'\n    b\n", "def f():\n    pass\n    b", 1),
    "deep nesting": ("x = " + "-" * 100_000 + "1\n", "pass", 0),
    "too many brackets": ("x = " + "(" * 5000 + ")" * 5000 + "\n", "pass", 0),
    "broken match": ("match x:\n    case 1:\n        a =\n    case 2:\n        b\n", None, 2),
}


@pytest.mark.parametrize(("text", "expected", "line"), BROKEN.values(), ids=BROKEN.keys())
def test_recovery(text: str, expected: str | None, line: int) -> None:
    document = Document(text)
    found = "\n".join(ast.unparse(statement) for statement in document.module())
    if expected is not None:
        assert [row for row in found.splitlines() if row] == expected.splitlines()
    assert [problem.line for problem in document.problems] == [line]


def test_broken_class_and_match_keep_the_rest() -> None:
    (class_,) = Document(BROKEN["broken class statement"][0]).module()
    assert isinstance(class_, ast.ClassDef)
    assert [type(child).__name__ for child in class_.body] == ["Pass", "Assign", "FunctionDef"]
    (match,) = Document(BROKEN["broken match"][0]).module()
    assert isinstance(match, ast.Match)
    assert [ast.unparse(case.body) for case in match.cases] == ["pass", "b"]  # type: ignore[arg-type]


NEWER = [
    ("try:\n    a\nexcept* A:\n    b\n", (3, 11)),
    ("type X = int\n", (3, 12)),
    ("def f[T](a: T): pass\n", (3, 12)),
    ("class A:\n    async def f[T](a: T): pass\n", (3, 12)),
    ("class A[T]: pass\n", (3, 12)),
    ('x = f"{a["b"]}"\n', (3, 12)),
    ("x = f'{a + \"\\n\"}'\n", (3, 12)),
    ("class A[T = int]: pass\n", (3, 13)),
    ("try:\n    a\nexcept A, B:\n    b\n", (3, 14)),
    ("x = t'{a}'\n", (3, 14)),
    ("lazy import a\n", (3, 15)),
]


@pytest.mark.parametrize(("text", "version"), NEWER)
def test_newer_syntax_names_the_version(text: str, version: tuple[int, int]) -> None:
    problems = Document(text).problems
    if sys.version_info >= version:
        assert problems == []
        return
    (problem,) = problems
    assert problem.needs == version
    assert problem.message == f"this syntax needs Python {version[0]}.{version[1]} or newer"


@pytest.mark.parametrize("text", ["x = (\n", "def f(:\n", "x = f'{a'\n", "type = = 1\n"])
def test_plain_mistakes_name_no_version(text: str) -> None:
    assert [problem.needs for problem in Document(text).problems] == [None]


def test_messages_speak_of_no_line_of_a_segment() -> None:
    document = Document("x\n\nclass A:\n    def f(self):\n        y = (1]\n")
    (problem,) = document.problems
    assert (problem.line, problem.message) == (
        4,
        "closing parenthesis ']' does not match opening parenthesis '('",
    )


def test_warnings_of_the_parser_stay_inside() -> None:
    assert Document("x = '\\d'\ny = 1if 2 else 3\n").problems == []
