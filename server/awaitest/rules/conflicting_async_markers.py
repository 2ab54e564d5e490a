"""Reports a test that anyio should run on trio but pytest-asyncio takes.

Finds async tests with the anyio marker that pytest-asyncio runs too, because of its own marker or of `asyncio_mode =
auto`, where anyio has trio among its backends.

Why: anyio makes one test of it for each backend, and pytest-asyncio runs them all on asyncio. The test named `[trio]`
passes without having met trio, and async fixtures that did start on trio fail beside it.

Bad:
    import pytest

    @pytest.mark.anyio
    @pytest.mark.asyncio
    async def test_answer():
        assert 6 * 7 == 42

Good:
    import pytest

    @pytest.mark.asyncio
    async def test_answer():
        assert 6 * 7 == 42

Ignore: When the second run does not matter to you; an `anyio_backend` fixture that names asyncio says so better.

Fix: Sometimes safe. Drops the anyio marker. Where an async fixture needs anyio, drops the asyncio marker instead, which
is unsafe: then the test does run on trio.
"""

from __future__ import annotations

from collections.abc import Iterator

from awaitest.engine.backends import aware, backends
from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.fixtures import requested
from awaitest.engine.marks import Mark
from awaitest.engine.repair import dropped_marks, fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import TEST, Run
from awaitest.engine.runner import in_testcase
from awaitest.engine.steps import Collected

RULE = Rule("AWT207", "conflicting-async-markers", Severity.ERROR)


def check(step: Collected, run: Run) -> Iterator[Finding]:
    """An anyio mark on a test that pytest-asyncio runs."""
    project = run.engine.project
    if run.kind != TEST or not run.is_async or not all(map(project.plugin, ("pytest-asyncio", "anyio"))):
        return
    if run.cls is not None and in_testcase(run.engine.world, run.cls) is not False:
        return
    first = {mark.name: mark for mark in reversed(run.marks)}
    mark, other = first.get("anyio"), first.get("asyncio")
    if mark is None or not run.mine(mark.node) or (other is None and project.config.asyncio_mode != "auto"):
        return
    if aware(run) or "trio" not in (backends(run) or ()):
        return
    why = "its `asyncio` marker" if other is not None else "`asyncio_mode = auto`"
    message = (
        f"`{run.node.name}` is marked `anyio`, but {why} lets pytest-asyncio run it: its [trio] run is on asyncio too. "
        "Keep one of them."
    )
    yield Finding(mark.node, message, lambda: _fix(run, mark, other))


def _fix(run: Run, mark: Mark, other: Mark | None) -> Fix | None:
    handles = run.engine.runner.handles
    needed = run.engine.fixtures.closure(requested(run.node, run.cls is not None), run.seeker).values()
    if all(not it.is_async or handles(it, None) is True for it in needed if it is not None):
        return _dropped(run, mark, safe=True)
    in_strict_mode = run.engine.project.config.asyncio_mode == "strict"
    return _dropped(run, other, safe=False) if other is not None and in_strict_mode else None


def _dropped(run: Run, mark: Mark, *, safe: bool) -> Fix | None:
    if mark.where != "function" or mark.node not in run.node.decorator_list:
        return None
    return fix(run, f"Drop the `{mark.name}` marker", dropped_marks(run, [mark.node]), safe=safe)
