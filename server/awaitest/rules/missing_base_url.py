"""Reports a client that is asked for paths and knows no host to ask.

Finds an `AsyncClient` over an `ASGITransport` that has no `base_url`, or one without `http://`, where a request gives a
path only.

Why: httpx calls the app and then fails with `ValueError: unknown url type: '/users'`. A `base_url` such as `"test"` is
taken for a path: httpx raises the same error, httpx2 sends the request to `test/users`, which is answered by 404.
httpx2 needs no `base_url` over an `ASGITransport`: there only a wrong one is reported.

Bad:
    import pytest
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_users():
        async with AsyncClient(transport=ASGITransport(app=app)) as client:
            assert (await client.get("/users")).status_code == 200

Good:
    import pytest
    from httpx import ASGITransport, AsyncClient

    from app.main import app

    @pytest.mark.asyncio
    async def test_users():
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            assert (await client.get("/users")).status_code == 200

Ignore: When a test wants the `ValueError`; inside `pytest.raises` nothing is reported.

Fix: Sometimes safe. Adds `base_url="http://test"`, or puts `http://` before the one that is there. Unsafe where the
test may pass today, since a wrong path gives a 404 and no exception.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from awaitest.engine.apps import argument, made_by
from awaitest.engine.clients import library_of
from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.repair import added_argument, fix, insert
from awaitest.engine.requests import path_asked
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import Run
from awaitest.engine.steps import Called
from awaitest.engine.values import Instance, text_of
from awaitest.engine.words import short
from awaitest.source.text import Position

RULE = Rule("AWT306", "missing-base-url", Severity.ERROR)

_DECIDING = frozenset({"auth", "event_hooks", "mounts", "*"})
_QUOTED = re.compile(r"[uU]?(\"\"\"|'''|\"|')")


def check(step: Called, run: Run) -> Iterator[Finding]:
    """A client is made that gets paths and has no host for them."""
    kind = next(iter(step.result)) if len(step.result) == 1 else None
    if step.expected or not isinstance(kind, Instance) or kind.made is None or kind.made.node is not step.node:
        return
    library, made = library_of(run, kind.cls, "__init__", "request", "build_request", "send", "_merge_url"), kind.made
    given, transport = argument(made, "base_url"), argument(made, "transport")
    base = "" if given is None else text_of(given)
    if library is None or base is None or transport is None or not _DECIDING.isdisjoint(dict(made.arguments)):
        return
    hostless = "//" not in base and (library == "httpx" or base[:1] not in {"", "/"})
    path = path_asked(run, step.node) if hostless and made_by(transport, "ASGITransport", library) else None
    if path is None:
        return
    at = next((item for item in step.node.keywords if item.arg == "base_url"), None)
    raises = library == "httpx" and ":" not in base
    outcome = "httpx raises ValueError" if raises else f"{library} takes it for a path, which gives 404"
    lacks = (
        f'the `base_url` "{base}" without `http://`' if base else f"no `base_url`, so that `{short(path)}` has no host"
    )
    message = f'`{step.label}` has {lacks}: {outcome}. Write `base_url="{_whole(base)}"`.'
    yield Finding(at or step.node, message, lambda: _fix(step, run, at, base, raises))


def _whole(base: str) -> str:
    return f"http://test{base}" if base[:1] in {"", "/"} else f"http://{base}"


def _fix(step: Called, run: Run, at: ast.keyword | None, base: str, raises: bool) -> Fix | None:
    whole = _whole(base)
    if at is None:
        return fix(run, "Add a `base_url`", added_argument(run, step.node, f'base_url="{whole}"'), safe=raises)
    place = run.span(at.value).start
    quote = _QUOTED.match(run.document.lines[place.line], place.column)
    if not isinstance(at.value, ast.Constant) or quote is None or base.startswith("http"):
        return None
    inside = insert(Position(place.line, quote.end()), whole.removesuffix(base))
    return fix(run, "Give the `base_url` its scheme", [inside], safe=raises)
