"""Runs a project's own tests plain, traced and strict: do their outcomes stay the same, and what does it cost?

``python -m benchmarks.trace FOLDER [--python PYTHON] [--rounds N] [--spread S] [--count] [PYTEST ARGUMENT …]``. The kinds of runs alternate;
figures are medians over the rounds, in processor time of the process that runs pytest. With ``--spread``, rounds end early once the
quickest three runs of each kind lie that close together, and the quickest are compared: what a busy machine adds is not counted.
With ``--count``, the instructions of whole runs are counted instead, by valgrind: the same on a busy machine, but 50 times as slow.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
RECORDER = ROOT / "server" / "awaitest" / "trace" / "path"
PLUGIN = ["-p", "awaitest_trace.plugin"]
KINDS = ("plain", "idle", "traced", "helpers", "strict")
"""`idle`: the recorder is loaded beside pytest, and nobody asks it for anything."""
QUICKEST = 3


@dataclass(frozen=True)
class Told:
    """One run: outcome and message by test and phase, and seconds of processor time by test and of the whole session."""

    outcomes: dict[str, str]
    messages: dict[str, str]
    seconds: dict[str, float]
    whole: float
    exit_code: int

    @property
    def rest(self) -> float:
        """Seconds that went to no test: collection, plugins, reports."""
        return self.whole - sum(self.seconds.values())


def run(kind: str, folder: Path, python: Path, arguments: Sequence[str], before: Sequence[str] = ()) -> Told:
    """One run, by a command that begins with other words `before`. Raises RuntimeError with what pytest printed where it did
    not come to its end."""
    with tempfile.TemporaryDirectory() as temporary:
        told, events = Path(temporary, "told.json"), Path(temporary, "events.jsonl")
        options = {
            "plain": [],
            "idle": PLUGIN,
            "traced": [*PLUGIN, f"--awaitest-trace={events}"],
            "helpers": [*PLUGIN, f"--awaitest-trace={events}", "--awaitest-helpers"],
            "strict": [*PLUGIN, "--awaitest-strict"],
        }[kind]
        command = [
            *before, str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "outcomes", *options, *arguments,
        ]  # fmt: skip
        paths = os.pathsep.join([str(RECORDER), str(Path(__file__).parent / "path")])
        environment = {**os.environ, "PYTHONPATH": paths, "OUTCOMES": str(told), "PYTHONHASHSEED": "0"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if not told.is_file():
            raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
        data = json.loads(told.read_text(encoding="utf-8"))
    phases = data["phases"]
    names = list(_counted(f"{test.partition('[')[0]} ({when})" for test, when, _, _ in phases))
    return Told(
        {name: outcome for name, (_, _, outcome, _) in zip(names, phases, strict=True)},
        {name: message for name, (_, _, _, message) in zip(names, phases, strict=True)},
        dict(zip(_counted(test.partition("[")[0] for test in data["seconds"]), data["seconds"].values(), strict=True)),
        data["whole"],
        done.returncode,
    )


def instructions(kind: str, folder: Path, python: Path, arguments: Sequence[str]) -> int:
    """How many instructions one run takes. Raises OSError where there is no valgrind."""
    with tempfile.TemporaryDirectory() as temporary:
        log = Path(temporary, "log")
        valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
        run(kind, folder, python, arguments, [*valgrind, f"--log-file={log}"])
        counted = re.search(r"I\s+refs:\s+([\d,]+)", log.read_text(encoding="utf-8"))
    assert counted is not None
    return int(counted[1].replace(",", ""))


def _counted(names: Iterable[str]) -> Iterator[str]:
    """Names made distinct by their place: the parameters in a test's id may be drawn by lot."""
    met: Counter[str] = Counter()
    for name in names:
        met[name] += 1
        yield f"{name} #{met[name]}"


def differences(plain: Told, other: Told) -> list[str]:
    """The phases whose outcome is another one."""
    return [
        f"{it}: {plain.outcomes.get(it)} → {other.outcomes.get(it)}: {other.messages.get(it, '').strip()[-200:]}"
        for it in {**plain.outcomes, **other.outcomes}
        if plain.outcomes.get(it) != other.outcomes.get(it)
    ]


def costs(plain: Sequence[Told], other: Sequence[Told]) -> dict[str, float]:
    """Ratios of the medians: of a typical test, of all tests together, of what is no test, and of the whole run."""
    tests = [test for test in plain[0].seconds if all(test in it.seconds for it in (*plain, *other))]
    each = [_middle(other, test) / max(1e-6, _middle(plain, test)) for test in tests]
    return {
        "a test": median(each) if each else 1.0,
        "all tests": _ratio([sum(it.seconds.values()) for it in plain], [sum(it.seconds.values()) for it in other]),
        "the rest": _ratio([it.rest for it in plain], [it.rest for it in other]),
        "the run": _ratio([it.whole for it in plain], [it.whole for it in other]),
    }


def spread(runs: Sequence[Told]) -> float:
    """How far the quickest runs lie apart; infinite for too few."""
    quickest = sorted(it.whole for it in runs)[:QUICKEST]
    return quickest[-1] / quickest[0] - 1 if len(quickest) == QUICKEST else math.inf


def best(plain: Sequence[Told], other: Sequence[Told]) -> float:
    """The quickest run beside the quickest plain one."""
    return min(it.whole for it in other) / min(it.whole for it in plain)


def _middle(runs: Sequence[Told], test: str) -> float:
    return median(it.seconds[test] for it in runs)


def _ratio(plain: Sequence[float], other: Sequence[float]) -> float:
    return median(after / before for before, after in zip(plain, other, strict=True))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trace")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="that runs the tests")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument(
        "--kind", action="append", choices=KINDS[1:], help="beside plain; may be repeated; all by default"
    )
    parser.add_argument(
        "--spread", type=float, metavar="S", help="such as 0.02: stop once the quickest runs are that close"
    )
    parser.add_argument("--count", action="store_true", help="count instructions instead of seconds")
    asked, arguments = parser.parse_known_args()
    kinds = asked.kind or KINDS[1:]
    if asked.count:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        run("helpers", asked.folder, asked.python.absolute(), arguments)  # compiles what the others then find
        counts = {it: instructions(it, asked.folder, asked.python.absolute(), arguments) for it in ("plain", *kinds)}
        for kind, count in counts.items():
            print(f"{kind:8} {count / 1e6:10,.0f} million instructions, × {count / counts['plain']:.4f}")
        return 0
    runs: dict[str, list[Told]] = {kind: [] for kind in ("plain", *kinds)}
    for _ in range(asked.rounds):
        for kind, told in runs.items():
            told.append(run(kind, asked.folder, asked.python.absolute(), arguments))
        if asked.spread is not None and max(map(spread, runs.values())) < asked.spread:
            break
    plain, different = runs["plain"], 0
    if not plain[0].seconds:
        print(f"{asked.folder.name}: no test was run, exit code {plain[0].exit_code}", file=sys.stderr)
        return 2
    print(f"{asked.folder.name}: {len(plain[0].seconds)} tests, exit code {plain[0].exit_code}, {plain[0].whole:.1f} s")
    for kind in kinds:
        changed = differences(plain[0], runs[kind][0])
        different += len(changed)
        figures = ", ".join(f"{name} × {ratio:.3f}" for name, ratio in costs(plain, runs[kind]).items())
        print(f"  {kind:8} {len(changed)} outcomes differ; {figures}")
        if asked.spread is not None:
            apart = max(spread(plain), spread(runs[kind]))
            print(f"  {'':8} the quickest of {len(plain)} rounds × {best(plain, runs[kind]):.4f}, {apart:.2%} apart")
        print("".join(f"    {line}\n" for line in changed), end="")
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
