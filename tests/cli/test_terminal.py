from __future__ import annotations

import io

import pytest

from awaitest.cli.table import wrap
from awaitest.cli.terminal import Progress, printable, style_for, width_of
from awaitest.trace.markdown import escaped


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("when", "environ", "screen", "colour"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"FORCE_COLOR": "1", "TERM": "dumb"}, False, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colours_only_where_wanted(when: str, environ: dict[str, str], screen: bool, colour: bool) -> None:
    assert style_for(Screen() if screen else io.StringIO(), when, environ).colour is colour


@pytest.mark.parametrize(
    ("text", "shown", "width"),
    [
        ("abc", "abc", 3),
        ("a\tb", "a    b", 6),
        ("\x1b[0m\r\n", "\ufffd[0m\ufffd\ufffd", 6),
        ("\ud800", "\ufffd", 1),
        ("\u2028\u2066", "\ufffd\ufffd", 2),
        ("日本", "日本", 4),
        ("e\u0301\u200d", "e\u0301\u200d", 1),
    ],
)
def test_printable_text_and_its_width(text: str, shown: str, width: int) -> None:
    assert printable(text) == shown
    assert width_of(printable(text)) == width


@pytest.mark.parametrize(
    ("text", "columns", "lines"),
    [
        ("", 5, [""]),
        ("one two three", 7, ["one two", "three"]),
        ("abcdefgh ij", 3, ["abc", "def", "gh", "ij"]),
        ("日本語", 4, ["日本", "語"]),
        ("日本", 1, ["日", "本"]),
    ],
)
def test_wrap(text: str, columns: int, lines: list[str]) -> None:
    assert wrap(text, columns) == lines


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("a|b", "a\\|b"),
        ("`a|b`", "`a\\|b`"),
        ("__init__ `__init__`", "\\_\\_init\\_\\_ `__init__`"),
        ("<b> & a\nb", "\\<b\\> \\& a b"),
        ("odd ` tick", "odd \\` tick"),
    ],
)
def test_markdown_cells_stay_text(cell: str, expected: str) -> None:
    assert escaped(cell) == expected


def test_progress_shows_after_two_seconds_on_a_terminal() -> None:
    now = [0.0]
    screen, file = Screen(), io.StringIO()
    for stream in (screen, file):
        now[0] = 0.0
        progress = Progress(stream, 3, lambda: now[0])
        for now[0] in (1.9, 2.0, 2.05):
            progress.advance()
        progress.clear()
    assert screen.getvalue() == "\rChecking 2 of 3 files\r\x1b[K"
    assert file.getvalue() == ""
