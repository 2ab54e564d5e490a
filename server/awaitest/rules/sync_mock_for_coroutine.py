"""Reports a plain mock or lambda that is put in the place of a coroutine function.

Finds `MagicMock(return_value=…)` and `Mock(return_value=…)` that `monkeypatch.setattr()`, `patch()` or
`patch.object()`, a decorator or not, put where an `async def` stands, with a result that cannot be awaited; lambdas
too, where the test itself awaits the call.

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
from awaitest.engine.patches import (
    Replacement,
    awaits_what_comes,
    given_by,
    mock_for_lambda,
    patched_by,
    replacement,
    replacements_by_decorators,
    replaces,
)
from awaitest.engine.repair import fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import MODULE, TEST, Run
from awaitest.engine.steps import Called, Collected
from awaitest.engine.uses import is_coroutine_function
from awaitest.engine.values import Collection, Plain, every
from awaitest.engine.words import short
from awaitest.source.edits import Import, renamed, replace_import
from awaitest.source.nodes import parts_of

RULE = Rule("AWT122", "sync-mock-for-coroutine", Severity.ERROR)

_RUNNING = ("run", "create_task", "ensure_future", "gather", "run_until_complete", "wait_for", "start_soon", "call")
"""Functions that take coroutines: where a test replaces one, nobody may await what the mock gives."""


def check(step: Called | Collected, run: Run) -> Iterator[Finding]:
    """What cannot be awaited replaces a coroutine function, here or by a decorator."""
    if run.kind == MODULE or step.expected:
        return
    if isinstance(step, Called):
        found = replacement(run, step.node, step.arguments)
        yield from _judged(run, found) if found is not None else ()
    elif run.kind == TEST:
        for found in replacements_by_decorators(run):
            yield from _judged(run, found)


def _judged(run: Run, found: Replacement) -> Iterator[Finding]:
    replaced, new = found.replaced, found.new
    if not replaced or not all(is_coroutine_function(run.engine.world, kind) for kind in replaced):
        return
    if not run.mine(new) or not every(given_by(run, found), Plain, Collection):
        return
    if any(replaces(patched_by(run.node), running) for running in _RUNNING):
        return
    if isinstance(new, ast.Lambda) and not awaits_what_comes(run, found):
        return
    if not _called_plainly(run, found.place.rpartition(".")[2]):
        what = "this `lambda`" if isinstance(new, ast.Lambda) else f"`{short(new)}`"
        message = f"`{found.place}` is a coroutine function, but what {what} gives cannot be awaited. Use `AsyncMock`."
        yield Finding(new, message, lambda: _fix(run, new))


def _called_plainly(run: Run, name: str) -> bool:
    """Whether the test itself, or any test where a fixture does so, calls what was replaced and does not await it."""
    project = run.engine.project
    modules = [] if run.kind == TEST else project.modules_mentioning(name.encode(), project.config.rootdir)
    parts = [part for root in (run.node, *(it for module in modules for it in module.body)) for part in parts_of(root)]
    awaited = {id(part.value) for part in parts if isinstance(part, ast.Await)}
    calls = (part for part in parts if isinstance(part, ast.Call) and id(part) not in awaited)
    return any(name in (getattr(call.func, "attr", None), getattr(call.func, "id", None)) for call in calls)


def _fix(run: Run, new: ast.Call | ast.Lambda) -> Fix | None:
    if isinstance(new, ast.Lambda):
        return fix(run, "Use `AsyncMock`", mock_for_lambda(run, new), safe=True)
    old = new.func.attr if isinstance(new.func, ast.Attribute) else getattr(new.func, "id", "")
    edits = [renamed(run.span(new.func), old, "AsyncMock")]
    if isinstance(new.func, ast.Name):
        if old not in {"Mock", "MagicMock"}:
            return None
        edits += replace_import(run.document, Import("unittest.mock", old), Import("unittest.mock", "AsyncMock"), 1)
    return fix(run, "Use `AsyncMock`", edits, safe=True)
