"""Tasks that nobody waited for: left running when their loop ends, or when the test ends on a loop that goes on."""

from __future__ import annotations

import asyncio
import functools
import sys
import threading
import unittest
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any
from weakref import ref

from .patching import Patches
from .places import Places, makers

_RUNNERS = ("asyncio.runners", "backports.asyncio.runner.runner", "anyio._backends._asyncio")
_NOTHING: Any = (lambda: None, None)


class Tasks:
    """The tasks of one test after the other; `lost` is told of each that is lost for certain."""

    def __init__(self, places: Places, lost: Callable[[Any], None]) -> None:
        self._places = places
        self._lost = lost
        self._thread = 0
        self._own: list[CodeType] = []
        """The functions of the test and of its own fixtures."""
        self._earlier: dict[int, ref[Any]] = {}
        """Tasks that outlived an earlier test, of which nobody can say who should have ended them."""
        self._kept: dict[int, tuple[ref[Any], Any]] = {}
        """What the set-up of a fixture wider than a test has made, and the fixture: its own matter until it is torn down."""
        self._wide: set[Any] = set()
        """Fixtures of the project, wider than a test, that are set up."""

    def begin(self) -> None:
        self._own = []
        self._thread = threading.get_ident()

    def install(self, patches: Patches) -> None:
        for name in _RUNNERS:
            module = sys.modules.get(name)
            if module is not None:
                patches.wrap(module, "_cancel_all_tasks", self._around_cancel)
        patches.wrap(unittest.IsolatedAsyncioTestCase, "_tearDownAsyncioLoop", self._around_tear_down)

    def belongs(self, code: CodeType | None) -> None:
        """A function is the test's, or a fixture's that is set up for this test alone."""
        if code is not None:
            self._own.append(code)

    def made(self, fixture: Any, things: Iterable[Any], is_ours: bool) -> None:
        """A fixture wider than a test is set up, and has made these."""
        self._kept = {id(it): (ref(it), fixture) for it in things} | self._kept
        if is_ours:
            self._wide.add(fixture)

    def torn_down(self, fixture: Any) -> None:
        """What a fixture has made and not ended is left behind."""
        self._wide.discard(fixture)
        self._kept = {
            key: (it, None if of is fixture else of) for key, (it, of) in self._kept.items() if it() is not None
        }

    def is_kept(self, it: Any) -> bool:
        """Whether something belongs to a fixture that is still set up."""
        known, fixture = self._kept.get(id(it), _NOTHING)
        return fixture is not None and known() is it

    def released(self) -> list[Any]:
        """What is still there of what fixtures have made that are torn down."""
        over = [key for key, (_, fixture) in self._kept.items() if fixture is None]
        return [it for key in over if (it := self._kept[key][0]()) is not None]

    def end(self, futures: Iterable[Any]) -> Iterator[Any]:
        """Judge those that are there when all fixtures of a test are torn down; gives those that ended and are judged so."""
        for it in futures:
            is_task = issubclass(type(it), asyncio.Task)
            if self.is_kept(it):
                continue
            if is_task and not it.get_loop().is_closed() and not self._is_own(it):
                self._earlier[id(it)] = ref(it)
            elif it.done():
                yield it
            elif is_task and not _is_cancelled(it):
                self._lost(it)
        self._kept = {key: (it, of) for key, (it, of) in self._kept.items() if of is not None}
        self._earlier = {key: it for key, it in self._earlier.items() if it() is not None}

    def is_earlier(self, task: Any) -> bool:
        """Whether a task was left by an earlier test; by id where it dies."""
        known = self._earlier.get(id(task))
        return known is not None and (known() is None or known() is task)

    def _is_own(self, task: Any) -> bool:
        """On a loop that goes on: whether no other than the test or its own fixtures can have been meant to end a task."""
        if self._kept.get(id(task), _NOTHING)[0]() is task:
            return True
        own = [any(_is_inside(code, *line) for code in self._own) for line in makers(task.get_coro())]
        return own[:1] == [True] or (any(own) and not self._wide)

    def _around_cancel(self, original: Any) -> Any:
        @functools.wraps(original)
        def cancel(loop: Any, *arguments: Any, **options: Any) -> Any:
            with suppress(Exception):
                self._loop_ends(loop, sys._getframe(1))
            return original(loop, *arguments, **options)

        return cancel

    def _around_tear_down(self, original: Any) -> Any:
        @functools.wraps(original)
        def tear_down(case: Any) -> Any:
            with suppress(Exception):
                self._loop_ends(case._asyncioTestLoop, sys._getframe(1))
            return original(case)

        return tear_down

    def _loop_ends(self, loop: Any, frame: FrameType) -> None:
        """What runs on a loop when it ends is cancelled. A program that is tested may end its own loop so on purpose."""
        if threading.get_ident() != self._thread or not self._is_of_tests(frame):
            return
        current = asyncio.current_task(loop)
        for task in asyncio.all_tasks(loop):
            if task is not current and not _is_cancelled(task) and not self.is_earlier(task):
                self._lost(task)

    def _is_of_tests(self, frame: FrameType | None) -> bool:
        """Whether a loop is run by pytest, a plugin of it, or by a line of the tests."""
        while frame is not None:
            path = frame.f_code.co_filename
            if self._places.is_ours(path) or frame.f_globals.get("__name__") == "pluggy._callers":
                return not self._places.is_ours(path) or path.startswith(self._places.tree)
            frame = frame.f_back
        return True


def _is_cancelled(it: Any) -> bool:
    """Whether a future was asked to end; tasks count their requests from Python 3.11 on only."""
    if it.cancelled() or getattr(it, "_must_cancel", False) or getattr(it, "_cancel_requested", False):
        return True
    waiter = getattr(it, "_fut_waiter", None)
    return (hasattr(it, "cancelling") and it.cancelling() > 0) or (waiter is not None and _is_cancelled(waiter))


def _is_inside(code: CodeType, path: str, line: int) -> bool:
    return path == code.co_filename and code.co_firstlineno <= line <= _last(code)


@lru_cache(256)
def _last(code: CodeType) -> int:
    """The last line of a function."""
    return max(_lines(code), default=code.co_firstlineno)


def _lines(code: CodeType) -> Iterator[int]:
    yield from (line for _, _, line in code.co_lines() if line is not None)
    for it in code.co_consts:
        if type(it) is CodeType:
            yield from _lines(it)
