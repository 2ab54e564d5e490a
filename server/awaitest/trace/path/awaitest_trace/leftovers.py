"""What a test leaves behind: coroutines nobody awaited, clients nobody closed, tasks nobody waited for, overrides."""

from __future__ import annotations

import asyncio
import functools
import gc
import sys
import warnings
import weakref
from collections.abc import Iterator
from contextlib import suppress
from types import CoroutineType
from typing import Any

from .clients import Clients
from .patching import Patches
from .places import COROUTINE, EXCEPTION, OVERRIDE, STREAM, TASK, Leftover, Places
from .values import brief, class_name, is_fresh

FRAMES = 12
"""Callers that a coroutine remembers, innermost first."""
STARTUP = 2000
"""Objects that Python may have frozen when it started; more of them are somebody's who froze them on purpose."""
GARBAGE = 200_000
"""Objects that tests have left before they are searched for garbage: Python does not search what is frozen."""
_LOOKS = ("collect", "freeze", "get_freeze_count", "get_objects", "get_referrers", "unfreeze")
"""Functions of `gc` that do not see, or that show, what is frozen."""
_all_objects, _unfreeze = gc.get_objects, gc.unfreeze
_RUNNERS = ("asyncio.runners", "backports.asyncio.runner.runner", "anyio._backends._asyncio")


class Leftovers:
    """Watches one test after the other, from the start of its set-up to the end of its tear-down."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.clients = Clients(places)
        self._patches = Patches()
        self._depth: int | None = None
        """How far coroutines remembered their callers before."""
        self._found: list[Leftover] = []
        self._blamed: set[int] = set()
        """What was found while something still held it, or was there before, by id: Python tells of it again when it dies.
        No weak references here: one that is made while a coroutine dies outlives it."""
        self._died: set[int] = set()
        """What died in this test, by id; some of it may be kept again, by the warning that it was never awaited."""
        self._before: set[Any] = set()
        self._tasks: list[Any] = []
        self._alive: list[Any] = []
        self._apps: dict[int, weakref.ref[Any]] = {}
        self._looked = False
        self._overrides: dict[int, dict[Any, Any]] = {}
        self._frozen = False
        self._since_search = 0

    def begin(self) -> None:
        self._found, self._tasks, self._alive, self._died = [], [], [], set()
        self._depth = sys.get_coroutine_origin_tracking_depth()
        sys.set_coroutine_origin_tracking_depth(max(self._depth, FRAMES))
        self._install()
        self._overrides = _overrides(self._known_apps([] if self._looked else _all_objects()))
        self._looked = True
        if gc.get_freeze_count() < STARTUP:
            gc.freeze()
            self._frozen = True
        else:
            self._know(_all_objects())
        for name in _LOOKS:
            self._patches.wrap(gc, name, self._around_gc)

    def main_started(self) -> None:
        loop = asyncio._get_running_loop()
        self._before = set() if loop is None else _tasks_of(loop)

    def main_ended(self) -> None:
        loop = asyncio._get_running_loop()
        if loop is not None:
            current = asyncio.current_task(loop)
            self._tasks += [task for task in _tasks_of(loop) - self._before if task is not current]
            self._alive = list(self._tasks)
        self._before = set()

    def after_call(self) -> list[Leftover]:
        """Coroutines that are lost for certain, once the test itself is over."""
        return [it for it in self._found if it.what == COROUTINE]

    def abandon(self) -> None:
        """Put everything back, also where the tear-down was never reached."""
        self._patches.undo()
        if self._depth is not None:
            sys.set_coroutine_origin_tracking_depth(self._depth)
            self._depth = None
        if self._frozen:
            _unfreeze()
            self._frozen = False
            if self._since_search > GARBAGE:
                gc.collect()
                self._since_search = 0

    def end(self, is_last: bool, module: Any) -> list[Leftover]:
        """Everything left behind, once all fixtures of the test are torn down; `module` for the last test of its module."""
        objects = _all_objects()
        self._since_search += len(objects)
        self._scan(objects)
        self._tell_tasks()
        self._found += self.clients.left(is_last, module)
        self._tell_overrides(objects)
        self.abandon()
        self._tasks, self._alive = [], []
        return self._found

    def fixture_made(self) -> None:
        """Overrides that a wider fixture has set are its own matter."""
        self._overrides |= _overrides(self._known_apps(_all_objects()))

    def _know(self, objects: list[Any]) -> None:
        """What is there before a test is nothing that it leaves."""
        self._blamed |= {id(it) for kind in (CoroutineType, asyncio.Future) for it in _of_kind(objects, kind)}

    def _around_gc(self, original: Any) -> Any:
        """A test that looks at Python's objects sees them all."""

        @functools.wraps(original)
        def look(*arguments: Any, **options: Any) -> Any:
            if self._frozen:
                young = set(map(id, _all_objects()))
                _unfreeze()
                self._frozen = False
                self._know([it for it in _all_objects() if id(it) not in young])
            return original(*arguments, **options)

        return look

    def _install(self) -> None:
        wrap = self._patches.wrap
        wrap(warnings, "_warn_unawaited_coroutine", self._around_warning)
        wrap(asyncio.BaseEventLoop, "call_exception_handler", self._around_handler)
        for name in _RUNNERS:
            module = sys.modules.get(name)
            if module is not None:
                wrap(module, "_cancel_all_tasks", self._around_cancel)
        self.clients.install(self._patches)

    def _around_warning(self, original: Any) -> Any:
        def warn(coroutine: Any) -> None:
            with suppress(Exception):
                self._tell_coroutine(coroutine, dies=True)
            original(coroutine)

        return warn

    def _around_handler(self, original: Any) -> Any:
        @functools.wraps(original)
        def handle(loop: Any, context: dict[str, Any]) -> None:
            with suppress(Exception):
                if "never retrieved" in context.get("message", ""):
                    future = context.get("future") or context.get("task")
                    self._tell_exception(future, context.get("exception"), dies=True)
            original(loop, context)

        return handle

    def _around_cancel(self, original: Any) -> Any:
        @functools.wraps(original)
        def cancel(*arguments: Any, **options: Any) -> Any:
            self._alive = [task for task in self._alive if not task.done()]
            self._tasks = self._alive
            return original(*arguments, **options)

        return cancel

    def _scan(self, objects: list[Any]) -> None:
        """Coroutines and failures that something still holds, and that so far nobody was warned of."""
        tasks = _of_kind(objects, asyncio.Future)
        waiting = {id(task.get_coro()) for task in tasks if issubclass(type(task), asyncio.Task)}
        for it in _of_kind(objects, CoroutineType):
            if id(it) not in waiting and is_fresh(it):
                self._tell_coroutine(it)
        for task in tasks:
            if getattr(task, "_log_traceback", False) and task.done() and not task.cancelled():
                self._tell_exception(task, task._exception)

    def _tell_coroutine(self, coroutine: Any, dies: bool = False) -> None:
        self._tell(coroutine, COROUTINE, coroutine, f"{coroutine.__qualname__}()", dies=dies)

    def _tell_exception(self, future: Any, error: object, dies: bool = False) -> None:
        if future is not None:
            coroutine = future.get_coro() if issubclass(type(future), asyncio.Task) else None
            name = getattr(coroutine, "__qualname__", "a future")
            self._tell(future, EXCEPTION, coroutine, name, brief(error), dies)

    def _tell_tasks(self) -> None:
        alive = set(map(id, self._alive))
        for task in self._tasks:
            if id(task) in alive or not task.done():
                coroutine = task.get_coro()
                self._tell(task, TASK, coroutine, f"{getattr(coroutine, '__qualname__', 'task')}()", task.get_name())

    def _tell(self, it: Any, what: str, coroutine: Any, name: str, detail: str = "", dies: bool = False) -> None:
        is_known = id(it) in self._blamed or (not dies and id(it) in self._died)
        if dies:
            self._blamed.discard(id(it))
            self._died.add(id(it))
        else:
            self._blamed.add(id(it))
        if not is_known:
            path, line, via, is_direct = self._places.origin(coroutine)
            self._found.append(Leftover(what, name, path, line, detail, is_direct or what == COROUTINE, via))

    def _tell_overrides(self, objects: list[Any]) -> None:
        for app in self._known_apps(objects):
            before = self._overrides.get(id(app), {})
            for key, value in app.dependency_overrides.items():
                if before.get(key) is not value:
                    name = getattr(key, "__qualname__", brief(key))
                    self._found.append(Leftover(OVERRIDE, name, "", 0, f"{class_name(type(app))} still overrides it"))

    def _known_apps(self, objects: list[Any]) -> list[Any]:
        """Apps that are there: those known before and those among the objects."""
        kind = getattr(sys.modules.get("fastapi"), "FastAPI", None)
        if kind is not None:
            self._apps |= {id(it): weakref.ref(it) for it in _of_kind(objects, kind)}
        return [app for known in self._apps.values() if (app := known()) is not None]


def _of_kind(objects: list[Any], kind: type) -> list[Any]:
    """Those objects that are of a kind: there may be hundreds of thousands, of a few thousand types."""
    try:
        kinds = {it for it in set(map(type, objects)) if issubclass(it, kind)}
        return [it for it in objects if type(it) in kinds] if kinds else []
    except Exception:
        return [
            it for it in objects if issubclass(type(it), kind)
        ]  # some metaclass has a `__hash__` of its own, or none


def _overrides(apps: list[Any]) -> dict[int, dict[Any, Any]]:
    return {id(app): dict(app.dependency_overrides) for app in apps}


def _tasks_of(loop: Any) -> set[Any]:
    return set(asyncio.all_tasks(loop))


def blamed(found: list[Leftover]) -> Iterator[Leftover]:
    """What a strict run fails for: things that the project's own lines have left behind."""
    for it in found:
        if it.what not in (OVERRIDE, STREAM) and it.line and it.is_direct:
            yield it
