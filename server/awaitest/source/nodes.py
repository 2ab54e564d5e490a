"""What is asked of the same nodes many times over, kept on them: it goes when they go."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

Node = TypeVar("Node", bound=ast.AST)
Rest = ParamSpec("Rest")
Result = TypeVar("Result")

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_PLAIN = frozenset(
    {
        "ctx",
        "op",
        "ops",
        "id",
        "attr",
        "arg",
        "kind",
        "type_comment",
        "asname",
        "module",
        "level",
        "conversion",
        "simple",
    }
)
"""Fields that never hold nodes, and those that hold contexts and operators."""


_AROUND_EXPRESSIONS = (ast.stmt, ast.excepthandler, ast.match_case, ast.withitem, ast.arguments)
_DEEPEST = 300
"""Levels of an expression."""


class _Fields(dict[type[ast.AST], tuple[str, ...]]):
    """The fields of a kind of node that may hold others."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        self[kind] = tuple(name for name in kind._fields if name not in _PLAIN and kind is not ast.Constant)
        return self[kind]


_FIELDS = _Fields()


def kept(function: Callable[Concatenate[Node, Rest], Result]) -> Callable[Concatenate[Node, Rest], Result]:
    """A function whose results are remembered on the node that it is asked about."""

    @wraps(function)
    def remembered(node: Node, /, *rest: Rest.args, **named: Rest.kwargs) -> Result:
        memory: dict[object, Result] | None = getattr(node, "_kept", None)
        if memory is None:
            memory = node._kept = {}  # type: ignore[attr-defined]
        key = function, rest
        if key not in memory:
            memory[key] = function(node, *rest, **named)
        return memory[key]

    return remembered


def parts_of(node: ast.AST) -> Sequence[ast.AST]:
    """A node and all below it, but for contexts and operators, level by level in the order of the text. Kept on functions, for as long as they
    live."""
    kept: Sequence[ast.AST] | None = getattr(node, "_parts", None)
    if kept is not None:
        return kept
    parts = listed([node])
    if isinstance(node, _FUNCTIONS):
        node._parts = parts  # type: ignore[union-attr]
    return parts


def of_kind(node: ast.AST, kind: type[Node]) -> Sequence[Node]:
    """The parts of a node that are exactly of this kind."""
    known: dict[type[ast.AST], list[ast.AST]] | None = getattr(node, "_by_kind", None)
    if known is None:
        known = {}
        for part in parts_of(node):
            known.setdefault(part.__class__, []).append(part)
        if isinstance(node, _FUNCTIONS):
            node._by_kind = known  # type: ignore[union-attr]
    return cast("Sequence[Node]", known.get(kind, ()))


def last_name(node: ast.AST | None) -> str:
    """`c` for the name `c` and for `a.b.c`; nothing for any other code."""
    return str(getattr(node, "attr", getattr(node, "id", "")))


def spelt(node: ast.AST) -> str:
    """An expression in Python's own layout; sooner than `ast.unparse` says it where it is a dotted name."""
    names: list[str] = []
    part = node
    while isinstance(part, ast.Attribute):
        names.append(part.attr)
        part = part.value
    if not isinstance(part, ast.Name):
        return ast.unparse(node)
    names.append(part.id)
    return ".".join(reversed(names))


def deep_line(text: str, body: Sequence[ast.AST]) -> int | None:
    """The line, from 1, of an expression in the body of a text that has more levels than functions that call themselves can walk."""
    if len(text) <= _DEEPEST:
        return None
    longest = max(map(len, text.splitlines()))
    pending = list(body)
    for node in pending:
        for child in children(node):
            lines = 1 + getattr(child, "end_lineno", 0) - getattr(child, "lineno", 0)
            if isinstance(child, _AROUND_EXPRESSIONS):
                pending.append(child)
            elif longest * lines > _DEEPEST and _has_levels(child, _DEEPEST):
                return getattr(child, "lineno", None) or getattr(node, "lineno", 1)
    return None


def _has_levels(node: ast.AST, count: int) -> bool:
    level = [node]
    while level and count:
        level, count = [part for it in level for part in children(it)], count - 1
    return bool(level)


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes right below one, but for contexts and operators, in the order of the text."""
    found: list[ast.AST] = []
    for name in _FIELDS[type(node)]:
        value = getattr(node, name, None)
        if value.__class__ is list:
            found += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def listed(roots: Sequence[ast.AST], scopes: tuple[type[ast.AST], ...] = ()) -> list[ast.AST]:
    """Nodes and all below them, but for contexts and operators, level by level; of `scopes` nothing that is below them."""
    parts = list(roots)
    for part in parts:
        if scopes and isinstance(part, scopes):
            continue
        for name in _FIELDS[part.__class__]:
            value = getattr(part, name, None)
            if value.__class__ is list:
                parts += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST):
                parts.append(value)
    return parts
