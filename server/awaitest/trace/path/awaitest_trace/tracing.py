"""Follows each test from the start of its set-up to the end of its tear-down. PYTEST_DONT_REWRITE"""

from __future__ import annotations

import inspect
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from .asserts import is_reckoning_right
from .headers import redacted
from .leftovers import Leftovers, blamed
from .loops import Loops
from .patching import Patches
from .places import Leftover, Places, is_library
from .recorder import Recorder
from .requests import Requests
from .sink import Sink
from .statements import statements
from .values import brief
from .watching import Watch, watch

_ASYNC = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class Tracing:
    """Follows one test after the other."""

    def __init__(self, config: pytest.Config, file: Path | None, strict: bool) -> None:
        self._sink = Sink(file)
        self._records = file is not None
        self._strict = strict
        self._helpers = config.getoption("awaitest_helpers")
        self._root = config.rootpath
        self._places = Places(str(config.rootpath))
        self._leftovers = Leftovers(self._places)
        self._loops = Loops()
        self._patches = Patches()
        self._requests = Requests(self._sink)
        self._fixtures: dict[int, CodeType] = {}
        """The functions of fixtures, by id."""
        self._made: list[Any] = []
        self._seen: Watch | None = None
        self._calls = 0
        self._tree = ""
        if self._records:
            is_reckoning_right()  # asked once, and not within a test
        self._sink.write(
            "session", python=platform.python_version(), pytest=pytest.__version__, root=str(config.rootpath)
        )

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
        try:
            yield
        finally:
            self._stop()

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        self._stop()  # of a test that is run again
        test = _Test(item)
        self._places.path, self._places.tree = test.path, test.tree
        self._sink.write("test", id=item.nodeid, path=test.path, line=test.line, function=test.name)
        self._made = []
        try:
            if self._records:
                self._requests.install(self._patches)
            self._leftovers.begin()
            self._leftovers.tasks.belongs(test.code)
            if self._records:
                self._watch(test)
        except Exception as error:
            self._sink.write("untraced", why=str(error))
        yield

    def _watch(self, test: _Test) -> None:
        if self._tree != test.tree:
            self._unwatch()  # what was not wanted before may be wanted now
        self._tree = test.tree
        self._seen = self._seen or watch()
        recorder = Recorder(self._sink, self._loops, test.is_main, self._shows(test))
        self._seen.start(recorder, lambda code: self._wants(code, test))
        if not self._helpers:
            self._seen.pause()

    def _unwatch(self) -> None:
        if self._seen is not None:
            self._seen.stop()
            self._seen = None

    def _stop(self) -> None:
        if self._seen is not None and not self._seen.lasts:
            self._seen.stop()
        self._leftovers.abandon()
        self._patches.undo()
        self._sink.write("end")

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        with self._watching():
            outcome: Any = yield
        if self._strict and outcome.excinfo is None and not _may_fail(item):
            _fail(outcome, list(blamed(self._leftovers.after_call())), self._root)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
        told = set() if _may_fail(item) else set(self._leftovers.after_call())
        outcome: Any = yield
        module = getattr(item, "module", None)
        left = module if module is not getattr(nextitem, "module", None) else None
        try:
            found = self._leftovers.end(left)
        except Exception as error:
            found = []
            self._sink.write("untraced", why=str(error))
        for it in found:
            self._sink.write(
                "leftover", what=it.what, name=it.name, path=it.path, line=it.line, detail=it.detail, via=it.via
            )
        if self._strict and outcome.excinfo is None:
            _fail(outcome, [it for it in blamed(found) if it not in told], self._root)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Iterator[None]:
        began, code = time.perf_counter(), getattr(fixturedef.func, "__code__", None)
        if code is not None:
            self._fixtures[id(code)] = code
        own = getattr(_unwrapped(fixturedef.func), "__code__", None)
        if fixturedef.scope == "function":
            self._leftovers.tasks.belongs(own)
            with self._watching(own):
                yield
        else:
            is_ours = own is not None and self._places.is_ours(own.co_filename)
            with self._leftovers.set_up(fixturedef, is_ours), self._watching(own):
                yield
        if self._records and self._is_told(fixturedef, request):
            self._made.append(fixturedef)
            self._sink.write("fixture", **self._told(fixturedef, code), seconds=time.perf_counter() - began)

    def pytest_fixture_post_finalizer(self, fixturedef: Any) -> None:
        if fixturedef.scope != "function":
            self._leftovers.torn_down(fixturedef)
        if fixturedef in self._made:
            self._made.remove(fixturedef)
            value, _, _ = fixturedef.cached_result or (None, None, None)
            self._sink.write("torn", name=fixturedef.argname, value=brief(value))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.passed:
            return
        crash = getattr(report.longrepr, "reprcrash", None)
        message = getattr(crash, "message", "") or ("" if report.longrepr is None else str(report.longrepr))
        line = getattr(crash, "lineno", 0) if crash is not None else 0
        self._sink.write(
            "report", phase=report.when, outcome=report.outcome, message=redacted(message[:4000]), line=line,
            path=str(getattr(crash, "path", "")), seconds=report.duration,
        )  # fmt: skip

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._sink.write("broken", id=report.nodeid, message=redacted(str(report.longrepr)[:4000]))

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        self._sink.write("finished", exit=int(exitstatus))

    def pytest_unconfigure(self) -> None:
        self._stop()
        self._unwatch()
        self._sink.close()

    def _is_told(self, fixturedef: Any, request: Any) -> bool:
        code = getattr(fixturedef.func, "__code__", None)
        if code is None or fixturedef.func.__name__ == "get_direct_param_fixture_func":
            return False
        return self._places.is_ours(code.co_filename) or _asked_by_name(fixturedef, request)

    def _told(self, fixturedef: Any, code: CodeType | None) -> dict[str, Any]:
        value, _, failure = fixturedef.cached_result or (None, None, None)
        error = (
            next((it for it in failure if isinstance(it, BaseException)), None)
            if isinstance(failure, tuple)
            else failure
        )
        return {
            "name": fixturedef.argname,
            "scope": fixturedef.scope,
            "path": code.co_filename if code is not None else "",
            "line": code.co_firstlineno if code is not None else 0,
            "value": None if error is not None else brief(value),
            "error": None if error is None else brief(error),
            "loop": self._loops.of(code),
        }

    @contextmanager
    def _watching(self, fixture: CodeType | None = None) -> Iterator[None]:
        """While the test or a fixture is called. Of a fixture only its loop is told, and a plain one has none."""
        is_plain = fixture is not None and not fixture.co_flags & _ASYNC
        if self._seen is None or self._helpers or is_plain:
            yield
            return
        self._seen.go_on()
        self._calls += 1  # fixtures ask for fixtures
        try:
            yield
        finally:
            self._calls -= 1
            if not self._calls:
                self._seen.pause()

    def _wants(self, code: CodeType, test: _Test) -> bool | None:
        if id(code) in self._fixtures or test.is_code(code) or (self._helpers and self._is_near(code, test)):
            return True
        return None if is_library(code.co_filename) else False

    def _shows(self, test: _Test) -> Any:
        return lambda frame: bool(self._helpers) and self._is_near(frame.f_code, test)

    def _is_near(self, code: CodeType, test: _Test) -> bool:
        return test.is_near(code) and self._places.is_ours(code.co_filename)


class _Test:
    """Where a test's own function stands, and what belongs to the tree of tests around it."""

    def __init__(self, item: pytest.Item) -> None:
        self.path = str(item.path)
        self.name = getattr(item, "originalname", None) or item.name
        self.line = (item.location[1] or 0) + 1
        root, folder = str(item.config.rootpath), str(item.path.parent)
        below = folder[len(root) + 1 :].partition(os.sep)[0] if folder.startswith(root + os.sep) else ""
        self.tree = f"{root}{os.sep}{below}{os.sep}" if below else folder + os.sep
        function = getattr(item, "function", None)
        inner = getattr(getattr(function, "hypothesis", None), "inner_test", None)
        self._is_generated = inner is not None
        """Whether what pytest calls only passes for the test: Hypothesis gives it the name and the place of the real one."""
        self.code = getattr(_unwrapped(inner or function), "__code__", None)

    def is_code(self, code: CodeType) -> bool:
        if code is self.code or self._is_generated:
            return code is self.code
        return code.co_name == self.name and code.co_filename == self.path and _stands_at(code, self.line)

    def is_main(self, frame: FrameType) -> bool:
        return self.is_code(frame.f_code)

    def is_near(self, code: CodeType) -> bool:
        """Whether code of the test tree; nothing that Python or pytest made up."""
        return code.co_filename.startswith(self.tree) and not code.co_name.startswith("<")


def _stands_at(code: CodeType, line: int) -> bool:
    own = statements(code.co_filename).get(line)
    return code.co_firstlineno <= line and (own is None or line <= own.last)


def _unwrapped(function: Any) -> Any:
    for _ in range(20):
        inner = getattr(function, "__wrapped__", None)
        if inner is None:
            break
        function = inner
    return function


def _asked_by_name(fixturedef: Any, request: Any) -> bool:
    """Whether the test itself names a fixture of a plugin among its parameters."""
    node = request.node
    function = _unwrapped(getattr(node, "function", None))
    code = getattr(function, "__code__", None)
    return code is not None and fixturedef.argname in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _may_fail(item: pytest.Item) -> bool:
    """Whether pytest takes a failure of the test itself for what it waits for."""
    return item.get_closest_marker("xfail") is not None


def _fail(outcome: Any, found: list[Leftover], root: Path) -> None:
    if not found:
        return
    lines = [
        f"{_shown(it.path, root)}:{it.line}: {_SAID[it.what].format(it.name)}{f': {it.detail}' if it.what == 'exception' else ''}"
        for it in found
    ]
    try:
        pytest.fail("\n".join(lines), pytrace=False)
    except pytest.fail.Exception as error:
        if hasattr(outcome, "force_exception"):
            outcome.force_exception(error)
        else:
            outcome._result, outcome._excinfo = None, (type(error), error, error.__traceback__)


_SAID = {
    "coroutine": "`{}` is never awaited",
    "client": "this `{}` is never closed",
    "task": "the task of `{}` is left running when the test ends",
    "exception": "an exception of `{}` is lost",
}


def _shown(path: str, root: Path) -> str:
    try:
        return Path(path).relative_to(root).as_posix()
    except ValueError:
        return path
