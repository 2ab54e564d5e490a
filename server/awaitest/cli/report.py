"""The result of a run, as every output format receives it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from awaitest.engine.diagnostic import Diagnostic, Severity
from awaitest.project.notes import Notes
from awaitest.sources import Sources


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that was not checked; `message` is the whole line to print."""

    path: Path
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found. `diagnostics` are sorted by place; `files` are those that were checked, in order."""

    diagnostics: Sequence[Diagnostic]
    files: Sequence[Path]
    sources: Sources
    failures: Sequence[Failure] = field(default_factory=list)


class Outcome(NamedTuple):
    """What one file gave; `failure` is the line to print where it could not be checked."""

    path: Path
    diagnostics: list[Diagnostic]
    failure: str | None = None
    notes: Notes | None = None


def report_of(outcomes: Iterable[Outcome], sources: Sources, failures: Iterable[Failure] = ()) -> Report:
    """The report on files that were checked, and on others that could not even be read."""
    outcomes = list(outcomes)
    failed = [*failures, *(Failure(it.path, it.failure) for it in outcomes if it.failure)]
    found = in_order(diagnostic for it in outcomes for diagnostic in it.diagnostics)
    return Report(found, [it.path for it in outcomes if not it.failure], sources, failed)


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sorted by place, each once."""
    return sorted(dict.fromkeys(diagnostics), key=lambda it: (it.path, it.span, it.code, it.message))


def page_of(name: str) -> str:
    """The documentation of a rule, relative to the repository."""
    return f"docs/rules/{name}.md"


def first_sentence(message: str) -> tuple[str, str]:
    """The first sentence and the rest. A sentence ends at a line break, or at a mark before a space outside backticks."""
    for mark in re.finditer(r"\n|(?<=[.!?])\s+(?=\S)", message):
        head = message[: mark.start()]
        if head.count("`") % 2 == 0 and not head.endswith(("e.g.", "i.e.")):
            return head, message[mark.end() :]
    return message, ""


def counted(number: int, noun: str) -> str:
    """ "1 file", "2 files"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def summary(report: Report) -> str:
    """How many problems of which severity, what can be repaired, and how much was looked at."""
    severities = Counter(it.severity for it in report.diagnostics)
    hints = severities.pop(Severity.HINT, 0)
    found = "No problems found"
    if severities:
        kinds = ", ".join(counted(severities[it], it.value) for it in Severity if severities[it])
        files = len({it.path for it in report.diagnostics if it.severity is not Severity.HINT})
        found = f"Found {counted(severities.total(), 'problem')} ({kinds}) in {counted(files, 'file')}"
    if hints:
        found += f" and {counted(hints, 'hint')}"
    return f"{found}{_repairable(report)}. Checked {counted(len(report.files), 'file')}."


def _repairable(report: Report) -> str:
    safe = sum(it.fix is not None and it.fix.safe for it in report.diagnostics)
    unsafe = sum(it.fix is not None and not it.fix.safe for it in report.diagnostics)
    if safe and unsafe:
        return f"; {safe} can be repaired with --fix, {unsafe} more with --unsafe-fixes"
    if safe:
        return f"; {safe} can be repaired with --fix"
    return f"; {unsafe} can be repaired with --fix --unsafe-fixes" if unsafe else ""
