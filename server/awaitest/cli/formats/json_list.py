"""A JSON array for programs: rows and columns count from 1, columns count code points."""

from __future__ import annotations

import json
from typing import Any

from awaitest.cli.report import Report, page_of
from awaitest.cli.terminal import Style
from awaitest.engine.diagnostic import Diagnostic, FileEdit, Fix
from awaitest.source.text import Position


def render(report: Report, style: Style) -> str:  # noqa: ARG001
    return json.dumps([record(it) for it in report.diagnostics], indent=2) + "\n"


def record(diagnostic: Diagnostic) -> dict[str, Any]:
    """One diagnostic."""
    return {
        "code": diagnostic.code,
        "name": diagnostic.name,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "filename": str(diagnostic.path),
        "location": _place(diagnostic.span.start),
        "end_location": _place(diagnostic.span.end),
        "url": page_of(diagnostic.name),
        "fix": _fix(diagnostic, diagnostic.fix) if diagnostic.fix else None,
    }


def _fix(diagnostic: Diagnostic, fix: Fix) -> dict[str, Any]:
    return {
        "applicability": "safe" if fix.safe else "unsafe",
        "message": fix.title,
        "edits": [_edit(diagnostic, it) for it in fix.edits],
    }


def _edit(diagnostic: Diagnostic, it: FileEdit) -> dict[str, Any]:
    span = it.edit.span
    edit = {"content": it.edit.text, "location": _place(span.start), "end_location": _place(span.end)}
    return edit if it.path == diagnostic.path else {**edit, "filename": str(it.path)}


def _place(position: Position) -> dict[str, int]:
    return {"row": position.line + 1, "column": position.column + 1}
