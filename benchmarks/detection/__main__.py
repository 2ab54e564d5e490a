"""Prints how many planted mistakes are found: ``python -m benchmarks.detection [PACKAGE ...] [--limit N] [--environment FOLDER]
[--misses FILE] [--peers]``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.corpus import CORPUS
from benchmarks.detection.causes import NO_MISTAKE, UNKNOWN, cause_of
from benchmarks.detection.measure import Outcome, measure, sample
from benchmarks.detection.mutants import Mutant
from benchmarks.detection.peers import found_by
from benchmarks.detection.suite import Suite


def table(outcomes: Iterable[Outcome], others: Mapping[str, Mapping[Mutant, bool]]) -> None:
    by_kind: dict[str, list[Outcome]] = defaultdict(list)
    for it in outcomes:
        if verdict(it) != NO_MISTAKE:
            by_kind[it.mutant.kind].append(it)
    names = "".join(f" {name:>7}" for name in others)
    head = f"{'planted':>7} {'found':>7} {'right':>7} {'unknown':>7} {'gaps':>5} {'of known':>8} {'fix':>7} {'restored':>8} {'or equal':>8} {'unclean':>7} {'broken':>6}"
    print(f"\n{'mistake':52} {head}{names}")
    for kind, its in sorted(by_kind.items()):
        right = [it for it in its if it.right_rule]
        offered = [it for it in right if it.fix_offered]
        unknown = sum(not it.right_rule and verdict(it) == UNKNOWN for it in its)
        cells = [
            f"{_share(sum(it.found for it in its), len(its)):>7}",
            f"{_share(len(right), len(its)):>7}",
            f"{unknown:7}",
            f"{len(its) - len(right) - unknown:5}",
            f"{_share(len(right), len(its) - unknown):>8}",
            f"{_share(len(offered), len(right)):>7}",
            f"{_share(sum(it.restored for it in right), len(right)):>8}",
            f"{_share(sum(it.equal for it in right), len(right)):>8}",
            f"{sum(not it.clean for it in its):7}",
            f"{sum(not it.parses for it in its):6}",
            *(f"{_share(sum(found[it.mutant] for it in its), len(its)):>7}" for found in others.values()),
        ]
        print(f"{kind:52} {len(its):7} {' '.join(cells)}")


def reasons(outcomes: Iterable[Outcome]) -> None:
    """Why the misses are misses, and what was planted without being a mistake."""
    judged = Counter[tuple[str, str]]()
    for it in outcomes:
        cause = None if it.right_rule else cause_of(it.mutant.kind, place(it), it.line_text)
        if cause is not None:
            judged[cause.verdict, cause.why] += 1
        elif not it.right_rule:
            judged["not judged", f"{it.mutant.kind} at {place(it)}: {it.line_text}"] += 1
    print()
    for (why, text), count in sorted(judged.items()):
        print(f"{count:5}  {why}: {text}")


def verdict(it: Outcome) -> str:
    """How a miss is judged; empty where it is none, or is not judged yet."""
    cause = cause_of(it.mutant.kind, place(it), it.line_text)
    if cause is None or (it.right_rule and cause.verdict != NO_MISTAKE):
        return ""
    return cause.verdict


def place(it: Outcome) -> str:
    return f"{it.mutant.path.relative_to(CORPUS).as_posix()}:{it.mutant.line}"


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
    parser.add_argument(
        "--environment",
        type=Path,
        default=Path(sys.prefix),
        help="where the libraries of the suites are, to be read; default: the running one",
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
        planted = list(measure(root, chosen, options.environment))
        outcomes += planted
        for name, found in (found_by(root, chosen, options.environment) if options.peers else {}).items():
            others[name] |= found
        seconds = time.perf_counter() - started
        print(f"{root.name:24} {len(suite.files):5} files {len(planted):6} mutants {seconds:7.1f} s", flush=True)
    table(outcomes, others)
    reasons(outcomes)
    if options.misses is not None:
        records = [record(it) for it in outcomes if not it.right_rule or not it.equal or not it.clean]
        options.misses.write_text("\n".join(map(json.dumps, records)) + "\n", encoding="utf-8")
    return 0


def record(it: Outcome) -> dict[str, object]:
    return {
        "kind": it.mutant.kind,
        "place": place(it),
        "text": it.line_text,
        "said": it.said,
        "right": it.right_rule,
        "fix": it.fix_offered,
        "equal": it.equal,
        "clean": it.clean,
        "parses": it.parses,
    }


if __name__ == "__main__":
    sys.exit(main())
