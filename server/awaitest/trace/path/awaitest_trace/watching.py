"""Tells a listener what chosen functions do: `sys.monitoring` from Python 3.12 on, `sys.settrace` before."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, Protocol

from .asserts import clearings

Wanted = Callable[[CodeType], bool | None]
"""Whether a function is followed; None where no listener will ever want it."""
_NO_FAILURES = (StopIteration, StopAsyncIteration, GeneratorExit)
_SUSPENDING = frozenset({"YIELD_VALUE", "YIELD_FROM", "SEND"})


class Listener(Protocol):
    """What is told of a frame, from its start to its end."""

    def started(self, frame: FrameType) -> None: ...
    def reached(self, frame: FrameType, line: int) -> None: ...
    def checked(self, frame: FrameType, line: int) -> None:
        """An assertion holds."""

    def raised(self, frame: FrameType, error: BaseException) -> None: ...
    def suspended(self, frame: FrameType) -> None: ...
    def resumed(self, frame: FrameType) -> None: ...
    def ended(self, frame: FrameType) -> None: ...


class Watch(Protocol):
    """Tells a listener of wanted functions between `start` and `stop`."""

    lasts: bool
    """Whether it may be started anew, for another listener, without a stop between."""

    def start(self, listener: Listener, wanted: Wanted) -> None: ...
    def pause(self) -> None:
        """Until `go_on`, nothing is called that anybody wants: do not look."""

    def go_on(self) -> None: ...
    def stop(self) -> None: ...


def watch() -> Watch:
    """The way of this Python; None of the tools at work is disturbed where `sys.monitoring` is there."""
    if sys.version_info >= (3, 12):
        from .monitoring import Monitor

        return Monitor()
    return Tracer()


class Careful:
    """What fails in a listener does not fail in the test that it listens to."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def started(self, frame: FrameType) -> None:
        try:
            self._listener.started(frame)
        except Exception:
            return

    def reached(self, frame: FrameType, line: int) -> None:
        try:
            self._listener.reached(frame, line)
        except Exception:
            return

    def checked(self, frame: FrameType, line: int) -> None:
        try:
            self._listener.checked(frame, line)
        except Exception:
            return

    def raised(self, frame: FrameType, error: BaseException) -> None:
        try:
            self._listener.raised(frame, error)
        except Exception:
            return

    def suspended(self, frame: FrameType) -> None:
        try:
            self._listener.suspended(frame)
        except Exception:
            return

    def resumed(self, frame: FrameType) -> None:
        try:
            self._listener.resumed(frame)
        except Exception:
            return

    def ended(self, frame: FrameType) -> None:
        try:
            self._listener.ended(frame)
        except Exception:
            return


class Tracer:
    """By `sys.settrace`. Another trace function, such as a debugger's, pauses meanwhile."""

    lasts = False

    def __init__(self) -> None:
        self._wanted: Wanted = lambda _: False
        self._before: Any = None
        self._failing: dict[FrameType, BaseException] = {}
        self._open: dict[FrameType, dict[int, int]] = {}
        """Of each frame that is followed, where its assertions forget what they compared."""
        self._lines: dict[FrameType, int] = {}
        """The line that each of them reached last."""
        self._never: dict[int, CodeType] = {}
        """By id, as a function's code is compared and hashed by all that it holds."""

    def start(self, listener: Listener, wanted: Wanted) -> None:
        self._listener = Careful(listener)
        self._wanted, self._before = wanted, sys.gettrace()
        sys.settrace(self._called)

    def pause(self) -> None:
        if sys.gettrace() == self._called:
            sys.settrace(None)

    def go_on(self) -> None:
        if sys.gettrace() is None:
            sys.settrace(self._called)

    def stop(self) -> None:
        if sys.gettrace() == self._called:
            sys.settrace(self._before)
        self._failing.clear()
        self._open.clear()
        self._lines.clear()

    def _called(self, frame: FrameType, _: str, __: Any) -> Any:
        code = frame.f_code
        if id(code) in self._never:
            return None
        wanted = self._wanted(code)
        if not wanted:
            if wanted is None:
                self._never[id(code)] = code
            return None
        if frame in self._open:
            self._listener.resumed(frame)
        else:
            self._open[frame] = clearings(code)
            frame.f_trace_opcodes = bool(self._open[frame])
            self._listener.started(frame)
        return self._inside

    def _inside(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self._failing.pop(frame, None)
            self._lines[frame] = frame.f_lineno
            self._listener.reached(frame, frame.f_lineno)
        elif event == "opcode":
            line = self._open[frame].get(frame.f_lasti)
            if line is not None:
                self._listener.checked(frame, line)
        elif event == "exception" and not isinstance(argument[1], _NO_FAILURES):
            error = argument[1] if isinstance(argument[1], BaseException) else argument[0]()
            self._failing[frame] = error
            self._listener.raised(frame, error)
        elif event == "return":
            is_failing = self._failing.pop(frame, None) is not None
            if not is_failing and _suspends(frame) and not self._fails_anew(frame, argument):
                self._listener.suspended(frame)
            else:
                self._open.pop(frame, None)
                self._lines.pop(frame, None)
                self._listener.ended(frame)
        return self._inside

    def _fails_anew(self, frame: FrameType, given: Any) -> bool:
        """Whether a block is left by an exception: then the frame stands where that was raised, not where it goes on."""
        return given is None and frame.f_lineno != self._lines.get(frame, frame.f_lineno)


def _suspends(frame: FrameType) -> bool:
    """Whether a frame that gives back control will go on: it stands on a yield, in 3.10 before one that it repeats."""
    code, place = frame.f_code.co_code, frame.f_lasti
    near = code[max(0, place) : place + 3 : 2]
    return any(dis.opname[operation] in _SUSPENDING for operation in near[: 1 if sys.version_info >= (3, 11) else 2])
