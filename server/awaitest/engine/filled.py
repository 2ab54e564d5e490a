"""Lists that a function fills one by one and then reads as data."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from awaitest.engine.syntax import INSPECTED, SCOPES, free_names
from awaitest.source.nodes import listed

_EQUALITY = (ast.Eq, ast.NotEq)


def holds_data(body: Sequence[ast.stmt], name: str) -> bool:
    """Whether a list that is bound to a name as `[]` and filled by `append` is read as data, and does not go anywhere else:
    nobody can await what is in it."""
    parts = listed(body)
    mentions = [part for part in parts if isinstance(part, ast.Name) and part.id == name]
    made = [
        part
        for part in parts
        if isinstance(part, ast.Assign | ast.AnnAssign) and isinstance(part.value, ast.List) and not part.value.elts
    ]
    bound = [part for part in mentions if not isinstance(part.ctx, ast.Load)]
    if len(bound) != 1 or not any(
        bound[0] in (getattr(it, "target", None), *getattr(it, "targets", ())) for it in made
    ):
        return False
    if any(isinstance(part, SCOPES) and name in free_names(part) for part in parts):
        return False
    above = {id(child): part for part in parts for child in ast.iter_child_nodes(part)}
    reads = [_reads(part, above, parts) for part in mentions if part is not bound[0]]
    return True in reads and None not in reads


def _reads(node: ast.expr, above: dict[int, ast.AST], parts: Sequence[ast.AST]) -> bool | None:
    """True where a list, or an item of it, is taken for data; False where it is filled or measured; None for anything else."""
    around = above[id(node)]
    match around:
        case ast.Attribute(attr="append"):
            return False
        case ast.Call(func=ast.Name(id="len")) | ast.Assert():
            return False
        case ast.Compare(ops=operators):
            return True if all(isinstance(it, _EQUALITY) for it in operators) else None
        case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join")):
            return True
        case ast.Subscript(value=value) if value is node:
            return _is_read(around, above) or None
        case (
            ast.For(iter=iterable, target=ast.Name(id=item))
            | ast.comprehension(iter=iterable, target=ast.Name(id=item), is_async=0)
        ) if iterable is node:
            loads = [it for it in parts if isinstance(it, ast.Name) and it.id == item and isinstance(it.ctx, ast.Load)]
            return (bool(loads) and all(_is_read(it, above) for it in loads)) or None
    return None


def _is_read(node: ast.AST, above: dict[int, ast.AST]) -> bool:
    """Whether only an attribute or an item is read of a value, which a coroutine does not have."""
    match above[id(node)]:
        case ast.Attribute(attr=attribute):
            return attribute not in INSPECTED
        case ast.Subscript(value=value):
            return value is node
    return False
