"""Watching by `sys.monitoring`: nothing is paid for functions that nobody wants. Python 3.12 and later."""

from __future__ import annotations

import sys
from types import CodeType
from typing import TYPE_CHECKING, Any

from .asserts import clearings
from .watching import Careful

if TYPE_CHECKING:
    from .watching import Listener, Wanted

monitoring: Any = vars(sys).get("monitoring")

_FREE_TOOLS = (4, 3)
_NO_FAILURES = (StopIteration, StopAsyncIteration, GeneratorExit)


class Monitor:
    """Events of chosen code objects only, but for exceptions, which Python tells of every function. To start and to stop
    makes Python look anew at each function that runs: milliseconds, so that it is left on between tests."""

    lasts = True

    def __init__(self) -> None:
        self._wanted: Wanted = lambda _: False
        self._codes: dict[int, tuple[CodeType, dict[int, int]]] = {}
        """By id, as a function's code is compared and hashed by all that it holds."""
        self._tool = -1

    def start(self, listener: Listener, wanted: Wanted) -> None:
        """Raises RuntimeError where other tools hold every place."""
        self._listener, self._wanted = Careful(listener), wanted
        if self._tool >= 0:
            return
        self._tool = next((number for number in _FREE_TOOLS if monitoring.get_tool(number) is None), -1)
        if self._tool < 0:
            raise RuntimeError("no free place for a monitoring tool")
        monitoring.use_tool_id(self._tool, "awaitest")
        events = monitoring.events
        for event, told in (
            (events.PY_START, self._started),
            (events.LINE, lambda code, line: self._listener.reached(sys._getframe(1), line)),
            (events.INSTRUCTION, self._instruction),
            (events.PY_YIELD, lambda code, offset, value: self._listener.suspended(sys._getframe(1))),
            (events.PY_RESUME, lambda code, offset: self._listener.resumed(sys._getframe(1))),
            (events.PY_RETURN, lambda code, offset, value: self._listener.ended(sys._getframe(1))),
            (events.RAISE, self._raised),
            (events.PY_THROW, self._thrown),
            (events.PY_UNWIND, self._unwound),
        ):
            monitoring.register_callback(self._tool, event, told)
        monitoring.restart_events()
        monitoring.set_events(self._tool, events.PY_START | events.RAISE | events.PY_THROW | events.PY_UNWIND)

    def pause(self) -> None:
        """Nothing is paid for what nobody wants."""

    def go_on(self) -> None: ...

    def stop(self) -> None:
        if self._tool < 0:
            return
        monitoring.set_events(self._tool, 0)
        for code, _ in self._codes.values():
            monitoring.set_local_events(self._tool, code, 0)
        self._codes.clear()
        monitoring.free_tool_id(self._tool)
        self._tool = -1

    def _started(self, code: CodeType, _: int) -> Any:
        if id(code) not in self._codes:
            if not self._wanted(code):
                return monitoring.DISABLE
            events = monitoring.events
            checked = clearings(code)
            self._codes[id(code)] = code, checked
            chosen = events.LINE | events.PY_YIELD | events.PY_RESUME | events.PY_RETURN
            checks = events.INSTRUCTION if checked else 0
            monitoring.set_local_events(self._tool, code, chosen | checks)
        self._listener.started(sys._getframe(1))
        return None

    def _instruction(self, code: CodeType, offset: int) -> Any:
        line = self._codes[id(code)][1].get(offset)
        if line is None:
            return monitoring.DISABLE
        self._listener.checked(sys._getframe(1), line)
        return None

    def _raised(self, code: CodeType, _: int, error: BaseException) -> None:
        if id(code) in self._codes and not isinstance(error, _NO_FAILURES):
            self._listener.raised(sys._getframe(1), error)

    def _thrown(self, code: CodeType, _: int, __: BaseException) -> None:
        if id(code) in self._codes:
            self._listener.resumed(sys._getframe(1))

    def _unwound(self, code: CodeType, _: int, __: BaseException) -> None:
        if id(code) in self._codes:
            self._listener.ended(sys._getframe(1))
