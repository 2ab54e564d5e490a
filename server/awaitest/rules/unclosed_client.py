"""Reports an `AsyncClient` whose owner never closes it.

Finds clients of httpx and httpx2 that nobody closes: made and kept by a test, made for one request, handed out by a
fixture or a context manager, stored on `self` of a test class, or made when a test module is imported. A function that returns a client
leaves that to its caller.

Why: Connections it has made stay open. They surface later as `ResourceWarning` in a test that has nothing to do with
them.

Bad:
    import pytest
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_users():
        client = AsyncClient(transport=ASGITransport(app=app), base_url="http://test")
        response = await client.get("/users/")
        assert response.json() == []

Good:
    import pytest
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_users():
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            response = await client.get("/users/")
        assert response.json() == []

Ignore: When something closes the client that cannot be seen from the file.

Fix: Sometimes safe. Puts the code that uses the client into `async with`; a fixture yields it from there. A plain `def`
must become `async def` too, which is unsafe. No fix for clients of a module or of `self`.
"""

from __future__ import annotations

from collections.abc import Iterator

from awaitest.engine.clients import class_of, closes_itself, holds, only_requests, tries_to_close, used
from awaitest.engine.decorators import Shape, shape
from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.handover import may_be_closed, may_be_closed_within
from awaitest.engine.repair import fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import FIXTURE, MODULE, TEST, Run
from awaitest.engine.steps import Created, Ended, Gave, Kept
from awaitest.engine.values import Site
from awaitest.engine.wrapping import async_around, wrap_assigned, wrap_inline
from awaitest.engine.yielding import generator_edits, wrap_given
from awaitest.source.text import Edit

RULE = Rule("AWT301", "unclosed-client", Severity.WARNING)


def check(step: Ended | Kept, run: Run) -> Iterator[Finding]:
    """The owner of a client ends, or stores it, and nobody closes it."""
    for site in step.clients if isinstance(step, Ended) else (step.site,):
        cls = class_of(run, site)
        expected = any(item.expected for item in run.steps if isinstance(item, Created) and item.site is site)
        if expected or site.closed or not run.mine(site.node) or cls is None or closes_itself(run, cls):
            continue
        if isinstance(step, Kept):
            yield from _kept(step, run)
        elif run.kind == MODULE and not site.escaped:
            yield from _of_module(site, run)
        elif not site.escaped and not tries_to_close(run, site) and (run.kind == TEST or not site.lent):
            yield from _of_function(site, run)


def _kept(step: Kept, run: Run) -> Iterator[Finding]:
    if run.cls is not None and only_requests(run, step):
        name = f"self.{step.attribute}"
        message = f"`{name}` is never closed: `{run.cls.node.name}` only sends requests with it. Await `{name}.aclose()` in its teardown."
        yield Finding(step.site.node, message)


def _of_module(site: Site, run: Run) -> Iterator[Finding]:
    name = next(iter(site.named), "")
    if len(site.named) == 1 and run.engine.project.config.collects_file(run.path) and only_requests(run, name):
        message = f"`{name}` is made when the module is imported, and nothing closes it. Let a fixture yield it from inside `async with {site.label}(…)`."
        yield Finding(site.node, message)


def _of_function(site: Site, run: Run) -> Iterator[Finding]:
    given = any(isinstance(item, Gave) and holds(item.value, site) for item in run.steps)
    name = min(site.named, default="client")
    is_manager = run.function is not None and shape(run.engine.world, run.function) is Shape.ASYNC_MANAGER
    if given and (run.kind == FIXTURE or is_manager):
        if not (may_be_closed(run) if run.kind == FIXTURE else may_be_closed_within(run)):
            who = "fixture" if run.kind == FIXTURE else "context manager"
            message = f"The {who} `{run.node.name}` hands out a client that nobody closes. Yield it from inside `async with {site.label}(…) as …:`."
            yield Finding(site.node, message, lambda: _fix(run, wrap_given(run, site), becomes_generator=True))
    elif not given and used(run, site):
        who = f"`{name}`" if site.named else f"The client of `{site.label}(…)`"
        message = f"{who} is never closed: `{run.node.name}` neither enters it nor awaits its `aclose()`. Use `async with {site.label}(…) as {name}:`."
        yield Finding(
            site.node, message, lambda: _fix(run, wrap_assigned(run, site, kept=True) or wrap_inline(run, site))
        )


def _fix(run: Run, edits: list[Edit] | None, becomes_generator: bool = False) -> Fix | None:
    around = async_around(run)
    if edits is None or around is None:
        return None
    whole = generator_edits(run, [*edits, *around]) if becomes_generator else [*edits, *around]
    return fix(run, "Use `async with`", whole, safe=not around)
