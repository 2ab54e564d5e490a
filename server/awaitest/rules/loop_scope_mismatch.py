"""Reports a test that waits for what belongs to another loop.

Finds async tests and fixtures of pytest-asyncio that run on one loop and wait for something that an async fixture made
on another: a task, a stream, a process, a session of aiohttp, a queue that a task of the fixture works on.

Why: A loop stands still while another one runs. asyncio refuses to wait across loops ("attached to a different loop",
"belongs to a different loop"), and where it cannot notice, as with a queue, the test hangs.

Bad:
    import asyncio

    import pytest
    import pytest_asyncio

    @pytest_asyncio.fixture(scope="module", loop_scope="module")
    async def answer():
        return asyncio.create_task(asyncio.sleep(1, 42))

    @pytest.mark.asyncio
    async def test_answer(answer):
        assert await answer == 42

Good:
    import asyncio

    import pytest
    import pytest_asyncio

    @pytest_asyncio.fixture(scope="module", loop_scope="module")
    async def answer():
        return asyncio.create_task(asyncio.sleep(1, 42))

    @pytest.mark.asyncio(loop_scope="module")
    async def test_answer(answer):
        assert await answer == 42

Ignore: When the other loop still runs, in a thread of its own.

Fix: Safe. Gives the test the `loop_scope` of the fixture, where all its async fixtures run on that loop.
"""

from __future__ import annotations

from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.loop_scopes import Stuck, fixture_loop, loop_scope_edits, own_loop, stuck
from awaitest.engine.marks import asyncio_mark
from awaitest.engine.repair import fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import TEST, Run
from awaitest.engine.steps import Collected

RULE = Rule("AWT209", "loop-scope-mismatch", Severity.ERROR)


def check(step: Collected, run: Run) -> Iterator[Finding]:
    """The first thing that a test or fixture waits for in vain."""
    found = stuck(run)
    if found is None:
        return
    mark = asyncio_mark(run.marks)
    message = f"`{found.fixture.name}` lives on the {found.loop} loop, which stands still while `{run.node.name}` runs "
    message += f"on its {own_loop(run)} loop. `{found.what}` fails or hangs: run both on one loop."
    yield Finding(
        mark.node if mark and mark.node in run.node.decorator_list else run.name_span, message, lambda: _fix(run, found)
    )


def _fix(run: Run, found: Stuck) -> Fix | None:
    loops = {fixture_loop(it.fixture, run) for it in run.received() if it.fixture.is_async}
    if run.kind != TEST or loops != {found.loop}:
        return None
    return fix(run, f"Run it on the loop of the {found.loop}", loop_scope_edits(run, found.loop), safe=True)
