"""Prints what a keystroke in a conftest costs: ``python -m benchmarks.keystroke.dependants [--tests N] [--edits N]``.

The fixture that all tests take is broken and repaired in turn, so that each keystroke changes what is said in every one of them: one of them is
open, the others are surveyed. `own`: until the conftest's diagnostics are there; `open`: those of the open test; `all`: until the last
surveyed test was told; `next`: the own diagnostics of a keystroke that comes while the survey goes on.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.keystroke.__main__ import PROJECT
from benchmarks.keystroke.server import Server
from benchmarks.keystroke.texts import HEAD, TEST

TOKEN = "survey"
YIELDED = "        yield client\n"


class Surveyed(Server):
    """A server whose survey is followed."""

    def survey(self) -> None:
        """Ask for the whole workspace, and keep the request open."""
        params = {"previousResultIds": [], "partialResultToken": TOKEN}
        self._send({"id": TOKEN, "method": "workspace/diagnostic", "params": params})

    def told(self, wanted: int) -> None:
        """Wait until so many files were told."""
        while wanted > 0:
            message = self._receive(_streamed)
            wanted -= len(message["params"]["value"]["items"])


def _streamed(message: dict[str, Any]) -> bool:
    return message.get("method") == "$/progress" and message["params"]["token"] == TOKEN


def write(folder: Path, tests: int) -> tuple[Path, list[Path]]:
    """A conftest, and tests each of which misses one `await`."""
    (folder / "pyproject.toml").write_text(PROJECT)
    conftest = folder / "tests" / "conftest.py"
    conftest.parent.mkdir()
    conftest.write_text(HEAD)
    paths = [conftest.with_name(f"test_{number}.py") for number in range(tests)]
    for number, path in enumerate(paths):
        path.write_text("import pytest\n\n\n" + TEST.format(number=number, maybe=""))
    return conftest, paths


def main() -> int:
    parser = argparse.ArgumentParser(
        description="From a keystroke in a conftest to all that it changes, in milliseconds."
    )
    parser.add_argument("--tests", type=int, default=200, help="files that rest on the conftest (default: %(default)s)")
    parser.add_argument("--edits", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        conftest, paths = write(folder, options.tests)
        server = Surveyed("awaitest", [sys.executable, "-m", "awaitest", "server"], folder, pull=True)
        line = HEAD[: HEAD.index(YIELDED)].count("\n")
        end = len(YIELDED) - 1
        server.open(paths[0], paths[0].read_text())
        server.open(conftest, HEAD)
        server.survey()
        server.told(options.tests - 1)
        taken: dict[str, list[float]] = {"own": [], "open": [], "all": [], "next": []}
        broken = False

        def keystroke() -> float:
            nonlocal broken
            at, until, text = (end, end, "s") if not broken else (end, end + 1, "")
            broken = not broken
            return server.change(conftest, line, at, until, text)

        for _ in range(options.edits):
            started = time.perf_counter()
            taken["own"].append(keystroke())
            server.ask(paths[0])
            taken["open"].append(time.perf_counter() - started)
            server.told(options.tests - 1)
            taken["all"].append(time.perf_counter() - started)
        for _ in range(options.edits // 2):
            keystroke()
            taken["next"].append(keystroke())
            time.sleep(1)
        print(f"a conftest with {options.tests} dependants, median / highest, ms:")
        for what, values in taken.items():
            print(f"  {what:5} {statistics.median(values) * 1000:8.1f} /{max(values) * 1000:8.1f}")
        server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
