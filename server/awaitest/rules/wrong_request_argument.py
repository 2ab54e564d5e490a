"""Reports an argument that a request method of a client does not take.

Finds a keyword that the method does not have, in requests of httpx, httpx2 and `TestClient`: a body for `delete`,
`get`, `head` or `options`, or the `allow_redirects` of requests. What a method takes is read from the library that is
installed.

Why: The call raises `TypeError: … got an unexpected keyword argument`. Methods that seldom have a body have no
parameter for one; `request()` takes it for every method.

Bad:
    import pytest
    from httpx import AsyncClient

    @pytest.mark.asyncio
    async def test_delete_users(client: AsyncClient):
        response = await client.delete("/users", json={"ids": [1, 2]})
        assert response.status_code == 204

Good:
    import pytest
    from httpx import AsyncClient

    @pytest.mark.asyncio
    async def test_delete_users(client: AsyncClient):
        response = await client.request("DELETE", "/users", json={"ids": [1, 2]})
        assert response.status_code == 204

Ignore: When a test wants the `TypeError`; inside `pytest.raises` nothing is reported.

Fix: Sometimes safe. Sends the body by `request("DELETE", …)`, and writes `follow_redirects` for `allow_redirects`.
Unsafe for the other methods, whose argument may have been meant for `params`. Not offered for other arguments.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.facts import REQUESTS
from awaitest.engine.repair import fix, insert
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import Run
from awaitest.engine.steps import Called
from awaitest.engine.values import FunctionValue
from awaitest.engine.words import short
from awaitest.source.edits import indent_of, renamed
from awaitest.source.text import Edit, Position, Span

RULE = Rule("AWT315", "wrong-request-argument", Severity.ERROR)

_LIBRARIES = frozenset({"httpx", "httpx2", "starlette", "fastapi"})
_BODY = frozenset({"json", "data", "content", "files"})
_BODILESS = frozenset({"delete", "get", "head", "options"})
_OLD, _NEW = "allow_redirects", "follow_redirects"


def check(step: Called, run: Run) -> Iterator[Finding]:
    """A request is given a keyword that is not in the signature of the library's method."""
    kind = next(iter(step.target)) if len(step.target) == 1 else None
    func = step.node.func
    if not isinstance(kind, FunctionValue) or not kind.receiver or not isinstance(func, ast.Attribute) or step.expected:
        return
    function = kind.function
    owner, taken = function.owner, function.node.args
    if owner is None or owner.package not in _LIBRARIES or function.name not in REQUESTS or taken.kwarg is not None:
        return
    derives = run.engine.world.derives
    if not derives(owner, "BaseClient", "httpx", "httpx2") or func.attr != function.name:
        return
    if function.module.origin != "installed" and not derives(owner, "AsyncClient", "httpx", "httpx2"):
        return
    names = {item.arg for item in (*taken.args, *taken.kwonlyargs)}
    wrong = [item for item in step.node.keywords if item.arg is not None and item.arg not in names]
    if wrong:
        message = (
            f"`{short(func)}()` takes no `{wrong[0].arg}`: the call raises TypeError.{_advice(func, wrong, names)}"
        )
        yield Finding(wrong[0], message, lambda: _fix(step, run, func, wrong, names))


def _advice(func: ast.Attribute, wrong: list[ast.keyword], names: set[str]) -> str:
    if wrong[0].arg == _OLD and _NEW in names:
        return f" Write `{_NEW}`."
    if func.attr in _BODILESS and wrong[0].arg in _BODY:
        return f' Write `{short(func.value)}.request("{func.attr.upper()}", …, {wrong[0].arg}=…)`.'
    return ""


def _fix(step: Called, run: Run, func: ast.Attribute, wrong: list[ast.keyword], names: set[str]) -> Fix | None:
    given = {item.arg for item in step.node.keywords}
    start, opened = run.span(wrong[0]).start, run.span(func).end
    if wrong[0].arg == _OLD and _NEW in names - given:
        edit = Edit(Span(start, Position(start.line, start.column + len(_OLD))), _NEW)
        return fix(run, f"Write `{_NEW}`", [edit], safe=True)
    if func.attr not in _BODILESS or not all(item.arg in _BODY for item in wrong):
        return None
    first = run.span([*step.node.args, *step.node.keywords][0]).start
    line, method = run.document.lines[first.line], f'"{func.attr.upper()}",'
    before = line[: first.column]
    apart = run.document.newline + indent_of(line) if not before.strip() else " "
    if before.strip() and not (first.line == opened.line and before[opened.column :].strip() == "("):
        return None
    called = renamed(run.span(func), func.attr, "request")
    return fix(run, "Use `request()`", [called, insert(first, method + apart)], safe=func.attr == "delete")
