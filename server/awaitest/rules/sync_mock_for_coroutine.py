"""Reports a plain mock that is put in the place of a coroutine function.

Finds `MagicMock(return_value=…)` and `Mock(return_value=…)` that `monkeypatch.setattr()`, `patch()` or
`patch.object()` put where an `async def` stands, with a return value that cannot be awaited.

Why: The code under test awaits the call and gets the plain return value: it fails with `TypeError: object … can't be
used in 'await' expression`. Where it catches errors, the test may pass for the wrong reason.

Bad:
    import asyncio
    from unittest.mock import MagicMock

    import pytest

    @pytest.mark.asyncio
    async def test_pause(monkeypatch):
        monkeypatch.setattr(asyncio, "sleep", MagicMock(return_value=None))
        await asyncio.sleep(60)

Good:
    import asyncio
    from unittest.mock import AsyncMock

    import pytest

    @pytest.mark.asyncio
    async def test_pause(monkeypatch):
        monkeypatch.setattr(asyncio, "sleep", AsyncMock(return_value=None))
        await asyncio.sleep(60)

Ignore: When the call is never awaited in this test.

Fix: Safe. Makes it an `AsyncMock`, which gives the same value once it is awaited.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.patches import patched_by, replacement, replaces
from awaitest.engine.repair import fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import MODULE, TEST, Run
from awaitest.engine.steps import Called
from awaitest.engine.uses import is_coroutine_function
from awaitest.engine.values import ClassValue, Collection, Plain, every
from awaitest.engine.words import short
from awaitest.source.edits import Import, renamed, replace_import
from awaitest.source.nodes import parts_of

RULE = Rule("AWT122", "sync-mock-for-coroutine", Severity.ERROR)

_RUNNING = ("run", "create_task", "ensure_future", "gather", "run_until_complete", "wait_for", "start_soon", "call")
"""Functions that take coroutines: where a test replaces one, nobody may await what the mock gives."""


def check(step: Called, run: Run) -> Iterator[Finding]:
    """A mock whose result cannot be awaited replaces a coroutine function."""
    found = replacement(step, run)
    if found is None:
        return
    place, replaced, mock = found
    called = next((other for other in run.steps if isinstance(other, Called) and other.node is mock), None)
    if called is None or run.kind == MODULE or step.expected or not run.mine(mock) or not _gives_plain(called):
        return
    if any(replaces(patched_by(run.node), running) for running in _RUNNING) or _called_plainly(
        run, place.rpartition(".")[2]
    ):
        return
    if replaced and all(is_coroutine_function(run.engine.world, kind) for kind in replaced):
        message = (
            f"`{place}` is a coroutine function, but what `{short(mock)}` gives cannot be awaited. Use `AsyncMock`."
        )
        yield Finding(mock, message, lambda: _fix(run, mock))


def _called_plainly(run: Run, name: str) -> bool:
    """Whether the test itself, or any test where a fixture does so, calls what was replaced and does not await it."""
    project = run.engine.project
    modules = [] if run.kind == TEST else project.modules_mentioning(name.encode(), project.config.rootdir)
    parts = [part for root in (run.node, *(it for module in modules for it in module.body)) for part in parts_of(root)]
    awaited = {id(part.value) for part in parts if isinstance(part, ast.Await)}
    calls = (part for part in parts if isinstance(part, ast.Call) and id(part) not in awaited)
    return any(name in (getattr(call.func, "attr", None), getattr(call.func, "id", None)) for call in calls)


def _gives_plain(called: Called) -> bool:
    """Whether this makes a plain mock that certainly gives data."""
    made = all(
        isinstance(kind, ClassValue)
        and kind.cls.node.name in {"Mock", "MagicMock"}
        and kind.cls.package in {"unittest", "mock"}
        for kind in called.target
    )
    given = [keyword.arg for keyword in called.node.keywords]
    return made and bool(called.target) and given == ["return_value"] and every(called.arguments[-1], Plain, Collection)


def _fix(run: Run, mock: ast.Call) -> Fix | None:
    old = mock.func.attr if isinstance(mock.func, ast.Attribute) else getattr(mock.func, "id", "")
    edits = [renamed(run.span(mock.func), old, "AsyncMock")]
    if isinstance(mock.func, ast.Name):
        if old not in {"Mock", "MagicMock"}:
            return None
        edits += replace_import(run.document, Import("unittest.mock", old), Import("unittest.mock", "AsyncMock"), 1)
    return fix(run, "Use `AsyncMock`", edits, safe=True)
