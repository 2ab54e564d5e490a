"""Reports arguments that the asyncio marker does not take.

Finds `@pytest.mark.asyncio` on an async test with a positional argument, with `scope=`, with a keyword it does not
know, or with a loop scope that does not exist.

Why: The marker takes keywords only. Anything else ends the collection of the file, so that none of its tests run.
`scope=` was renamed to `loop_scope=`: it still works with a deprecation warning, which fails the file where warnings
are errors.

Bad:
    import pytest

    @pytest.mark.asyncio("module")
    async def test_answer():
        assert 6 * 7 == 42

Good:
    import pytest

    @pytest.mark.asyncio(loop_scope="module")
    async def test_answer():
        assert 6 * 7 == 42

Ignore: When the suite must also run with pytest-asyncio 0.23, which takes `scope=` only.

Fix: Safe. Passes the scope as `loop_scope=`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from packaging.version import Version

from awaitest.engine.diagnostic import Severity
from awaitest.engine.marks import Mark, asyncio_mark
from awaitest.engine.repair import fix, insert
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import TEST, Run
from awaitest.engine.runner import in_testcase
from awaitest.engine.steps import Collected
from awaitest.source.text import Edit, Position, Span

RULE = Rule("AWT212", "invalid-marker-argument", Severity.ERROR)

_LOOP_SCOPE_SINCE = Version("0.24")
_TAKEN = frozenset({"loop_scope", "scope", "loop_factories"})
_SCOPES = ("function", "class", "module", "package", "session")


def check(step: Collected, run: Run) -> Iterator[Finding]:
    """The nearest asyncio mark of an async test: the one that pytest-asyncio reads."""
    project = run.engine.project
    version = project.environment.version("pytest-asyncio")
    if run.kind != TEST or not run.is_async or project.plugin("pytest-asyncio") is False:
        return
    if version is None or version < _LOOP_SCOPE_SINCE:
        return
    if run.cls is not None and in_testcase(run.engine.world, run.cls) is not False:
        return
    mark = asyncio_mark(run.marks)
    if mark is None or mark.name is None or not run.mine(mark.node):
        return
    if mark.arguments:
        yield from _positional(run, mark)
        return
    for keyword in mark.node.keywords if isinstance(mark.node, ast.Call) else ():
        yield from _keyword(run, mark, keyword)


def _positional(run: Run, mark: Mark) -> Iterator[Finding]:
    argument = mark.arguments[0]
    message = "The `asyncio` marker takes no positional argument: pytest stops and collects no test of this file. "
    if not _is_scope(argument) or len(mark.arguments) > 1 or mark.keywords:
        yield Finding(argument, message + "Name what is passed, or drop it.")
        return
    edits = [insert(run.span(argument).start, "loop_scope=")]
    message += f"Write `loop_scope={run.source(argument)}`."
    yield Finding(argument, message, lambda: fix(run, "Pass it as `loop_scope`", edits, safe=True))


def _keyword(run: Run, mark: Mark, keyword: ast.keyword) -> Iterator[Finding]:
    if keyword.arg == "scope" and "loop_scope" in mark.keywords:
        yield Finding(keyword, "The `asyncio` marker has `scope` and `loop_scope`: pytest stops. Drop `scope`.")
    elif keyword.arg == "scope":
        start = run.span(keyword).start
        edit = Edit(Span(start, Position(start.line, start.column + len("scope"))), "loop_scope")
        message = "`scope` of the `asyncio` marker is deprecated, and pytest-asyncio warns. Write `loop_scope`."
        yield Finding(keyword, message, lambda: fix(run, "Use `loop_scope`", [edit], safe=True), Severity.WARNING)
    elif keyword.arg is not None and keyword.arg not in _TAKEN:
        message = f"The `asyncio` marker takes no `{keyword.arg}`: pytest stops and collects no test of this file."
        yield Finding(keyword, f"{message} It takes `loop_scope`.")
    if keyword.arg in {"scope", "loop_scope"} and isinstance(keyword.value, ast.Constant):
        value = keyword.value.value
        if isinstance(value, str) and value and value not in _SCOPES:
            message = f"`{value}` is no loop scope, so that pytest stops. There are {', '.join(_SCOPES)}."
            yield Finding(keyword.value, message)


def _is_scope(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in _SCOPES
