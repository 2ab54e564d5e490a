"""What a definition or an import says of a name by itself."""

from __future__ import annotations

import ast
import importlib
import inspect

LIBRARIES = {"asyncio": "stdlib", "anyio": "third party", "trio": "third party"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def has_coroutine(cls: ast.ClassDef, name: str) -> bool:
    found = [it for it in cls.body if isinstance(it, Function) and it.name == name]
    if len(found) != 1 or not isinstance(found[0], ast.AsyncFunctionDef) or found[0].decorator_list:
        return False
    return not any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(found[0]))


def original_name(bound: ast.ImportFrom, name: str) -> str:
    return next((it.name for it in bound.names if (it.asname or it.name) == name), name)


def library_kind(module: str, name: str) -> str | None:
    """The class of a function of asyncio, anyio or trio that is a coroutine function; imported to see, as these are trusted."""
    try:
        member = getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None
    return LIBRARIES[module.partition(".")[0]] if inspect.iscoroutinefunction(member) else None
