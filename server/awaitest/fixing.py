"""Applies fixes, in memory, until nothing is left to repair."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from awaitest.engine.diagnostic import Diagnostic, Fix
from awaitest.source.text import Edit, apply, conflict
from awaitest.sources import Sources, UnreadableError, shown

ROUNDS = 20
"""Fixes make way for one another; more rounds than this mean that two undo each other."""

Edits = dict[Path, list[Edit]]


class Checked(Protocol):
    """The result of a check: what was found in which texts."""

    @property
    def diagnostics(self) -> Sequence[Diagnostic]: ...
    @property
    def sources(self) -> Sources: ...


Report = TypeVar("Report", bound=Checked)


@dataclass
class Repair(Generic[Report]):
    """What fixing did: how many fixes were applied, what is left, and why some fixes were not."""

    report: Report
    fixed: int = 0
    notes: list[str] = field(default_factory=list)


def repair(
    report: Report,
    check: Callable[[], Report],
    *,
    unsafe: bool,
    obstacle: Callable[[Path], str | None],
) -> Repair[Report]:
    """Apply the fixes of `report` to its sources, check again, and so on until no fix is left that can be applied.

    `obstacle` tells why a file cannot be changed; "" keeps quiet about it.
    """
    done = Repair(report)
    for _ in range(ROUNDS):
        bench = _Round(done.report.sources, obstacle)
        for diagnostic in done.report.diagnostics:
            if diagnostic.fix and (diagnostic.fix.safe or unsafe):
                bench.offer(diagnostic.fix)
        done.fixed += bench.apply()
        done.notes = list(dict.fromkeys(bench.notes))
        if not bench.applied:
            return done
        done.report = check()
    done.notes.append(f"fixes still change the text after {ROUNDS} rounds; please report")
    return done


class _Round:
    """The fixes that fit together, picked in the order they are offered."""

    def __init__(self, sources: Sources, obstacle: Callable[[Path], str | None]) -> None:
        self._sources, self._obstacle = sources, obstacle
        self._picked: list[tuple[Fix, Edits]] = []
        self._taken: Edits = {}
        self.applied = False
        self.notes: list[str] = []

    def offer(self, fix: Fix) -> None:
        """Pick the fix if all its files can be changed and no picked one touches the same place."""
        edits = _by_file(fix)
        if not all(self._may_change(path) for path in edits) or any(conflict(its) for its in edits.values()):
            return
        if all(_fits(its, self._taken.get(path, [])) for path, its in edits.items()):
            self._picked.append((fix, edits))
            for path, its in edits.items():
                self._taken.setdefault(path, []).extend(its)

    def _may_change(self, path: Path) -> bool:
        reason = self._obstacle(path)
        if reason is None:
            try:
                self._sources.read(path)
                return True
            except UnreadableError as error:
                reason = str(error)
        if reason:
            self.notes.append(f"{shown(path)}: {reason}; not fixed")
        return False

    def apply(self) -> int:
        """Change the sources; the number of fixes applied."""
        kept = self._picked if self._sound(self._picked) else self._keep_sound()
        before = {path: self._sources.read(path).text for path in _merged(kept)}
        for path, text in self._after(kept).items():
            self._sources.read(path).replace(text)
            self.applied |= text != before[path]
        return len(kept) if self.applied else 0

    def _keep_sound(self) -> list[tuple[Fix, Edits]]:
        kept: list[tuple[Fix, Edits]] = []
        for fix, edits in self._picked:
            if self._sound([*kept, (fix, edits)]):
                kept.append((fix, edits))
                continue
            where = ", ".join(shown(path) for path in edits)
            self.notes.append(f"{where}: the fix “{fix.title}” would break the code and was not applied; please report")
        return kept

    def _sound(self, picked: Iterable[tuple[Fix, Edits]]) -> bool:
        """Whether every file that parsed still does."""
        after = self._after(picked)
        return all(
            parses(path, text) or not parses(path, self._sources.read(path).text) for path, text in after.items()
        )

    def _after(self, picked: Iterable[tuple[Fix, Edits]]) -> dict[Path, str]:
        return {path: apply(self._sources.read(path).lines, its) for path, its in _merged(picked).items()}


def parses(path: Path, text: str) -> bool:
    """Whether the text is what the file's suffix promises; True for suffixes that are not understood."""
    try:
        if path.suffix in (".py", ".pyi"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ast.parse(text)
        elif path.suffix == ".toml":
            _toml(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _toml(text: str) -> None:
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    tomllib.loads(text)


def _by_file(fix: Fix) -> Edits:
    edits: Edits = {}
    for it in fix.edits:
        edits.setdefault(it.path, []).append(it.edit)
    return edits


def _fits(edits: Iterable[Edit], taken: Iterable[Edit]) -> bool:
    return not any(edit != other and edit.span.overlaps(other.span) for edit in edits for other in taken)


def _merged(picked: Iterable[tuple[Fix, Edits]]) -> Edits:
    merged: Edits = {}
    for _, edits in picked:
        for path, its in edits.items():
            merged.setdefault(path, []).extend(its)
    return merged
