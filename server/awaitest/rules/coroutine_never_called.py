"""Reports an async function inside a test that holds assertions and is never called.

Finds a nested `async def` with assertions whose name the test never uses, nested tests included.

Why: Defining a function runs nothing, and pytest collects no tests from inside a test. The assertions are never
evaluated: the test passes whatever the app does.

Bad:
    import pytest
    from httpx import AsyncClient

    @pytest.mark.asyncio
    async def test_users(client: AsyncClient):
        async def check():
            response = await client.get("/users/")
            assert response.status_code == 200

Good:
    import pytest
    from httpx import AsyncClient

    @pytest.mark.asyncio
    async def test_users(client: AsyncClient):
        async def check():
            response = await client.get("/users/")
            assert response.status_code == 200

        await check()

Ignore: When something finds the function without its name, for example by looking into the frame.

Fix: Unsafe. Awaits a call behind the function, or moves a nested test out to where pytest collects it: assertions run
that never did.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.marks import marks_of
from awaitest.engine.nesting import call_edits, moved_out_edits, never_named
from awaitest.engine.repair import fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import NESTED, TEST, Run
from awaitest.engine.steps import Collected
from awaitest.source.nodes import parts_of

RULE = Rule("AWT110", "coroutine-never-called", Severity.ERROR)


def check(step: Collected, run: Run) -> Iterator[Finding]:
    """A nested coroutine function is of no use to anybody."""
    outer = run.parent
    if run.kind != NESTED or outer is None or outer.kind != TEST or not run.is_async or step.expected:
        return
    if run.function is None or run.function.owner is not None or not _asserts(run.node):
        return
    own = [mark for mark in marks_of(run.engine.world, run.function, None) if mark.where == "function"]
    if len(own) != len(run.node.decorator_list) or not never_named(outer.node, run.node):
        return
    name = run.node.name
    if _is_test(run):
        message = f"pytest does not collect `{name}` from inside `{outer.node.name}`, so its assertions never run. Move it out."
    else:
        message = f"Nobody calls `{name}`, so its assertions never run. Await `{name}(…)`."
    yield Finding(run.name_span, message, lambda: _fix(run, outer))


def _is_test(run: Run) -> bool:
    return bool(run.node.decorator_list) or run.engine.project.config.collects_function(run.node.name)


def _asserts(node: ast.AST) -> bool:
    """Whether a function asserts something, with `assert` or with a method of unittest or of a mock."""
    called = (part.func for part in parts_of(node) if isinstance(part, ast.Call))
    methods = any(isinstance(func, ast.Attribute) and func.attr.startswith("assert") for func in called)
    return methods or any(isinstance(part, ast.Assert) for part in parts_of(node))


def _fix(run: Run, outer: Run) -> Fix | None:
    if _is_test(run):
        return fix(run, "Move it out of the test", moved_out_edits(run, outer), safe=False)
    return fix(run, "Call and await it", call_edits(run, outer), safe=False)
