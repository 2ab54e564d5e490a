"""Generators that never end by themselves, and code that does not wait for their end."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitest.engine.repair import path_to
from awaitest.engine.requests import is_guarded
from awaitest.engine.syntax import own_nodes
from awaitest.source.nodes import last_name, parts_of

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_WHEN_IT_IS_LEFT = frozenset({"CancelledError", "GeneratorExit"})
_CUTTING = frozenset({"cancel", "cancel_scope", "CancelScope", "move_on_after", "move_on_at"})


def never_ends(part: ast.AST) -> bool:
    """Whether this is a loop that yields, and that nothing in it can leave."""
    if not isinstance(part, ast.While) or not isinstance(part.test, ast.Constant) or not part.test.value:
        return False
    inside = list(parts_of(part))
    leaves = any(isinstance(it, (ast.Break, ast.Return, ast.Raise, ast.Try)) for it in inside)
    return not leaves and any(isinstance(it, ast.Yield) for it in inside)


def generates_forever(node: ast.AST) -> bool:
    """Whether a generator function has a loop without an end, and nothing around that may take an exception for its end."""
    loops = [part for part in own_nodes(node) if never_ends(part)]
    return any(not any(map(_may_end, path_to(node, loop))) for loop in loops)


def _may_end(around: ast.AST) -> bool:
    """Whether a statement may swallow what ends a loop in it: an exception that it waits for, or the end of a time."""
    if isinstance(around, ast.Try):
        return not all(last_name(handler.type) in _WHEN_IT_IS_LEFT for handler in around.handlers)
    return isinstance(around, (ast.With, ast.AsyncWith))


def may_be_cut(run: Run, call: ast.Call) -> bool:
    """Whether a test may do without the response of a request: it waits for the time to be over, or stops the request."""
    outer = run.outermost
    names = {getattr(part, key, None) for part in parts_of(outer.node) for key in ("id", "attr")}
    guarded = is_guarded(run.function, call) or is_guarded(outer.function, call)
    return guarded or not _CUTTING.isdisjoint(names) or not _is_waited_for(path_to(run.node, call))


def _is_waited_for(path: list[ast.AST]) -> bool:
    """Whether what a call gives is awaited or entered at once, or passed to `wait_for`."""
    around = path[0] if path else None
    if isinstance(around, ast.Call) and last_name(around.func) == "wait_for":
        around = path[1]
    return isinstance(around, (ast.Await, ast.withitem))
