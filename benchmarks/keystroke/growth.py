"""Prints how the cost of a keystroke grows: ``python -m benchmarks.keystroke.growth [--edits N]``.

One thing grows in each table, all else stays: the lines of the file, the modules and tests of the project, the fixtures of the conftest, the chain
of modules through which the app is imported. In process, without a protocol: milliseconds of processor time for an edit and the check after it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from awaitest.live import Live
from awaitest.source.text import Position, Span
from benchmarks.batch.project import write
from benchmarks.keystroke.__main__ import PROJECT
from benchmarks.keystroke.texts import HEAD, generated, middle

LINES = 500
APP = "app = FastAPI()\n"
FIXTURE = '@pytest_asyncio.fixture\nasync def fixture_{number}({asks}):\n    return "{number}"\n\n\n'


def long_file(folder: Path, size: int) -> Path:
    return _put(folder / "test_it.py", generated(size))


def large_project(folder: Path, size: int) -> Path:
    write(folder, size // 3, size - size // 3)
    return long_file(folder, LINES)


def many_fixtures(folder: Path, size: int) -> Path:
    """Each asks for the one before, the client for the last."""
    asks = ["", *(f"fixture_{number}" for number in range(size - 1))]
    fixtures = "".join(FIXTURE.format(number=number, asks=before) for number, before in enumerate(asks))
    _put(
        folder / "conftest.py",
        HEAD.replace("@pytest_asyncio", fixtures + "@pytest_asyncio").replace(
            "client()", f"client(fixture_{size - 1})"
        ),
    )
    return _put(folder / "test_it.py", "import pytest\n\n\n" + generated(LINES).removeprefix(HEAD))


def long_chain(folder: Path, size: int) -> Path:
    """The app comes through so many modules."""
    _put(folder / "part_0.py", "from fastapi import FastAPI\n\n" + APP)
    for number in range(1, size):
        _put(folder / f"part_{number}.py", f"from part_{number - 1} import app\n")
    return _put(folder / "test_it.py", generated(LINES).replace(APP, f"from part_{size - 1} import app\n"))


def _put(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


GROWING: dict[str, tuple[Callable[[Path, int], Path], tuple[int, ...]]] = {
    "lines of the file": (long_file, (100, 500, 2000, 10000)),
    "files of the project": (large_project, (30, 300, 3000)),
    "fixtures, each on another": (many_fixtures, (1, 10, 100)),
    "modules to the app": (long_chain, (1, 4, 16)),
}


def keystroke(path: Path, edits: int) -> float:
    """The median of an edit in the middle of a file, and its check, in milliseconds."""
    text = path.read_text()
    live = Live()
    live.open(path, text)
    live.check(path)
    line = middle(text, "client.get(")
    at = text.splitlines()[line].index('"') + 2
    taken = []
    for turn in range(edits):
        span = Span(Position(line + 1, at), Position(line + 1, at + turn % 2))
        started = time.process_time()
        live.edit(path, [(span, "" if turn % 2 else "7")])
        live.check(path)
        taken.append((time.process_time() - started) * 1000)
    return statistics.median(taken[edits // 5 :])


def main() -> int:
    parser = argparse.ArgumentParser(description="How the cost of a keystroke grows.")
    parser.add_argument("--edits", type=int, default=200)
    options = parser.parse_args()
    for what, (make, sizes) in GROWING.items():
        figures = []
        for size in sizes:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name).resolve()
                (folder / "pyproject.toml").write_text(PROJECT)
                figures.append(f"{size:6,}: {keystroke(make(folder, size), options.edits):5.2f} ms")
        print(f"{what:28}", "  ".join(figures), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
