"""`awaitest check --fix` and `--diff`: repair, then write or show what changed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from awaitest.cli import CLEAN, FAILED, FOUND, complain, diff
from awaitest.cli.commands.check import show
from awaitest.cli.report import Report, counted
from awaitest.cli.terminal import style_for
from awaitest.cli.writing import NotWrittenError, encoded, obstacle, write
from awaitest.fixing import repair
from awaitest.source.splitter import split_lines
from awaitest.sources import Source, shown


def run(arguments: argparse.Namespace, report: Report, check: Callable[[], Report], stdin: Source | None) -> int:
    """Repair what `report` found; `check` looks again at the texts as they are by then. The exit code."""

    def prevents(path: Path) -> str | None:
        if stdin is not None:
            return None if path == stdin.path else ""
        return None if arguments.diff else obstacle(path)

    done = repair(report, check, unsafe=arguments.unsafe_fixes, obstacle=prevents)
    changed = sorted(report.sources.changed(), key=lambda source: source.path)
    if arguments.diff:
        code = _show_diff(arguments, changed)
        for failure in done.report.failures:
            complain(failure.message)
        code = max(code, FAILED if done.report.failures else CLEAN)
    elif stdin is not None:
        code = max(_pass_on(stdin), show(arguments, done.report, sys.stderr))
    else:
        code = max(_write(changed), show(arguments, done.report, sys.stdout))
    for note in done.notes:
        complain(note)
    if not arguments.diff and done.fixed:
        print(f"Fixed {counted(done.fixed, 'problem')} in {counted(len(changed), 'file')}.", file=sys.stderr)
    return code


def _show_diff(arguments: argparse.Namespace, changed: Iterable[Source]) -> int:
    style = style_for(sys.stdout, arguments.color)
    code = CLEAN
    for source in changed:
        text = diff.of_file(Path(shown(source.path)).as_posix(), split_lines(source.original), source.lines)
        sys.stdout.write("\n".join(diff.painted(text.splitlines(), style)) + "\n" if style.colour else text)
        code = CLEAN if arguments.exit_zero else FOUND
    return code


def _pass_on(stdin: Source) -> int:
    """Hand on the text of stdin, repaired or not: who pipes it in must get it back."""
    try:
        content, code = encoded(stdin), CLEAN
    except NotWrittenError as error:
        complain(f"{shown(stdin.path)}: {error}; left as it was")
        content, code = stdin.content, FAILED
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
    return code


def _write(changed: Iterable[Source]) -> int:
    code = CLEAN
    for source in changed:
        try:
            write(source)
        except NotWrittenError as error:
            complain(f"{shown(source.path)}: {error}; left as it was")
            code = FAILED
    return code
