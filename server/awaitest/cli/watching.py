"""`--watch`: looks at the stamps of the project's files and checks again what a change can have touched."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from awaitest.cli import CLEAN, complain, session
from awaitest.cli.commands.check import checked, find, show
from awaitest.cli.report import Report, counted, in_order
from awaitest.cli.session import Request, UsageError
from awaitest.sources import Sources, shown

SECONDS = 0.5
WATCHED = (".py", ".pyi", ".toml", ".ini", ".cfg", ".lock")
PASSED_OVER = {"node_modules", "__pycache__", "site-packages", "build", "dist"}

Stamp = tuple[int, int]


def watch(
    arguments: argparse.Namespace, request: Request, wait: Callable[[], None] = lambda: time.sleep(SECONDS)
) -> int:
    """Check, and check again after each change, until Ctrl-C; `wait` pauses between two looks."""
    try:
        eye = _Eye(arguments, request)
        eye.look(None)
        while True:
            wait()
            eye.look(eye.changes())
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return CLEAN


class _Eye:
    """What the last look saw."""

    def __init__(self, arguments: argparse.Namespace, request: Request) -> None:
        self._arguments, self._request = arguments, request
        self._root = Path.cwd()
        self._stamps = stamps(self._root)
        self._report: Report | None = None

    def changes(self) -> set[Path]:
        """The files that were written, made or removed since the last call."""
        before, self._stamps = self._stamps, stamps(self._root)
        return {path for path, _ in before.items() ^ self._stamps.items()}

    def look(self, changed: set[Path] | None) -> None:
        """Check everything (None), or what a change of these files can have touched."""
        if changed is not None:
            if not changed:
                return
            _say(f"{_named(changed)} changed")
        try:
            opened = session.open_session(self._request)
            paths, _ = find(opened, self._arguments.paths)
            only = self._alone(changed, paths)
            report = checked(
                self._request,
                Sources(),
                [it for it in paths if only is None or it in only],
                self._arguments.jobs,
                opened,
            )
        except UsageError as error:
            complain(str(error))
            self._report = None
            return
        if self._report is not None and only is not None:
            report = _merged(self._report, report, only)
        self._report = report
        show(self._arguments, report, sys.stdout)
        _say(f"watching {counted(len(report.files), 'file')} below {self._root}; Ctrl-C ends")

    def _alone(self, changed: set[Path] | None, paths: Sequence[Path]) -> set[Path] | None:
        """The files to check when nothing else can be touched, None for all: tests do not depend on one another, but on
        every conftest, module and configuration file."""
        if changed is None or self._report is None:
            return None
        known = set(self._report.files).intersection(paths)
        tests = {path for path in known if path.name.startswith("test_") or path.stem.endswith("_test")}
        return changed if changed <= tests else None


def stamps(root: Path) -> dict[Path, Stamp]:
    """Modification time and size of the files below a directory that tests can depend on; environments are left out."""
    found: dict[Path, Stamp] = {}
    directories = [os.fspath(root)]
    while directories:
        try:
            with os.scandir(directories.pop()) as listed:
                entries = list(listed)
        except OSError:
            continue
        if any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith(".") and entry.name not in PASSED_OVER:
                        directories.append(entry.path)
                elif entry.name.endswith(WATCHED):
                    status = entry.stat()
                    found[Path(entry.path)] = (status.st_mtime_ns, status.st_size)
    return found


def _merged(before: Report, now: Report, checked_again: set[Path]) -> Report:
    kept = [it for it in before.diagnostics if it.path not in checked_again]
    failures = [it for it in before.failures if it.path not in checked_again]
    files = sorted({*before.files, *now.files} - {it.path for it in now.failures})
    return Report(in_order([*kept, *now.diagnostics]), files, now.sources, [*failures, *now.failures])


def _named(changed: set[Path]) -> str:
    first, *others = sorted(shown(path) for path in changed)
    return f"{first} and {counted(len(others), 'other file')}" if others else first


def _say(message: str) -> None:
    sys.stdout.flush()
    print(f"[{time.strftime('%H:%M:%S')}] {message}", file=sys.stderr, flush=True)
