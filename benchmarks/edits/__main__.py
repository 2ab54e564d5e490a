"""Types at random into the tests of the corpus and compares what is said while typing with what a fresh check says:
``python -m benchmarks.edits [--edits N] [--every N] [--seed N] [--jobs N]``.

Each sitting opens one file of tests, its conftest and a neighbour, and types into them; every so many edits, everything said
of them must be what a new checker says of the same texts, in order and place. The edits of a difference are printed as they can be played again:
sitting by sitting with ``--seed``.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from awaitest.check import Checker, Told
from awaitest.live import Live
from awaitest.project.cache import SkeletonCache, default_folder
from awaitest.project.files import DiskFiles, OverlayFiles
from awaitest.project.workspace import Workspace
from awaitest.source.text import Span
from benchmarks.corpus import CORPUS

PIECES = [
    "", "\n", "x", " ", "await ", "async ", "(", ")", "[", "]", "{", "}", '"""', "'''", "'", '"', 'f"{', "#", "\\\n", ":", "    ", "\t",
    "client", ".json()", "assert True\n", "    response = client.get('/')\n", "@pytest.mark.asyncio\n", "@pytest.mark.anyio\n",
    "async def test_more(client):\n    client.get('/')\n", "class TestMore:\n", "    def test_x(self): pass\n", "@pytest.fixture\n",
    "@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n", "def helper(): return 1\n", "import httpx\n", "import nest_asyncio\n",
    "from httpx import AsyncClient\n", "return", "yield", "self.client = 1\n", "global x\n", "\f", "\0", "é", "😀", "\r\n",
    "def pytest_pyfunc_call(pyfuncitem):\n    import asyncio\n", "pytestmark = pytest.mark.asyncio\n", "if x:\n", "    ",
]  # fmt: skip
LONGEST = 1500
"""Lines of a file that is opened: each comparison reads all of it."""


@dataclass(frozen=True)
class Sitting:
    """One file and its neighbours, and so many edits."""

    seed: int
    path: Path
    edits: int
    every: int


def opened_with(path: Path) -> list[Path]:
    """What lies open beside a file."""
    near = [path, path.parent / "conftest.py", *sorted(path.parent.glob("test_*.py"))]
    return [it for it in dict.fromkeys(near) if it.is_file()][:3]


def sit(sitting: Sitting) -> tuple[int, str]:
    """How many edits were made, and the difference that they led to, or none."""
    dice = random.Random(sitting.seed)
    cache = SkeletonCache(default_folder())
    live = Live(DiskFiles(), cache)
    paths = opened_with(sitting.path)
    for path in paths:
        live.open(path, path.read_bytes().decode("utf-8"))
        live.check(path)
    for number in range(1, sitting.edits + 1):
        path = paths[0] if dice.random() < 0.8 else dice.choice(paths)
        change(live, path, dice)
        live.check(path)
        if number % sitting.every == 0 or number == sitting.edits:
            found = compared(live, paths, cache)
            if found:
                return number, f"seed {sitting.seed}, {sitting.path.relative_to(CORPUS)}, edit {number}: {found}"
    return sitting.edits, ""


def change(live: Live, path: Path, dice: random.Random) -> None:
    """Type something somewhere, or take something back."""
    document = live.document(path)
    assert document is not None
    lines = document.lines or [""]
    line = dice.randrange(len(lines))
    first = dice.randrange(len(lines[line].rstrip("\r\n")) + 1)
    last = min(len(lines[line].rstrip("\r\n")), first + dice.choice([0, 0, 0, 1, 1, 4]))
    places = [
        Span.of(line, first, line, last), Span.of(line, first, line, last), Span.of(line, 0, line, 0),
        Span.of(line, 0, min(line + dice.choice([1, 1, 2]), len(lines) - 1), 0),
    ]  # fmt: skip
    live.edit(path, [(dice.choice(places), dice.choice(PIECES))])


def compared(live: Live, paths: Sequence[Path], cache: SkeletonCache) -> str:
    """Where what is said of open files is not what a fresh check says."""
    texts = {path: document.text for path in paths if (document := live.document(path)) is not None}
    checker = Checker(Workspace(OverlayFiles(texts, DiskFiles()), cache=cache))
    for path in paths:
        now = [said(told) for told in live.check(path)]
        fresh = [(it.code, it.span, it.message, it.severity.value) for it in checker.check(path)]
        if now != fresh:
            return f"{path.name}: typed {sorted(set(now) - set(fresh))}, fresh {sorted(set(fresh) - set(now))}"
    return ""


def said(told: Told) -> tuple[str, Span, str, str]:
    return told.code, told.span, told.message, told.severity.value


def sittings(edits: int, every: int, seed: int) -> list[Sitting]:
    """The same for the same seed."""
    files = [
        path
        for path in sorted(CORPUS.glob("*/**/test_*.py"))
        if b"async def" in (text := path.read_bytes()) and text.count(b"\n") <= LONGEST and _is_utf8(text)
    ]
    if not files:
        raise SystemExit("no corpus: fetch it with `python -m benchmarks.corpus fetch`")
    dice = random.Random(seed)
    length = 10 * every
    return [Sitting(dice.randrange(1 << 30), dice.choice(files), length, every) for _ in range(-(-edits // length))]


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description="Whether typing leads to other findings than the text itself.")
    parser.add_argument("--edits", type=int, default=2000, help="edits in all (default: %(default)s)")
    parser.add_argument("--every", type=int, default=20, help="edits between two comparisons (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed types something else (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes (default: %(default)s)")
    options = parser.parse_args()
    started, made, differences = time.perf_counter(), 0, 0
    with ProcessPoolExecutor(options.jobs) as pool:
        for edits, difference in pool.map(sit, sittings(options.edits, options.every, options.seed)):
            made += edits
            if difference:
                differences += 1
                print(difference, flush=True)
    print(f"{made:,} edits, {differences} sittings with a difference, {time.perf_counter() - started:.0f} s")
    return int(differences > 0)


if __name__ == "__main__":
    sys.exit(main())
