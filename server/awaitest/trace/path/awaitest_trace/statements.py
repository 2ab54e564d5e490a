"""Which statement a line belongs to. A compound statement owns its header only; its body's lines belong to the body."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from .sink import source

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_WAITS = (ast.Await, ast.AsyncWith, ast.AsyncFor)
_BODIES = ("body", "cases", "handlers", "orelse", "finalbody")


@dataclass(eq=False)
class Statement:
    """One statement; lines count from 1. `last` is the end of its body."""

    line: int
    last: int
    kind: str
    """The name of its node: `Assign`, `AsyncWith`, …"""
    node: ast.stmt

    @cached_property
    def awaits(self) -> bool:
        """Whether the statement itself waits for something."""
        return _waits(self.node)


@lru_cache(64)
def statements(path: str) -> dict[int, Statement]:
    """By line, for a file; empty where it cannot be read or parsed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source(path))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found: dict[int, Statement] = {}
    for node in _in_order(tree):
        body = getattr(node, "body", None) or getattr(node, "cases", None)
        first = body[0].lineno if isinstance(body, list) and hasattr(body[0], "lineno") else None
        end = node.end_lineno or node.lineno
        header = end if first is None else max(node.lineno, first - 1)
        statement = Statement(node.lineno, end, type(node).__name__, node)
        found.update(dict.fromkeys(range(node.lineno, header + 1), statement))
    return found


def _in_order(tree: ast.AST) -> Iterator[ast.stmt]:
    """Outer statements before inner ones."""
    for name in _BODIES:
        for child in getattr(tree, name, ()):
            if isinstance(child, ast.stmt):
                yield child
            yield from _in_order(child)


def _waits(node: ast.stmt) -> bool:
    if isinstance(node, _WAITS):
        return True
    own = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr | ast.withitem)]
    return any(isinstance(part, ast.Await) or getattr(part, "is_async", 0) for top in own for part in _own_parts(top))


def _own_parts(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, _SCOPES):
            yield from _own_parts(child)
