"""How values and states are named to people."""

from __future__ import annotations

import ast

from awaitest.engine.values import (
    AsyncIterator,
    AsyncMockValue,
    Awaitable,
    BuiltinValue,
    CallableValue,
    ClassValue,
    Collection,
    Coroutine,
    FunctionValue,
    Instance,
    Iterator,
    Kind,
    Manager,
    ModuleValue,
    Plain,
    Value,
)
from awaitest.source.nodes import spelt

_LONGEST = 40


def short(node: ast.expr) -> str:
    """An expression as a message names it: the name of what is called, without arguments, and never long."""
    text = f"{spelt(node.func)}(…)" if isinstance(node, ast.Call) else spelt(node)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def describe(value: Value) -> str:
    """A value in a few words: "Response", "coroutine of client.get()", "unknown"."""
    words = sorted({_kind(kind) for kind in value})
    if not words or "unknown" in words or len(words) > 3:
        return "unknown"
    return " or ".join(words)


def plainly(value: Value) -> str:
    """A value that is there already: "a plain Response", "JSON data", "'secret'"."""
    what = describe(value)
    if what == "JSON":
        return "JSON data"
    return what if what.startswith(("None", "'", '"')) or what[0].isdigit() else f"a plain {what}"


def _kind(kind: Kind) -> str:
    match kind:
        case Plain(name=name, const=const):
            return repr(const) if isinstance(const, (str, int)) and len(repr(const)) <= 20 else name
        case Instance(cls=cls):
            return cls.node.name
        case ClassValue(cls=cls):
            return f"class {cls.node.name}"
        case FunctionValue(function=function):
            return f"function {function.name}"
        case Coroutine(site=site):
            return f"coroutine of {site.label}()" if site.label else "coroutine"
        case Awaitable():
            return "awaitable"
        case AsyncIterator():
            return "asynchronous iterator"
        case Iterator():
            return "iterator"
        case Manager(is_async=is_async):
            return "asynchronous context manager" if is_async else "context manager"
        case Collection(name=name):
            return name
        case AsyncMockValue():
            return "AsyncMock"
        case ModuleValue(module=module):
            return f"module {module.name}"
        case BuiltinValue(name=name):
            return f"built-in {name}"
        case CallableValue():
            return "function"
    return "unknown"
