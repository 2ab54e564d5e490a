"""The harness itself: marks are read exactly, and a case that is wrong fails."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.rules.harness import (
    ROOT,
    apply_fixes,
    check,
    comments,
    compile_error,
    environment_of,
    wrong_fixes,
    wrong_marks,
)
from tests.rules.notation import Case, Mark, NotationError, read_cases, read_code, write_code
from tests.rules.variants import OTHER_TESTS, VARIANTS, WIDE_STATEMENT

from awaitest.engine.diagnostic import Diagnostic, FileEdit, Fix, Severity
from awaitest.source.text import Edit, Span

DROPPED = """\
import pytest
from httpx import AsyncClient

@pytest.mark.asyncio
async def test_read(client: AsyncClient):
    client.get("/items")
#   ^^^^^^^^^^^^^^^^^^^^ missing-await fix: never awaited
"""


def dropped(before: str = "", after: str = "") -> Case:
    """The case above, with one part of its text replaced."""
    case = read_code(DROPPED.replace(before, after) if before else DROPPED, "missing-await")
    fixed = {path: text.replace("    client", "    await client") for path, text in case.files.items()}
    return replace(case, fixed=fixed)


def spans(code: str) -> list[Span]:
    return [mark.span for mark in read_code(code).marks]


@pytest.mark.parametrize(
    ("code", "span"),
    [
        ("abcdef\n#  ^^ a: b", Span.of(0, 3, 0, 5)),
        ("abcdef\n#^ a: b", Span.of(0, 1, 0, 2)),
        ("abcdef\n#<^^ a: b", Span.of(0, 0, 0, 4)),
        ("abcdef\n#  | a: b", Span.of(0, 3, 0, 3)),
        ("abcdef\n#<| a: b", Span.of(0, 0, 0, 0)),
        ("x\n  f(\n# ^^... a: b\n    1,\n  )\n# ^ end", Span.of(1, 2, 3, 3)),
        ("x\nf(\n#<... a: b\n)\n#| end", Span.of(1, 0, 2, 1)),
        ("xyz(\n#<^^... a: b\n)\n#| end", Span.of(0, 0, 1, 1)),
    ],
)
def test_span(code: str, span: Span) -> None:
    assert spans(code) == [span]


def test_spans_within_spans() -> None:
    code = "with a(\n#    ^^... one: m\n    b(\n#   ^^... two: m\n    ),\n#   ^ end\n):\n#| end\n"
    assert spans(code) == [Span.of(0, 5, 3, 1), Span.of(1, 4, 2, 5)]
    assert write_code(read_code(code), read_code(code).marks) == code


def test_mark() -> None:
    code = (
        "#! asyncio_mode: auto\n#- a.py\n\nx = 1\n#<^ some-rule unsafe-fix hint: it's `a: b`\n#- b.py\n#- c.py\ny\n\n"
    )
    case = read_code(code)
    assert case.headers == {"asyncio_mode": "auto"}
    assert case.files == {"a.py": "x = 1\n", "b.py": "", "c.py": "y\n"}
    assert case.marks == (Mark("a.py", Span.of(0, 0, 0, 3), "some-rule", "unsafe-fix", "hint", "it's `a: b`"),)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x\n# ^^ missing-await", "write '#"),
        ("x\n# ^^ missing-await fixed: m", "write '#"),
        ("x\n# ^^ missing-await fix:", "write '#"),
        ("#^ a: b", "no code above"),
        ("f(\n#^... a: b", "left without"),
        ("f(1,\n#^... a: b\n)\n#| end", "reach to the end"),
        ("f()\n#^ end", "nothing to end"),
    ],
)
def test_notation_error(code: str, message: str) -> None:
    with pytest.raises(NotationError, match=message):
        read_code(code)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("### a\n```\nx\n```\n", "needs a section"),
        ("## Wrong\n### a\n```\nx\n```\n", "needs a section"),
        ("## Valid\n### a\n", "one or two code blocks"),
        ("## Valid\n### a\n```\nx\n```\n```\n#! httpx: 1\n```\n", "no carets and no headers"),
    ],
)
def test_case_file_error(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "some_rule.md").write_text(text)
    with pytest.raises(NotationError, match=message):
        read_cases(tmp_path / "some_rule.md")


def test_case_file(tmp_path: Path) -> None:
    text = (
        "# r\n## Invalid\n### a\nprose\n````python\nx\n```\n````\n\n```python\ny\n```\n## Valid\n### b\n```\nz\n```\n"
    )
    (tmp_path / "some_rule.md").write_text(text)
    file = read_cases(tmp_path / "some_rule.md")
    (a,), (b,) = file.invalid, file.valid
    assert (file.rule, a.title, a.place, a.fixed) == ("some-rule", "a", "some_rule.md:3", {"tests/test_case.py": "y\n"})
    assert a.files == {"tests/test_case.py": "x\n```\n"}
    assert (b.title, b.fixed) == ("b", {})


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("", "", ""),
        ("#   ^", "#    ", "6:5–6:25 missing-await fix: `client.get(…)`"),
        ("^ missing", " missing", "6:5–6:25 missing-await fix: `client.get(…)`"),
        ("^ missing", "^^ missing", "6:5–6:26 missing-await fix: never awaited"),
        (" fix:", " unsafe-fix:", "marked, not reported"),
        (" fix:", ":", "marked, not reported"),
        (" fix:", " fix warning:", "marked, not reported"),
        ("never awaited", "not the message", "marked, not reported"),
        ("await fix: never", "async-with fix: never", "reported, not marked"),
        ("    client.get", "    await client.get", "marked, not reported"),
    ],
)
def test_marks_are_exact(before: str, after: str, said: str) -> None:
    case = dropped(before, after)
    wrong = wrong_marks(case, check(case.files, case.headers))
    assert said in wrong
    assert bool(wrong) == bool(said)


def test_a_failure_can_be_pasted() -> None:
    case = dropped("#   ^", "#    ")
    drawn = wrong_marks(case, check(case.files, case.headers)).partition("what is reported:\n\n")[2]
    assert wrong_marks(read_code(drawn, "missing-await"), check(case.files, case.headers)) == ""


def _report(case: Case, *edits: Edit) -> list[Diagnostic]:
    path = ROOT / "tests/test_case.py"
    fix = Fix("Try", tuple(FileEdit(path, edit) for edit in edits), safe=True)
    return [Diagnostic("AWT101", "missing-await", Severity.ERROR, "m", path, case.marks[0].span, fix)]


@pytest.mark.parametrize(
    ("span", "text", "said"),
    [
        (Span.of(5, 4, 5, 4), "await ", ""),
        (Span.of(5, 4, 5, 4), "", "changes nothing"),
        (Span.of(5, 4, 5, 4), "awai ", "does not compile"),
        (Span.of(5, 4, 5, 4), "1; ", "leaves or brings {'missing-await': 1}"),
        (Span.of(5, 4, 5, 14), "await client.post", "the fixes give"),
        (Span.of(5, 4, 5, 4), "await  ", "the fixes give"),
        (Span.of(5, 4, 5, 24), "pass", "the fixes give"),
    ],
)
def test_fixes_are_exact(span: Span, text: str, said: str) -> None:
    case = dropped()
    wrong = wrong_fixes(case, _report(case, Edit(span, text)))
    assert said in wrong
    assert bool(wrong) == bool(said)


def test_lost_comments_are_found() -> None:
    case = read_code(DROPPED.replace('/items")\n#', '/items")  # why\n#'), "missing-await")
    wrong = wrong_fixes(case, _report(case, Edit(Span.of(5, 4, 5, 31), "await client.get('/')")))
    assert "loses the comments ['# why']" in wrong


def test_fixes_that_collide_wait() -> None:
    path = ROOT / "a.py"
    first, second = (Fix("", (FileEdit(path, Edit(Span.of(0, 0, 0, 1), text)),), safe=True) for text in "bc")
    assert apply_fixes({"a.py": "a\n"}, [first, second]) == {"a.py": "b\n"}


def test_environment() -> None:
    environment = environment_of({"without": "pytest-asyncio, trio", "httpx": "0.27.2", "python": "3.10"})
    assert environment.has("pytest-asyncio") is environment.has("trio") is False
    assert [plugin.distribution for plugin in environment.plugins] == ["anyio"]
    assert str(environment.version("httpx")) == "0.27.2"
    assert environment.python == (3, 10)
    assert environment_of({}).has("respx") is False
    assert environment_of({"environment": "unknown"}).has("pytest-asyncio") is None
    assert environment_of({}, sources=False).site_packages == ()


def test_comments_and_compiling() -> None:
    assert comments("x = '# no'  # yes\n# too\n") == ["# yes", "# too"]
    assert compile_error("async def f():\n    await g()\n") == ""
    assert "does not compile" in compile_error("def f():\n    await g()\n")


VARIED = """\
import pytest

@pytest.mark.asyncio
async def test_a(x):
    f()
#   ^^^ missing-await fix: m

def test_b():
#   ^^^^^^ other-rule: m
    pass
"""


@pytest.mark.parametrize(
    ("variant", "text"),
    [
        ("crlf", VARIED.replace("\n", "\r\n")),
        ("after-tests", VARIED.replace("@", f"{OTHER_TESTS}@")),
        ("wide-statement", VARIED.replace("    f()\n#", f"    {WIDE_STATEMENT}f()\n#" + " " * len(WIDE_STATEMENT))),
        ("tabs", VARIED.replace("    f()\n#   ^^^", "\tf()\n#^^^").replace("    pass", "\tpass")),
        (
            "in-class",
            """\
import pytest

class TestNested:
    @pytest.mark.asyncio
    async def test_a(self, x):
        f()
#       ^^^ missing-await fix: m

    def test_b(self):
#       ^^^^^^ other-rule: m
        pass
""",
        ),
    ],
)
def test_variant(variant: str, text: str) -> None:
    changed = VARIANTS[variant](read_code(VARIED))
    assert changed is not None
    expected = read_code(text.replace("\r", ""))
    assert changed.files == {
        path: it.replace("\n", "\r\n" if "\r" in text else "\n") for path, it in expected.files.items()
    }
    assert changed.marks == expected.marks


@pytest.mark.parametrize(
    ("variant", "text"),
    [
        ("after-tests", "x = 1"),
        ("wide-statement", "def f():\n    x()"),
        ("tabs", "x = 1"),
        ("tabs", "def f():\n  x()"),
        ("tabs", 'def f():\n    """a\n    b"""'),
        ("in-class", "def f(): pass"),
        ("in-class", "def test_f(): pass\nx = 1"),
        ("in-class", "def test_f(): pass\ndef test_g(): test_f()"),
        ("in-class", 'def test_f():\n    f"""{a}\n    b"""'),
        ("in-class", "def test_f(:"),
    ],
)
def test_variant_that_is_not_simple(variant: str, text: str) -> None:
    assert VARIANTS[variant](read_code(text)) is None
