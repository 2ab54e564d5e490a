"""Reduces a third-party module to what a reader from outside needs: signatures, and what functions give back."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from awaitest.source.nodes import children

UNKNOWN = "__unknown__"
"""The name that stands for every left-out value. No module binds it, so that a reader knows nothing of it."""

_NAMED_LISTS = frozenset({"__all__", "pytest_plugins"})
_LONGEST_TEXT = 200
_Node = TypeVar("_Node", bound=ast.AST)
_Reduce = Callable[[Iterable[ast.stmt]], list[ast.stmt]]
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_YIELDS = (ast.Yield, ast.YieldFrom)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_TRIES = (ast.Try, getattr(ast, "TryStar", ast.Try))
_TYPE_ALIASES = (getattr(ast, "TypeAlias", ast.Global),)
_KEPT_WHOLE = (ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, *_TYPE_ALIASES)


def skeleton(content: bytes) -> str:
    """The source of the reduced module; empty where it cannot be parsed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(content)
        return ast.unparse(ast.Module(body=_outer(tree.body), type_ignores=[]))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


def _outer(body: Iterable[ast.stmt]) -> list[ast.stmt]:
    """Statements of a module or class that bind something."""
    kept: list[ast.stmt] = []
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) if name in _NAMED_LISTS:
                kept.append(node)
            case ast.AugAssign(target=ast.Name(id=name)) if name in _NAMED_LISTS:
                kept.append(node)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))) if name in _NAMED_LISTS:
                kept.append(node)
            case ast.Assign(value=ast.Subscript() | ast.BinOp()):
                kept.append(node)
            case ast.Raise():
                pass
            case _:
                kept += _statement(node, _outer)
    return kept


def _inner(body: Iterable[ast.stmt]) -> list[ast.stmt]:
    """Statements of a function that decide what it gives back, or what `self` holds."""
    kept: list[ast.stmt] = []
    for node in body:
        kept += _statement(node, _inner) or _bare_yield(node)
    return kept


def _statement(node: ast.stmt, reduce: _Reduce) -> list[ast.stmt]:
    """What is left of a statement: itself, reduced, or nothing."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return [_function(node)]
        case ast.ClassDef():
            node.body = _outer(node.body) or [ast.Pass()]
            return [node]
        case ast.Assign() if all(isinstance(target, ast.Subscript) for target in node.targets):
            return []
        case ast.Assign() | ast.AugAssign() | ast.AnnAssign() | ast.Return():
            node.value = _brief(node.value) if node.value is not None else None
            return [node]
        case ast.Raise():
            return [ast.Raise()]
        case ast.Expr(value=ast.Yield() as given):
            given.value = _brief(given.value) if given.value is not None else None
            return [node]
        case ast.For() | ast.AsyncFor():
            node.iter = _brief(node.iter)
            return _branches(node, reduce)
        case ast.If() | ast.While():
            return _branches(node, reduce)
        case ast.With() | ast.AsyncWith():
            node.body = reduce(node.body)
            binds = any(item.optional_vars is not None for item in node.items)
            return _filled([node]) if node.body or binds else []
        case ast.Match():
            return _match(node, reduce)
        case ast.Try():
            return _try(node, reduce)
    if isinstance(node, _TRIES):
        whole = ast.Try(node.body, node.handlers, node.orelse, node.finalbody)
        return _try(whole, reduce)
    return [node] if isinstance(node, _KEPT_WHOLE) else []


def _branches(node: ast.If | ast.For | ast.AsyncFor | ast.While, reduce: _Reduce) -> list[ast.stmt]:
    node.body, node.orelse = reduce(node.body), reduce(node.orelse)
    only_raises = not node.orelse and all(isinstance(part, ast.Raise) for part in node.body)
    return [] if only_raises else _filled([node])


def _match(node: ast.Match, reduce: _Reduce) -> list[ast.stmt]:
    for case in node.cases:
        case.body = reduce(case.body)
    if not any(case.body for case in node.cases):
        return []
    _filled(node.cases)
    return [node]


def _try(node: ast.Try, reduce: _Reduce) -> list[ast.stmt]:
    node.body, node.orelse, node.finalbody = reduce(node.body), reduce(node.orelse), reduce(node.finalbody)
    for handler in node.handlers:
        handler.body = reduce(handler.body)
    if not (node.body or node.orelse or node.finalbody or any(handler.body for handler in node.handlers)):
        return []
    if not node.handlers and not node.finalbody:
        return [*node.body, *node.orelse]
    _filled(node.handlers)
    return _filled([node])


def _filled(nodes: list[_Node]) -> list[_Node]:
    for node in nodes:
        node.body = node.body or [ast.Pass()]  # type: ignore[attr-defined]
    return nodes


def _function(node: _Function) -> ast.stmt:
    node.args.defaults = [ast.Constant(...) for _ in node.args.defaults]
    node.args.kw_defaults = [None if default is None else ast.Constant(...) for default in node.args.kw_defaults]
    if all(isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) for part in node.body):
        node.body = [ast.Return(_unknown())]
        return node
    node.body = _inner(node.body)
    while _drop_unused(node):
        pass
    node.body = node.body or [ast.Pass()]
    return node


def _drop_unused(function: _Function) -> bool:
    """Leave out assignments to local names that nothing reads; whether there were any."""
    outside = {name for part in _own(function) if isinstance(part, ast.Global | ast.Nonlocal) for name in part.names}
    used = {part.id for part in ast.walk(function) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}
    dropped = False
    for part in (function, *_own(function)):
        for field in ("body", "orelse", "finalbody"):
            body = getattr(part, field, None)
            if not isinstance(body, list):
                continue
            needed = [item for item in body if not _binds_only_locals(item, used | outside)]
            if len(needed) < len(body):
                dropped = True
                setattr(part, field, needed or ([] if field == "orelse" else [ast.Pass()]))
    return dropped


def _binds_only_locals(node: ast.stmt, used: set[str]) -> bool:
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = [node.target]
    else:
        return False
    unused = all(isinstance(target, ast.Name) and target.id not in used for target in targets)
    return unused and not (node.value is not None and _yields(node.value))


def _bare_yield(node: ast.stmt) -> list[ast.stmt]:
    """A function stays a generator, wherever in a left-out statement it yields."""
    return [ast.Expr(ast.Yield(_unknown()))] if _yields(node) else []


def _brief(node: ast.expr) -> ast.expr:
    """The expression where it is simple: names, attributes, calls, awaits, short constants; else the unknown name."""
    if isinstance(node, _YIELDS) or _yields(node):
        return node
    match node:
        case ast.Name():
            return node
        case ast.Constant(value=value):
            return (
                _unknown() if value is ... or (isinstance(value, str | bytes) and len(value) > _LONGEST_TEXT) else node
            )
        case ast.Attribute() | ast.Await() | ast.Starred():
            node.value = _brief(node.value)
            return node
        case ast.Call():
            node.func = _brief(node.func)
            node.args = [_brief(argument) for argument in node.args]
            for keyword in node.keywords:
                keyword.value = _brief(keyword.value)
            return node
    return _unknown()


def _unknown() -> ast.Name:
    return ast.Name(UNKNOWN, ast.Load())


def _yields(node: ast.AST) -> bool:
    return isinstance(node, _YIELDS) or any(isinstance(part, _YIELDS) for part in _own(node))


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """What lies in a node, but not in a function or class in it."""
    stack: Sequence[ast.AST] = [node]
    while stack:
        parts = [part for item in stack for part in children(item) if not isinstance(part, _SCOPES)]
        yield from parts
        stack = parts
