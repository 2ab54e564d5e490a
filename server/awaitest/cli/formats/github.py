"""Workflow commands: GitHub shows each problem at its line of the pull request."""

from __future__ import annotations

import os
from pathlib import Path

from awaitest.cli.report import Failure, Report
from awaitest.cli.terminal import Style
from awaitest.engine.diagnostic import Diagnostic, Severity
from awaitest.sources import shown

LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "notice"}


def render(report: Report, style: Style) -> str:  # noqa: ARG001
    commands = [_failure(it) for it in report.failures] + [_command(it) for it in report.diagnostics]
    return "".join(f"{command}\n" for command in commands)


def _command(diagnostic: Diagnostic) -> str:
    start, end = diagnostic.span.start, diagnostic.span.end
    properties = {
        "title": f"{diagnostic.code} {diagnostic.name}",
        "file": _file(diagnostic.path),
        "line": str(start.line + 1),
        "endLine": str(end.line + 1),
    }
    if start.line == end.line:
        properties |= {"col": str(start.column + 1), "endColumn": str(end.column + 1)}
    return _written(LEVEL[diagnostic.severity], properties, diagnostic.message)


def _failure(failure: Failure) -> str:
    return _written("error", {"title": "awaitest", "file": _file(failure.path)}, failure.message)


def _written(level: str, properties: dict[str, str], message: str) -> str:
    listed = ",".join(f"{key}={_escaped(value, inside=True)}" for key, value in properties.items())
    return f"::{level} {listed}::{_escaped(message)}"


def _escaped(text: str, inside: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if inside else text


def _file(path: Path) -> str:
    """Relative to the checkout, as GitHub names files."""
    checkout = os.environ.get("GITHUB_WORKSPACE")
    if checkout and path.is_relative_to(checkout):
        return path.relative_to(checkout).as_posix()
    return Path(shown(path)).as_posix()
