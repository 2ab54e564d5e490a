"""Branches, loops and exceptions: where paths part and meet again."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from awaitest.engine import members
from awaitest.engine.expecting import CAUGHT
from awaitest.engine.expressions import Evaluator
from awaitest.engine.state import Life, State, meet
from awaitest.engine.steps import Misuse, Misused
from awaitest.engine.values import (
    UNKNOWN,
    AsyncIterator,
    Coroutine,
    Site,
    Value,
    every,
)
from awaitest.source.nodes import parts_of, spelt

if TYPE_CHECKING:
    from awaitest.engine.world import World
    from awaitest.project.modules import Module

_TWICE = 5
"""Loops in one another whose bodies are walked twice; those further in come by often enough."""
_NARROWING = frozenset(
    {
        "isinstance",
        "hasattr",
        "iscoroutine",
        "isawaitable",
        "iscoroutinefunction",
        "isasyncgen",
        "issubclass",
        "callable",
    }
)


@dataclass(slots=True)
class Loop:
    """One round of a loop: the moments in which it was left, and those in which it went on early."""

    broken: list[State] = field(default_factory=list)
    continued: list[State] = field(default_factory=list)


class ControlFlow(Evaluator):
    """Statements that decide which statements run."""

    def __init__(
        self, world: World, module: Module, names: dict[str, Value], closure: Mapping[str, Value] | None
    ) -> None:
        super().__init__(world, module, names, closure)
        self.watched = False
        self.snapshots: dict[int, tuple[dict[str, Value], dict[Site, Life]]] = {}
        self.in_finally = 0
        self._loops: list[Loop] = []

    def block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            if not self.state.alive:
                return
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        method = getattr(self, f"_do_{type(node).__name__}", None)
        if method is None:
            return
        before = len(self.steps)
        method(node)
        if self.watched and not hasattr(node, "body"):
            after = (dict(self.state.names), dict(self.state.lives))
            self.snapshots.update((id(step), after) for step in self.steps[before:])

    def _do_If(self, node: ast.If) -> None:
        if isinstance(node.test, ast.Constant):
            self.block(node.body if node.test.value else node.orelse)
            return
        told = self.told(node.test)
        self.narrow(node.test)
        self.condition(node.test)
        start, ends = self.state, []
        for outcome, body in ((True, node.body), (False, node.orelse)):
            self.state = start.copy()
            self.assume(node.test, outcome)
            self.state.names |= told if outcome else {}
            self.block(body)
            ends.append(self.state)
        self.state = meet(*ends)

    def told(self, test: ast.expr) -> dict[str, Value]:
        """What `isinstance` tells of names where a test is true."""
        match test:
            case ast.BoolOp(op=ast.And(), values=parts):
                return {name: value for part in parts for name, value in self.told(part).items()}
            case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), asked]) if name in self.state.names:
                value = members.told(self.world, self.state.names[name], self.eval(asked))
                return {name: value} if value is not None else {}
        return {}

    def narrow(self, test: ast.expr, asserted: bool = False) -> None:
        """A test that asks what a name is makes the name unknown: the code itself decides by kind.

        `asserted`: there is no other branch, so a coroutine or asynchronous iterator stays one whatever class it is said to have.
        """
        for part in parts_of(test):
            if not isinstance(part, ast.Call):
                continue
            called = part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", "")
            if called not in _NARROWING:
                continue
            if (
                called == "isinstance"
                and len(part.args) == 2
                and members.never_awaitable(self.world, self.eval(part.args[1]))
            ):
                continue
            for argument in part.args:
                held = self.state.names.get(argument.id) if isinstance(argument, ast.Name) else None
                if held is None or (asserted and (called == "hasattr" or every(held, Coroutine, AsyncIterator))):
                    continue
                self.escape(held)
                self.state.names[spelt(argument)] = UNKNOWN

    def _do_Match(self, node: ast.Match) -> None:
        subject = self.eval(node.subject)
        if any(map(_captures, node.cases)):
            self.escape(subject)
        else:
            self.misuse(subject, node.subject, Misuse.COMPARED, later=not isinstance(node.subject, ast.Call))
        start, ends = self.state, [self.state.copy()]
        for case in node.cases:
            self.state = start.copy()
            self.state.names |= dict.fromkeys(_captured(case.pattern), UNKNOWN)
            if case.guard is not None:
                self.condition(case.guard)
            self.block(case.body)
            ends.append(self.state)
        self.state = meet(*ends)

    def _do_While(self, node: ast.While) -> None:
        self.narrow(node.test)
        self.condition(node.test)
        self._loop(node.body, node.orelse, test=node.test)

    def _do_For(self, node: ast.For | ast.AsyncFor) -> None:
        item = self.iterate(node.iter, node, isinstance(node, ast.AsyncFor))
        self._loop(node.body, node.orelse, node.target, item)

    _do_AsyncFor = _do_For

    def _loop(
        self,
        body: list[ast.stmt],
        orelse: list[ast.stmt],
        target: ast.expr | None = None,
        item: Value = UNKNOWN,
        test: ast.expr | None = None,
    ) -> None:
        before = self.state.copy()
        broken: list[State] = []
        misused: list[Misused] = []
        noted = len(self.steps)
        for first in (True, False) if len(self._loops) < _TWICE else (False,):
            put_off = len(self.deferred)
            self._loops.append(Loop())
            start = self.state.copy()
            if target is not None:
                self.bind_target(target, item)
            if test is not None:
                self.assume(test, True)
            self.block(body)
            loop = self._loops.pop()
            if first:
                misused = self._take_back(noted, put_off)
            broken = loop.broken
            self.state = meet(self.state, start, *loop.continued)
            self.state.alive = True
        self.steps[noted:noted] = [step for step in misused if id(step.node) not in self.doubted]
        self.state = meet(before, self.state)
        self.block(orelse)
        self.state = meet(self.state, *broken)

    def _take_back(self, noted: int, put_off: int) -> list[Misused]:
        """The body of a loop is walked once more, knowing what it leaves for its next round: only then is it told what happens.
        Gives the misuses, which hold unless the next round doubts them."""
        misused = [step for step in self.steps[noted:] if isinstance(step, Misused)]
        for step in self.steps[noted:]:
            self.snapshots.pop(id(step), None)
        del self.steps[noted:], self.deferred[put_off:]
        return misused

    def _do_Break(self, _node: ast.Break) -> None:
        if self._loops:
            self._loops[-1].broken.append(self.state.copy())
        self.state.alive = False

    def _do_Continue(self, _node: ast.Continue) -> None:
        if self._loops:
            self._loops[-1].continued.append(self.state.copy())
        self.state.alive = False

    def _do_Try(self, node: ast.Try) -> None:
        start = self.state.copy()
        catching = any(_catches(handler) for handler in node.handlers)
        self.expected += catching
        self.trying += bool(node.handlers)
        self.block(node.body)
        self.trying -= bool(node.handlers)
        self.expected -= catching
        after = self.state
        thrown = meet(start, after.copy())
        if not after.alive:
            thrown = start.copy()
            thrown.names.update(after.names)
        self.block(node.orelse)
        ends = [self.state]
        for handler in node.handlers:
            self.state = thrown.copy()
            self.state.alive = True
            if handler.name is not None:
                self.state.names[handler.name] = UNKNOWN
            self.block(handler.body)
            ends.append(self.state)
        self.state = meet(*ends)
        alive = self.state.alive
        self.state.alive = True
        self.in_finally += 1
        self.block(node.finalbody)
        self.in_finally -= 1
        self.state.alive = self.state.alive and alive

    _do_TryStar = _do_Try


def _captured(pattern: ast.pattern) -> list[str]:
    """The names that a pattern binds."""
    names = (getattr(part, "name", None) or getattr(part, "rest", None) for part in parts_of(pattern))
    return [name for name in names if isinstance(name, str)]


def _captures(case: ast.match_case) -> bool:
    """Whether a case takes anything, or gives a name to what it takes."""
    return bool(_captured(case.pattern)) or (isinstance(case.pattern, ast.MatchAs) and case.guard is not None)


def _catches(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any((part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", "")) in CAUGHT for part in types)
