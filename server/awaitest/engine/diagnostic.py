"""What a rule says: a diagnostic and the fix that repairs it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from awaitest.source.text import Edit, Span


class Severity(str, Enum):
    """How much a finding matters: `error` fails or proves nothing, `warning` will break, `hint` is advice and never sets the exit code."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class FileEdit:
    """One edit in one file."""

    path: Path
    edit: Edit


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that repair a diagnostic when applied together; `safe` ones may be applied without asking."""

    title: str
    edits: tuple[FileEdit, ...]
    safe: bool


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: `span` lies in `path`; `message` tells what is wrong and why, in the user's own names."""

    code: str
    name: str
    severity: Severity
    message: str
    path: Path
    span: Span
    fix: Fix | None = None
