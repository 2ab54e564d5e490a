"""What a test leaves behind: coroutines nobody awaited, clients nobody closed, tasks nobody waited for, overrides."""

from __future__ import annotations

import ast
import asyncio
import functools
import gc
import os
import sys
import sysconfig
import warnings
import weakref
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, CoroutineType, FrameType
from typing import Any

from .patching import Patches
from .values import brief, class_name, is_fresh, state_of

COROUTINE, CLIENT, TASK, EXCEPTION = "coroutine", "client", "task", "exception"
STREAM, OVERRIDE = "stream", "override"
FRAMES = 12
"""Callers that a coroutine remembers, innermost first."""
STARTUP = 2000
"""Objects that Python may have frozen when it started; more of them are somebody's who froze them on purpose."""
GARBAGE = 200_000
"""Objects that tests have left before they are searched for garbage: Python does not search what is frozen."""
_INSTALLED = ("stdlib", "platstdlib", "purelib", "platlib")
_LIBRARIES = tuple(
    os.path.normcase(path) + os.sep
    for path in {*(sysconfig.get_path(name) for name in _INSTALLED), str(Path(__file__).parent)}
)
_LOOKS = ("collect", "freeze", "get_freeze_count", "get_objects", "get_referrers", "unfreeze")
"""Functions of `gc` that do not see, or that show, what is frozen."""
_all_objects, _unfreeze = gc.get_objects, gc.unfreeze
_RUNNERS = ("asyncio.runners", "backports.asyncio.runner.runner", "anyio._backends._asyncio")


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


@dataclass(eq=False)
class _Client:
    name: str
    path: str
    line: int
    via: int
    is_direct: bool
    owner: object
    is_closed: bool = False


class Leftovers:
    """Watches one test after the other, from the start of its set-up to the end of its tear-down."""

    def __init__(self, root: str) -> None:
        self._root = os.path.normcase(root) + os.sep
        self._patches = Patches()
        self._depth = 0
        self._clients: list[_Client] = []
        self._streams: list[tuple[Any, str, int, int, bool]] = []
        self._by_client: dict[int, _Client] = {}
        """By id, as clients may have an `__eq__` and `__hash__` of their own."""
        self._found: list[Leftover] = []
        self._blamed: set[int] = set()
        """What was found while something still held it, or was there before, by id: Python tells of it again when it dies.
        No weak references here: one that is made while a coroutine dies outlives it."""
        self._before: set[Any] = set()
        self._tasks: list[Any] = []
        self._alive: list[Any] = []
        self._apps: dict[int, weakref.ref[Any]] = {}
        self._looked = False
        self._overrides: dict[int, dict[Any, Any]] = {}
        self._frozen = False
        self.path = ""
        """The file of the test."""
        self._since_search = 0
        self.owner: object = None
        """Who makes clients now: None for the test, else a fixture wider than it."""

    def begin(self, path: str) -> None:
        self.path = path
        self._found, self._tasks, self._alive = [], [], []
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
            self._tasks = [task for task in _tasks_of(loop) - self._before if task is not current]
            self._alive = list(self._tasks)
        self._before = set()

    def after_call(self) -> list[Leftover]:
        """Coroutines that are lost for certain, once the test itself is over."""
        return [it for it in self._found if it.what == COROUTINE]

    def abandon(self) -> None:
        """Put everything back, also where the tear-down was never reached."""
        self._patches.undo()
        sys.set_coroutine_origin_tracking_depth(self._depth)
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
        self._tell_clients(is_last)
        self._tell_globals(module)
        self._tell_streams()
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
        for name in ("httpx", "httpx2"):
            client = getattr(sys.modules.get(name), "AsyncClient", None)
            if client is not None:
                wrap(client, "__init__", self._around_init)
                wrap(client, "send", self._around_send)
                wrap(client, "aclose", self._around_close)
                wrap(client, "__aexit__", self._around_close)

    def _around_warning(self, original: Any) -> Any:
        def warn(coroutine: Any) -> None:
            with suppress(Exception):
                self._tell_coroutine(coroutine)
                self._blamed.discard(id(coroutine))
            original(coroutine)

        return warn

    def _around_handler(self, original: Any) -> Any:
        @functools.wraps(original)
        def handle(loop: Any, context: dict[str, Any]) -> None:
            with suppress(Exception):
                if "never retrieved" in context.get("message", ""):
                    future = context.get("future") or context.get("task")
                    self._tell_exception(future, context.get("exception"))
                    self._blamed.discard(id(future))
            original(loop, context)

        return handle

    def _around_cancel(self, original: Any) -> Any:
        @functools.wraps(original)
        def cancel(*arguments: Any, **options: Any) -> Any:
            self._alive = [task for task in self._alive if not task.done()]
            self._tasks = self._alive
            return original(*arguments, **options)

        return cancel

    def _around_init(self, original: Any) -> Any:
        @functools.wraps(original)
        def init(client: Any, *arguments: Any, **options: Any) -> None:
            original(client, *arguments, **options)
            made = _Client(class_name(type(client)), *self._caller(sys._getframe(1)), self.owner)
            self._by_client[id(client)] = made
            self._clients.append(made)

        return init

    def _around_send(self, original: Any) -> Any:
        @functools.wraps(original)
        async def send(client: Any, *arguments: Any, **options: Any) -> Any:
            made = self._caller(sys._getframe(1)) if options.get("stream") else None
            response = await original(client, *arguments, **options)
            if made is not None:
                self._streams.append((response, *made))
            return response

        return send

    def _around_close(self, original: Any) -> Any:
        @functools.wraps(original)
        async def close(client: Any, *arguments: Any) -> Any:
            made = self._by_client.get(id(client))
            if made is not None:
                made.is_closed = True
            return await original(client, *arguments)

        return close

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

    def _tell_coroutine(self, coroutine: Any) -> None:
        self._tell(coroutine, COROUTINE, coroutine, f"{coroutine.__qualname__}()")

    def _tell_exception(self, future: Any, error: object) -> None:
        if future is not None:
            coroutine = future.get_coro() if issubclass(type(future), asyncio.Task) else None
            self._tell(future, EXCEPTION, coroutine, getattr(coroutine, "__qualname__", "a future"), brief(error))

    def _tell_tasks(self) -> None:
        alive = set(map(id, self._alive))
        for task in self._tasks:
            if id(task) in alive or not task.done():
                coroutine = task.get_coro()
                self._tell(task, TASK, coroutine, f"{getattr(coroutine, '__qualname__', 'task')}()", task.get_name())

    def _tell(self, it: Any, what: str, coroutine: Any, name: str, detail: str = "") -> None:
        if id(it) in self._blamed:
            return
        self._blamed.add(id(it))
        path, line, via, is_direct = self._origin(coroutine)
        self._found.append(Leftover(what, name, path, line, detail, is_direct or what == COROUTINE, via))

    def _tell_clients(self, is_last: bool) -> None:
        judged = [it for it in self._clients if is_last or it.owner is None]
        self._clients = [it for it in self._clients if it not in judged]
        for it in judged:
            if not it.is_closed:
                self._found.append(Leftover(CLIENT, it.name, it.path, it.line, "", it.is_direct, it.via))

    def _tell_streams(self) -> None:
        for response, path, line, via, is_direct in self._streams:
            if not response.is_closed:
                self._found.append(Leftover(STREAM, type(response).__name__, path, line, "", is_direct, via))
        self._streams = []

    def _tell_globals(self, module: Any) -> None:
        """Clients that a test module made when it was imported, used, and never closed."""
        for name, value in list(vars(module).items()) if module is not None else ():
            used = _is_client(value) and state_of(state_of(value).get("_state")).get("_name_") == "OPENED"
            line = _bound_at(module.__file__, name) if used and id(value) not in self._by_client else 0
            if line:
                self._found.append(Leftover(CLIENT, class_name(type(value)), module.__file__, line))

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

    def _origin(self, coroutine: Any) -> tuple[str, int, int, bool]:
        """The innermost line of the project that made a coroutine, the test's line behind it, and whether they are known;
        else where its function stands."""
        frames = [(path, line) for path, line, _ in getattr(coroutine, "cr_origin", None) or () if self.is_ours(path)]
        if frames:
            return *frames[0], self._via(frames), True
        code: CodeType | None = getattr(coroutine, "cr_code", None)
        if code is None or not self.is_ours(code.co_filename):
            return "", 0, 0, False
        return code.co_filename, code.co_firstlineno, 0, False

    def _caller(self, frame: FrameType | None) -> tuple[str, int, int, bool]:
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
        normal = os.path.normcase(path)
        return normal.startswith(self._root) and not normal.startswith(_LIBRARIES)


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


def _is_client(value: object) -> bool:
    """Whether a value is a client of a library that is loaded."""
    kinds = (getattr(sys.modules.get(name), "AsyncClient", None) for name in ("httpx", "httpx2"))
    return any(isinstance(kind, type) and issubclass(type(value), kind) for kind in kinds)


def _bound_at(path: str | None, name: str) -> int:
    """The line of a module that binds a name by an assignment; 0 where none does."""
    try:
        tree = ast.parse(Path(path or "").read_bytes())
    except (OSError, SyntaxError, ValueError):
        return 0
    assigned = (node for node in tree.body if isinstance(node, ast.Assign))
    return next(
        (node.lineno for node in assigned if any(isinstance(it, ast.Name) and it.id == name for it in node.targets)), 0
    )


def _tasks_of(loop: Any) -> set[Any]:
    return set(asyncio.all_tasks(loop))


def blamed(found: list[Leftover]) -> Iterator[Leftover]:
    """What a strict run fails for: things that the project's own lines have left behind."""
    for it in found:
        if it.what not in (OVERRIDE, STREAM) and it.line and it.is_direct:
            yield it
