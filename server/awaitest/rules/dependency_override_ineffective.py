"""Reports overrides that FastAPI cannot use: the key is no dependency of any route, or the value is not callable.

Finds keys and values of `app.dependency_overrides` that are the result of a call, or plain data, where the function
itself is meant.

Why: FastAPI looks the dependency up by the function object that stands in `Depends(…)`. Any other key, such as what
that function returns, is never found: the app runs with the real dependency, and nothing tells. A value that is not
callable makes each request fail with `TypeError: … is not a callable object`.

Bad:
    from fastapi import Depends, FastAPI
    from fastapi.testclient import TestClient

    app = FastAPI()

    def get_db():
        return "real"

    @app.get("/db")
    async def read_db(db: str = Depends(get_db)):
        return db

    def test_db():
        app.dependency_overrides[get_db()] = lambda: "fake"
        assert TestClient(app).get("/db").json() == "fake"

Good:
    def test_db():
        app.dependency_overrides[get_db] = lambda: "fake"
        assert TestClient(app).get("/db").json() == "fake"

Ignore: When the test is about such a failure.

Fix: Safe. Names the function instead of calling it. A value that is data goes into a `lambda`. Not offered where the
call has arguments that would be lost, or something has to be awaited.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.overrides import call_at, function_meant, is_no_dependency, is_uncallable, override_by
from awaitest.engine.repair import fix, insert
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import Run
from awaitest.engine.steps import Called, Stored
from awaitest.engine.values import Collection, Instance, Plain, Value, every
from awaitest.source.nodes import parts_of, spelt
from awaitest.source.text import Edit

RULE = Rule("AWT404", "dependency-override-ineffective", Severity.ERROR)

_LONGEST = 50


def check(step: Stored | Called, run: Run) -> Iterator[Finding]:
    """A key that no dependency is, a value that cannot be called."""
    override = override_by(step, run)
    if override is None or step.expected:
        return
    key, value = override.key_node, override.value_node
    made = call_at(run, key)
    if is_no_dependency(run, override.key, made):
        message = (
            f"`{_text(key)}` is no dependency of any route, so that this override has no effect. "
            "FastAPI looks for the very function in `Depends(…)`: use that as the key."
        )
        yield Finding(key, message, lambda: _named(run, key, made))
    given = call_at(run, value)
    if value is not None and is_uncallable(run, override.value, given):
        message = (
            f"`{_text(value)}` is not callable, and FastAPI calls it: requests that need it raise TypeError. "
            "Put a function there."
        )
        yield Finding(value, message, lambda: _named(run, value, given) or _wrapped(run, value, override.value))


def _text(node: ast.expr) -> str:
    text = spelt(node)
    if len(text) > _LONGEST and isinstance(node, ast.Call):
        text = f"{spelt(node.func)}(…)"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _named(run: Run, node: ast.expr, call: Called | None) -> Fix | None:
    """The function instead of its call."""
    named = function_meant(call) if call is not None else None
    if named is None:
        return None
    text = run.source(named)
    return fix(run, f"Use `{text}`", [Edit(run.span(node), text)], safe=True)


def _wrapped(run: Run, node: ast.expr, value: Value) -> Fix | None:
    """Data is given back by a `lambda`, unless it has to be made beforehand."""
    data = isinstance(node, (ast.Constant, ast.Call, ast.List, ast.Dict, ast.Set))
    early = any(isinstance(part, (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)) for part in parts_of(node))
    if early or not data or not every(value, Plain, Collection, Instance):
        return None
    return fix(run, "Wrap it in a `lambda`", [insert(run.span(node).start, "lambda: ")], safe=True)
