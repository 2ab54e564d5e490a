"""Lenses: above each async test, who runs it and on which loop."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitest.engine.fixtures import Fixture
from awaitest.engine.marks import asyncio_mark
from awaitest.engine.run import TEST
from awaitest.engine.syntax import generates
from awaitest.engine.values import Collection, Plain, Value
from awaitest.project.config import LOOP_SCOPES
from awaitest.source.nodes import parts_of
from awaitest.source.text import Span

if TYPE_CHECKING:
    from awaitest.engine.run import Run


@dataclass(frozen=True, slots=True)
class Lens:
    """A line above a test; `test` is "test_x" or "TestA::test_x"."""

    span: Span
    title: str
    test: str


def lenses(runs: Sequence[Run]) -> list[Lens]:
    """One lens for every async test whose runner is certain."""
    tests = (run for run in runs if run.kind == TEST and run.is_async and not generates(run.node))
    titled = ((run, _title(run)) for run in tests)
    return [Lens(run.name_span(), title, _test(run)) for run, title in titled if title is not None]


def traces(runs: Sequence[Run]) -> list[Lens]:
    """One lens for every async test, to run it."""
    tests = (run for run in runs if run.kind == TEST and run.is_async)
    return [Lens(run.name_span(), "Trace", _test(run)) for run in tests]


def loop_scope(run: Run) -> str | None:
    """The scope of the loop pytest-asyncio would run the test on; None where it cannot be told."""
    mark = asyncio_mark(run.marks)
    if mark is not None and mark.name is None:
        return None
    keywords = mark.keywords if mark is not None else {}
    given = keywords.get("loop_scope", keywords.get("scope"))
    if given is None:
        return run.engine.project.config.asyncio_default_test_loop_scope
    scope = given.value if isinstance(given, ast.Constant) else None
    return next((known for known in LOOP_SCOPES if known == scope), None)


def _test(run: Run) -> str:
    return f"{run.cls.node.name}::{run.node.name}" if run.cls is not None else run.node.name


def _title(run: Run) -> str | None:
    verdict = run.verdict
    if verdict.reason is not None:
        return "nobody runs this test"
    if verdict.by == "unittest":
        return "unittest · function loop"
    if verdict.by is None or run.engine.project.plugin(verdict.by) is not True:
        return None
    loop = _backends(run) if verdict.by == "anyio" else _loop(run)
    return f"{verdict.by} · {loop}" if loop is not None else verdict.by


def _loop(run: Run) -> str | None:
    scope = loop_scope(run)
    return f"{scope} loop" if scope is not None else None


def _backends(run: Run) -> str | None:
    """The backends anyio runs the test on, one after the other."""
    if any(_sets_backend(mark.node) for mark in run.marks if mark.name == "parametrize"):
        return None
    fixture = run.engine.fixtures.find("anyio_backend", run.seeker)
    if fixture is not None and fixture.module.origin == "project":
        named = _named(run, fixture)
        return " and ".join(named) if named else None
    has_trio = run.engine.project.environment.has("trio")
    return None if has_trio is None else "asyncio and trio" if has_trio else "asyncio"


def _sets_backend(mark: ast.expr) -> bool:
    return any(
        isinstance(part, ast.Constant) and isinstance(part.value, str) and "anyio_backend" in part.value
        for part in parts_of(mark)
    )


def _named(run: Run, fixture: Fixture) -> list[str]:
    """The backends that the project's own `anyio_backend` names; empty where one is not known."""
    if not fixture.parametrised:
        return _names([run.engine.fixtures.value(fixture, run.seeker)])
    keywords = fixture.decorator.keywords if isinstance(fixture.decorator, ast.Call) else []
    given = next((item.value for item in keywords if item.arg == "params"), None)
    rows = given.elts if isinstance(given, ast.List | ast.Tuple) else []
    cells = [row.args[0] if isinstance(row, ast.Call) and row.args else row for row in rows]
    return _names([run.engine.world.reader.expression(fixture.module, cell) for cell in cells])


def _names(values: list[Value]) -> list[str]:
    kinds = [kind for value in values for kind in value]
    firsts = [kind.items[0] if isinstance(kind, Collection) and kind.items else frozenset({kind}) for kind in kinds]
    names = [kind.const if isinstance(kind, Plain) else None for first in firsts for kind in first]
    found = [name for name in names if isinstance(name, str)]
    return sorted(found) if len(found) == len(names) else []
