"""The nodes of a tree, listed once: rules ask for those of the same function many times over."""

from __future__ import annotations

import ast
from collections.abc import Sequence

_PLAIN = frozenset(
    {"ctx", "id", "attr", "arg", "kind", "type_comment", "asname", "module", "level", "conversion", "simple"}
)
"""Fields that never hold nodes, and contexts."""


class _Fields(dict[type[ast.AST], tuple[str, ...]]):
    """The fields of a kind of node that may hold others."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        self[kind] = tuple(name for name in kind._fields if name not in _PLAIN)
        return self[kind]


_FIELDS = _Fields()


def parts_of(node: ast.AST) -> Sequence[ast.AST]:
    """A node and all below it, but for contexts, level by level in the order of the text. Kept on functions, for as long as they
    live."""
    kept: Sequence[ast.AST] | None = getattr(node, "_parts", None)
    if kept is not None:
        return kept
    parts = _listed(node)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        node._parts = parts  # type: ignore[union-attr]
    return parts


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes right below one, but for contexts, in the order of the text."""
    found: list[ast.AST] = []
    for name in _FIELDS[type(node)]:
        value = getattr(node, name, None)
        if value.__class__ is list:
            found += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def _listed(node: ast.AST) -> list[ast.AST]:
    parts = [node]
    for part in parts:
        for name in _FIELDS[part.__class__]:
            value = getattr(part, name, None)
            if value.__class__ is list:
                parts += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST):
                parts.append(value)
    return parts
