"""Whether a function keeps what its annotation promises: code that serves a synchronous and an asynchronous class alike often does not."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitest.engine.annotations import declared
from awaitest.engine.syntax import generates, own_nodes, passed_through
from awaitest.engine.values import (
    NONE,
    UNKNOWN,
    Awaitable,
    CallableValue,
    ClassInfo,
    Coroutine,
    FunctionInfo,
    Instance,
    Kind,
    Value,
    every,
    known,
)
from awaitest.source.nodes import spelt

if TYPE_CHECKING:
    from awaitest.engine.arguments import Call
    from awaitest.engine.expressions import Evaluator
    from awaitest.engine.knowledge import Member


def passes_through(run: Evaluator, function: FunctionInfo, receiver: Value) -> bool:
    """Whether a method gives back what `self.x()` gives, and `x` is neither a plain method nor a class that `self` keeps: its
    annotation may then tell what comes in the end."""
    asked = [
        (kind.cls, name) for name in passed_through(function.node) for kind in receiver if isinstance(kind, Instance)
    ]
    return any(
        not _kept_gives_at_once(run, cls, name)
        if (member := run.world.member(cls, name)) is None
        else not _gives_at_once(run, function, member)
        for cls, name in asked
    )


def _kept_gives_at_once(run: Evaluator, cls: ClassInfo, name: str) -> bool:
    """Whether calling what the constructor keeps in an attribute gives what it promises."""
    kept = run.world.reader.attributes(cls, name) or UNKNOWN
    return all(_called_gives_at_once(run, kind) for kind in kept)


def _called_gives_at_once(run: Evaluator, kind: Kind) -> bool:
    if isinstance(kind, CallableValue):
        return _is_there(run, kind.result)
    method = run.world.method(kind.cls, "__call__") if isinstance(kind, Instance) else None
    return (
        method is not None
        and isinstance(method.node, ast.FunctionDef)
        and _is_there(run, declared(run.world, method.module, method.node.returns))
    )


def _gives_at_once(run: Evaluator, function: FunctionInfo, member: Member) -> bool:
    """Whether calling a member of a class certainly gives what it promises, no coroutine of it."""
    node = member.nodes[-1]
    if isinstance(node, ast.AnnAssign):
        return isinstance(node.annotation, ast.Subscript) and spelt(node.annotation.value) in {"type", "Type"}
    if isinstance(node, ast.AsyncFunctionDef):
        return generates(node)
    if not isinstance(node, ast.FunctionDef):
        return False
    here = function.owner
    return here is None or member.owner in run.world.mro(here)[0] or _promises_at_once(run, member, node)


def _promises_at_once(run: Evaluator, member: Member, node: ast.FunctionDef) -> bool:
    """Whether a method that overrides another declares something that is there already."""
    return _is_there(run, declared(run.world, member.owner.module, node.returns))


def _is_there(run: Evaluator, value: Value) -> bool:
    """Whether nothing in a value is to be awaited."""
    return known(value) and not any(
        isinstance(kind, Awaitable | Coroutine)
        or (isinstance(kind, Instance) and run.world.has(kind.cls, "__await__") is not False)
        for kind in value
    )


def passes_as(run: Evaluator, call: Call, name: str) -> Value | None:
    """The coroutine that `cast` or `assert_type` gives back, whatever type it is said to be of; None for any other call. What is asserted
    to be a coroutine is meant to be one."""
    first, second = call.positional(0), call.positional(1)
    if first is None or second is None:
        return None
    if name == "cast":
        return second.value if every(second.value, Coroutine) else None
    if name != "assert_type" or not every(first.value, Coroutine):
        return None
    return first.value if _is_there(run, declared(run.world, run.module, second.node)) else None


def breaks_its_word(function: FunctionInfo, value: Value) -> bool:
    """Whether a function of the project that declares None gives something back."""
    return (value == NONE and function.module.origin == "project") and any(
        isinstance(part, ast.Return) and not isinstance(part.value, ast.Constant | None)
        for part in own_nodes(function.node)
    )
