"""What the special methods of an object give: when it is awaited, looped over, or stands before an operator."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitest.engine import keepers
from awaitest.engine.annotations import declared, elements
from awaitest.engine.calls import given_by
from awaitest.engine.generics import bound_in
from awaitest.engine.syntax import gives_self
from awaitest.engine.values import (
    UNKNOWN,
    AsyncIterator,
    Coroutine,
    FunctionInfo,
    Instance,
    Iterator,
    Kind,
    Value,
    element_of,
    join,
)
from awaitest.engine.world import Definition
from awaitest.source.nodes import spelt

if TYPE_CHECKING:
    from awaitest.engine.expressions import Evaluator
    from awaitest.engine.world import World

_OPERATORS = {
    ast.Add: "__add__", ast.Sub: "__sub__", ast.Mult: "__mul__", ast.Div: "__truediv__", ast.BitOr: "__or__", ast.BitAnd: "__and__",
}  # fmt: skip


def awaited(world: World, kind: Kind) -> Value:
    """What `await` gives of an object with `__await__`, as that declares."""
    kept = keepers.held(world, kind) if isinstance(kind, Instance) else None
    if kept is not None:
        return kept
    function = _method(world, kind, "__await__")
    returns = function.node.returns if function is not None and isinstance(function.node, Definition) else None
    if function is None or not isinstance(returns, ast.Subscript):
        return UNKNOWN
    parts = elements(returns.slice)
    name = spelt(returns.value).rpartition(".")[2]
    bound = bound_in(world, function.owner, frozenset({kind}))
    whole = name == "Generator" and len(parts) == 3
    return declared(world, function.module, parts[2], bound=bound) if whole else UNKNOWN


def element(run: Evaluator, kind: Kind, is_async: bool) -> Value:
    """What a loop gets from a value, one at a time."""
    if not isinstance(kind, Instance):
        return element_of(kind, is_async)
    function = _method(run.world, kind, "__aiter__" if is_async else "__iter__")
    if function is None or (function.is_async and not is_async):
        return UNKNOWN
    if isinstance(function.node, Definition) and gives_self(function.node):
        return _next(run, kind, is_async)
    iterated = given_by(run, function, frozenset({kind}))
    if iterated == {kind}:
        return _next(run, kind, is_async)
    wanted = AsyncIterator if is_async else Iterator
    return join(*(it.item if isinstance(it, wanted) else UNKNOWN for it in iterated))


def _next(run: Evaluator, kind: Kind, is_async: bool) -> Value:
    function = _method(run.world, kind, "__anext__" if is_async else "__next__")
    if function is None:
        return UNKNOWN
    value = given_by(run, function, frozenset({kind}))
    return join(*(it.site.result() if isinstance(it, Coroutine) else UNKNOWN for it in value)) if is_async else value


def operated(run: Evaluator, left: Value, operator: ast.operator) -> Value:
    """What an operator gives of the objects before it."""
    name = _OPERATORS.get(type(operator), "")
    functions = [(kind, _method(run.world, kind, name)) for kind in left]
    return join(*(given_by(run, it, frozenset({kind})) if it is not None else UNKNOWN for kind, it in functions))


def _method(world: World, kind: Kind, name: str) -> FunctionInfo | None:
    return world.method(kind.cls, name) if isinstance(kind, Instance) else None
