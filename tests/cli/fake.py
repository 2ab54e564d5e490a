"""A session that finds words instead of mistakes, so that the command line can be tested alone."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from awaitest.cli.session import Found, Mistake, Request, RuleInfo, Session
from awaitest.engine.diagnostic import Diagnostic, FileEdit, Fix, Severity
from awaitest.engine.steps import Row
from awaitest.project.notes import Notes
from awaitest.project.witness import Changes, Seen
from awaitest.source.text import Edit, Span

RULES = [
    RuleInfo(
        "AWT101", "missing-await", "error", "A coroutine that nobody awaits.", "# missing-await\n\nAwait it.\n", "safe"
    ),
    RuleInfo("AWT103", "missing-async-with", "error", "A with that needs async.", "# missing-async-with\n", "safe"),
    RuleInfo("AWT201", "async-test-not-run", "error", "Nobody runs this test.", "# async-test-not-run\n", "unsafe"),
    RuleInfo("AWT301", "unclosed-client", "warning", "A client nobody closes.", "# unclosed-client\n", "none"),
    RuleInfo("AWT307", "real-network-client", "hint", "It leaves the process.", "# real-network-client\n", "none"),
]
BY_CODE = {rule.code: rule for rule in RULES}

WORDS = {
    "ERR": ("AWT101", "`ERR` is never awaited. Await it.", "OK_", True),
    "BREAK": ("AWT103", "`BREAK` breaks. Really.", "(", True),
    "RISKY": ("AWT201", "Nobody runs `RISKY`.", "CALM", False),
    "WARN": ("AWT301", "`WARN` is never closed.", None, False),
    "HINT": ("AWT307", "`HINT` leaves the process.", None, False),
    "FLIP": ("AWT101", "`FLIP` should be FLOP.", "FLOP", True),
    "FLOP": ("AWT101", "`FLOP` should be FLIP.", "FLIP", True),
    "CAFE": ("AWT101", "`CAFE` lacks an accent.", "caf\N{SNOWMAN}", True),
}
"""Word → code, message, replacement, safe."""


class FakeSession:
    def __init__(self, request: Request) -> None:
        self.request = request

    def find(self, paths: Sequence[Path]) -> Found:
        found = Found()
        for path in paths or [Path.cwd()]:
            if path.is_dir():
                found.files.extend(sorted(path.rglob("test_*.py")))
            elif path.exists() or path.is_symlink():
                found.files.append(path)
            else:
                found.missing.append((path, "does not exist"))
        return found

    def mistakes(self, files: Sequence[Path]) -> Sequence[Mistake]:  # noqa: ARG002
        settings = Path.cwd() / "settings.txt"
        if not settings.exists():
            return []
        return [Mistake(settings, line, text) for line, text in enumerate(settings.read_text().splitlines(), 1)]

    def unreadable(self, files: Sequence[Path]) -> Sequence[Mistake]:  # noqa: ARG002
        return []

    def check(self, path: Path, text: str) -> list[Diagnostic]:
        if "CRASH" in text:
            raise RuntimeError("boom\nand more")
        if "DIE" in text:
            os._exit(3)
        found = [self._diagnostic(path, text, match) for match in re.finditer("|".join(WORDS), text)]
        return [it for it in found if self._wanted(it.code)]

    def _wanted(self, code: str) -> bool:
        names = {code, BY_CODE[code].name, "ALL"}
        selected = self.request.select is None or any(code.startswith(it) or it in names for it in self.request.select)
        return selected and not any(code.startswith(it) or it in names for it in self.request.ignore or ())

    def _diagnostic(self, path: Path, text: str, match: re.Match[str]) -> Diagnostic:
        code, message, replacement, safe = WORDS[match[0]]
        before = re.split(r"\r\n|\r|\n", text[: match.start()])
        span = Span.of(len(before) - 1, len(before[-1]), len(before) - 1, len(before[-1]) + len(match[0]))
        fix = None
        if replacement is not None:
            fix = Fix(f"Write {replacement}", (FileEdit(path, Edit(span, replacement)),), safe)
        rule = BY_CODE[code]
        return Diagnostic(code, rule.name, Severity(rule.severity), message, path, span, fix)

    def notes(self) -> None:
        return None

    def seen(self) -> Seen:
        return Seen()

    def outdated(self, changes: Changes, notes: Mapping[Path, Notes], files: Iterable[str]) -> None:  # noqa: ARG002
        return None

    def explain(self, path: Path, test: str) -> list[Row] | None:  # noqa: ARG002
        if test != "TestHello::test_get":
            return None
        return [
            Row(1, 5, "create AsyncClient with `app`", "–", "client", "", {"ac": "client, open"}),
            Row(2, 6, "GET /hello|x", "missing", "coroutine", "", {"ac": "client, open", "response": "coroutine"}),
        ]

    def runs(self, path: Path) -> tuple[Path | None, Path]:
        return Path(sys.executable), path.parent

    def config(self, path: Path) -> dict[str, Any]:
        return {
            "config_file": "pyproject.toml",
            "section": "tool.pytest.ini_options",
            "rootdir": "/project",
            "asyncio_mode": {"value": "strict", "source": "default"},
            "anyio_mode": {"value": "strict", "source": "default"},
            "environment": {
                "origin": ".venv",
                "python": "3.12",
                "versions": {"anyio": "4.16.0", "attrs": "26.1", "pytest": "9.2.0"},
            },
            "runner": [
                {"kind": "async tests without marker", "by": "nobody", "why": "pytest-asyncio is in strict mode."}
            ],
            "fixtures": [
                {"name": "client", "where": path.name, "gives": "AsyncClient, open", "scope": "function", "async": True}
            ],
            "problems": ["pytest.ini is shadowed."],
        }


def open_fake(request: Request) -> Session:
    return FakeSession(request)
