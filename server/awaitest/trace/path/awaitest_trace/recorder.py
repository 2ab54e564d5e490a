"""Groups what frames do into statements: when each ran, what it changed, what it raised, how long it waited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from types import CodeType, FrameType
from typing import Any

from .asserts import sides
from .loops import Loops
from .sink import Sink
from .statements import Statement, statements
from .values import STEADY, brief, is_a, package, state_of

NAMES = 60
"""Names of a function that are followed."""
ROWS = 2_000
"""Steps that are kept of one test; a loop that goes on is counted on."""
_DATA = (type, type(asyncio), type(brief), type(print))


@dataclass(eq=False)
class Activation:
    """One call of a watched function, from start to end."""

    path: str
    name: str
    depth: int
    is_shown: bool
    table: dict[int, Statement]
    own: Statement | None
    current: Statement | None = None
    began: float = 0.0
    role: str = ""
    waited: float = 0.0
    since: float | None = None
    """When it gave back control, where it waits."""
    raised: str | None = None
    told: dict[str, str] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    entered: set[Statement] = field(default_factory=set)
    known: dict[str, tuple[object, str]] = field(default_factory=dict)
    """By name, what it held that cannot change, and its text."""
    here: dict[str, str] = field(default_factory=dict)
    """Its loop and task."""


class Recorder:
    """Listens to the frames of one test; `main` names the test's own function."""

    def __init__(
        self, sink: Sink, loops: Loops, is_main: Callable[[FrameType], bool], shows: Callable[[FrameType], bool]
    ) -> None:
        self._sink = sink
        self._loops = loops
        self._is_main = is_main
        self._shows = shows
        self._activations: dict[FrameType, Activation] = {}
        self._written = 0

    def started(self, frame: FrameType) -> None:
        code, outer, depth = frame.f_code, frame.f_back, 0
        while outer is not None:
            depth += outer in self._activations and self._activations[outer].is_shown
            outer = outer.f_back
        is_main = self._is_main(frame)
        table = statements(code.co_filename)
        made = Activation(
            code.co_filename, code.co_name, depth, is_main or self._shows(frame), table, _own(table, code)
        )
        self._activations[frame] = made
        self._loops.note(code)
        made.held = self._names(frame, made.known) if made.is_shown else {}
        made.here = self._loops.here()
        if is_main:
            self._sink.write("started", function=code.co_name, held=made.held, **made.here)

    def reached(self, frame: FrameType, line: int) -> None:
        activation = self._activations.get(frame)
        statement = activation.table.get(line) if activation is not None else None
        if (
            activation is None
            or statement is None
            or not activation.is_shown
            or statement in (activation.current, activation.own)
        ):
            return
        told = self._finish(activation, frame, statement)
        activation.current, activation.began = statement, perf_counter()
        activation.waited, activation.raised, activation.told = 0.0, None, {}
        activation.role = ""
        if statement.kind in ("With", "AsyncWith"):
            activation.role = "leave" if statement in activation.entered else "enter"
        begun = {"line": statement.line, "role": activation.role}
        if told is not None:
            self._sink.write("step", **told, next=begun)
        elif self._written < ROWS:
            self._sink.write("begin", path=activation.path, depth=activation.depth, **begun)

    def checked(self, frame: FrameType, line: int) -> None:
        activation = self._activations.get(frame)
        if activation is not None and activation.current is not None and activation.is_shown:
            activation.told = {"outcome": "holds", **sides(frame, activation.current.line)}

    def raised(self, frame: FrameType, error: BaseException) -> None:
        activation = self._activations.get(frame)
        if activation is None or activation.current is None or not activation.is_shown:
            return
        activation.raised = brief(error)
        if activation.current.kind == "Assert" and isinstance(error, AssertionError):
            activation.told = {"outcome": "fails", **sides(frame, activation.current.line)}

    def suspended(self, frame: FrameType) -> None:
        activation = self._activations.get(frame)
        if activation is not None:
            activation.since = perf_counter()

    def resumed(self, frame: FrameType) -> None:
        activation = self._activations.get(frame)
        if activation is not None and activation.since is not None:
            activation.waited += perf_counter() - activation.since
            activation.since = None
            activation.here = self._loops.here()  # a fixture may be torn down by another task

    def ended(self, frame: FrameType) -> None:
        activation = self._activations.get(frame)
        if activation is None:
            return
        told = self._finish(activation, frame, None)
        if told is not None:
            self._sink.write("step", **told)
        del self._activations[frame]

    def _finish(self, activation: Activation, frame: FrameType, following: Statement | None) -> dict[str, Any] | None:
        """What the statement did that a frame leaves; None where it left none, or where enough was told."""
        statement = activation.current
        activation.current = None
        if statement is None:
            return None
        took = perf_counter() - activation.began
        role = self._role(activation, statement, following)
        self._written += 1
        if self._written > ROWS:
            if self._written == ROWS + 1:
                self._sink.write("cut", rows=ROWS)
            return None
        if statement.kind == "Assert" and not activation.told:
            outcome = "holds" if activation.raised is None else "breaks off"
            activation.told = {"outcome": outcome, **(sides(frame, statement.line) if outcome == "holds" else {})}
        held = self._names(frame, activation.known)
        changed = {name: text for name, text in held.items() if activation.held.get(name) != text}
        gone = [name for name in activation.held if name not in held]
        activation.held = held
        return {
            "path": activation.path, "line": statement.line, "statement": statement.kind, "function": activation.name,
            "depth": activation.depth, "role": role, "awaits": statement.awaits,
            "own": round(max(0.0, took - activation.waited), 6), "waited": round(activation.waited, 6),
            "raised": activation.raised, "changed": changed, "gone": gone, "check": activation.told, **activation.here,
        }  # fmt: skip

    def _role(self, activation: Activation, statement: Statement, following: Statement | None) -> str:
        if activation.role == "enter" and activation.raised is None:
            activation.entered.add(statement)
        elif activation.role == "leave":
            activation.entered.discard(statement)
        if statement.kind in ("For", "AsyncFor"):
            inside = following is not None and statement.line < following.line <= statement.last
            return "next" if inside else "done"
        return activation.role

    def _names(self, frame: FrameType, known: dict[str, tuple[object, str]]) -> dict[str, str]:
        """What the locals hold, and what is read of the module and of `self`, as short texts."""
        code, names, found = frame.f_code, frame.f_locals, {}
        for name, value in [*names.items()][:NAMES]:
            if name.startswith("@") or name in ("self", "cls"):
                continue
            if id(type(value)) in STEADY:
                if name not in known or known[name][0] is not value:
                    known[name] = value, brief(value)
                found[name] = known[name][1]
            elif not is_a(value, _DATA):
                found[name] = brief(value)
        for name in code.co_names:
            value = frame.f_globals.get(name)
            if (
                value is not None
                and not name.startswith("_")
                and not is_a(value, _DATA)
                and package(type(value)) != "typing"
            ):
                found.setdefault(name, brief(value))
        if "self" in names:
            state = state_of(names["self"])
            found.update({f"self.{name}": brief(value) for name, value in state.items() if name in code.co_names})
        return found


def _own(table: dict[int, Statement], code: CodeType) -> Statement | None:
    """The statement that defines a function; its decorators stand before it."""
    near = (table.get(line) for line in range(code.co_firstlineno, code.co_firstlineno + 100))
    return next((it for it in near if it is not None and it.kind.endswith("FunctionDef")), None)
