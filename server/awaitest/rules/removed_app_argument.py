"""Reports an app that is handed to `AsyncClient` itself instead of to its transport.

Finds `AsyncClient(app=app)`, `AsyncClient(app)` and `AsyncClient(transport=app)`.

Why: httpx 0.28 removed the `app` argument, and httpx2 never had it: the call raises a `TypeError`. An app given as
`transport` fails with the first request. httpx 0.27 still takes `app=`, with a DeprecationWarning: there it is a
warning. Older versions take it silently: a hint.

Bad:
    import pytest
    from httpx import AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_users():
        async with AsyncClient(app=app, base_url="http://test") as client:
            await client.get("/users/")

Good:
    import pytest
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_users():
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            await client.get("/users/")

Ignore: When a test wants the `TypeError`; inside `pytest.raises` nothing is reported.

Fix: Sometimes safe. Hands the app to an `ASGITransport`, with its import. Unsafe where `**options` may bring a transport; not
offered where `transport=` is given too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from packaging.version import Version

from awaitest.engine.clients import library_of, sibling_edits
from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.repair import fix, insert
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import Run
from awaitest.engine.steps import Called
from awaitest.engine.values import ClassInfo, ClassValue, Instance, Value, every
from awaitest.engine.words import short
from awaitest.source.text import Edit, Span

RULE = Rule("AWT305", "removed-app-argument", Severity.ERROR)

_DEPRECATED_IN, _REMOVED_IN = Version("0.27"), Version("0.28")


def check(step: Called, run: Run) -> Iterator[Finding]:
    """A client's constructor gets the app."""
    cls = next((kind.cls for kind in step.target if isinstance(kind, ClassValue)), None)
    library = library_of(run, cls, "__init__") if cls is not None and len(step.target) == 1 else None
    if cls is None or library is None or step.expected:
        return
    positional, named = step.node.args, {item.arg: item for item in step.node.keywords}
    values = dict(zip([*positional, *step.node.keywords], step.arguments, strict=True))
    at: ast.expr | ast.keyword | None = named.get("app")
    severity = None
    if at is not None:
        problem, severity = _removed(run, library)
    elif len(positional) == 1 and _is_app(values[positional[0]], run):
        at, problem = positional[0], "takes no positional argument, so that handing it the app raises TypeError"
    elif "transport" in named and _is_app(values[named["transport"]], run):
        at, problem = named["transport"], "takes the app for a transport, so that the first request fails"
    if at is not None:
        app = at.value if isinstance(at, ast.keyword) else at
        message = f"`{short(step.node.func)}` {problem}. Write `transport=ASGITransport(app={short(app)})`."
        yield Finding(at, message, lambda: _fix(step, run, cls, at, app), severity)


def _removed(run: Run, library: str) -> tuple[str, Severity | None]:
    """What is wrong with `app=`, and how bad that is with the installed version."""
    if library != "httpx":
        return f"takes no `app`: {library} never had it, so that the call raises TypeError", None
    version = run.engine.project.environment.version("httpx")
    if version is not None and version < _REMOVED_IN:
        level = Severity.HINT if version < _DEPRECATED_IN else Severity.WARNING
        return "takes `app` only before httpx 0.28; with 0.28 this call raises TypeError", level
    return "takes no `app` since httpx 0.28, so that the call raises TypeError", None


def _is_app(value: Value, run: Run) -> bool:
    world = run.engine.world
    return every(value, Instance) and all(
        isinstance(kind, Instance) and world.derives(kind.cls, "Starlette", "starlette") for kind in value
    )


def _fix(step: Called, run: Run, cls: ClassInfo, at: ast.expr | ast.keyword, app: ast.expr) -> Fix | None:
    names = {item.arg for item in step.node.keywords if item is not at}
    spelt = sibling_edits(run, step.node, cls, "ASGITransport")
    if spelt is None or "transport" in names:
        return None
    name, imports = spelt
    start = Edit(Span(run.span(at).start, run.span(app).start), f"transport={name}(app=")
    return fix(
        run, f"Use `transport={name}(…)`", [start, insert(run.span(app).end, ")"), *imports], safe=None not in names
    )
