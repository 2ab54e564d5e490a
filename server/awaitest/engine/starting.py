"""What may run the lifespan of an app, or set by itself what the lifespan sets."""

from __future__ import annotations

import ast
from collections.abc import Sequence, Set

from awaitest.engine.apps import is_app
from awaitest.source.nodes import last_name, parts_of, spelt

_ENTERING = frozenset({"enter_context", "enter_async_context", "__enter__", "__aenter__", "lifespan_context", "_state"})
_RUNNING = ("lifespan", "startup", "serve")
_READING = frozenset({"getattr", "hasattr"})
_MESSAGES = frozenset({"lifespan", "lifespan.startup"})


def starts_or_sets(node: ast.AST, lifespan: str, own: Set[int]) -> bool:
    """Whether code may run a lifespan of this name, or hand the state of an app on to what sets it; but for the lifespan's own
    parts."""
    parts = [part for part in parts_of(node) if id(part) not in own]
    if _handed_on(parts) or any(map(_runs, parts)):
        return True
    given = {id(part.value) for part in parts if isinstance(part, ast.keyword) and part.arg == "lifespan"}
    return any(_names(part, lifespan) and id(part) not in given for part in parts)


def _names(part: ast.AST, name: str) -> bool:
    """Whether code takes a function by its name, to call it or to give it another one."""
    match part:
        case ast.Name(id=used, ctx=ast.Load()) | ast.Attribute(attr=used, ctx=ast.Load()):
            return used == name
        case ast.alias(name=used, asname=str()):
            return used == name
    return False


def _runs(part: ast.AST) -> bool:
    if isinstance(part, ast.Attribute):
        return part.attr in _ENTERING or (part.attr == "state" and not isinstance(part.ctx, ast.Load))
    if isinstance(part, ast.Call):
        called = last_name(part.func).lower()
        on_state = called == "setattr" and any("state" in spelt(item) for item in part.args)
        asked = isinstance(part.func, (ast.Name, ast.Attribute)) and is_app(part.func) and len(part.args) == 3
        return any(word in called for word in _RUNNING) or on_state or asked
    if isinstance(part, (ast.With, ast.AsyncWith)):
        entered = [spelt(item.context_expr) for item in part.items]
        return any("TestClient" in text or (isinstance(part, ast.With) and text.isidentifier()) for text in entered)
    return isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value in _MESSAGES


def _is_state(node: ast.AST) -> bool:
    """Whether this is `app.state`."""
    return isinstance(node, ast.Attribute) and node.attr == "state" and is_app(node.value)


def _handed_on(parts: Sequence[ast.AST]) -> bool:
    """Whether the state of an app is taken for more than to read one of its names."""
    read = {id(part.value) for part in parts if isinstance(part, ast.Attribute) and not part.attr.startswith("_")}
    for part in parts:
        if isinstance(part, ast.Subscript):
            read.add(id(part.value))
        elif isinstance(part, ast.Call) and getattr(part.func, "id", "") in _READING:
            read |= set(map(id, part.args[:1]))
    return any(_is_state(part) and id(part) not in read for part in parts)
