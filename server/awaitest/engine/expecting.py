"""Code that waits for an error, or keeps it for later: what fails there may be meant to."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaitest.engine.syntax import generates
from awaitest.engine.values import UNKNOWN, FunctionValue, Instance, Value, known
from awaitest.source.nodes import last_name, parts_of

if TYPE_CHECKING:
    from awaitest.engine.expressions import Evaluator

CAUGHT = frozenset({"Exception", "BaseException", "TypeError", "AttributeError", "RuntimeError"})
"""What a mistake with a coroutine or a client raises, and what stands above that."""
EXPECTING = frozenset(
    {
        "raises",
        "warns",
        "deprecated_call",
        "assertRaises",
        "assertRaisesRegex",
        "assertWarns",
        "assertWarnsRegex",
        "suppress",
        "catch_warnings",
    }
)
_WARNING = frozenset({"warns", "deprecated_call", "catch_warnings", "assertWarns", "assertWarnsRegex"})
_OWNERS = frozenset({"pytest", "_pytest", "contextlib", "unittest"})
_KEEPING = frozenset({"create_task", "ensure_future"})


def called_name(node: ast.expr) -> str:
    """The last name of what is called, or of an expression that is no call."""
    return last_name(node.func if isinstance(node, ast.Call) else node)


def expects(run: Evaluator, node: ast.expr) -> bool:
    """Whether a synchronous `with` over this may wait for an error that a coroutine taken for its result could raise."""
    if isinstance(node, ast.Name):
        value = _named(run, node.id)
        return not known(value) or any(isinstance(kind, Instance) and kind.cls.package in _OWNERS for kind in value)
    if not isinstance(node, ast.Call):
        return False
    if called_name(node) in EXPECTING:
        return _wants_a_general_one(node)
    return isinstance(node.func, ast.Name) and _made_to_expect(run, node.func.id)


def _wants_a_general_one(node: ast.Call) -> bool:
    """Whether an error that a call waits for may be any, or one that a mistake with a coroutine raises."""
    wanted = node.args[0].elts if node.args and isinstance(node.args[0], ast.Tuple) else node.args[:1]
    return not wanted or any(map(_may_be_general, wanted))


def _made_to_expect(run: Evaluator, name: str) -> bool:
    bodies = [kind.function.node for kind in _named(run, name) if isinstance(kind, FunctionValue)]
    calls = (part for body in bodies for part in parts_of(body) if isinstance(part, ast.Call))
    within = {id(item.context_expr) for body in bodies if generates(body) for item in _entered_and_left(body)}
    return any(called_name(part) in EXPECTING and id(part) not in within for part in calls)


def _entered_and_left(generator: ast.AST) -> Iterator[ast.withitem]:
    """What a generator enters and leaves again without giving anything meanwhile."""
    blocks = (part for part in parts_of(generator) if isinstance(part, (ast.With, ast.AsyncWith)))
    for block in blocks:
        if not any(isinstance(inner, (ast.Yield, ast.YieldFrom)) for inner in parts_of(block)):
            yield from block.items


def _named(run: Evaluator, name: str) -> Value:
    return run.state.names.get(name) or run.world.name(run.module, name) or UNKNOWN


def expects_warning(node: ast.expr) -> bool:
    """Whether a `with` over this may wait for the warning that a dropped coroutine gives."""
    return called_name(node) in _WARNING or any(
        isinstance(part, ast.Name) and part.id == "RuntimeWarning" for part in parts_of(node)
    )


def keeps_errors(run: Evaluator, node: ast.Call) -> bool:
    """Whether the errors of the coroutines that a call gets stay in what it gives, for somebody to look at."""
    return _returns_errors(node) or (
        called_name(node) in _KEEPING
        and (not run.body or any(_looks_at_errors(part) for statement in run.body for part in parts_of(statement)))
    )


def _returns_errors(node: ast.Call) -> bool:
    return any(
        keyword.arg == "return_exceptions" and not (isinstance(keyword.value, ast.Constant) and not keyword.value.value)
        for keyword in node.keywords
    )


def _looks_at_errors(part: ast.AST) -> bool:
    """Whether a piece of code reads the error of a task, or takes one of any kind."""
    match part:
        case ast.Attribute(attr="exception" | "add_done_callback" | "set_exception_handler"):
            return True
        case ast.Attribute(value=ast.Name(id="asyncio"), attr="wait"):
            return True
        case ast.ExceptHandler(type=caught):
            return caught is None or any(_may_be_general(it) for it in getattr(caught, "elts", [caught]))
        case ast.Call():
            return (called_name(part) in EXPECTING and _wants_a_general_one(part)) or _returns_errors(part)
    return False


def enters_expecting(run: Evaluator, node: ast.Call) -> bool:
    """Whether an exit stack waits for an error from here on."""
    return called_name(node) == "enter_context" and any(expects(run, item) for item in node.args[:1])


def _may_be_general(node: ast.expr) -> bool:
    """Whether an exception may be a TypeError, AttributeError or RuntimeError: all but other errors called by their name."""
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name in CAUGHT or name.endswith("ExceptionGroup") or not name[:1].isupper()
