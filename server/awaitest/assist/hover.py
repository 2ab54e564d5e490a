"""Hovers: what happens at a place, as the execution table tells it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitest.assist.cursor import nodes_at, run_at
from awaitest.assist.given import handed_over, origin
from awaitest.engine.run import TEST
from awaitest.engine.state import CLOSED, NEW, OPEN, USED
from awaitest.engine.steps import Awaited, Called, ClientUsed, Entered, Misused
from awaitest.engine.syntax import generates
from awaitest.engine.values import (
    Awaitable,
    BuiltinValue,
    ClassValue,
    Coroutine,
    FunctionValue,
    Instance,
    Site,
    Value,
    every,
    join,
    known,
)
from awaitest.engine.words import describe, short
from awaitest.source.nodes import children, parts_of
from awaitest.source.text import Position, Span

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_STATES = {NEW: "not entered yet", USED: "used without `async with`", OPEN: "open", CLOSED: "closed"}
_CLIENTS = ("AsyncClient", "TestClient", "Client")
_LIBRARIES = ("httpx", "httpx2", "starlette", "fastapi")
_Lives = dict[Site, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Hover:
    """Markdown about the text that `span` covers."""

    span: Span
    markdown: str


def hover(runs: Sequence[Run], position: Position) -> Hover | None:
    """What is known of the awaited call, the call, the client, the coroutine or the fixture parameter at a place."""
    run = run_at(runs, position)
    nodes = nodes_at(run, position) if run is not None else []
    if run is None or not nodes:
        return None
    node, parent = nodes[0], nodes[1] if len(nodes) > 1 else None
    if isinstance(node, ast.Await):
        called = node.value
        return _of_call(run, called, node) if isinstance(called, ast.Call) else _of_await(run, node)
    if isinstance(parent, ast.Call) and parent.func is node:
        outer = nodes[2] if len(nodes) > 2 else None
        return _of_call(run, parent, outer if isinstance(outer, ast.Await) else None)
    if isinstance(node, ast.arg):
        return _of_parameter(run, node)
    return _of_name(run, node, nodes) if isinstance(node, ast.Name) else None


def _told(run: Run, node: ast.AST, head: str, *facts: str | None) -> Hover:
    return Hover(run.span(node), "\n".join([head, "", *(f"- {fact}" for fact in facts if fact is not None)]).rstrip())


# -- calls -------------------------------------------------------------------------------------------------------------


def _of_call(run: Run, call: ast.Call, awaited: ast.Await | None) -> Hover | None:
    step = next((step for step in run.steps if isinstance(step, Called) and step.node is call), None)
    if step is None or any(isinstance(kind, BuiltinValue) for kind in step.target):
        return None
    head, advice = _made(run, step, awaited)
    client = _receiver(run, step)
    if head is None and client is None:
        return None
    head = head or f"`{_name(call)}(…)`"
    return _told(run, awaited or call, head, advice, client, _receiver_origin(run, call))


def _made(run: Run, step: Called, awaited: ast.Await | None) -> tuple[str | None, str | None]:
    """What a call gives, and what to do where its coroutine is not awaited."""
    name = f"`{_name(step.node)}(…)`"
    if not every(step.result, Coroutine):
        if awaited is not None:
            return _awaited(run, awaited, name), None
        gives = describe(step.result)
        if every(step.target, ClassValue):
            return f"{name} makes an object of `{gives}`", None
        return (f"{name} gives `{gives}`; there is nothing to await" if _settled(step.result) else None), None
    sites = [kind.site for kind in step.result if isinstance(kind, Coroutine)]
    results = {describe(site.result()) for site in sites} - {"unknown"}
    gives = f"`{results.pop()}`" if len(results) == 1 else ""
    if awaited is not None:
        return f"{name} is awaited" + (f" and gives {gives}" if gives else ""), None
    missing = {used.coroutine.site for used in run.steps if isinstance(used, Misused)}
    if missing.intersection(sites):
        result = f" to get {gives}" if gives else ""
        around = "" if run.is_async else f" and make `{run.node.name}` an `async def`"
        return f"{name} is **not awaited**: its coroutine never runs", f"put `await` before it{result}{around}"
    later = "awaited later" if all(site.awaited for site in sites) else "handed on"
    return f"{name} makes a coroutine, which is {later}" + (f" and gives {gives}" if gives else ""), None


def _settled(value: Value) -> bool:
    return known(value) and describe(value) != "unknown" and not every(value, Awaitable)


def _of_await(run: Run, node: ast.Await) -> Hover | None:
    told = _awaited(run, node, f"`{short(node.value)}`")
    return None if told is None else _told(run, node, told)


def _awaited(run: Run, node: ast.Await, name: str) -> str | None:
    step = next((step for step in run.steps if isinstance(step, Awaited) and step.node is node), None)
    if step is None or not every(step.operand, Coroutine, Awaitable):
        return None
    gives = describe(step.result)
    return f"{name} is awaited" + (f" and gives `{gives}`" if gives != "unknown" else "")


def _name(call: ast.Call) -> str:
    return short(call.func).removesuffix("(…)")


# -- clients -----------------------------------------------------------------------------------------------------------


def _receiver(run: Run, step: Called) -> str | None:
    """The client a method is called on, and its state before the call."""
    func = step.node.func
    bound = [kind.receiver for kind in step.target if isinstance(kind, FunctionValue) and kind.receiver is not None]
    if not isinstance(func, ast.Attribute) or not bound or _is_lost(run, func.value):
        return None
    used = [other for other in run.steps if isinstance(other, ClientUsed) and other.node is step.node]
    lives = {other.site: frozenset({other.certain}) for other in used if other.certain is not None}
    return _client(run, short(func.value), join(*bound), lives)


def _client(run: Run, name: str, value: Value, lives: _Lives) -> str | None:
    """A client by name, with its class and its state."""
    classes = {kind.cls for kind in value if isinstance(kind, Instance)}
    world = run.engine.world
    if not every(value, Instance) or len(classes) != 1:
        return None
    cls = classes.pop()
    if not any(world.derives(cls, known_one, *_LIBRARIES) for known_one in _CLIENTS):
        return None
    states = {state for kind in value if isinstance(kind, Instance) and kind.site for state in lives.get(kind.site, ())}
    told = " or ".join(_STATES[state] for state in _STATES if state in states)
    state = f", {told}" if told and len(states) < len(_STATES) - 1 else ""
    return f"`{name}`: `{cls.node.name}`{state}"


def _is_lost(run: Run, node: ast.expr) -> bool:
    """Whether a name is a parameter that does not, or may not, get what its fixture gives."""
    given = (step for step in run.received() if isinstance(node, ast.Name) and step.name == node.id)
    return any(not handed_over(run, step) for step in given)


def _receiver_origin(run: Run, call: ast.Call) -> str | None:
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    return _origin_of(run, receiver.id) if isinstance(receiver, ast.Name) else None


def _origin_of(run: Run, name: str) -> str | None:
    """Where the fixture that fills a parameter stands, unless the name is bound anew."""
    stores = (part for part in parts_of(run.node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store))
    step = next((step for step in run.received() if step.name == name), None)
    return None if step is None or any(part.id == name for part in stores) else origin(run, step.fixture)


def _of_name(run: Run, node: ast.Name, nodes: Sequence[ast.AST]) -> Hover | None:
    """A name that holds a client, a coroutine or what a fixture gave, once its statement has run; a client that is used, before."""
    called = nodes[2] if len(nodes) > 2 and getattr(nodes[2], "func", None) is nodes[1] else None
    used = next((_receiver(run, step) for step in run.steps if isinstance(step, Called) and step.node is called), None)
    if used is not None:
        return _told(run, node, used, _origin_of(run, node.id))
    statement = next((part for part in nodes if isinstance(part, ast.stmt)), None)
    inside = {id(part) for root in _heads(statement) for part in parts_of(root)}
    steps = [step for step in run.steps if id(step) in run.snapshots and id(step.node) in inside]
    done = [step for step in steps if isinstance(step, Entered)] or steps
    names, lives = run.snapshots[id(done[-1])] if done else ({}, {})
    value = names.get(node.id)
    if value is None or _is_lost(run, node):
        return None
    client = _client(run, node.id, value, lives)
    if client is not None:
        return _told(run, node, client, _origin_of(run, node.id))
    if every(value, Coroutine):
        sites = [kind.site for kind in value if isinstance(kind, Coroutine)]
        fate = "handed on" if any(site.escaped for site in sites) else "never awaited"
        told = "awaited" if all(site.awaited for site in sites) else fate
        return _told(run, node, f"`{node.id}`: {describe(value)}, {told}")
    given = _origin_of(run, node.id)
    return None if given is None or not known(value) else _told(run, node, f"`{node.id}`: `{describe(value)}`", given)


def _heads(statement: ast.stmt | None) -> list[ast.AST]:
    """The parts of a statement that run before its blocks."""
    if statement is None:
        return []
    parts = [part for part in children(statement) if not isinstance(part, ast.stmt | ast.ExceptHandler)]
    return parts if isinstance(getattr(statement, "body", None), list) else [statement]


# -- parameters --------------------------------------------------------------------------------------------------------


def _of_parameter(run: Run, node: ast.arg) -> Hover | None:
    step = next((step for step in run.received() if step.node is node), None)
    if step is None:
        return None
    where, handed = origin(run, step.fixture), handed_over(run, step)
    if handed is False:
        what = "an asynchronous generator" if generates(step.fixture.node) else "a coroutine"
        return _told(run, node, f"`{node.arg}`: {what} that **nobody runs**: see its fixture", where)
    lives = {kind.site: kind.site.inherited for kind in step.value if isinstance(kind, Instance) and kind.site}
    given = f": `{describe(step.value)}`" if handed and known(step.value) else ""
    client = _client(run, node.arg, step.value, lives) if handed else None
    awaited = "awaited before the test begins" if handed and step.fixture.is_async and run.kind == TEST else None
    return _told(run, node, client or f"`{node.arg}`{given}", where, awaited)
