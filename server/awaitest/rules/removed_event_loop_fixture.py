"""Reports use of the `event_loop` fixture that pytest-asyncio no longer has.

Finds tests and fixtures that ask for `event_loop`, and fixtures of that name that nobody asks for, where pytest-asyncio
is 1.0 or newer. Before, from 0.23 on, it warns of the fixture. `event_loop_policy`, deprecated in 1.5, is a warning
too.

Why: Who asks for it fails with `fixture 'event_loop' not found`. Who defines it, mostly to have one loop for the
session, is not told that nothing uses it any more: each test runs on a loop of its own.

Bad:
    import pytest

    @pytest.mark.asyncio
    async def test_loop(event_loop):
        assert event_loop.is_running()

Good:
    import asyncio

    import pytest

    @pytest.mark.asyncio
    async def test_loop():
        event_loop = asyncio.get_running_loop()
        assert event_loop.is_running()

Ignore: When the suite must also run with pytest-asyncio before 1.0.

Fix: Sometimes safe. Takes the running loop in place of the parameter. Deletes a fixture that nobody uses; unsafe where
it has a scope, for then `loop_scope` should replace it.
"""

from __future__ import annotations

from collections.abc import Iterator

from packaging.version import Version

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.fixtures import Fixture, requested
from awaitest.engine.getters import Getters
from awaitest.engine.parametrize import set_by_marks
from awaitest.engine.repair import fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import FIXTURE, TEST, Run
from awaitest.engine.signature import assign_instead, definition_dropped
from awaitest.engine.steps import Collected

RULE = Rule("AWT211", "removed-event-loop-fixture", Severity.ERROR)

_LOOP, _POLICY = "event_loop", "event_loop_policy"
_REMOVED_IN, _WARNS_SINCE, _POLICY_WARNS_SINCE = Version("1.0"), Version("0.23"), Version("1.5")


def check(step: Collected, run: Run) -> Iterator[Finding]:
    """A fixture named `event_loop`, or a parameter that asks for one."""
    project = run.engine.project
    version = project.environment.version("pytest-asyncio")
    if run.kind not in (TEST, FIXTURE) or project.plugin("pytest-asyncio") is not True or version is None:
        return
    name = run.fixture.name if run.fixture is not None else ""
    speaks = name in (_LOOP, _POLICY) or any(
        item.arg == _LOOP for item in run.node.args.args + run.node.args.kwonlyargs
    )
    if version < _WARNS_SINCE or not speaks or project.runs_async_otherwise(run.module):
        return
    if name == _LOOP and run.fixture is not None:
        yield from _defined(run, run.fixture, version)
    elif name == _POLICY and version >= _POLICY_WARNS_SINCE:
        message = (
            "pytest-asyncio warns of an `event_loop_policy` fixture. Use the hook `pytest_asyncio_loop_factories`."
        )
        yield Finding(run.name_span, message, severity=Severity.WARNING)
    elif version >= _REMOVED_IN and _finds_none(run):
        where = next(item for item in run.node.args.args + run.node.args.kwonlyargs if item.arg == _LOOP)
        message = "pytest-asyncio has no `event_loop` fixture since 1.0, so that pytest finds none. "
        message += "In async code, `asyncio.get_running_loop()` gives the loop."
        yield Finding(where, message, lambda: _without(run))


def _defined(run: Run, fixture: Fixture, version: Version) -> Iterator[Finding]:
    if version < _REMOVED_IN:
        message = "pytest-asyncio warns of an `event_loop` fixture, and since 1.0 ignores it. Use `loop_scope`."
        yield Finding(run.name_span, message, severity=Severity.WARNING)
    elif not fixture.autouse and not Getters(run, fixture).any():
        message = "Nothing uses this `event_loop` fixture: since 1.0 pytest-asyncio makes its loops itself. "
        message += "Tests and fixtures share one by their `loop_scope`."
        safe = fixture.scope == "function"
        yield Finding(
            run.name_span, message, lambda: fix(run, "Delete the fixture", definition_dropped(run), safe=safe)
        )


def _finds_none(run: Run) -> bool:
    """Whether the function asks for `event_loop` and nothing in sight gives it."""
    if _LOOP not in requested(run.node, run.cls is not None) or run.node.args.posonlyargs:
        return False
    engine = run.engine
    given = set_by_marks(engine.world, run.marks, [_LOOP]) | engine.fixtures.values_for([_LOOP], run.seeker)
    brought = any(_LOOP in engine.fixtures.of_module(it) for it in engine.project.plugins_mentioning(_LOOP))
    return _LOOP not in given and not brought and engine.fixtures.find(_LOOP, run.seeker) is None


def _without(run: Run) -> Fix | None:
    edits = assign_instead(run, _LOOP, "asyncio", "asyncio.get_running_loop()")
    return fix(run, "Take the running loop", edits, safe=True)
