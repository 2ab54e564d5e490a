"""Reduces a third-party module to what a reader from outside needs: signatures, and what functions give back."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence

_ELLIPSIS = ast.Constant(value=...)
_SIMPLE = (ast.Name, ast.Attribute, ast.Call, ast.Await, ast.Constant)
_LONGEST = 400


def skeleton(content: bytes) -> str:
    """The source of the reduced module; empty where it cannot be parsed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(content)
        return ast.unparse(ast.Module(body=_top(tree.body), type_ignores=[]))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


def _top(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Statements of a module or class that say something to others."""
    kept: list[ast.stmt] = []
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                kept.append(_function(node))
            case ast.ClassDef():
                node.body = _top(node.body) or [ast.Pass()]
                kept.append(node)
            case ast.Import() | ast.ImportFrom() | ast.AugAssign():
                kept.append(node)
            case ast.Assign() | ast.AnnAssign():
                kept.append(_assignment(node))
            case ast.If():
                node.body, node.orelse = _top(node.body) or [ast.Pass()], _top(node.orelse)
                kept.append(node)
            case ast.Try():
                node.body, node.orelse, node.finalbody = (
                    _top(node.body) or [ast.Pass()],
                    _top(node.orelse),
                    _top(node.finalbody),
                )
                for handler in node.handlers:
                    handler.body = _top(handler.body) or [ast.Pass()]
                kept.append(node)
    return kept


def _assignment(node: ast.Assign | ast.AnnAssign) -> ast.stmt:
    if node.value is not None and not isinstance(node.value, (*_SIMPLE, ast.List, ast.Tuple)):
        node.value = _ELLIPSIS
    return node


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.stmt:
    node.args.defaults = [_ELLIPSIS for _ in node.args.defaults]
    node.args.kw_defaults = [None if default is None else _ELLIPSIS for default in node.args.kw_defaults]
    node.body = _inside(node.body) or [ast.Expr(value=_ELLIPSIS)]
    return node


def _inside(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Statements of a function that decide what it gives back, or what `self` holds."""
    kept: list[ast.stmt] = []
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                kept.append(_function(node))
            case ast.Return():
                node.value = _brief(node.value)
                kept.append(node)
            case ast.Expr(value=ast.Yield() | ast.YieldFrom() | ast.Await(value=ast.Yield())):
                kept.append(node)
            case ast.Assign() | ast.AnnAssign():
                node.value = _brief(node.value) if node.value is not None else None
                kept.append(node)
            case ast.If() | ast.For() | ast.AsyncFor() | ast.While():
                node.body, node.orelse = _inside(node.body), _inside(node.orelse)
                if node.body or node.orelse:
                    node.body = node.body or [ast.Pass()]
                    kept.append(node)
            case ast.With() | ast.AsyncWith():
                node.body = _inside(node.body) or [ast.Pass()]
                kept.append(node)
            case ast.Try():
                _try(node)
                kept.append(node)
            case ast.Expr() if any(isinstance(part, ast.Yield | ast.YieldFrom) for part in ast.walk(node)):
                kept.append(node)
    return kept


def _try(node: ast.Try) -> None:
    node.body, node.orelse, node.finalbody = (
        _inside(node.body) or [ast.Pass()],
        _inside(node.orelse),
        _inside(node.finalbody),
    )
    for handler in node.handlers:
        handler.body = _inside(handler.body) or [ast.Pass()]
    if not node.handlers and not node.finalbody:
        node.finalbody = [ast.Pass()]


def _brief(node: ast.expr | None) -> ast.expr | None:
    if node is None or any(isinstance(part, ast.Yield | ast.YieldFrom) for part in ast.walk(node)):
        return node
    return node if isinstance(node, _SIMPLE) and sum(1 for _ in ast.walk(node)) < _LONGEST else _ELLIPSIS
