"""SARIF 2.1.0, which code scanning services read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import awaitest
from awaitest.cli import session
from awaitest.cli.report import Report
from awaitest.cli.terminal import Style
from awaitest.engine.diagnostic import Diagnostic, Fix, Severity
from awaitest.source.text import Span
from awaitest.sources import shown

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "note"}


def render(report: Report, style: Style) -> str:  # noqa: ARG001
    rules = _rules(report.diagnostics)
    index = {rule["id"]: number for number, rule in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "awaitest", "version": awaitest.__version__, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"uri": Path.cwd().as_uri().rstrip("/") + "/"}},
        "invocations": [
            {
                "executionSuccessful": not report.failures,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": it.message}, "locations": [_place(it.path)]}
                    for it in report.failures
                ],
            }
        ],
        "results": [_result(it, index) for it in report.diagnostics],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rules(diagnostics: Sequence[Diagnostic]) -> list[dict[str, Any]]:
    rules = {
        rule.code: {
            "id": rule.code,
            "name": rule.name,
            "shortDescription": {"text": rule.summary},
            "help": {"text": rule.page, "markdown": rule.page},
            "defaultConfiguration": {"level": LEVEL[Severity(rule.severity)]},
        }
        for rule in session.all_rules()
    }
    for it in diagnostics:
        rules.setdefault(it.code, {"id": it.code, "name": it.name})
    return [rules[code] for code in sorted(rules)]


def _result(diagnostic: Diagnostic, index: dict[str, int]) -> dict[str, Any]:
    result = {
        "ruleId": diagnostic.code,
        "ruleIndex": index[diagnostic.code],
        "level": LEVEL[diagnostic.severity],
        "message": {"text": diagnostic.message},
        "locations": [_place(diagnostic.path, diagnostic.span)],
    }
    return {**result, "fixes": [_fix(diagnostic.fix)]} if diagnostic.fix else result


def _fix(fix: Fix) -> dict[str, Any]:
    changes = [
        {
            "artifactLocation": _artifact(path),
            "replacements": [
                {"deletedRegion": _region(it.edit.span), "insertedContent": {"text": it.edit.text}}
                for it in fix.edits
                if it.path == path
            ],
        }
        for path in dict.fromkeys(it.path for it in fix.edits)
    ]
    return {
        "description": {"text": fix.title},
        "artifactChanges": changes,
        "properties": {"applicability": "safe" if fix.safe else "unsafe"},
    }


def _place(path: Path, span: Span | None = None) -> dict[str, Any]:
    place = {"artifactLocation": _artifact(path)}
    return {"physicalLocation": {**place, "region": _region(span)} if span else place}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.start.line + 1,
        "startColumn": span.start.column + 1,
        "endLine": span.end.line + 1,
        "endColumn": span.end.column + 1,
    }


def _artifact(path: Path) -> dict[str, str]:
    relative = Path(shown(path))
    if relative.is_absolute():
        return {"uri": "file://" + quote(_posix(path), errors="surrogatepass")}
    return {"uri": quote(relative.as_posix(), errors="surrogatepass"), "uriBaseId": "SRCROOT"}


def _posix(path: Path) -> str:
    return path.as_posix() if path.as_posix().startswith("/") else f"/{path.as_posix()}"
