from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import jsonschema
import pytest
from tests.cli.conftest import Run

from awaitest.cli.formats import FORMATS, full, github, junit, renderer, sarif
from awaitest.cli.report import Failure, Report, first_sentence
from awaitest.cli.terminal import Style
from awaitest.engine.diagnostic import Diagnostic, FileEdit, Fix, Severity
from awaitest.source.text import Edit, Span
from awaitest.sources import Sources

SCHEMA = json.loads((Path(__file__).parent / "data" / "sarif-schema-2.1.0.json").read_text("utf-8"))
PLAIN = Style()


def found(
    path: Path, span: Span, message: str = "Wrong.", severity: str = "error", fix: Fix | None = None
) -> Diagnostic:
    return Diagnostic("AWT101", "missing-await", Severity(severity), message, path, span, fix)


def report_of(project: Path, text: str, span: Span, message: str = "Wrong.", fix: Fix | None = None) -> Report:
    path = project / "test_a.py"
    path.write_bytes(text.encode())
    return Report([found(path, span, message, fix=fix)], [path], Sources())


def two_file_fix(project: Path) -> Report:
    (project / "conftest.py").write_text("import os\n")
    edits = (
        FileEdit(project / "test_a.py", Edit(Span.of(0, 4, 0, 4), "await ")),
        FileEdit(project / "conftest.py", Edit(Span.of(1, 0, 1, 0), "import pytest\n")),
    )
    return report_of(project, "x = get()\n", Span.of(0, 4, 0, 9), "Never awaited.", Fix("Await it", edits, False))


def excerpt(report: Report) -> list[str]:
    """The lines of the excerpt of the only diagnostic."""
    lines = full.render(report, PLAIN).splitlines()
    return lines[2 : lines.index("")]


@pytest.mark.parametrize(
    ("line", "start", "end", "lines"),
    [
        ("x = get()", 4, 9, ["1 | x = get()", "  |     ^^^^^"]),
        ("\tx = get()", 5, 10, ["1 |     x = get()", "  |         ^^^^^"]),
        ("'日本' + get()", 7, 12, ["1 | '日本' + get()", "  |          ^^^^^"]),
        ("'日本' + get()", 1, 3, ["1 | '日本' + get()", "  |  ^^^^"]),
        ("'\N{GRINNING FACE}' + get()", 6, 11, ["1 | '\N{GRINNING FACE}' + get()", "  |        ^^^^^"]),
        ("'e\u0301' + get()", 7, 12, ["1 | 'e\u0301' + get()", "  |       ^^^^^"]),
        ("x = get()", 9, 9, ["1 | x = get()", "  |          ^"]),
        ("'\x1b[31m' + get()", 10, 15, ["1 | '\ufffd[31m' + get()", "  |           ^^^^^"]),
        ("'\u202e' + get()", 6, 11, ["1 | '\ufffd' + get()", "  |       ^^^^^"]),
    ],
)
def test_the_mark_stands_below_the_span(project: Path, line: str, start: int, end: int, lines: list[str]) -> None:
    assert excerpt(report_of(project, line + "\n", Span.of(0, start, 0, end))) == ["  |", *lines]


def test_a_long_line_is_shown_around_the_span(project: Path) -> None:
    text = "a" * 500 + "get()" + "b" * 500
    _, line, marks = excerpt(report_of(project, text, Span.of(0, 500, 0, 505)))
    assert line == f"1 | …{'a' * 40}get(){'b' * 40}…"
    assert marks == f"  | {' ' * 41}^^^^^"


def test_a_span_of_several_lines(project: Path) -> None:
    text = "x = get(\n    1,\n)\n"
    assert excerpt(report_of(project, text, Span.of(0, 4, 2, 1))) == [
        "  |",
        "1 | x = get(",
        "  |     ^^^^",
        "2 |     1,",
        "  |     ^^",
        "3 | )",
        "  | ^",
    ]


def test_a_span_of_many_lines_is_shortened(project: Path) -> None:
    text = "x = [\n" + "    1,\n" * 8 + "]\n"
    assert excerpt(report_of(project, text, Span.of(0, 4, 9, 1))) == [
        "   |",
        " 1 | x = [",
        "   |     ^",
        " 2 |     1,",
        "   |     ^^",
        "   : (7 more lines)",
        "10 | ]",
        "   | ^",
    ]


@pytest.mark.parametrize("span", [Span.of(7, 0, 7, 3), Span.of(0, 90, 0, 95), Span.of(0, 0, 9, 9)])
def test_a_span_beyond_the_text_does_no_harm(project: Path, span: Span) -> None:
    assert "AWT101" in full.render(report_of(project, "x\n", span), PLAIN)


def test_an_unsafe_fix_in_two_files(project: Path) -> None:
    assert full.render(two_file_fix(project), PLAIN) == (
        "test_a.py:1:5 AWT101 missing-await [error]\n"
        "  Never awaited.\n"
        "  |\n"
        "1 | x = get()\n"
        "  |     ^^^^^\n"
        "  fix (unsafe): Await it\n"
        "    @@ -1,1 +1,1 @@\n"
        "    -x = get()\n"
        "    +x = await get()\n"
        "  in conftest.py:\n"
        "    @@ -1,1 +1,2 @@\n"
        "     import os\n"
        "    +import pytest\n"
        "\n"
        "Found 1 problem (1 error) in 1 file; 1 can be repaired with --fix --unsafe-fixes. Checked 1 file.\n"
    )


def test_edits_far_apart_are_shown_apart(project: Path) -> None:
    path = project / "test_a.py"
    edits = tuple(
        FileEdit(path, Edit(Span.of(line, 0, line, 0), text)) for line, text in ((0, "import x\n"), (8, "await "))
    )
    report = report_of(project, "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n", Span.of(8, 0, 8, 1), fix=Fix("Await", edits, True))
    lines = full.render(report, PLAIN).splitlines()
    start = lines.index("  fix (safe): Await")
    assert [line[4:] for line in lines[start + 1 : lines.index("")]] == [
        "@@ -1,2 +1,3 @@",
        "+import x",
        " a",
        " b",
        "@@ -8,3 +9,3 @@",
        " h",
        "-i",
        "+await i",
        " j",
    ]


def test_colours(project: Path) -> None:
    report = two_file_fix(project)
    coloured = full.render(report, Style(colour=True))
    assert "\x1b[31mAWT101\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == full.render(report, PLAIN)


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ("One. Two. Three.", ("One.", "Two. Three.")),
        ("`a. b` is wrong. So.", ("`a. b` is wrong.", "So.")),
        ("No end", ("No end", "")),
        ("A line\nanother", ("A line", "another")),
        ("Use it, e.g. here. Then.", ("Use it, e.g. here.", "Then.")),
        ("Why? So.", ("Why?", "So.")),
    ],
)
def test_first_sentence(message: str, parts: tuple[str, str]) -> None:
    assert first_sentence(message) == parts


def test_json(project: Path) -> None:
    assert json.loads(renderer("json")(two_file_fix(project), PLAIN)) == [
        {
            "code": "AWT101",
            "name": "missing-await",
            "severity": "error",
            "message": "Never awaited.",
            "filename": str(project / "test_a.py"),
            "location": {"row": 1, "column": 5},
            "end_location": {"row": 1, "column": 10},
            "url": "docs/rules/missing-await.md",
            "fix": {
                "applicability": "unsafe",
                "message": "Await it",
                "edits": [
                    {
                        "content": "await ",
                        "location": {"row": 1, "column": 5},
                        "end_location": {"row": 1, "column": 5},
                    },
                    {
                        "content": "import pytest\n",
                        "location": {"row": 2, "column": 1},
                        "end_location": {"row": 2, "column": 1},
                        "filename": str(project / "conftest.py"),
                    },
                ],
            },
        }
    ]


def test_json_statistics(run: Run, project: Path) -> None:
    (project / "test_a.py").write_text("WARN\nERR\nWARN\n")
    _, out, _ = run("check", "--statistics", "--output-format", "json")
    assert json.loads(out) == [
        {"code": "AWT301", "name": "unclosed-client", "count": 2, "fixable": False},
        {"code": "AWT101", "name": "missing-await", "count": 1, "fixable": True},
    ]


@pytest.mark.parametrize(
    ("name", "span", "message", "command"),
    [
        (
            "test_a.py",
            Span.of(2, 4, 2, 9),
            "50% wrong.\r\nAwait: it, now.",
            (
                "::error title=AWT101 missing-await,file=test_a.py,line=3,endLine=3,col=5,endColumn=10::"
                "50%25 wrong.%0D%0AAwait: it, now.\n"
            ),
        ),
        (
            "a,b:c%.py",
            Span.of(0, 0, 1, 1),
            "Wrong.",
            "::error title=AWT101 missing-await,file=a%2Cb%3Ac%25.py,line=1,endLine=2::Wrong.\n",
        ),
    ],
)
def test_github(project: Path, name: str, span: Span, message: str, command: str) -> None:
    assert github.render(Report([found(project / name, span, message)], [], Sources()), PLAIN) == command


def test_github_names_files_from_the_checkout(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.parent))
    report = Report(
        [found(project / "test_a.py", Span.of(0, 0, 0, 1), severity="hint")],
        [],
        Sources(),
        [Failure(project / "test_b.py", "test_b.py: gone")],
    )
    assert github.render(report, PLAIN) == (
        f"::error title=awaitest,file={project.name}/test_b.py::test_b.py: gone\n"
        f"::notice title=AWT101 missing-await,file={project.name}/test_a.py,line=1,endLine=1,col=1,endColumn=2::Wrong.\n"
    )


def test_sarif(project: Path) -> None:
    log = json.loads(sarif.render(two_file_fix(project), PLAIN))
    jsonschema.validate(log, SCHEMA)
    [run] = log["runs"]
    assert log["version"] == "2.1.0"
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["originalUriBaseIds"] == {"SRCROOT": {"uri": project.as_uri() + "/"}}
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["AWT101", "AWT103", "AWT201", "AWT301", "AWT307"]
    assert run["tool"]["driver"]["rules"][3] == {
        "id": "AWT301",
        "name": "unclosed-client",
        "shortDescription": {"text": "A client nobody closes."},
        "help": {"text": "# unclosed-client\n", "markdown": "# unclosed-client\n"},
        "defaultConfiguration": {"level": "warning"},
    }
    assert run["results"] == [
        {
            "ruleId": "AWT101",
            "ruleIndex": 0,
            "level": "error",
            "message": {"text": "Never awaited."},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "test_a.py", "uriBaseId": "SRCROOT"},
                        "region": {"startLine": 1, "startColumn": 5, "endLine": 1, "endColumn": 10},
                    }
                }
            ],
            "fixes": [
                {
                    "description": {"text": "Await it"},
                    "artifactChanges": [
                        {
                            "artifactLocation": {"uri": "test_a.py", "uriBaseId": "SRCROOT"},
                            "replacements": [
                                {
                                    "deletedRegion": {"startLine": 1, "startColumn": 5, "endLine": 1, "endColumn": 5},
                                    "insertedContent": {"text": "await "},
                                }
                            ],
                        },
                        {
                            "artifactLocation": {"uri": "conftest.py", "uriBaseId": "SRCROOT"},
                            "replacements": [
                                {
                                    "deletedRegion": {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 1},
                                    "insertedContent": {"text": "import pytest\n"},
                                }
                            ],
                        },
                    ],
                    "properties": {"applicability": "unsafe"},
                }
            ],
        }
    ]


@pytest.mark.parametrize("name", ["a b#1%é?.py", "日本/test_x.py", "../outside.py", "bad\udcff.py"])
def test_sarif_uris(project: Path, name: str) -> None:
    path = Path(project / name).resolve()
    diagnostic = found(path, Span.of(0, 0, 0, 1))
    failure = Failure(path, "unreadable")
    log = json.loads(sarif.render(Report([diagnostic], [], Sources(), [failure]), PLAIN))
    jsonschema.validate(log, SCHEMA)
    [run] = log["runs"]
    place = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert re.fullmatch(r"[\w./:%-]+", place["uri"], re.ASCII)
    base = run["originalUriBaseIds"][place["uriBaseId"]]["uri"] if "uriBaseId" in place else ""
    assert unquote(base + place["uri"], errors="surrogatepass") == f"file://{path}"
    assert run["invocations"][0]["executionSuccessful"] is False


def test_sarif_knows_codes_without_a_rule(project: Path) -> None:
    syntax = Diagnostic("AWT000", "invalid-syntax", Severity.ERROR, "Bad.", project / "a.py", Span.of(0, 0, 0, 0))
    log = json.loads(sarif.render(Report([syntax], [], Sources()), PLAIN))
    jsonschema.validate(log, SCHEMA)
    assert log["runs"][0]["tool"]["driver"]["rules"][0] == {"id": "AWT000", "name": "invalid-syntax"}


def test_junit(project: Path) -> None:
    one, two, three = (project / name for name in ("test_1.py", "test_2.py", "test_3.py"))
    report = Report(
        [
            found(one, Span.of(0, 4, 0, 9), "`<a>` & \x1b\ud800é\nMore."),
            found(one, Span.of(3, 0, 3, 1), "Advice.", "hint"),
        ],
        [one, two],
        Sources(),
        [Failure(three, "test_3.py: gone")],
    )
    text = junit.render(report, PLAIN)
    assert text.isascii()
    suites = ElementTree.fromstring(text)
    assert suites.attrib == {"name": "awaitest", "tests": "4", "failures": "1", "errors": "1"}
    assert [suite.attrib for suite in suites] == [
        {"name": "test_1.py", "tests": "2", "failures": "1", "errors": "0"},
        {"name": "test_2.py", "tests": "1", "failures": "0", "errors": "0"},
        {"name": "test_3.py", "tests": "1", "failures": "0", "errors": "1"},
    ]
    failure = suites.find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.attrib == {"message": "`<a>` & \ufffd\ufffdé\nMore.", "type": "error"}
    assert failure.text == "test_1.py:1:5: `<a>` & \ufffd\ufffdé\nMore."
    assert suites.findtext("testsuite/testcase/system-out") == "test_1.py:4:1: Advice."
    assert [case.attrib["name"] for case in suites.findall("testsuite/testcase")] == [
        "AWT101 missing-await (1:5)",
        "AWT101 missing-await (4:1)",
        "awaitest",
        "awaitest",
    ]


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_found(run: Run, project: Path, name: str) -> None:
    (project / "test_a.py").write_text("fine\n")
    code, out, _ = run("check", "--output-format", name)
    assert code == 0
    if name == "json":
        assert json.loads(out) == []
    elif name == "sarif":
        jsonschema.validate(json.loads(out), SCHEMA)
    elif name == "junit":
        assert ElementTree.fromstring(out).attrib["failures"] == "0"
    else:
        assert out == ("No problems found. Checked 1 file.\n" if name == "full" else "")
