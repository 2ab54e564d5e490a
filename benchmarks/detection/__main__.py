"""Prints how many planted mistakes are found: ``python -m benchmarks.detection [PACKAGE ...] [--limit N] [--misses FILE] [--peers]``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.corpus import CORPUS
from benchmarks.detection.measure import Outcome, measure, sample
from benchmarks.detection.mutants import Mutant
from benchmarks.detection.peers import found_by
from benchmarks.detection.suite import Suite


def table(outcomes: Iterable[Outcome], others: Mapping[str, Mapping[Mutant, bool]]) -> None:
    by_kind: dict[str, list[Outcome]] = defaultdict(list)
    for it in outcomes:
        by_kind[it.mutant.kind].append(it)
    names = "".join(f" {name:>7}" for name in others)
    print(f"\n{'mistake':52} {'planted':>7} {'found':>7} {'right':>7} {'fix':>7} {'restored':>8} {'broken':>6}{names}")
    for kind, its in sorted(by_kind.items()):
        right = [it for it in its if it.right_rule]
        offered = [it for it in right if it.fix_offered]
        cells = [
            f"{_share(sum(it.found for it in its), len(its)):>7}",
            f"{_share(len(right), len(its)):>7}",
            f"{_share(len(offered), len(right)):>7}",
            f"{_share(sum(it.restored for it in right), len(right)):>8}",
            f"{sum(not it.parses for it in its):6}",
            *(f"{_share(sum(found[it.mutant] for it in its), len(its)):>7}" for found in others.values()),
        ]
        print(f"{kind:52} {len(its):7} {' '.join(cells)}")


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "-"


def main() -> int:
    parser = argparse.ArgumentParser(description="Planted mistakes, and how many of them are found.")
    parser.add_argument("package", nargs="*", help="folders of the corpus; default: all")
    parser.add_argument("--limit", type=int, default=20, help="mutants of each kind per package (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--misses", type=Path, help="write every miss and every fix that does not restore to this file")
    parser.add_argument(
        "--peers", action="store_true", help="ask ruff, pyright, mypy, ty, flake8 and pylint too, where they are"
    )
    options = parser.parse_args()
    roots = [CORPUS / name for name in options.package] or sorted(it for it in CORPUS.glob("*") if it.is_dir())
    if not roots or not all(root.is_dir() for root in roots):
        print("the corpus is not there: fetch it first", file=sys.stderr)
        return 2
    outcomes: list[Outcome] = []
    others: dict[str, dict[Mutant, bool]] = defaultdict(dict)
    for root in roots:
        started = time.perf_counter()
        suite = Suite(root)
        chosen = sample(suite, options.limit, options.seed)
        planted = list(measure(root, chosen))
        outcomes += planted
        for name, found in (found_by(root, chosen) if options.peers else {}).items():
            others[name] |= found
        seconds = time.perf_counter() - started
        print(f"{root.name:24} {len(suite.files):5} files {len(planted):6} mutants {seconds:7.1f} s", flush=True)
    table(outcomes, others)
    if options.misses is not None:
        records = [record(it) for it in outcomes if not it.right_rule or not it.restored]
        options.misses.write_text("\n".join(map(json.dumps, records)) + "\n", encoding="utf-8")
    return 0


def record(it: Outcome) -> dict[str, object]:
    return {
        "kind": it.mutant.kind,
        "place": f"{it.mutant.path.relative_to(CORPUS).as_posix()}:{it.mutant.line}",
        "text": it.line_text,
        "said": it.said,
        "right": it.right_rule,
        "fix": it.fix_offered,
        "parses": it.parses,
    }


if __name__ == "__main__":
    sys.exit(main())
