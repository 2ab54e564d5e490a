"""The requests that are certainly sent through a client, and the addresses they ask for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaitest.engine.askers import Function, askers, tests_given
from awaitest.engine.clients import library_of
from awaitest.engine.facts import REQUESTS
from awaitest.engine.repair import path_to
from awaitest.engine.run import FIXTURE, HELPER, MODULE
from awaitest.engine.steps import Called
from awaitest.engine.values import FunctionInfo, FunctionValue, Instance
from awaitest.source.nodes import parts_of

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_SECOND = frozenset({"request", "stream"})
_BY_URL = REQUESTS - {"send"}


def path_asked(run: Run, made: ast.Call) -> ast.expr | None:
    """A path that the client of a call is asked for, where nothing gives that client a host afterwards."""
    path = next((address for address in addresses(run, made) if _is_relative(address)), None)
    return None if path is None or _is_readdressed(run) else path


def addresses(run: Run, made: ast.Call) -> Iterator[ast.expr]:
    """What the client of a call is asked for: in this function, or by all who get it from a fixture, helper, class or module."""
    shared = run.kind in (FIXTURE, HELPER, MODULE) or run.cls is not None
    for other in run.sheet.runs if shared else [run]:
        for step in other.steps:
            if isinstance(step, Called) and _sends(other, step, made) and not is_guarded(other.function, step.node):
                yield from _address(step.node, step.node.func)
    if run.kind == FIXTURE and run.fixture is not None:
        for function, _ in tests_given(run, made):
            if function.name not in {other.node.name for other in run.sheet.runs if other.function is not None}:
                yield from _addresses_in(function, run.fixture.name)


def _sends(run: Run, step: Called, made: ast.Call) -> bool:
    """Whether a call is a request of the library's own, through the client that another call made."""
    for kind in step.target:
        if not isinstance(kind, FunctionValue) or kind.function.name not in _BY_URL or not kind.receiver:
            return False
        if not all(_is_made_by(run, receiver, made, kind.function.name) for receiver in kind.receiver):
            return False
    return bool(step.target)


def _is_made_by(run: Run, kind: object, made: ast.Call, method: str) -> bool:
    return (
        isinstance(kind, Instance)
        and kind.made is not None
        and kind.made.node is made
        and library_of(run, kind.cls, method) is not None
    )


def _addresses_in(function: Function, name: str) -> Iterator[ast.expr]:
    """The same, as the text of a function tells it that has the client as its parameter, bound to nothing else."""
    parts = list(parts_of(function))
    if any(isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Store) for part in parts):
        return
    for part in parts:
        match part:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=method) as func):
                if owner == name and method in _BY_URL and not _is_guarded(function, part):
                    yield from _address(part, func)


def is_guarded(function: FunctionInfo | None, node: ast.AST) -> bool:
    """Whether code around a node in its function may wait for it to fail, with whatever exception."""
    return function is not None and _is_guarded(function.node, node)


def _is_guarded(function: ast.AST, node: ast.AST) -> bool:
    return any(_waits(part) for part in path_to(function, node))


def waits_for_failure(run: Run) -> bool:
    """Whether anything in a function waits for some code to fail."""
    return run.kind != MODULE and any(_waits(part) for part in parts_of(run.node))


def _waits(part: ast.AST) -> bool:
    if isinstance(part, (ast.With, ast.AsyncWith)):
        return any(_expects(item.context_expr) for item in part.items)
    return isinstance(part, ast.Try) and bool(part.handlers)


def _expects(entered: ast.expr) -> bool:
    called = entered.func if isinstance(entered, ast.Call) else entered
    name = str(getattr(called, "attr", getattr(called, "id", "")))
    return any(word in name.lower() for word in ("raise", "suppress", "expect"))


def _address(call: ast.Call, func: ast.expr) -> Iterator[ast.expr]:
    position = 1 if isinstance(func, ast.Attribute) and func.attr in _SECOND else 0
    given = [keyword.value for keyword in call.keywords if keyword.arg == "url"]
    if not given and not any(isinstance(item, ast.Starred) for item in call.args):
        given = call.args[position : position + 1]
    yield from given


def _is_relative(address: ast.expr) -> bool:
    """Whether an address is written out, at least in its beginning, and has no host."""
    if isinstance(address, ast.JoinedStr) and address.values:
        first = address.values[0]
        return isinstance(first, ast.Constant) and str(first.value).startswith("/")
    if not isinstance(address, ast.Constant) or not isinstance(address.value, str):
        return False
    return "://" not in address.value


def _is_readdressed(run: Run) -> bool:
    """Whether code that the file of a client rests on, or that asks for the client's fixture, sets a `base_url` afterwards."""
    project = run.engine.project
    modules = askers(run) if run.fixture is not None else [run.module]
    paths = frozenset().union(*(project.reach(module) for module in modules))
    return any(
        isinstance(part, ast.Attribute) and part.attr == "base_url" and not isinstance(part.ctx, ast.Load)
        for path in paths
        if b"base_url" in (project.files.read(path) or b"")
        for node in project.module(path).body
        for part in parts_of(node)
    )
