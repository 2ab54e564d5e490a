"""Reports tests that wait for status 500 where the app's exception reaches the test instead.

Finds `assert response.status_code == 500` on the response of a route that raises a built-in exception in each call,
requested through an `ASGITransport` or `TestClient` that raises exceptions of the app. Silent where the app has
exception handlers or middleware.

Why: A server turns an exception that nobody handles into status 500. An `ASGITransport` and a `TestClient` raise it
where the request is sent, so that the assertion is never reached.

Bad:
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    app = FastAPI()

    @app.get("/boom")
    async def boom():
        raise RuntimeError("boom")

    def test_boom():
        client = TestClient(app)
        response = client.get("/boom")
        assert response.status_code == 500

Good:
    def test_boom():
        client = TestClient(app, raise_server_exceptions=False)
        response = client.get("/boom")
        assert response.status_code == 500

Ignore: When a plugin handles the exceptions of the app.

Fix: Unsafe. Keeps exceptions in the app, for all requests of the client: `raise_app_exceptions=False` for an
`ASGITransport`, `raise_server_exceptions=False` for a `TestClient`. Offered where it is made in the test.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.failures import Raised, raised_for
from awaitest.engine.repair import fix, insert
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import TEST, Run
from awaitest.engine.steps import Checked
from awaitest.source.nodes import parts_of

RULE = Rule("AWT405", "app-exception-expected-as-response", Severity.HINT)

_NAMES = frozenset({"HTTP_500_INTERNAL_SERVER_ERROR", "INTERNAL_SERVER_ERROR"})


def check(step: Checked, run: Run) -> Iterator[Finding]:
    """A response with status 500 that never comes."""
    match step.node:
        case ast.Assert(
            test=ast.Compare(
                left=ast.Attribute(value=response, attr="status_code"), ops=[ast.Eq()], comparators=[wanted]
            )
        ) if run.kind == TEST and not step.expected and _is_500(wanted):
            raised = raised_for(run, response)
        case _:
            raised = None
    if raised is not None:
        message = (
            f"`{raised.handler.name}` raises {raised.exception}, which reaches the test: no response has status 500. "
            f"Use `{raised.option}=False`."
        )
        yield Finding(step.node.test, message, lambda: _fix(run, raised))


def _is_500(node: ast.expr) -> bool:
    return (isinstance(node, ast.Constant) and node.value == 500) or getattr(node, "attr", "") in _NAMES


def _fix(run: Run, raised: Raised) -> Fix | None:
    call = raised.carrier.node
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    if not given or not any(part is call for part in parts_of(run.node)):
        return None
    end = max(run.span(part).end for part in given)
    return fix(run, f"Use `{raised.option}=False`", [insert(end, f", {raised.option}=False")], safe=False)
