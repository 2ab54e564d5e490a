from __future__ import annotations

from pathlib import Path

import pytest

from awaitest.project.files import OverlayFiles
from awaitest.project.tables import ConfigProblem, Table, read_toml, toml_lines

PATH = Path("/project/pyproject.toml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("a = 1\nb.c = 2\n", {("a",): 1, ("b",): 2, ("b", "c"): 2}),
        ("a" + ".a" * 100 + " = 1", {("a",) * depth: 1 for depth in range(1, 9)}),
        ("[t]\n'x y' = 1\n\"z\" = 2", {("t",): 1, ("t", "x y"): 2, ("t", "z"): 3}),
        ("[a.'b.c']\nd = 1", {("a", "b.c"): 1, ("a", "b.c", "d"): 2}),
        ("[[t]]\na = 1\n[[t]]\na = 2\n", {("t",): 1, ("t", "a"): 2}),
        ("a = [\n  'b = 1',\n  [ # ]\n  ],\n]\nc = 1", {("a",): 1, ("c",): 6}),
        ('a = """\nb = 1\n[t]\n\\""" x\n""""\nc = 1', {("a",): 1, ("c",): 6}),
        ("a = '''\n[t]\n''''\nc = 1", {("a",): 1, ("c",): 4}),
        ("a = { b = 1, c = '[' }\n\n# d = 1\n  e = 1", {("a",): 1, ("e",): 4}),
    ],
)
def test_lines_of_keys(text: str, expected: dict[tuple[str, ...], int]) -> None:
    table = read_toml(OverlayFiles({PATH: text}), PATH)
    assert isinstance(table, Table)
    assert dict(table.lines) == toml_lines(text) == expected


@pytest.mark.parametrize(("keys", "line"), [(("t", "a"), 3), (("t", "b"), 2), (("u",), 1)])
def test_a_key_without_a_line_has_that_of_what_surrounds_it(keys: tuple[str, ...], line: int) -> None:
    table = read_toml(OverlayFiles({PATH: "\r\n[t]\r\na = 1\r\n"}), PATH)
    assert isinstance(table, Table)
    assert table.problem("x", *keys) == ConfigProblem(PATH, line, "x")


def test_an_absent_file() -> None:
    assert read_toml(OverlayFiles({}), PATH) == ConfigProblem(PATH, 1, "cannot be read")


def test_an_endless_dotted_key_is_refused() -> None:
    problem = read_toml(OverlayFiles({PATH: "a = 1\nb" + ".b" * 400_000 + " = 1"}), PATH)
    assert problem == ConfigProblem(PATH, 2, "is not read: a line has more than 1,000 dots")
