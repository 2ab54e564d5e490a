"""Reports a coroutine that nobody awaits.

Finds calls of coroutine functions whose coroutine is dropped, or used as if it were the result: its attributes read,
passed as data, written into a string, looped over, returned by a test, handed out by a fixture whose tests read the result.
Other objects that must be awaited, such as queries of an ORM, are judged by what they lack and their result has.

Why: Calling a coroutine function runs nothing. It only makes a coroutine object, and the work starts when somebody
awaits it. A test that drops the coroutine passes without having sent its request; one that uses it fails with an error
about coroutines instead of about the app.

Bad:
    import pytest
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_create():
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            client.post("/users/", json={"name": "bob"})

Good:
    import pytest
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_create():
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            await client.post("/users/", json={"name": "bob"})

Ignore: When a test makes a coroutine on purpose and leaves it alone, for example to look at the warning.

Fix: Sometimes safe. Puts `await` where the coroutine is made. In a plain `def` the function must become `async def`
too, with the marker that makes somebody run it; that is unsafe.
"""

from __future__ import annotations

from collections.abc import Iterator

from awaitest.engine.awaitables import taken_for_result
from awaitest.engine.diagnostic import Severity
from awaitest.engine.entering import no_block_enters
from awaitest.engine.handover import read_as
from awaitest.engine.repair import await_fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import Run
from awaitest.engine.steps import FAILING, Absent, Called, Gave, Misuse, Misused
from awaitest.engine.values import Coroutine, every
from awaitest.engine.words import short

RULE = Rule("AWT101", "missing-await", Severity.ERROR)

_CLAIMS = {
    Misuse.DROPPED: "is never awaited, so it does nothing",
    Misuse.UNUSED: "is never awaited, so it does nothing",
    Misuse.ATTRIBUTE: "is not awaited, so it gives a coroutine, which has no `{detail}`",
    Misuse.SUBSCRIPT: "is not awaited, so it gives a coroutine, which cannot be indexed",
    Misuse.ARGUMENT: "is not awaited, so `{detail}` gets a coroutine instead of its result",
    Misuse.FORMATTED: "is not awaited, so the text holds `<coroutine object …>` instead of its result",
    Misuse.RETURNED: "is not awaited, so the coroutine itself is returned and never runs",
    Misuse.UNPACKED: "is not awaited, so it gives a coroutine, which cannot be unpacked",
    Misuse.OPERAND: "is not awaited, so the expression calculates with a coroutine",
    Misuse.ITERATED: "is not awaited, so it gives a coroutine, which cannot be looped over",
    Misuse.ENTERED: "is not awaited, so it gives a coroutine, which no `with` can enter",
}


def check(step: Misused | Gave | Absent | Called, run: Run) -> Iterator[Finding]:
    """A coroutine, or another object to be awaited, meets a use that only its result could serve."""
    if isinstance(step, (Absent, Called)):
        yield from _object(step, run)
    elif isinstance(step, Gave):
        yield from _handed_out(step, run)
    else:
        yield from _misused(step, run)


def _misused(step: Misused, run: Run) -> Iterator[Finding]:
    claim, site = _CLAIMS.get(step.how), step.coroutine.site
    if claim is None or (step.expected and step.how in {*FAILING, Misuse.ARGUMENT}):
        return
    if step.how is Misuse.ENTERED and no_block_enters(run, site.result()):
        return
    here = run.mine(site.node)
    message = f"`{site.label}(…)` {claim.format(detail=step.detail)}. Nothing of a coroutine function runs before it is awaited."
    if here:
        yield Finding(site.node, message, lambda: await_fix(run, site.node, f"Await `{site.label}(…)`"))
    else:
        yield Finding(step.node, f"{message} It is made in {site.module.name}.")


def _object(step: Absent | Called, run: Run) -> Iterator[Finding]:
    """An object to be awaited is asked for what it lacks."""
    found = taken_for_result(step, run)
    if found is not None:
        call, claim = found
        name = short(call)
        message = f"`{name}` is not awaited, so it gives {claim}."
        yield Finding(call, message, lambda: await_fix(run, call, f"Await `{name}`"))


def _handed_out(step: Gave, run: Run) -> Iterator[Finding]:
    """A fixture gives a coroutine to tests that read the attributes of its result."""
    if run.fixture is None or step.expected or not every(step.value, Coroutine):
        return
    sites = [kind.site for kind in step.value if isinstance(kind, Coroutine) and not kind.site.awaited]
    if len(sites) == 1 and run.mine(site := sites[0].node) and (read := read_as(run)) is not None:
        message = f"`{sites[0].label}(…)` is not awaited, so those who ask for `{run.fixture.name}` get a coroutine, which has no `{read}`."
        yield Finding(site, message, lambda: await_fix(run, site, f"Await `{sites[0].label}(…)`"))
