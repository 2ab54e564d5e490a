"""What a block, or a stack of `contextlib`, can enter."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitest.engine.repair import await_edits, dropped_await, path_to
from awaitest.engine.uses import library_callee
from awaitest.engine.values import Instance, Kind, Manager, Plain, Value
from awaitest.source.layout import renamed
from awaitest.source.text import Edit

if TYPE_CHECKING:
    from awaitest.engine.run import Run
    from awaitest.engine.steps import Called

_STACKS = frozenset({"contextlib.ExitStack", "contextlib.AsyncExitStack"})
_ENTERING = ("__enter__", "__aenter__")
_METHODS = {"enter_context": False, "enter_async_context": True}


def cannot_enter(run: Run, value: Value, is_async: bool) -> bool:
    """Whether what is entered certainly lacks the methods this needs, and has those of the other kind."""
    needed, other = ("__aenter__", "__enter__") if is_async else ("__enter__", "__aenter__")
    return all(_has(kind, run, needed) is False for kind in value) and any(_has(kind, run, other) for kind in value)


def enters_instead(run: Run, value: Value, is_async: bool) -> bool:
    """Whether the other kind of block can enter this."""
    other = "__enter__" if is_async else "__aenter__"
    return cannot_enter(run, value, is_async) or (bool(value) and all(_has(kind, run, other) for kind in value))


def no_block_enters(run: Run, value: Value) -> bool:
    """Whether some of what a value may be can be entered by no block of either kind."""
    return any(
        isinstance(kind, Plain)
        or (isinstance(kind, Instance) and not any(run.engine.world.has(kind.cls, it) for it in _ENTERING))
        for kind in value
    )


def _has(kind: Kind, run: Run, method: str) -> bool | None:
    if isinstance(kind, Manager):
        return kind.is_async is (method == "__aenter__")
    return run.engine.world.has(kind.cls, method) if isinstance(kind, Instance) else None


def entered_by_stack(step: Called) -> bool | None:
    """Whether a stack enters its argument as `async with` would; None where this is no such call."""
    func = step.node.func
    if not isinstance(func, ast.Attribute) or func.attr not in _METHODS or len(step.node.args) != 1:
        return None
    stack = (library_callee(step.target) or "").rpartition(".")[0]
    return _METHODS[func.attr] if stack in _STACKS else None


def entered_otherwise(run: Run, step: Called) -> list[Edit] | None:
    """Call the other method of an `AsyncExitStack`, awaited where that must be."""
    func, callee = step.node.func, library_callee(step.target) or ""
    if not isinstance(func, ast.Attribute) or not callee.startswith("contextlib.Async") or not run.is_async:
        return None
    other = next(name for name in _METHODS if name != func.attr)
    if _METHODS[other]:
        edits = await_edits(run, step.node)
    else:
        above = next(iter(path_to(run.node, step.node)), None)
        edits = dropped_await(run, above) if isinstance(above, ast.Await) else None
    return None if edits is None else [*edits, renamed(run.span(func), func.attr, other)]
