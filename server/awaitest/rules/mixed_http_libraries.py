"""Reports a client of one HTTP library over a transport of the other.

Finds a client of httpx that is given a transport of httpx2, and the reverse.

Why: Both libraries have the same names, and each checks for its own classes: the first request fails with a bare
`AssertionError` that names neither of them.

Bad:
    import pytest
    from httpx import AsyncClient
    from httpx2 import ASGITransport

    from app.main import app

    @pytest.mark.asyncio
    async def test_users():
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            assert (await client.get("/users")).status_code == 200

Good:
    import pytest
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_users():
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            assert (await client.get("/users")).status_code == 200

Ignore: When a test wants the `AssertionError`; where the function has a `pytest.raises`, nothing is reported.

Fix: Unsafe. Takes the transport from the library of the client, where it is made in the same file; it may be the client
that should change.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.apps import argument
from awaitest.engine.clients import LIBRARIES, moved_edits
from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.repair import fix
from awaitest.engine.requests import waits_for_failure
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import Run
from awaitest.engine.steps import Called
from awaitest.engine.values import ClassInfo, Instance, Value

RULE = Rule("AWT310", "mixed-http-libraries", Severity.ERROR)


def check(step: Called, run: Run) -> Iterator[Finding]:
    """A client is made with a transport that takes only what the other library makes."""
    client, transport = _only(step.result), None
    if client is not None and client.made is not None and client.made.node is step.node and not step.expected:
        transport = _only(argument(client.made, "transport"))
    at = next((item for item in step.node.keywords if item.arg == "transport"), None)
    if client is None or transport is None or at is None:
        return
    handler = (
        "handle_async_request" if run.engine.world.derives(client.cls, "AsyncClient", *LIBRARIES) else "handle_request"
    )
    mine, theirs = _library(run, client.cls, "send"), _library(run, transport.cls, handler)
    if not mine or not theirs or mine == theirs or waits_for_failure(run) or _aliased(run):
        return
    message = (
        f"`{step.label}` is of {mine} and its transport of {theirs}: the first request fails with a bare AssertionError. "
        "Take both from one library."
    )
    yield Finding(at, message, lambda: _fix(step, run, client.cls, transport))


def _only(value: Value | None) -> Instance | None:
    kind = next(iter(value)) if value and len(value) == 1 else None
    return kind if isinstance(kind, Instance) else None


def _library(run: Run, cls: ClassInfo, method: str) -> str | None:
    """The library whose own method a class has."""
    member = run.engine.world.member(cls, method)
    return member.owner.package if member is not None and member.owner.package in LIBRARIES else None


def _aliased(run: Run) -> bool:
    """Whether the project lets one library stand for the other."""
    project = run.engine.project
    return any(True for _ in project.modules_mentioning(b"alias_httpx", project.config.rootdir))


def _fix(step: Called, run: Run, cls: ClassInfo, transport: Instance) -> Fix | None:
    made = transport.made if transport.cls.package in LIBRARIES else None
    func = made.node.func if made is not None and made.module is run.module and run.mine(made.node) else None
    if not isinstance(func, (ast.Name, ast.Attribute)):
        return None
    edits = moved_edits(run, step.node, cls, transport.cls, func)
    return fix(run, "Take the transport from the library of the client", edits, safe=False)
