"""Whether a response that a test checks can come at all: a handler that raises, behind a transport that raises on."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitest.engine.apps import TRANSPORTS, app_made, argument, made_by, members_of, modules_of
from awaitest.engine.lifespans import app_behind, names_of
from awaitest.engine.routes import handler_of, modules_behind, requests_of
from awaitest.engine.run import TEST
from awaitest.engine.steps import Called
from awaitest.engine.values import BuiltinValue, FunctionInfo, Made, Value, every
from awaitest.engine.world import Definition
from awaitest.source.nodes import parts_of, spelt

if TYPE_CHECKING:
    from awaitest.engine.run import Run
    from awaitest.project.modules import Module

_HANDLING = frozenset(
    {"exception_handler", "add_exception_handler", "exception_handlers", "middleware", "add_middleware"}
)
_DECIDING = (ast.If, ast.Try, ast.For, ast.AsyncFor, ast.While, ast.Match, ast.With, ast.AsyncWith)


@dataclass(frozen=True, slots=True)
class Raised:
    """A request whose handler raises, and the call that could keep the exception in the app."""

    handler: FunctionInfo
    exception: str
    carrier: Made
    option: str


def raised_for(run: Run, response: ast.expr) -> Raised | None:
    """What the handler raises that serves the request of a response: a name, or the request itself."""
    call = _request(run, response)
    owner = call.func.value if call is not None and isinstance(call.func, ast.Attribute) else None
    client = _client(run, owner)
    carrier, option = _carrier(client)
    made = app_made(app_behind(client)) if client else None
    if (
        call is None
        or not isinstance(owner, ast.Name)
        or carrier is None
        or made is None
        or argument(carrier, option) is not None
    ):
        return None
    requests = list(requests_of(call, {owner.id}))
    handler = handler_of(run, made, requests[0]) if len(requests) == 1 else None
    exception = _raises(run, handler) if handler is not None else None
    if (
        handler is None
        or exception is None
        or _is_switched(run, option)
        or any(_handles(module) for module in (*modules_behind(run, made), *modules_of(run)))
    ):
        return None
    return Raised(handler, exception, carrier, option)


def _is_switched(run: Run, option: str) -> bool:
    """Whether the test, or what is no test, sets an option of a transport that is made already, or puts another in its place."""
    members = [member for module in modules_of(run) for member in members_of(run, module)]
    return any(
        isinstance(part, (ast.Attribute, ast.Constant))
        and getattr(part, "attr", getattr(part, "value", None)) in {option, "_transport"}
        for node, kind in members
        if kind != TEST or node is run.node
        for part in parts_of(node)
    )


def _request(run: Run, response: ast.expr) -> ast.Call | None:
    value: ast.expr | None = response
    if isinstance(response, ast.Name):
        stores = [part for part in parts_of(run.node) if isinstance(part, ast.Name) and part.id == response.id]
        assigned = [part for part in parts_of(run.node) if isinstance(part, ast.Assign) and part.targets[0] in stores]
        once = len([part for part in stores if isinstance(part.ctx, ast.Store)]) == 1
        value = assigned[0].value if once and len(assigned) == 1 else None
    value = value.value if isinstance(value, ast.Await) else value
    return value if isinstance(value, ast.Call) else None


def _client(run: Run, owner: ast.expr | None) -> Value:
    """What the client of this name is, where it has only one meaning here."""
    name = owner.id if isinstance(owner, ast.Name) else ""
    received = [step.value for step in run.received() if step.name == name]
    made = [step.result for step in run.steps if isinstance(step, Called) and name in names_of(run.node, step.node)]
    found = [*received, *made]
    return found[0] if len(set(found)) == 1 else frozenset()


def _carrier(client: Value) -> tuple[Made | None, str]:
    """What decides whether exceptions of the app are raised, and by which option."""
    made = made_by(client, "AsyncClient", "httpx", "httpx2")
    transport = argument(made, "transport") if made is not None else None
    if transport:
        return made_by(transport, *TRANSPORTS), "raise_app_exceptions"
    return made_by(client, "TestClient", "starlette"), "raise_server_exceptions"


def _raises(run: Run, handler: FunctionInfo) -> str | None:
    """The built-in exception that a function raises whenever it is called."""
    body = handler.node.body if isinstance(handler.node, Definition) else []
    for statement in body:
        if isinstance(statement, ast.Raise) and statement.exc is not None:
            called = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
            value = run.engine.world.reader.expression(handler.module, called)
            return spelt(called) if every(value, BuiltinValue) else None
        if isinstance(statement, (*_DECIDING, ast.Return)):
            return None
    return None


def _handles(module: Module) -> bool:
    return any(
        getattr(part, "attr", getattr(part, "arg", None)) in _HANDLING
        for node in module.body
        for part in parts_of(node)
    )
