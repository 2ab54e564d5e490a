"""Prints what checking a project costs: ``python -m benchmarks.batch [FOLDER] [--tests N] [--modules N] [--rounds N] [--peers]``.

The project is a generated one, or a copy of FOLDER: that of the corpus, say. Ours and ruff take turns, figures are medians of the rounds; the
others follow, once each. Ratios are to `ruff check` without its cache, with the rules ASYNC, PT and RUF.
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
    "ty": ["ty", "check", "--exit-zero", "--python", sys.prefix],
    "pyrefly": ["pyrefly", "check"],
    "pyright": ["pyright", "--pythonpath", sys.executable],
    "mypy": ["mypy", "--no-incremental", "--explicit-package-bases", "--python-executable", sys.executable, "."],
    "pylint": ["pylint", "--recursive=y", "--exit-zero", "."],
    "flake8-async": ["flake8", "--select", "ASYNC"],
}
PATIENCE = 300.0
"""Seconds for one run."""

COLD = ("awaitest, cold, one process", "awaitest, cold")
CHANGED = "awaitest, one changed"
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
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
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


def commands(folder: Path) -> dict[str, list[str]]:
    """The runs that take turns, in the order in which a project sees them."""
    ruff = tool("ruff")
    if ruff is None:
        raise SystemExit("no ruff to compare with: install it beside this Python")
    ours = [sys.executable, "-m", "awaitest", "check", "--output-format", "concise"]
    return {
        "ruff, cold": [ruff, "check", "--exit-zero", "--no-cache", "--select", "ASYNC,PT,RUF"],
        "ruff, warm": [ruff, "check", "--exit-zero", "--select", "ASYNC,PT,RUF"],
        COLD[0]: [*ours, "--jobs", "1", "."],
        COLD[1]: [*ours, "."],
        "awaitest, warm": [*ours, "."],
        CHANGED: [*ours, "."],
        "awaitest, one file": [*ours, str(tests(folder)[0])],
    }


def tests(folder: Path) -> list[Path]:
    return sorted(folder.rglob("test_*.py"))


def told(name: str, taken: Sequence[Cost], files: int, base: float) -> str:
    """A line of the table; `base` is what ratios are to, in seconds."""
    wall, cpu = statistics.median(it.wall for it in taken), statistics.median(it.cpu for it in taken)
    if wall >= PATIENCE:
        return f"{name:28} stopped after {PATIENCE:.0f} s"
    memory = max(it.memory for it in taken)
    rates = f"{files / wall:8,.0f} files/s  {wall / base:7.1f} × ruff"
    return f"{name:28} wall {wall:7.2f} s  CPU {cpu:7.2f} s  {memory:6.0f} MB  {rates}"


def measure(folder: Path, cache: Path, rounds: int) -> dict[str, list[Cost]]:
    """What the runs cost that take turns."""
    them = commands(folder)
    costs: dict[str, list[Cost]] = {name: [] for name in them}
    for turn in range(rounds):
        for name, command in them.items():
            if name in COLD:
                shutil.rmtree(cache / "runs", ignore_errors=True)
            if name == CHANGED:
                with tests(folder)[turn].open("a") as file:
                    file.write("# changed\n")
            costs[name].append(run(command, folder))
    return costs


def main() -> int:
    parser = argparse.ArgumentParser(description="What checking a whole project costs.")
    parser.add_argument("folder", nargs="?", type=Path, help="a project to copy and check (default: a generated one)")
    parser.add_argument("--tests", type=int, default=1000, help="files of tests (default: %(default)s)")
    parser.add_argument("--modules", type=int, default=2000, help="modules of the app (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of ours and of ruff (default: %(default)s)")
    parser.add_argument("--peers", action="store_true", help="measure other tools too, where they are, once each")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, cache = Path(name).resolve() / "project", Path(name).resolve() / "cache"
        if options.folder is not None:
            shutil.copytree(options.folder, folder, symlinks=True)
        else:
            write(folder, options.tests, options.modules)
        files = list(folder.rglob("*.py"))
        lines = sum(path.read_bytes().count(b"\n") for path in files)
        print(f"{len(files):,} files, {lines:,} lines, {len(tests(folder)):,} of them tests")
        os.environ["AWAITEST_CACHE_DIR"] = str(cache)
        costs = measure(folder, cache, options.rounds)
        base = statistics.median(it.wall for it in costs["ruff, cold"])
        for name, taken in costs.items():
            print(told(name, taken, len(files), base), flush=True)
        for name, command in PEERS.items() if options.peers else ():
            program = tool(command[0])
            if program is not None:
                print(told(name, [run([program, *command[1:]], folder)], len(files), base), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
