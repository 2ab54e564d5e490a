"""What a function does to `app.dependency_overrides`."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitest.engine.steps import Called, Stored
from awaitest.engine.values import (
    AsyncIterator,
    ClassValue,
    Collection,
    Coroutine,
    FunctionValue,
    Instance,
    Iterator,
    Kind,
    Overrides,
    Plain,
    Value,
    every,
)
from awaitest.source.nodes import parts_of

if TYPE_CHECKING:
    from awaitest.engine.run import Run


@dataclass(frozen=True, slots=True)
class Override:
    """One dependency that is replaced; `undone` where pytest takes it back after the test."""

    apps: tuple[Instance, ...]
    key: Value
    value: Value
    key_node: ast.expr
    value_node: ast.expr | None
    undone: bool


def override_by(step: Stored | Called, run: Run) -> Override | None:
    """The override that `overrides[key] = value` or `monkeypatch.setitem(overrides, key, value)` sets."""
    if isinstance(step, Stored):
        apps = _apps(step.owner)
        node = _assigned_to(step.node, run) if apps else None
        return Override(apps, step.key, step.value, step.node.slice, node, undone=False) if apps else None
    sets = isinstance(step.node.func, ast.Attribute) and step.node.func.attr == "setitem"
    if not sets or len(step.node.args) != 3 or len(step.arguments) != 3:
        return None
    apps, (_, key, value) = _apps(step.arguments[0]), step.arguments
    return Override(apps, key, value, step.node.args[1], step.node.args[2], undone=True) if apps else None


def _apps(value: Value) -> tuple[Instance, ...]:
    return tuple(kind.app for kind in value if isinstance(kind, Overrides)) if every(value, Overrides) else ()


def _assigned_to(target: ast.Subscript, run: Run) -> ast.expr | None:
    """The value of the assignment that has only this target."""
    for statement in run.document.module():
        for part in parts_of(statement):
            if isinstance(part, ast.Assign) and part.targets == [target]:
                return part.value
    return None


def is_no_dependency(run: Run, value: Value, call: Called | None) -> bool:
    """Whether a key, and the call that gives it, cannot be what any route depends on."""
    return _plain(value) or (call is not None and (_declares(call) or _makes_another(run, call)))


def is_uncallable(run: Run, value: Value, call: Called | None) -> bool:
    """Whether a value, and the call that gives it, cannot be called."""
    return _plain(value) or (call is not None and (_declares(call) or _makes_uncallable(run, call)))


def function_meant(call: Called) -> ast.expr | None:
    """The function that is called here without arguments, or that `Depends(…)` names."""
    arguments, target = call.node.args, call.target
    if call.node.keywords or not every(target, FunctionValue):
        return None
    if _declares(call):
        named = arguments[0] if len(arguments) == 1 else None
    else:
        named = call.node.func if not arguments and all(not _parameters(kind) for kind in target) else None
    return named if isinstance(named, (ast.Name, ast.Attribute)) else None


def call_at(run: Run, node: ast.expr | None) -> Called | None:
    """The step of a call expression."""
    return next((step for step in run.steps if isinstance(step, Called) and step.node is node), None)


def _parameters(kind: Kind) -> bool:
    return isinstance(kind, FunctionValue) and any(
        isinstance(part, ast.arg) for part in parts_of(kind.function.node.args)
    )


def _plain(value: Value) -> bool:
    """Coroutines, generators and data: kinds of which no subclass can be callable or stand for a function."""
    return every(value, Plain, Coroutine, AsyncIterator, Iterator, Collection)


def _declares(call: Called) -> bool:
    """Whether a call is `Depends(…)` or `Security(…)`."""
    return every(call.target, FunctionValue) and all(
        kind.function.name in {"Depends", "Security"} and kind.function.module.name.partition(".")[0] == "fastapi"
        for kind in call.target
        if isinstance(kind, FunctionValue)
    )


def _makes_uncallable(run: Run, call: Called) -> bool:
    """Whether a call makes an object of a class that has no `__call__`."""
    world = run.engine.world
    return every(call.target, ClassValue) and all(
        isinstance(kind, Instance) and world.member(kind.cls, "__call__") is None and world.whole(kind.cls)
        for kind in call.result
    )


def _makes_another(run: Run, call: Called) -> bool:
    """Whether a call makes a function or an object that equals no other."""
    if every(call.target, FunctionValue):
        undecorated = all(not _decorated(kind.function.node) for kind in call.target if isinstance(kind, FunctionValue))
        return undecorated and all(
            isinstance(kind, FunctionValue) and kind.function.closure is not None for kind in call.result
        )
    world = run.engine.world
    return every(call.target, ClassValue) and all(
        isinstance(kind, Instance)
        and world.has(kind.cls, "__eq__") is False
        and world.has(kind.cls, "__new__") is False
        and not any(_decorated(base.node) for base in world.mro(kind.cls)[0])
        for kind in call.result
    )


def _decorated(node: ast.AST) -> bool:
    return bool(getattr(node, "decorator_list", ()))
