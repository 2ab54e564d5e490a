"""What a test leaves behind: coroutines nobody awaited, clients nobody closed, tasks nobody waited for, overrides."""

from __future__ import annotations

import asyncio
import functools
import gc
import sys
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import CoroutineType
from typing import Any

from .clients import Clients
from .patching import Patches
from .places import COROUTINE, EXCEPTION, OVERRIDE, STREAM, TASK, Leftover, Places
from .tasks import Tasks
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


class Leftovers:
    """Watches one test after the other, from the start of its set-up to the end of its tear-down."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.clients = Clients(places)
        self.tasks = Tasks(places, self._tell_task)
        self._patches = Patches()
        self._depth: int | None = None
        """How far coroutines remembered their callers before."""
        self._found: list[Leftover] = []
        self._blamed: dict[int, weakref.ref[Any]] = {}
        """What was found while something still held it, or was there before, by id: Python tells of it again when it dies."""
        self._died: set[int] = set()
        """What died in this test, by id; some of it may be kept again, by the warning that it was never awaited.
        No weak references here: one that is made while a coroutine dies outlives it."""
        self._apps: dict[int, weakref.ref[Any]] = {}
        self._looked = False
        self._overrides: dict[int, dict[Any, Any]] = {}
        self._frozen = False
        self._since_search = 0

    def begin(self) -> None:
        self._found, self._died = [], set()
        self._blamed = {key: it for key, it in self._blamed.items() if it() is not None}
        self.tasks.begin()
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

    def after_call(self) -> list[Leftover]:
        """Coroutines and tasks that are lost for certain, once the test itself is over."""
        return [it for it in self._found if it.what in (COROUTINE, TASK)]

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

    def end(self, module: Any) -> list[Leftover]:
        """Everything left behind, once all fixtures of the test are torn down; `module` for the last test of its module."""
        objects = _all_objects()
        self._since_search += len(objects)
        self._scan([*objects, *self.tasks.released()])
        self._found += self.clients.left(module)
        self._tell_overrides(objects)
        self.abandon()
        return self._found

    @contextmanager
    def set_up(self, fixture: Any, is_ours: bool) -> Iterator[None]:
        """What a fixture wider than a test makes meanwhile, and the overrides that it sets, are its own matter."""
        owner, before = self.clients.owner, set(map(id, _waitable(_all_objects())))
        self.clients.owner = fixture
        try:
            yield
        finally:
            self.clients.owner, objects = owner, _all_objects()
            self.tasks.made(fixture, [it for it in _waitable(objects) if id(it) not in before], is_ours)
            self._overrides |= _overrides(self._known_apps(objects))

    def torn_down(self, fixture: Any) -> None:
        """A fixture is over, and what it has left is left by the test that tears it down."""
        self.clients.torn_down(fixture)
        self.tasks.torn_down(fixture)

    def _know(self, objects: list[Any]) -> None:
        """What is there before a test is nothing that it leaves."""
        self._blamed |= {id(it): weakref.ref(it) for it in _waitable(objects)}

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
        self.tasks.install(self._patches)
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
                self._tell_last_words(context)
            original(loop, context)

        return handle

    def _scan(self, objects: list[Any]) -> None:
        """Coroutines and failures that something still holds, and that so far nobody was warned of."""
        tasks = _of_kind(objects, asyncio.Future)
        waiting = {id(task.get_coro()) for task in tasks if issubclass(type(task), asyncio.Task)}
        for it in _of_kind(objects, CoroutineType):
            if id(it) not in waiting and is_fresh(it) and not self.tasks.is_kept(it):
                self._tell_coroutine(it)
        for task in self.tasks.end(tasks):
            if getattr(task, "_log_traceback", False) and not task.cancelled():
                self._tell_exception(task, task._exception)

    def _tell_coroutine(self, coroutine: Any, dies: bool = False) -> None:
        self._tell(coroutine, COROUTINE, coroutine, f"{coroutine.__qualname__}()", dies=dies)

    def _tell_exception(self, future: Any, error: object, dies: bool = False) -> None:
        coroutine = future.get_coro() if issubclass(type(future), asyncio.Task) else None
        name = getattr(coroutine, "__qualname__", "a future")
        self._tell(future, EXCEPTION, coroutine, name, brief(error), dies)

    def _tell_last_words(self, context: dict[str, Any]) -> None:
        """A future says when it dies that nobody looked at its exception, or that it never ended."""
        message, future = context.get("message", ""), context.get("future") or context.get("task")
        if future is None or self.tasks.is_earlier(future):
            return
        if "never retrieved" in message:
            self._tell_exception(future, context.get("exception"), dies=True)
        elif "destroyed but it is pending" in message:
            self._tell_task(future, dies=True)

    def _tell_task(self, task: Any, dies: bool = False) -> None:
        coroutine = task.get_coro()
        self._tell(task, TASK, coroutine, f"{getattr(coroutine, '__qualname__', 'task')}()", task.get_name(), dies)

    def _tell(self, it: Any, what: str, coroutine: Any, name: str, detail: str = "", dies: bool = False) -> None:
        if dies:
            is_told = self._blamed.pop(id(it), None) is not None
            self._died.add(id(it))
        else:
            known = self._blamed.get(id(it))
            is_told = id(it) in self._died or (known is not None and known() is it)
            self._blamed[id(it)] = weakref.ref(it)
        if not is_told:
            path, line, via, is_known = self._places.origin(coroutine)
            if what == TASK and not line:  # a plugin of pytest's own
                return
            is_direct = self._places.is_by_us(coroutine) if what == TASK else is_known or what == COROUTINE
            self._found.append(Leftover(what, name, path, line, detail, is_direct, via))

    def _tell_overrides(self, objects: list[Any]) -> None:
        for app in self._known_apps(objects):
            before = self._overrides.get(id(app), {})
            for key, value in _overrides_of(app).items():
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
    return {id(app): _overrides_of(app) for app in apps}


def _overrides_of(app: Any) -> dict[Any, Any]:
    """The overrides of an app; none of one whose making has failed half-way."""
    held = object.__getattribute__(app, "__dict__").get("dependency_overrides")
    return dict(held) if isinstance(held, dict) else {}


def _waitable(objects: list[Any]) -> list[Any]:
    return [it for kind in (CoroutineType, asyncio.Future) for it in _of_kind(objects, kind)]


def blamed(found: list[Leftover]) -> Iterator[Leftover]:
    """What a strict run fails for: things that the project's own lines have left behind."""
    for it in found:
        if it.what not in (OVERRIDE, STREAM) and it.line and it.is_direct:
            yield it
