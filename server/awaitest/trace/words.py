"""Statements in words, the same that the execution table of `awaitest explain` uses."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

VERBS = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
LONGEST = 60
SILENT = frozenset({"Try", "TryStar", "Pass", "Global", "Nonlocal"})
"""Statements that do nothing by themselves."""


@lru_cache(16)
def _nodes(path: str, _: int) -> dict[tuple[int, str], ast.stmt]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(Path(path).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found: dict[tuple[int, str], ast.stmt] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            found.setdefault((node.lineno, type(node).__name__), node)
    return found


def statement_at(path: str, line: int, kind: str) -> ast.stmt | None:
    """The statement of a file that begins at a line, if this Python can read the file."""
    try:
        changed = Path(path).stat().st_mtime_ns
    except OSError:
        return None
    return _nodes(path, changed).get((line, kind))


def action(node: ast.stmt | None, kind: str, role: str, requests: list[dict[str, Any]], held: dict[str, str]) -> str:
    """What a statement does, in words."""
    match node:
        case ast.With() | ast.AsyncWith():
            return _managed(node, role, held)
        case ast.For() | ast.AsyncFor():
            word = "async for" if isinstance(node, ast.AsyncFor) else "for"
            return f"`{word}` is done" if role == "done" else f"next `{short(node.target)}` of `{short(node.iter)}`"
        case ast.While() | ast.If():
            return f"decide `{short(node.test)}`"
        case ast.Match():
            return f"match `{short(node.subject)}`"
        case ast.Assert():
            return "check"
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return f"define `{node.name}`"
        case ast.Return():
            return _valued(node.value, requests, "return")
        case ast.Assign():
            return _valued(node.value, requests, f"set `{short(node.targets[0])}`")
        case ast.AnnAssign() | ast.AugAssign():
            return _valued(node.value, requests, f"set `{short(node.target)}`")
        case ast.Expr():
            return "check" if asserts(node) else _valued(node.value, requests, f"evaluate `{short(node.value)}`")
        case ast.stmt():
            return f"`{short(node)}`"
    return kind.lower()


def asserts(node: ast.stmt | None) -> str:
    """The source of a check, by `assert` or by a method of that name; empty for anything else."""
    if isinstance(node, ast.Assert):
        return f"assert {short(node.test, LONGEST)}"
    value = node.value if isinstance(node, ast.Expr) else None
    value = value.value if isinstance(value, ast.Await) else value
    called = value.func if isinstance(value, ast.Call) else None
    name = called.attr if isinstance(called, ast.Attribute) else ""
    return short(value) if value is not None and name.startswith("assert") else ""


def bound(node: ast.stmt | None) -> list[str]:
    """The names, and attributes of `self`, that a statement itself binds."""
    if not isinstance(
        node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.With | ast.AsyncWith | ast.For | ast.AsyncFor
    ):
        return []
    body = {id(part) for child in getattr(node, "body", []) for part in ast.walk(child)}
    return [
        ast.unparse(part)
        for part in ast.walk(node)
        if isinstance(part, ast.Name | ast.Attribute) and isinstance(part.ctx, ast.Store) and id(part) not in body
    ]


def _managed(node: ast.With | ast.AsyncWith, role: str, held: dict[str, str]) -> str:
    word = "async with" if isinstance(node, ast.AsyncWith) else "with"
    if role == "leave":
        names = [ast.unparse(item.optional_vars) for item in node.items if item.optional_vars is not None]
        closed = [held[name].partition(" ")[0] for name in names if ", closed" in held.get(name, "")]
        return f"leave `{word}`{': close ' + ', '.join(closed) if closed else ''}"
    made = [_callee(item.context_expr) for item in node.items]
    created = [name for name in made if name.rpartition(".")[2][:1].isupper()]
    if len(created) == len(made):
        return f"create {', '.join(created)}, enter `{word}`"
    return f"enter `{word} {', '.join(short(item.context_expr) for item in node.items)}`"


def _valued(value: ast.expr | None, requests: list[dict[str, Any]], otherwise: str) -> str:
    waits = isinstance(value, ast.Await)
    inner = value.value if isinstance(value, ast.Await) else value
    sent = _request(inner, requests)
    if sent:
        return sent
    if isinstance(inner, ast.Call):
        name = _callee(inner)
        return f"create {name}" if name.rpartition(".")[2][:1].isupper() and not waits else f"call `{name}(…)`"
    return f"await `{short(inner)}`" if waits and inner is not None else otherwise


def _request(value: ast.expr | None, requests: list[dict[str, Any]]) -> str:
    """`GET /hello with ac`: from the source where it says so, else from what was sent."""
    for part in _outer_calls(value):
        called = part.func
        if not isinstance(called, ast.Attribute) or called.attr not in VERBS:
            continue
        url = part.args[0].value if part.args and isinstance(part.args[0], ast.Constant) else None
        if isinstance(url, str) and url.startswith(("/", "http")):
            return f"{called.attr.upper()} {url} with `{short(called.value)}`"
        if len(requests) == 1 and requests[0]["method"] == called.attr.upper():
            return f"{requests[0]['method']} {path_of(requests[0]['url'])} with `{short(called.value)}`"
    return ""


def _outer_calls(value: ast.AST | None) -> Iterator[ast.Call]:
    """The call that an expression is, or that it reads something of."""
    while value is not None:
        if isinstance(value, ast.Call):
            yield value
            value = value.func
        elif isinstance(value, ast.Attribute | ast.Subscript | ast.Await):
            value = value.value
        else:
            return


def path_of(url: str) -> str:
    """An address without scheme and host."""
    _, mark, rest = url.partition("://")
    return f"/{rest.partition('/')[2]}" if mark else url


def _callee(node: ast.expr) -> str:
    return short(node.func) if isinstance(node, ast.Call) else short(node)


def short(node: ast.AST, longest: int = LONGEST) -> str:
    """The source of a node in one line, cut where it is long."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
