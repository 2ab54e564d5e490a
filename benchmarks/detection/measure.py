"""Plants mistakes one by one and looks what awaitest says of each: found, by the right rule, repaired to what was there."""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from awaitest.check import Told
from awaitest.live import Live
from awaitest.project.files import DiskFiles
from awaitest.source.splitter import split_lines
from awaitest.source.text import Edit, Span, apply, conflict
from benchmarks.detection.mutants import Mutant, mutants
from benchmarks.detection.same import equal, parse, same
from benchmarks.detection.suite import Suite, SuiteFile


@dataclass(frozen=True)
class Outcome:
    """What became of one mutant."""

    mutant: Mutant
    line_text: str
    found: bool
    right_rule: bool
    fix_offered: bool
    restored: bool
    """Some fix gives the very program that was there."""
    equal: bool
    """All fixes together do, but for a spelling that the mistake leaves open."""
    clean: bool
    """Nothing is said of the file after the fixes that was not said before."""
    parses: bool
    said: tuple[str, ...]


class Alone(DiskFiles):
    """The disk without the files that lie in the folders above a suite: our own configuration is none of its."""

    def __init__(self, root: Path) -> None:
        self._above = frozenset(root.parents)

    def read(self, path: Path) -> bytes | None:
        return None if path.parent in self._above else super().read(path)

    def is_file(self, path: Path) -> bool:
        return path.parent not in self._above and super().is_file(path)


def sample(suite: Suite, limit: int, seed: int) -> dict[SuiteFile, list[Mutant]]:
    """At most `limit` mutants of each kind, drawn from all files of a suite."""
    by_kind: dict[str, list[tuple[SuiteFile, Mutant]]] = defaultdict(list)
    for file in suite.files.values():
        for mutant in mutants(suite, file):
            by_kind[mutant.kind].append((file, mutant))
    chosen: dict[SuiteFile, list[Mutant]] = defaultdict(list)
    draw = random.Random(seed)
    for _, found in sorted(by_kind.items()):
        for file, mutant in draw.sample(found, min(limit, len(found))):
            chosen[file].append(mutant)
    return {file: chosen[file] for file in sorted(chosen, key=lambda file: file.path)}


def measure(
    root: Path, chosen: dict[SuiteFile, list[Mutant]], environment: Path = Path(sys.prefix)
) -> Iterator[Outcome]:
    """Plant and check each; the files themselves are left as they are, and nothing of the environment is run."""
    live = Live(Alone(root), environments={root: environment})
    for file, planted in chosen.items():
        live.open(file.path, file.text)
        before = {_key(it) for it in live.check(file.path)}
        for mutant in planted:
            yield _outcome(live, file, mutant, before)
        live.close(file.path)


def _outcome(live: Live, file: SuiteFile, mutant: Mutant, before: set[tuple[str, str]]) -> Outcome:
    text = mutant.text(file.text)
    live.edit(file.path, [_difference(file.text, text)])
    told = [it for it in live.check(file.path) if _key(it) not in before]
    right = [it for it in told if it.code in mutant.codes]
    edits = [it for it in map(_edits, right) if it is not None]
    lines = split_lines(text)
    fixed = [apply(lines, it) for it in edits]
    whole = list(dict.fromkeys(edit for it in edits for edit in it))
    everything = fixed[0] if len(fixed) == 1 or (fixed and conflict(whole)) else apply(lines, whole)
    restored = any(same(it, file.text) for it in fixed)
    clean = True
    if fixed and not restored:
        live.edit(file.path, [_difference(text, everything)])
        clean = {_key(it) for it in live.check(file.path)} <= before
        live.edit(file.path, [_difference(everything, text)])
    outcome = Outcome(
        mutant=mutant,
        line_text=file.lines[mutant.line - 1].strip(),
        found=bool(told),
        right_rule=bool(right),
        fix_offered=bool(fixed),
        restored=restored,
        equal=restored or (clean and equal(everything, file.text, mutant.kind)),
        clean=clean,
        parses=all(parse(it) is not None for it in fixed),
        said=tuple(sorted({it.code for it in told})),
    )
    live.edit(file.path, [_difference(text, file.text)])
    return outcome


def _difference(before: str, after: str) -> tuple[Span, str]:
    """The lines that differ, as one edit of `before`: an editor would send no more."""
    old, new = split_lines(before), split_lines(after)
    most = min(len(old), len(new))
    head = next((at for at in range(most) if old[at] != new[at]), most)
    tail = next((at for at in range(most - head) if old[-1 - at] != new[-1 - at]), most - head)
    return Span.of(head, 0, len(old) - tail, 0), "".join(new[head : len(new) - tail])


def _key(told: Told) -> tuple[str, str]:
    return told.code, told.message


def _edits(told: Told) -> list[Edit] | None:
    fix = told.diagnostic(with_fix=True).fix
    if fix is None or any(it.path != told.path for it in fix.edits):
        return None
    return [it.edit for it in fix.edits]
