"""Plants mistakes one by one and looks what awaitest says of each: found, by the right rule, repaired to what was there."""

from __future__ import annotations

import ast
import random
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from awaitest.check import Told
from awaitest.live import Live
from awaitest.source.splitter import split_lines
from awaitest.source.text import Span, apply
from benchmarks.detection.mutants import Mutant, mutants
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
    parses: bool
    said: tuple[str, ...]


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
    live = Live(environments={root: environment})
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
    fixed = [_fixed(it, text) for it in right]
    offered = [it for it in fixed if it is not None]
    outcome = Outcome(
        mutant=mutant,
        line_text=file.lines[mutant.line - 1].strip(),
        found=bool(told),
        right_rule=bool(right),
        fix_offered=bool(offered),
        restored=any(_same(it, file.text) for it in offered),
        parses=all(_parse(it) is not None for it in offered),
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


def _fixed(told: Told, text: str) -> str | None:
    fix = told.diagnostic(with_fix=True).fix
    if fix is None or any(it.path != told.path for it in fix.edits):
        return None
    return apply(split_lines(text), [it.edit for it in fix.edits])


def _parse(text: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except SyntaxError:
            return None


def _same(text: str, original: str) -> bool:
    """Whether two texts are the same program, the order of imports aside."""
    after, before = _parse(text), _parse(original)
    return after is not None and before is not None and _normal(after) == _normal(before)


def _normal(tree: ast.Module) -> str:
    imports = sorted(ast.dump(it) for it in tree.body if isinstance(it, ast.Import | ast.ImportFrom))
    rest = [ast.dump(it) for it in tree.body if not isinstance(it, ast.Import | ast.ImportFrom)]
    return "\n".join([*imports, *rest])
