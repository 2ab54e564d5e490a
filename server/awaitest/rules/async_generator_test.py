"""Reports an async test with a `yield`.

Finds tests that are `async def` and contain `yield`, which makes them asynchronous generators.

Why: Nobody runs such a test. pytest-asyncio marks it as expected to fail and never starts it: the suite stays green and
nothing was tested. Without pytest-asyncio the test fails, since nothing else runs it either.

Bad:
    import pytest

    @pytest.mark.asyncio
    async def test_answer():
        answer = 6 * 7
        yield
        assert answer == 42

Good:
    import pytest

    @pytest.mark.asyncio
    async def test_answer():
        answer = 6 * 7
        assert answer == 42

Ignore: When a plugin that this project cannot see runs asynchronous generators as tests.

Fix: Safe. Drops `yield`, and keeps what it would have given if that does something. A test without a marker gets the
one of this suite. Not offered where the function looks like a fixture.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from packaging.version import Version

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.fixtures import requested
from awaitest.engine.marks import asyncio_mark
from awaitest.engine.repair import body_of, fix, path_to, remove_lines
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import FIXTURE, TEST, Run
from awaitest.engine.runner import Reason
from awaitest.engine.steps import Collected
from awaitest.engine.style import marker_edits
from awaitest.engine.syntax import generates, own_nodes
from awaitest.source.text import Edit, Span

RULE = Rule("AWT214", "async-generator-test", Severity.ERROR)

_XFAILS_SINCE, _FAILS_SINCE = Version("0.23"), Version("8.4")


def check(step: Collected, run: Run) -> Iterator[Finding]:
    """A test that is an asynchronous generator."""
    if run.kind != TEST or not run.is_async or not generates(run.node):
        return
    verdict = run.verdict
    if verdict.reason is Reason.TESTCASE or (verdict.by is None and verdict.reason is None):
        return
    found = (part for part in own_nodes(run.node) if isinstance(part, ast.Yield))
    yields = sorted(found, key=lambda part: (part.lineno, part.col_offset))
    if yields:
        message = (
            f"With `yield`, `{run.node.name}` is an asynchronous generator, which nobody runs. {_outcome(run)} "
            "Drop the `yield`."
        )
        yield Finding(yields[0], message, lambda: _fix(run, yields))


def _outcome(run: Run) -> str:
    environment = run.engine.project.environment
    version, pytest = environment.version("pytest-asyncio"), environment.version("pytest")
    if run.verdict.by == "unittest":
        return "unittest drops it, and the test passes."
    if run.verdict.by == "pytest-asyncio" and (version is None or version >= _XFAILS_SINCE):
        return "pytest-asyncio counts it as xfailed, and the suite stays green."
    if run.verdict.by == "pytest-asyncio" and asyncio_mark(run.marks) is not None:
        return "pytest-asyncio lets it pass, and only warns."
    return "pytest skips it." if pytest is not None and pytest < _FAILS_SINCE else "pytest fails it."


def _fix(run: Run, yields: list[ast.Yield]) -> Fix | None:
    others = (other for other in run.sheet.runs if other.kind in (TEST, FIXTURE))
    if any(run.node.name in requested(other.node, other.cls is not None) for other in others):
        return None
    marked = marker_edits(run) if run.verdict.reason in (None, Reason.NO_MARKER) else None
    dropped = [edit for node in yields if (edit := _dropped(run, node)) is not None]
    complete = marked is not None and len(dropped) == len(yields)
    return fix(run, "Drop `yield`", [*(marked or ()), *dropped], safe=True) if complete else None


def _dropped(run: Run, node: ast.Yield) -> Edit | None:
    statement = path_to(run.node, node)[0]
    if not isinstance(statement, ast.Expr):
        return None
    span = run.span(node)
    if node.value is not None and not isinstance(node.value, (ast.Name, ast.Constant)):
        return Edit(Span(span.start, run.span(node.value).start), "")
    block = body_of(run.node, statement) or []
    around = (
        run.document.lines[span.start.line][: span.start.column] + run.document.lines[span.end.line][span.end.column :]
    )
    if len(block) == 1 or around.strip():
        return Edit(span, "pass")
    return remove_lines(run, statement)
