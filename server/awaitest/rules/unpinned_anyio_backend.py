"""Reports an anyio test that uses asyncio and that anyio also runs on trio.

Finds tests that anyio runs, on trio too, since trio is installed and no `anyio_backend` fixture says otherwise, and
that call functions of asyncio, be it through a helper.

Why: anyio makes one test of it for each backend it finds. On trio there is no asyncio loop, so that the second run
fails with `RuntimeError: no running event loop`: on one machine, and not on the next, where trio is missing.

Bad:
    import asyncio

    import pytest

    @pytest.mark.anyio
    async def test_pause():
        await asyncio.sleep(0)

Good:
    import asyncio

    import pytest

    @pytest.fixture
    def anyio_backend():
        return "asyncio"

    @pytest.mark.anyio
    async def test_pause():
        await asyncio.sleep(0)

Ignore: When the test is meant for trio too; then use anyio's functions in place of those of asyncio.

Fix: Unsafe. Adds an `anyio_backend` fixture to the module, for all its tests. A conftest is the better place where all
tests of the suite need it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.backends import BACKEND, aware, backends, comes_to, needs_asyncio, pinned
from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.repair import fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import TEST, Run
from awaitest.engine.steps import Called
from awaitest.source.edits import indent_of
from awaitest.source.layout import line_insert

RULE = Rule("AWT216", "unpinned-anyio-backend", Severity.WARNING)


def check(step: Called, run: Run) -> Iterator[Finding]:
    """The first call of asyncio in a test that also runs on trio."""
    if run.kind != TEST or not run.is_async or run.verdict.by != "anyio" or not needs_asyncio(run, step):
        return
    calls = (it for it in run.steps if isinstance(it, Called) and needs_asyncio(run, it))
    if next(calls) is not step or any(it.expected for it in run.steps) or "sniffio" in run.module.bound:
        return
    if aware(run) or not comes_to(run, step.node) or pinned(run) is not None or "trio" not in (backends(run) or ()):
        return
    mark = next((it.node for it in run.marks if it.name == "anyio" and run.mine(it.node)), None)
    message = f"anyio runs `{run.node.name}` on trio too, where `{step.label}` fails. Pin the backend with an "
    message += f'`{BACKEND}` fixture that returns "asyncio".'
    yield Finding(mark if mark in run.node.decorator_list else run.name_span, message, lambda: _fix(run))


def _fix(run: Run) -> Fix | None:
    if run.node not in run.module.body:
        return None
    imported = run.sheet.import_of_pytest
    first: ast.AST = run.node.decorator_list[0] if run.node.decorator_list else run.node
    indent = indent_of(run.document.lines[run.span(run.node.body[0]).start.line])
    text = f'@pytest.fixture\ndef {BACKEND}():\n{indent or "    "}return "asyncio"\n\n\n'
    edits = [line_insert(run.document, run.span(first).start.line, text)]
    return fix(run, "Pin the backend", edits if imported is None else [imported, *edits], safe=False)
