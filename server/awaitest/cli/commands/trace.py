"""`awaitest trace`: run tests in the project's own interpreter and show what they did, step by step."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from awaitest.cli import session
from awaitest.cli.commands.check import surroundings_of
from awaitest.cli.session import UsageError
from awaitest.cli.table import GAP, table
from awaitest.cli.terminal import Style, printable, style_for
from awaitest.sources import shown
from awaitest.trace import html, markdown
from awaitest.trace.folding import folded
from awaitest.trace.predicting import predict, title
from awaitest.trace.reading import read
from awaitest.trace.running import Asked
from awaitest.trace.running import run as run_tests
from awaitest.trace.telling import HEADER, cells, left_over, loops, names, requests, tracked
from awaitest.trace.traced import Trace, TracedTest

ROOM = 20
"""Columns of the terminal that a variable is given; those that find no room go to a further table."""
_LINES, _FIRST = 12, 3
"""Lines of a message that are shown, and how many of them are its first."""


def run(arguments: argparse.Namespace) -> int:
    opened = session.open_session(surroundings_of(arguments))
    tests = [_absolute(test) for test in arguments.tests]
    python, folder = opened.runs(tests[0][0])
    asked = Asked(
        python if python is not None else Path(sys.executable),
        folder,
        tuple(f"{path}{rest}" for path, rest in tests),
        arguments.helpers,
        arguments.timeout,
    )
    try:
        trace = read(run_tests(asked))
    except OSError as error:
        raise UsageError(f"{asked.python}: cannot be started: {error.strerror}") from error
    for test in trace.tests:
        predict(test, opened.explain(Path(test.path), title(test)) or [])
    _write(trace, arguments)
    if trace.stopped == "timeout":
        print(f"awaitest: stopped after {arguments.timeout:g} seconds (--timeout)", file=sys.stderr)
    return trace.exit_code


def _absolute(argument: str) -> tuple[Path, str]:
    file, mark, rest = argument.partition("::")
    path = Path(file).absolute()
    if not file or not path.exists():
        raise UsageError(f"{argument}: {shown(path)}: no such file; name tests as pytest does: FILE::TEST")
    return path, f"{mark}{rest}"


def _write(trace: Trace, arguments: argparse.Namespace) -> None:
    match arguments.format:
        case "json":
            sys.stdout.write(json.dumps(asdict(trace), indent=2) + "\n")
        case "html":
            sys.stdout.write(html.page(trace))
        case "markdown":
            for test in trace.tests:
                sys.stdout.writelines(f"{line}\n" for line in markdown.document(test))
                sys.stdout.write("\n")
        case _:
            style = style_for(sys.stdout, arguments.color)
            sys.stdout.writelines(f"{line}\n" for test in trace.tests for line in _plain(test, style))
    if not trace.tests:
        print(trace.output.rstrip(), file=sys.stderr)


def _shortened(lines: list[str]) -> list[str]:
    """The beginning and the end of a message: the last lines say what is wrong."""
    return lines if len(lines) <= _LINES else [*lines[:_FIRST], "…", *lines[_FIRST - _LINES :]]


def _plain(test: TracedTest, style: Style) -> Iterator[str]:
    colour = {"passed": "green", "skipped": "yellow"}.get(test.outcome, "red")
    yield f"{style.paint(printable(test.id), 'bold')}  {style.paint(test.outcome, colour)}"
    yield from (style.paint(printable(line), "red") for line in _shortened(test.message.splitlines()))
    yield ""
    shown = folded(test.rows)
    yield from _coloured(table(HEADER, cells(test, shown), style.width), style)
    every, held = names(test), tracked(shown)
    at_once = max(1, (style.width - len("step")) // (ROOM + len(GAP)))
    for start in range(0, len(every), at_once):
        chosen = slice(start, start + at_once)
        rows = [[row[0], *row[1:][chosen]] for row in held]
        yield from ("", style.paint("variables after each step", "bold"), "")
        yield from table(("step", *every[chosen]), rows, style.width)
    if test.requests:
        yield from ("", style.paint("requests", "bold"), "")
        yield from table(("request", "answer", "route", "time"), requests(test), style.width)
    if left := left_over(test):
        yield from ("", style.paint("left behind", "bold"), "")
        yield from (style.paint(printable(f"- {line}"), "yellow") for line in left)
    if on := loops(test):
        yield from ("", style.paint("event loops", "bold"), "")
        yield from (printable(f"- {line}") for line in on)
    yield ""


def _coloured(lines: Iterator[str], style: Style) -> Iterator[str]:
    for line in lines:
        yield style.paint(line, "red") if line.startswith("✗") else line
