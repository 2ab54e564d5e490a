"""Where things are made: the lines of the project that stand behind them."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

COROUTINE, CLIENT, TASK, EXCEPTION = "coroutine", "client", "task", "exception"
STREAM, OVERRIDE = "stream", "override"
_INSTALLED = ("site-packages", "dist-packages")
_LIBRARIES = tuple(
    os.path.normcase(path) + os.sep
    for path in {
        str(Path(os.__file__).parent),
        str(Path(__file__).parent),
        *(path for path in sys.path if os.path.basename(path) in _INSTALLED),  # noqa: PTH119
    }
)
_ASYNCIO = str(Path(asyncio.__file__).parent) + os.sep
_LOOP = ("_run", "_run_once", "run_forever", "run_until_complete", "run")


@dataclass(frozen=True)
class Leftover:
    """One thing left behind and the line that made it; line 0 where no line of the project did."""

    what: str
    name: str
    path: str
    line: int
    detail: str = ""
    is_direct: bool = True
    """Whether the project's own line made it, not a library on its behalf."""
    via: int = 0
    """The line of the test that led there, where it is another one."""


class Places:
    """The lines of one project, as seen from one test file after the other."""

    def __init__(self, root: str) -> None:
        self._root = os.path.normcase(root) + os.sep
        self._ours: dict[str, bool] = {}
        self.path = ""
        """The file of the test."""
        self.tree = ""
        """The folder of the tests, with its separator."""

    def origin(self, coroutine: Any) -> tuple[str, int, int, bool]:
        """The innermost line of the project that made a coroutine, the test's line behind it, and whether they are known;
        else where its function stands."""
        frames = [(path, line) for path, line in makers(coroutine) if self.is_ours(path)]
        if frames:
            return *frames[0], self._via(frames), True
        code: CodeType | None = getattr(coroutine, "cr_code", None)
        if code is None or not self.is_ours(code.co_filename):
            return "", 0, 0, False
        return code.co_filename, code.co_firstlineno, 0, False

    def is_by_us(self, coroutine: Any) -> bool:
        """Whether a line of the project made a coroutine, not a library that it called."""
        return any(self.is_ours(path) for path, _ in makers(coroutine)[:1])

    def caller(self, frame: FrameType | None) -> tuple[str, int, int, bool]:
        """The innermost line of the project that is being run, the test's line behind it, and whether it called the library itself."""
        inside, is_direct = None, True
        frames = []
        while frame is not None:
            path = frame.f_code.co_filename
            if self.is_ours(path):
                frames.append((path, frame.f_lineno))
            elif not frames:
                inside = str(frame.f_globals.get("__name__", "")).partition(".")[0]
                is_direct = inside in ("httpx", "httpx2")
            frame = frame.f_back
        return (*frames[0], self._via(frames), is_direct) if frames else ("", 0, 0, False)

    def _via(self, frames: list[tuple[str, int]]) -> int:
        """The line of the test's own file from which the first frame was reached; 0 where it is that line."""
        own = [line for path, line in frames[1:] if path == self.path]
        return own[-1] if own else 0

    def is_ours(self, path: str) -> bool:
        """Whether a file is of the project, not of a library."""
        known = self._ours.get(path)
        if known is None:
            normal = os.path.normcase(path)
            known = self._ours[path] = normal.startswith(self._root) and not is_library(path)
        return known


@lru_cache(4096)
def is_library(path: str) -> bool:
    """Whether a file is Python's own, or installed."""
    return os.path.normcase(path).startswith(_LIBRARIES)


def makers(coroutine: Any) -> list[tuple[str, int]]:
    """The lines that led to a coroutine, innermost first: from the function that was called to the step of its loop."""
    found: list[tuple[str, int]] = []
    for path, line, name in getattr(coroutine, "cr_origin", None) or ():
        if not path.startswith(_ASYNCIO):
            found.append((path, line))
        elif found or name in _LOOP:
            break
    return found
