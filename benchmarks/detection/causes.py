"""Why a planted mistake is missed: judged by hand, once, in causes.txt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

JUDGED = Path(__file__).with_name("causes.txt")
UNKNOWN = "unknown"
"""No declared fact tells, so silence is right."""
NO_MISTAKE = "no mistake"
"""The mutant runs as before, or fails in the same way: nothing was planted."""
GAP = "gap"
"""It could be known."""


@dataclass(frozen=True)
class Cause:
    """One line of the list: it covers the misses whose kind, place and line of text match."""

    verdict: str
    kind: str
    place: str
    text: re.Pattern[str]
    why: str

    def covers(self, kind: str, place: str, text: str) -> bool:
        return fnmatchcase(kind, self.kind) and fnmatchcase(place, self.place) and bool(self.text.search(text))


def cause_of(kind: str, place: str, text: str) -> Cause | None:
    """The first line of the list that covers a miss: its kind, its `package/path:line`, its line of text."""
    return next((it for it in causes() if it.covers(kind, place, text)), None)


@cache
def causes(path: Path = JUDGED) -> tuple[Cause, ...]:
    """The list. Raises ValueError, naming the line, where one is malformed."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split(" | ")
        if len(parts) != 5 or parts[0] not in (UNKNOWN, NO_MISTAKE, GAP):
            raise ValueError(f"{path.name}:{number}: not `verdict | kind | place | text | why`")
        verdict, kind, place, text, why = (part.strip() for part in parts)
        found.append(Cause(verdict, kind, place, re.compile(text), why))
    return tuple(found)
