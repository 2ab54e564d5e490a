"""Reports an asyncio or anyio marker on a plain `def` test.

Finds `@pytest.mark.asyncio` and `@pytest.mark.anyio` written on a test that is not `async def`.

Why: The marker does nothing there. Often `async` was forgotten: then the coroutines that the test makes are never
awaited and it passes without testing anything. That is reported as an error, the rest as a warning.

Bad:
    import pytest

    @pytest.mark.asyncio
    def test_answer():
        assert 6 * 7 == 42

Good:
    def test_answer():
        assert 6 * 7 == 42

Ignore: When a decorator of your own turns the function into a coroutine function in a way that cannot be seen from the
source.

Fix: Sometimes safe. Drops the marker, and the import of pytest if nothing else uses it. Where the test makes
coroutines, it becomes `async def` instead and they are awaited; that is unsafe.
"""

from __future__ import annotations

from collections.abc import Iterator

from awaitest.engine.decorators import Shape, shape
from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.marks import Mark
from awaitest.engine.repair import async_edits, await_edits, dropped_marks, fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import TEST, Run
from awaitest.engine.steps import Collected, Misused
from awaitest.engine.syntax import awaits

RULE = Rule("AWT203", "marker-on-sync-test", Severity.WARNING)

_PACKAGES = {"asyncio": "pytest-asyncio", "anyio": "anyio"}


def check(step: Collected, run: Run) -> Iterator[Finding]:
    """A marker written on a test that is not a coroutine function."""
    if run.kind != TEST or run.is_async or awaits(run.node):
        return
    marks = [mark for mark in run.marks if mark.where == "function" and mark.name in _PACKAGES and run.mine(mark.node)]
    if not marks or run.function is None or shape(run.engine.world, run.function) is not Shape.AS_WRITTEN:
        return
    if any(
        run.engine.runner.handles(received.fixture, None) is False
        for received in run.received()
        if received.fixture.is_async
    ):
        return
    mark = marks[0]
    name = run.node.name
    made = [other for other in run.steps if isinstance(other, Misused) and run.mine(other.coroutine.site.node)]
    if made:
        label = made[0].coroutine.site.label
        message = f"`{name}` is marked `{mark.name}` but is a plain `def`, so nobody awaits `{label}(…)`. It was meant to be `async def`."
        yield Finding(mark.node, message, lambda: _make_async(run, made), Severity.ERROR)
    else:
        message = f"`{name}` is a plain `def`, so its `{mark.name}` marker does nothing. Drop it."
        yield Finding(mark.node, message, lambda: _drop(run, marks))


def _make_async(run: Run, made: list[Misused]) -> Fix | None:
    edits = async_edits(run)
    for node in {id(other.coroutine.site.node): other.coroutine.site.node for other in made}.values():
        awaited = await_edits(run, node)
        edits = None if edits is None or awaited is None else edits + awaited
    return fix(run, f"Make `{run.node.name}` async and await what it calls", edits, safe=False)


def _drop(run: Run, marks: list[Mark]) -> Fix | None:
    return fix(run, "Drop the marker", dropped_marks(run, [mark.node for mark in marks]), safe=True)
