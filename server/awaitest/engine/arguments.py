"""Arguments of a call: what they bind to, which of them are wrong, and which leave our sight."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from awaitest.engine.annotations import PLAIN
from awaitest.engine.facts import BORROWING, REQUESTS
from awaitest.engine.steps import Misuse
from awaitest.engine.values import (
    Collection,
    Coroutine,
    FunctionInfo,
    FunctionValue,
    Instance,
    Value,
    coroutines,
    every,
)

if TYPE_CHECKING:
    from awaitest.engine.expressions import Evaluator


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its keyword, or None for a positional one."""

    keyword: str | None
    value: Value
    node: ast.expr


@dataclass(slots=True)
class Call:
    """One call with its arguments evaluated."""

    node: ast.Call
    label: str
    target: Value
    arguments: list[Argument] = field(default_factory=list)

    def positional(self, position: int) -> Argument | None:
        found = [argument for argument in self.arguments if argument.keyword is None]
        return found[position] if position < len(found) else None


def hand_over(run: Evaluator, call: Call) -> None:
    """Everything passed on is out of sight."""
    for argument in call.arguments:
        run.escape(argument.value)


def check_arguments(run: Evaluator, call: Call, target: FunctionValue) -> None:
    """A coroutine where the function declares data."""
    function = target.function
    owner = function.owner
    if owner is not None and function.name in REQUESTS and run.world.derives(owner, "BaseClient", "httpx", "httpx2"):
        for argument in call.arguments:
            wrong = list(coroutines(argument.value))
            if wrong and (every(argument.value, Coroutine) or every(argument.value, Collection)):
                run.misuse(frozenset(wrong), argument.node, Misuse.ARGUMENT, argument.keyword or "url")
        return
    node = function.node
    if isinstance(node, ast.Lambda):
        return
    annotations = {
        item.arg: item.annotation for item in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    }
    names = [item.arg for item in (*node.args.posonlyargs, *node.args.args)][1 if target.receiver is not None else 0 :]
    for position, argument in enumerate(call.arguments):
        name = argument.keyword or (names[position] if position < len(names) else "")
        annotation = annotations.get(name)
        if every(argument.value, Coroutine) and isinstance(annotation, ast.Name) and annotation.id in PLAIN:
            run.misuse(argument.value, argument.node, Misuse.ARGUMENT, name)


def hand_over_to(run: Evaluator, call: Call, function: FunctionInfo) -> None:
    """Arguments escape into the function, but for clients that it only borrows."""
    for argument in call.arguments:
        only_client = every(argument.value, Instance)
        if not (only_client and borrows(function, argument, call)):
            run.escape(argument.value)


def borrows(function: FunctionInfo, argument: Argument, call: Call) -> bool:
    """Whether the function only calls methods of the argument, so that closing it stays the caller's duty."""
    node = function.node
    if isinstance(node, ast.Lambda) or function.module.origin != "project" or not isinstance(argument.node, ast.Name):
        return False
    name = argument.keyword
    if name is None:
        position = call.arguments.index(argument) + (1 if function.owner is not None else 0)
        parameters = [*node.args.posonlyargs, *node.args.args]
        if position >= len(parameters):
            return False
        name = parameters[position].arg
    used = [part for part in ast.walk(node) if isinstance(part, ast.Name) and part.id == name]
    lent = {
        id(part.func.value)
        for part in ast.walk(node)
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in BORROWING
    }
    return bool(used) and all(id(part) in lent for part in used)


def bound_arguments(call: Call, target: FunctionValue) -> dict[str, Value]:
    """Parameter names with the values this call gives them."""
    node = target.function.node
    parameters = [item.arg for item in (*node.args.posonlyargs, *node.args.args)]
    bound: dict[str, Value] = {}
    if target.receiver is not None and parameters:
        bound[parameters.pop(0)] = target.receiver
    if any(isinstance(argument.node, ast.Starred) or argument.keyword == "**" for argument in call.arguments):
        return bound
    for argument in call.arguments:
        if argument.keyword is not None:
            bound[argument.keyword] = argument.value
        elif parameters:
            bound[parameters.pop(0)] = argument.value
    return bound
