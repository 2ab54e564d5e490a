"""Reports a streamed response that nobody closes.

Finds `send(request, stream=True)` of an `AsyncClient` of httpx or httpx2 whose response is neither closed nor read to
its end, only looked at: its status, its headers.

Why: A streamed response keeps its connection until it is closed. Nothing warns of one that is not: the connection stays
taken until the client is closed, and a pool with a limit runs dry.

Bad:
    import pytest
    from httpx import AsyncClient

    @pytest.mark.asyncio
    async def test_events(client: AsyncClient):
        request = client.build_request("GET", "/events")
        response = await client.send(request, stream=True)
        assert response.status_code == 200

Good:
    import pytest
    from httpx import AsyncClient

    @pytest.mark.asyncio
    async def test_events(client: AsyncClient):
        async with client.stream("GET", "/events") as response:
            assert response.status_code == 200

Ignore: When the client is closed right after, or a hook of it reads each response.

Fix: Safe. Makes it `async with client.stream(…)`, which builds and sends the same request. Offered where the request is
built by `build_request` in the line before, or in the call.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.repair import fix, path_to, remove_lines
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import MODULE, Run
from awaitest.engine.steps import Called
from awaitest.engine.uses import library_callee, uses
from awaitest.engine.values import Site
from awaitest.engine.wrapping import assigned, wrap_assigned
from awaitest.source.nodes import spelt
from awaitest.source.text import Edit

RULE = Rule("AWT308", "unclosed-stream", Severity.WARNING)

_SENDS = frozenset({"httpx.AsyncClient.send", "httpx2.AsyncClient.send"})
_LOOKING = frozenset({"status_code", "reason_phrase", "http_version", "url", "headers", "cookies", "history", "request", "encoding", "charset_encoding", "is_informational", "is_success", "is_redirect", "is_client_error", "is_server_error", "is_error", "has_redirect_location", "next_request", "links", "raise_for_status"})  # fmt: skip
"""What of a response says nothing about its body."""


def check(step: Called, run: Run) -> Iterator[Finding]:
    """A response that is open is looked at and dropped."""
    if step.expected or run.kind == MODULE or library_callee(step.target) not in _SENDS or not _streams(step.node):
        return
    awaited = next(iter(path_to(run.node, step.node)), None)
    places = uses(run, awaited) if isinstance(awaited, ast.Await) else None
    if places is None or not all(_looks(use.parent) for use in places):
        return
    message = (
        f"Nothing closes the response of `{step.label}(…, stream=True)`: its connection stays taken until the client is closed. "
        "Use `async with client.stream(…)`."
    )
    yield Finding(step.node, message, lambda: _fix(step, run))


def _streams(call: ast.Call) -> bool:
    values = (item.value for item in call.keywords if item.arg == "stream")
    return any(isinstance(value, ast.Constant) and value.value is True for value in values)


def _looks(parent: ast.AST) -> bool:
    return isinstance(parent, ast.Expr) or (isinstance(parent, ast.Attribute) and parent.attr in _LOOKING)


def _fix(step: Called, run: Run) -> Fix | None:
    send, site = step.node, Site(step.node, run.module, step.label)
    found = assigned(run, site)
    if found is None or len(send.args) != 1 or len(send.keywords) != 1 or not isinstance(send.func, ast.Attribute):
        return None
    block, index, name, value = found
    build, gone = _built(run, block[index - 1] if index else None, send.args[0])
    site.named.add(name)
    edits = wrap_assigned(run, site)
    if build is None or edits is None or spelt(build.func) != f"{spelt(send.func.value)}.build_request":
        return None
    client, given = run.source(send.func.value), run.source(build).removeprefix(run.source(build.func))
    stream = Edit(run.span(value), f"{client}.stream{given}")
    return fix(run, "Use `stream()`", [*gone, stream, *edits], safe=True)


def _built(run: Run, before: ast.stmt | None, request: ast.expr) -> tuple[ast.Call | None, list[Edit]]:
    """The call that builds a request, on one line: in place, or in the statement before, which then goes."""
    build, gone = request, []
    if isinstance(request, ast.Name) and isinstance(before, ast.Assign):
        places = uses(run, before.value) or []
        line = run.document.lines[run.span(before).start.line]
        if [use.node for use in places] == [request] and line.strip() == run.source(before):
            build, gone = before.value, [remove_lines(run, before)]
    return (build if isinstance(build, ast.Call) and "\n" not in run.source(build) else None), gone
