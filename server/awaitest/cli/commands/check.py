"""`awaitest check`: find, show and repair problems."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from awaitest.cli import CLEAN, FAILED, FOUND, complain, session
from awaitest.cli.checking import check_files
from awaitest.cli.formats import counts, renderer
from awaitest.cli.memory import Memory
from awaitest.cli.report import Report, summary
from awaitest.cli.session import Mistake, Request, Session, UsageError
from awaitest.cli.terminal import Progress, style_for
from awaitest.engine.diagnostic import Severity
from awaitest.sources import Source, Sources, UnreadableError, shown

STDIN = "-"


def run(arguments: argparse.Namespace) -> int:
    if arguments.stdin_filename and not arguments.paths:
        arguments.paths = [STDIN]
    _refuse_contradictions(arguments)
    request = request_of(arguments)
    if arguments.watch:
        from awaitest.cli.watching import watch

        return watch(arguments, request)
    sources, stdin, missing = Sources(), None, False
    paths: Sequence[Path]
    if STDIN in arguments.paths:
        stdin = _stdin(arguments.stdin_filename, sources)
        request = replace(request, texts={stdin.path: stdin.text})
        opened, paths = session.open_session(request), [stdin.path]
        refuse_mistakes(opened, paths)
        report = checked(request, sources, paths, arguments.jobs, opened)
    else:
        report, paths, missing = _report_on_files(arguments, request, sources)
    code = FAILED if missing else CLEAN
    if not arguments.fix and not arguments.diff:
        return max(code, show(arguments, report, sys.stdout))

    from awaitest.cli.commands import fix

    return max(code, fix.run(arguments, report, lambda: checked(request, sources, paths, arguments.jobs), stdin))


def _report_on_files(
    arguments: argparse.Namespace, request: Request, sources: Sources
) -> tuple[Report, Sequence[Path], bool]:
    """The report, its files, and whether something that was asked for cannot be checked."""
    memory = Memory.of(arguments.paths, request)
    report = memory.report(sources) if memory is not None else None
    if report is not None:
        return report, report.files, False
    request = replace(request, witness=memory is not None)
    opened = session.open_session(request)
    paths, missing = find(opened, arguments.paths)
    memory = None if missing else memory
    return checked(request, sources, paths, arguments.jobs, opened, memory), paths, missing


def _refuse_contradictions(arguments: argparse.Namespace) -> None:
    stdin = STDIN in arguments.paths
    text = arguments.output_format in ("full", "concise")
    for wrong, message in (
        (arguments.fix and arguments.diff, "--fix writes, --diff does not: choose one"),
        (arguments.unsafe_fixes and not (arguments.fix or arguments.diff), "--unsafe-fixes needs --fix or --diff"),
        ("" in arguments.paths, "a path is empty"),
        (stdin and not arguments.stdin_filename, "- needs --stdin-filename FILE"),
        (arguments.stdin_filename and arguments.paths != [STDIN], "with --stdin-filename the only path is -"),
        (arguments.watch and stdin, "--watch cannot watch stdin"),
        (arguments.watch and (arguments.fix or arguments.diff), "--watch only checks: leave out --fix and --diff"),
        (arguments.watch and not text, "--watch prints full or concise"),
        (
            arguments.statistics and not text and arguments.output_format != "json",
            "--statistics prints full, concise or json",
        ),
    ):
        if wrong:
            raise UsageError(message)


def request_of(arguments: argparse.Namespace) -> Request:
    """What the options ask of the session."""
    request = surroundings_of(arguments)
    if arguments.select is None and arguments.ignore is None:
        return request
    from awaitest.cli.selection import words

    rules = session.all_rules()
    return replace(
        request,
        select=words(arguments.select, rules, "--select"),
        ignore=words(arguments.ignore, rules, "--ignore"),
    )


def surroundings_of(arguments: argparse.Namespace) -> Request:
    """The part of a request that all commands share."""
    if arguments.python and not arguments.python.exists():
        raise UsageError(f"--python: {arguments.python} does not exist")
    return Request(python=arguments.python and arguments.python.absolute(), cache=arguments.cache)


def find(opened: Session, given: Sequence[str]) -> tuple[list[Path], bool]:
    """The files to check, and whether something that was asked for cannot be; raises UsageError on wrong settings."""
    found = opened.find([Path(path).absolute() for path in given])
    refuse_mistakes(opened, found.files)
    for path, reason in found.missing:
        complain(f"{shown(path)} {reason}")
    broken = opened.unreadable(found.files)
    for mistake in broken:
        if mistake.path not in found.files:
            complain(_line(mistake))
    if not found.files and not found.missing:
        complain("no test files found")
    return found.files, bool(found.missing or broken)


def refuse_mistakes(opened: Session, files: Sequence[Path]) -> None:
    """Say each mistake in the settings; raises UsageError with the last."""
    lines = [_line(it) for it in opened.mistakes(files)]
    for line in lines[:-1]:
        complain(line)
    if lines:
        raise UsageError(lines[-1])


def _line(mistake: Mistake) -> str:
    place = "" if mistake.line is None else f":{mistake.line}"
    return f"{shown(mistake.path)}{place}: {mistake.message}"


def checked(
    request: Request,
    sources: Sources,
    paths: Sequence[Path],
    jobs: int,
    opened: Session | None = None,
    memory: Memory | None = None,
) -> Report:
    """Check the files, with progress."""
    progress = Progress(sys.stderr, len(paths))
    try:
        return check_files(
            session.open_session, request, sources, paths,
            jobs=jobs, session=opened, advance=progress.advance, memory=memory,
        )  # fmt: skip
    finally:
        progress.clear()


def show(arguments: argparse.Namespace, report: Report, stream: TextIO) -> int:
    """Print the report; the exit code that it stands for."""
    style = style_for(stream, arguments.color)
    if not arguments.statistics:
        stream.write(renderer(arguments.output_format)(report, style))
    elif arguments.output_format == "json":
        stream.write(counts.render_json(report))
    else:
        stream.write(counts.render(report, style))
    stream.flush()
    if arguments.output_format == "concise":
        print(summary(report), file=sys.stderr)
    for failure in report.failures:
        complain(failure.message)
    if report.failures:
        return FAILED
    found = any(it.severity is not Severity.HINT for it in report.diagnostics)
    return FOUND if found and not arguments.exit_zero else CLEAN


def _stdin(filename: Path, sources: Sources) -> Source:
    path = filename.absolute()
    try:
        return sources.put(path, sys.stdin.buffer.read())
    except UnreadableError as error:
        raise UsageError(error.at(path)) from error
