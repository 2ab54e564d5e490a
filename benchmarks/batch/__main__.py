"""Prints what checking a project costs: ``python -m benchmarks.batch [--tests N] [--modules N] [--rounds N] [--peers]``.

All tools take turns on the same generated project; figures are medians of the rounds. The ratio is to `ruff check` without its cache, with
the rules ASYNC, PT and RUF.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.batch.project import write
from benchmarks.peers import tool

PEERS = {
    "ty": ["ty", "check", "--exit-zero"],
    "mypy": ["mypy", "--no-incremental", "--ignore-missing-imports", "."],
    "pyright": ["pyright"],
    "flake8-async": ["flake8", "--select", "ASYNC"],
}


COLD, CHANGED = "awaitest, cold", "awaitest, one changed"
"""Ours without what was remembered of the project, and after a change of one test."""


@dataclass
class Cost:
    wall: float
    cpu: float
    memory: float
    """Seconds, seconds of all processors, megabytes at most."""


def run(command: Sequence[str], folder: Path) -> Cost:
    """What one run costs, its children included."""
    started, before = time.perf_counter(), os.times()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, peak))
    watcher.start()
    process.wait()
    wall, after = time.perf_counter() - started, os.times()
    watcher.join()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(wall, cpu, peak[0])


def _watch(process: subprocess.Popen[bytes], peak: list[float]) -> None:
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        try:
            told = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        except OSError:
            told = []
        peak[0] = max([peak[0], *(int(line.split()[1]) / 1024 for line in told)])
        time.sleep(0.01)


def commands(folder: Path, peers: bool) -> dict[str, list[str]]:
    ruff = tool("ruff")
    if ruff is None:
        raise SystemExit("no ruff to compare with: install it beside this Python")
    one = sorted(folder.glob("tests/*/test_*.py"))[0]
    ours = [sys.executable, "-m", "awaitest", "check", "--output-format", "concise"]
    found = {
        "ruff, cold": [ruff, "check", "--exit-zero", "--no-cache"],
        "ruff, warm": [ruff, "check", "--exit-zero"],
        COLD: [*ours, "."],
        "awaitest, warm": [*ours, "."],
        CHANGED: [*ours, "."],
        "awaitest, one file": [*ours, str(one)],
    }
    for name, command in PEERS.items() if peers else ():
        program = tool(command[0])
        if program is not None:
            found[name] = [program, *command[1:]]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="What checking a whole project costs.")
    parser.add_argument("--tests", type=int, default=1000, help="files of tests (default: %(default)s)")
    parser.add_argument("--modules", type=int, default=2000, help="modules of the app (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each tool (default: %(default)s)")
    parser.add_argument(
        "--peers", action="store_true", help="measure ty, mypy, pyright and flake8 too, where they are; once each"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        write(folder, options.tests, options.modules)
        files = list(folder.rglob("*.py"))
        lines = sum(path.read_text().count("\n") for path in files)
        print(f"{len(files):,} files, {lines:,} lines, {options.tests:,} of them tests")
        them = commands(folder, options.peers)
        cache = folder.parent / f"{folder.name}-cache"
        os.environ["AWAITEST_CACHE_DIR"] = str(cache)
        costs: dict[str, list[Cost]] = {name: [] for name in them}
        for turn in range(options.rounds):
            for name, command in them.items():
                if name == COLD:
                    shutil.rmtree(cache / "runs", ignore_errors=True)
                if name == CHANGED:
                    with sorted(folder.glob("tests/*/test_*.py"))[turn].open("a") as file:
                        file.write("# changed\n")
                if turn == 0 or name not in PEERS:
                    costs[name].append(run(command, folder))
        base = statistics.median(it.wall for it in costs["ruff, cold"])
        shutil.rmtree(cache, ignore_errors=True)
        for name, taken in costs.items():
            wall, cpu = statistics.median(it.wall for it in taken), statistics.median(it.cpu for it in taken)
            memory = max(it.memory for it in taken)
            print(
                f"{name:20} wall {wall:7.2f} s  CPU {cpu:7.2f} s  {memory:6.0f} MB  "
                f"{len(files) / wall:8,.0f} files/s  {wall / base:6.1f} × ruff",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
