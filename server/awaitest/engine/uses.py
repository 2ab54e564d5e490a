"""What is called, by its full name, and where the value of an expression goes."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitest.engine.decorators import Shape, shape
from awaitest.engine.repair import path_to
from awaitest.engine.syntax import SCOPES, bound_by_statements, bound_names, free_names, generates, own_nodes
from awaitest.engine.values import FunctionValue, Kind, Value
from awaitest.source.nodes import parts_of

if TYPE_CHECKING:
    from awaitest.engine.run import Run
    from awaitest.engine.world import World


@dataclass(frozen=True, slots=True)
class Use:
    """One place where a value arrives, with the nodes around it, nearest first."""

    node: ast.AST
    around: list[ast.AST]

    @property
    def parent(self) -> ast.AST:
        return self.around[0]


_GOING_OVER = frozenset(
    {"len", "list", "tuple", "set", "frozenset", "dict", "sorted", "sum", "min", "max", "any", "all", "enumerate", "zip", "reversed"}
)  # fmt: skip


_IN_ORDER = (ast.With, ast.AsyncWith, ast.Assign, ast.AnnAssign)
_NEVER = 10**9


def library_callee(target: Value) -> str | None:
    """The one function of a library that a value certainly is, such as `asyncio.gather` or `asyncio.TaskGroup.create_task`."""
    found: str | None = None
    for kind in target:
        name = kind.function.in_library if isinstance(kind, FunctionValue) else None
        if name is None or found not in (None, name):
            return None
        found = name
    return found


def is_coroutine_function(world: World, kind: Kind) -> bool:
    """Whether a kind is certainly a function that gives a coroutine when called."""
    function = kind.function if isinstance(kind, FunctionValue) else None
    return (
        function is not None
        and function.is_async
        and not generates(function.node)
        and shape(world, function) is Shape.AS_WRITTEN
    )


def uses(run: Run, node: ast.AST) -> list[Use] | None:
    """Where the value of an expression goes: its own place, or every mention of the name that is bound to it, until it is bound anew.

    None where a mention may mean something else too, is bound outside the function, or there is no function.
    """
    if run.function is None:
        return None
    around = path_to(run.node, node)
    target = _target(around[0], node) if around else None
    if target is None:
        return [Use(node, around)] if around else None
    names = [part for part in _in_scope(run.node, target) if isinstance(part, ast.Name) and part.id == target]
    outer = any(isinstance(part, (ast.Global, ast.Nonlocal)) and target in part.names for part in parts_of(run.node))
    if outer or target not in bound_names(run.node.body) or target in bound_by_statements(run.node):
        return None
    stores, reads = (
        [Use(part, path_to(run.node, part)) for part in names if isinstance(part.ctx, ast.Store) is stored]
        for stored in (True, False)
    )
    return reads if len(stores) == 1 else _until_bound_anew(run, around[0], stores, reads)


def _until_bound_anew(run: Run, statement: ast.AST, stores: list[Use], reads: list[Use]) -> list[Use] | None:
    """The reads after one of several assignments and up to the next; None where these do not simply follow one another."""
    assigning = [it.around[0] for it in stores]
    in_order = all(isinstance(part, _IN_ORDER) for it in stores for part in it.around if part is not run.node)
    nested = any(isinstance(part, SCOPES) for it in reads for part in it.around if part is not run.node)
    if not in_order or nested:
        return None
    ends = sorted(_end(it) for it in assigning)
    begin = ends.index(_end(statement))
    until = ends[begin + 1] if begin + 1 < len(ends) else (_NEVER, 0)
    return [it for it in reads if ends[begin] < _end(it.node) <= until]


def _end(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "end_lineno", 0), getattr(node, "end_col_offset", 0)


def _in_scope(function: ast.AST, name: str) -> Iterator[ast.AST]:
    """The parts of a function, those of nested ones only where they have the name from around them."""
    for part in own_nodes(function):
        if not isinstance(part, SCOPES):
            yield part
        elif name in free_names(part):
            yield from parts_of(part)


def reads_result(use: Use, own: Container[str]) -> bool:
    """Whether a place takes a future or coroutine, which has these attributes of its `own`, for what awaiting it will give."""
    match use.parent:
        case ast.Subscript(value=value):
            return value is use.node
        case ast.Attribute(attr=attribute):
            return attribute not in own and not attribute.startswith("_")
        case ast.For(iter=iterable) | ast.comprehension(iter=iterable, is_async=0):
            return iterable is use.node
        case ast.Assert(test=test):
            return test is use.node
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[container]) if container is use.node:
            return True
        case ast.Call(func=ast.Name(id=name)) if name in _GOING_OVER:
            return True
        case ast.Starred():
            return True
        case ast.Assign(targets=[ast.Tuple() | ast.List()]):
            return True
        case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq()], comparators=[other]):
            return left is use.node and isinstance(other, (ast.Constant, ast.List, ast.Dict, ast.Tuple, ast.ListComp))
    return False


def fails_at(use: Use, own: Container[str]) -> bool:
    """Whether a place fails for any future or coroutine, be it awaited elsewhere or not."""
    match use.parent:
        case ast.Subscript() | ast.Attribute() | ast.Call(func=ast.Name(id="len")):
            return reads_result(use, own)
    return False


def _target(statement: ast.AST, value: ast.AST) -> str | None:
    """The name that an assignment binds to a value."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name if statement.value is value else None
    return None
