"""How a TestClient is made and used, and the same with an AsyncClient."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitest.assist.refactorings.imports import spelled
from awaitest.assist.refactorings.style import library
from awaitest.engine.repair import await_edits, parents, path_to
from awaitest.engine.steps import Called
from awaitest.engine.values import ClassInfo, ClassValue, Instance, Plain, Value, every
from awaitest.engine.world import Definition
from awaitest.source.edits import Import
from awaitest.source.nodes import parts_of
from awaitest.source.text import Edit

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_REQUESTS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "request"})
_SETTINGS = frozenset({"headers", "cookies"})
"""Attributes that both clients have and nobody awaits."""
_OF_TRANSPORT = {"raise_server_exceptions": "raise_app_exceptions", "root_path": "root_path", "client": "client"}
_OF_CLIENT = ("base_url", "headers", "cookies", "follow_redirects")
_INNER = (*Definition.__args__, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def is_testclient(run: Run, value: Value) -> bool:
    """Whether a value is certainly a TestClient, or an object of a class that derives from it."""
    world = run.engine.world
    return every(value, Instance) and all(
        isinstance(kind, Instance) and world.derives(kind.cls, "TestClient", "starlette", "fastapi") for kind in value
    )


def making_calls(run: Run) -> list[ast.Call]:
    """The calls of a function that make a TestClient."""
    calls = (step for step in run.steps if isinstance(step, Called) and is_testclient(run, step.result))
    return list(dict.fromkeys(step.node for step in calls))


def client_text(run: Run, call: ast.Call, user: ast.AST) -> tuple[str, list[Import]] | None:
    """`AsyncClient(transport=ASGITransport(…), …)` for `TestClient(…)`, and the imports it lacks; `user` is who uses it."""
    name, texts = library(run), [part.value for part in parts_of(user) if isinstance(part, ast.Constant)]
    given = _arguments(run, call)
    if name is None or given is None or "testclient" in texts or "#" in run.source(call):
        return None
    client, transport = spelled(run, name, "AsyncClient"), spelled(run, name, "ASGITransport")
    if client is None or transport is None:
        return None
    app = [f"app={given['app']}"]
    inner = [f"{new}={given[old]}" for old, new in _OF_TRANSPORT.items() if old in given]
    host = "testserver" if any(isinstance(text, str) and "testserver" in text for text in texts) else "test"
    outer = {"base_url": f'"http://{host}"', **{key: given[key] for key in _OF_CLIENT if key in given}}
    arguments = [
        f"transport={transport[0]}({', '.join(app + inner)})",
        *(f"{key}={value}" for key, value in outer.items()),
    ]
    return f"{client[0]}({', '.join(arguments)})", [*transport[1], *client[1]]


def _arguments(run: Run, call: ast.Call) -> dict[str, str] | None:
    """What the TestClient is given, by name; None where an AsyncClient has no such argument."""
    steps = [step for other in run.sheet.runs for step in other.steps if isinstance(step, Called) and step.node is call]
    if not steps or not all(_is_its_own(kind) for step in steps for kind in step.target):
        return None
    given = {keyword.arg: run.source(keyword.value) for keyword in call.keywords if keyword.arg is not None}
    if len(given) != len(call.keywords) or len(call.args) > 1 or any(isinstance(it, ast.Starred) for it in call.args):
        return None
    if call.args:
        given["app"] = run.source(call.args[0])
    return given if "app" in given and given.keys() <= {"app", *_OF_TRANSPORT, *_OF_CLIENT} else None


def _is_its_own(kind: object) -> bool:
    cls: ClassInfo | None = kind.cls if isinstance(kind, ClassValue) else None
    return cls is not None and cls.node.name == "TestClient" and cls.package in ("starlette", "fastapi")


def request_edits(run: Run, name: str, given: ast.AST | None = None) -> list[Edit] | None:
    """Await every request of a client; None where the client is used for anything else, but for `given`, where it is handed out."""
    above, edits, stores = parents(run.node), list[Edit](), 0
    for node in parts_of(run.node):
        if not isinstance(node, ast.Name) or node.id != name:
            continue
        if not isinstance(node.ctx, ast.Load):
            stores += 1
            continue
        used = above[id(node)]
        if used is given or (isinstance(used, ast.Attribute) and used.attr in _SETTINGS):
            continue
        call = above[id(used)]
        requested = isinstance(used, ast.Attribute) and used.attr in _REQUESTS
        if not requested or not isinstance(call, ast.Call) or call.func is not used or not _may_be_awaited(run, call):
            return None
        awaited = await_edits(run, call)
        if awaited is None:
            return None
        edits += awaited
    return edits if stores <= 1 else None


def _may_be_awaited(run: Run, call: ast.Call) -> bool:
    """Whether a request can be awaited where it stands, and its body sent by an AsyncClient."""
    chain = path_to(run.node, call)
    if any(isinstance(part, _INNER) for part in chain if part is not run.node):
        return False
    if sum(isinstance(part, _COMPREHENSIONS) for part in chain) > 1:
        return False
    return all(keyword.arg != "content" or _is_data(run, call, keyword) for keyword in call.keywords)


def _is_data(run: Run, call: ast.Call, keyword: ast.keyword) -> bool:
    steps = (step for step in run.steps if isinstance(step, Called) and step.node is call)
    index = len(call.args) + call.keywords.index(keyword)
    return all(index < len(step.arguments) and every(step.arguments[index], Plain) for step in steps)
