"""`awaitest explain`: the execution table of a test and the variable tracker."""

from __future__ import annotations

import argparse
import ast
import dataclasses
import json
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from awaitest.cli import CLEAN, session
from awaitest.cli.checking import TOO_DEEP
from awaitest.cli.commands.check import surroundings_of
from awaitest.cli.session import UsageError
from awaitest.cli.table import GAP, table
from awaitest.cli.terminal import Style, style_for
from awaitest.sources import Sources, UnreadableError, shown
from awaitest.trace import markdown

if TYPE_CHECKING:
    from pathlib import Path

    from awaitest.engine.steps import Row

HEADER = ("step", "line", "action", "awaited", "result", "assertion")
ROOM = 20
"""Columns of the terminal that a variable is given; those that find no room go to a further table."""


def run(arguments: argparse.Namespace) -> int:
    path, test = _parted(arguments.test)
    opened = session.open_session(surroundings_of(arguments))
    try:
        text = Sources().read(path).text
        rows = opened.explain(path, test)
    except UnreadableError as error:
        raise UsageError(error.at(path)) from error
    except RecursionError:
        raise UsageError(f"{shown(path)}: {TOO_DEEP}") from None
    if rows is None:
        raise UsageError(_unknown(path, text, test))
    style = style_for(sys.stdout, arguments.color)
    if arguments.output_format == "json":
        sys.stdout.write(json.dumps([dataclasses.asdict(row) for row in rows], indent=2) + "\n")
    elif arguments.output_format == "markdown":
        sys.stdout.writelines(f"{line}\n" for line in _markdown(rows))
    else:
        sys.stdout.writelines(f"{line}\n" for line in _plain(f"{shown(path)}::{test}", rows, style))
    return CLEAN


def _parted(argument: str) -> tuple[Path, str]:
    """The file and "test_x" or "TestA::test_x"; parameters in brackets are left out."""
    from pathlib import Path

    file, _, test = argument.partition("::")
    test = test.partition("[")[0]
    if not file or not test:
        raise UsageError(f"{argument}: name a test as FILE::TEST or FILE::CLASS::TEST")
    path = Path(file).absolute()
    if not path.is_file():
        raise UsageError(f"{shown(path)}: no such file")
    return path, test


def _unknown(path: Path, text: str, test: str) -> str:
    from difflib import get_close_matches

    try:
        names = list(_functions(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        names = []
    close = [name for name in names if name.endswith(f"::{test}")] or get_close_matches(test, names, 1, 0.5)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"{shown(path)} has no test {test}{hint}"


def _functions(text: str) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name
        elif isinstance(node, ast.ClassDef):
            members = (it for it in node.body if isinstance(it, (ast.FunctionDef, ast.AsyncFunctionDef)))
            yield from (f"{node.name}::{member.name}" for member in members)


def _cells(rows: Sequence[Row]) -> list[list[str]]:
    return [[str(row.step), str(row.line), row.action, row.awaited, row.result, row.assertion] for row in rows]


def _variables(rows: Sequence[Row]) -> list[str]:
    """The names of all variables, in order of appearance."""
    return list(dict.fromkeys(name for row in rows for name in row.variables))


def _tracked(rows: Sequence[Row], names: Sequence[str]) -> list[list[str]]:
    return [[str(row.step), str(row.line), *(row.variables.get(name, "") for name in names)] for row in rows]


def _plain(title: str, rows: Sequence[Row], style: Style) -> Iterator[str]:
    yield style.paint(title, "bold")
    yield ""
    if not rows:
        yield "This test does nothing that awaitest follows."
        return
    yield from table(HEADER, _cells(rows), style.width)
    names = _variables(rows)
    at_once = max(1, (style.width - len("step  line")) // (ROOM + len(GAP)))
    for start in range(0, len(names), at_once):
        yield ""
        yield style.paint("variables after each step", "bold")
        yield ""
        shown_names = names[start : start + at_once]
        yield from table(("step", "line", *shown_names), _tracked(rows, shown_names), style.width)


def _markdown(rows: Sequence[Row]) -> Iterator[str]:
    yield from markdown.table(HEADER, _cells(rows))
    if names := _variables(rows):
        yield ""
        yield from markdown.table(("step", "line", *names), _tracked(rows, names))
