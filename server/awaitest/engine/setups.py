"""Edits that make asynchronous set-ups of test classes run."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from awaitest.engine.repair import insert
from awaitest.engine.run import TEST
from awaitest.engine.runner import is_isolated
from awaitest.engine.syntax import generates
from awaitest.engine.world import statements_binding
from awaitest.source.edits import add_import, indent_of, line_insert, renamed
from awaitest.source.nodes import parts_of
from awaitest.source.text import Edit

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_AROUND = frozenset({"method", "function", "module"})
_DECORATORS = {"pytest-asyncio": "pytest_asyncio", "anyio": "pytest"}


def asynchronous_case(run: Run, name: str) -> list[Edit] | None:
    """Give a set-up the name under which `IsolatedAsyncioTestCase` awaits it, also where it calls its base's."""
    if run.cls is None or not is_isolated(run.engine.world, run.cls):
        return None
    if statements_binding(run.cls.node.body, name) or run.node.decorator_list or generates(run.node):
        return None
    edits = [Edit(run.name_span(), name)]
    for part in parts_of(run.node):
        match part:
            case ast.Await(value=ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super"))) as called)):
                if called.attr == run.node.name:
                    edits.append(renamed(run.span(called), called.attr, name))
    return edits


def autouse_fixture(run: Run, tests: Iterable[Run]) -> list[Edit] | None:
    """Make a set-up or tear-down of the methods or functions here, or of the whole module, a fixture that each of these tests uses
    unasked."""
    around, _, of = run.node.name.partition("_")
    runners = {test.verdict.by for test in tests if test.is_async}
    package = _DECORATORS.get(runners.pop() or "") if len(runners) == 1 else None
    name = f"_{run.node.name}" if of == "module" else f"_{around}"
    if package is None or of not in _AROUND or not _movable(run, name):
        return None
    if package == "pytest" and (of == "module" or not all(test.is_async for test in tests)):
        return None
    if of == "function" and any(test.kind == TEST and test.cls is not None for test in run.sheet.runs):
        return None
    if any(mark.name == "asyncio" and mark.keywords for test in tests for mark in test.marks):
        return None
    start = run.span(run.node).start.line
    indent = indent_of(run.document.lines[start])
    scope = 'scope="module", loop_scope="module", ' if of == "module" else ""
    decorator = line_insert(run.document, start, f"{indent}@{package}.fixture({scope}autouse=True)")
    edits = [decorator, Edit(run.name_span(), name)]
    if around == "teardown":
        first = run.span(run.node.body[0]).start
        inner = indent_of(run.document.lines[first.line])
        edits.append(insert(first, f"yield{run.document.newline}{inner}"))
    added = add_import(run.document, package)
    return edits if added is None else [added, *edits]


def _movable(run: Run, name: str) -> bool:
    """Whether nothing hangs on a method or function but its name and its body."""
    node, config = run.node, run.engine.project.config
    own_line = run.span(node.body[0]).start.line > run.name_span().end.line
    taken = len(node.args.args) + bool(node.args.vararg or node.args.kwarg or node.args.kwonlyargs)
    calls_base = any(isinstance(part, ast.Name) and part.id == "super" for part in parts_of(node))
    free = run.engine.world.member(run.cls, name) is None if run.cls is not None else name not in run.module.bound
    return (
        own_line
        and taken == (run.cls is not None)
        and not calls_base
        and not node.decorator_list
        and not generates(node)
        and free
        and config.asyncio_default_test_loop_scope == "function"
        and config.asyncio_default_fixture_loop_scope in (None, "function")
    )
