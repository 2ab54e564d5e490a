"""Prints what awaitest finds in the zoo: ``python -m benchmarks.zoo [ZOO] [--peers] [--run-fixed] [--drop-annotations]``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import peers
from benchmarks.zoo_cases import (
    Case,
    Finding,
    all_run_fixed,
    as_recorded,
    awaitest,
    bare_copy,
    by_case,
    find_zoo,
    load_cases,
    planted_fixes,
    repaired,
)

Grouped = Mapping[str, Sequence[Finding]]


def verdict(case: Case, findings: Sequence[Finding]) -> str:
    """The codes that found the mistake, or a dash."""
    if case.clean:
        return "clean"
    return ",".join(sorted({it.code for it in findings if case.found_by(it)})) or "-"


def false_alarms(case: Case, findings: Sequence[Finding]) -> list[Finding]:
    """What is said above hint level away from the planted lines."""
    return [it for it in findings if it.counts and not case.holds(it)]


def fix_verdict(zoo: Path, case: Case, findings: Sequence[Finding]) -> str:
    planted = planted_fixes(case, findings)
    words: list[str] = []
    for name, unsafe in (("safe", False), ("unsafe", True)):
        files = repaired(zoo, planted, unsafe=unsafe)
        if files and not (unsafe and words):
            words.append(f"{name} {'as recorded' if as_recorded(zoo, case, files) else 'differs'}")
    return " ".join(words) or ("" if case.clean else "no fix")


def table(zoo: Path, cases: Sequence[Case], grouped: Grouped, others: Mapping[str, Grouped]) -> int:
    """Prints a line per case and the lists after it; the number of false alarms."""
    print(f"{'case':42} {'found by':16} {'alarms':>6}  {'fix':22}" + "".join(f" {name:>8}" for name in others))
    for case in cases:
        findings = grouped.get(case.id, ())
        beside = "".join(f" {_mark(case, other.get(case.id, ())):>8}" for other in others.values())
        alarms = len(false_alarms(case, findings)) or ""
        print(f"{case.id:42} {verdict(case, findings):16} {alarms!s:>6}  {fix_verdict(zoo, case, findings):22}{beside}")
    planted = [case for case in cases if not case.clean]
    missed = [case for case in planted if verdict(case, grouped.get(case.id, ())) == "-"]
    for family in sorted({case.family for case in missed}):
        print(f"\nnot found, {family}:")
        for case in missed:
            if case.family == family:
                print(f"  {case.id:42} {case.title}")
    alarms_all = [it for case in cases for it in false_alarms(case, grouped.get(case.id, ()))]
    if alarms_all:
        print("\nsaid elsewhere:")
        for it in alarms_all:
            print(f"  {it.file}:{it.line} {it.code} {it.message}")
    print(f"\nawaitest: found {len(planted) - len(missed)} of {len(planted)}, false alarms {len(alarms_all)}")
    for name, other in others.items():
        found = sum(any(case.holds(it) for it in other.get(case.id, ())) for case in planted)
        elsewhere = sum(len(false_alarms(case, other.get(case.id, ()))) for case in cases)
        in_clean = sum(bool(other.get(case.id)) for case in cases if case.clean)
        print(
            f"{name}: found {found} of {len(planted)}, said elsewhere {elsewhere}, clean cases with an alarm {in_clean}"
        )
    return len(alarms_all)


def _mark(case: Case, findings: Sequence[Finding]) -> str:
    elsewhere = len(false_alarms(case, findings))
    found = any(case.holds(it) for it in findings)
    return ("found" if found else "clean" if case.clean and not elsewhere else "-") + (
        f" +{elsewhere}" if elsewhere else ""
    )


def compare_without_annotations(zoo: Path, cases: Sequence[Case], grouped: Grouped, work: Path) -> int:
    """Checks copies without the AsyncClient annotations; the number of findings that come or go."""
    copy = work / "bare"
    changed = bare_copy(zoo, copy)
    after = by_case(awaitest(copy))
    differences = 0
    for case in cases:
        if case.id in changed:
            was, now = (
                {(it.file, it.line, it.code) for it in grouping.get(case.id, ())} for grouping in (grouped, after)
            )
            for word, places in (("gone", was - now), ("new", now - was)):
                for file, line, code in sorted(places):
                    print(f"without annotation, {word}: {file}:{line} {code}")
                    differences += 1
    print(f"annotations dropped in {len(changed)} cases: {differences} differences")
    return differences


def main() -> int:
    parser = argparse.ArgumentParser(description="What awaitest finds in the zoo.")
    parser.add_argument("zoo", nargs="?", help="default: $AWAITEST_ZOO, then ../shared/zoo beside the clone")
    parser.add_argument("--peers", action="store_true", help="ruff and pyright beside, where installed")
    parser.add_argument("--run-fixed", action="store_true", help="run pytest on the repaired cases")
    parser.add_argument("--drop-annotations", action="store_true", help="compare with copies without annotations")
    options = parser.parse_args()
    zoo = find_zoo(options.zoo)
    if zoo is None:
        print("no zoo: name its folder, or set AWAITEST_ZOO", file=sys.stderr)
        return 2
    cases, grouped = load_cases(zoo), by_case(awaitest(zoo))
    with tempfile.TemporaryDirectory(prefix="zoo-") as folder:
        work = Path(folder).resolve()
        others: dict[str, Grouped] = {}
        if options.peers and peers.tool("ruff"):
            others["ruff"] = by_case(peers.ruff(zoo))
        if options.peers and peers.tool("pyright"):
            others["pyright"] = by_case(peers.pyright(zoo, work))
        wrong = table(zoo, cases, grouped, others)
        if options.run_fixed:
            for case, outcome, agrees in all_run_fixed(zoo, cases, grouped, work):
                print(f"repaired {case.id:42} {outcome}{'' if agrees else f'   MISMATCH: recorded {case.outcome}'}")
                wrong += not agrees
        if options.drop_annotations:
            wrong += compare_without_annotations(zoo, cases, grouped, work)
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
