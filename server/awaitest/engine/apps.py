"""What is declared of an app under test: how it was made, its lifespan, and the state that only the lifespan sets."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaitest.engine.fixtures import requested
from awaitest.engine.run import FIXTURE, HELPER, TEST
from awaitest.engine.syntax import own_nodes
from awaitest.engine.values import UNKNOWN, FunctionInfo, FunctionValue, Instance, Made, Value
from awaitest.engine.world import Definition
from awaitest.source.nodes import parts_of

if TYPE_CHECKING:
    from awaitest.engine.run import Run
    from awaitest.project.modules import Module

TRANSPORTS, MANAGERS = ("ASGITransport", "httpx", "httpx2"), ("LifespanManager", "asgi_lifespan")


def made_by(value: Value, name: str, *packages: str) -> Made | None:
    """How the one object in a value was made, where it is of that very class of a library."""
    kind = next(iter(value)) if len(value) == 1 else None
    if not isinstance(kind, Instance) or kind.cls.node.name != name or kind.cls.package not in packages:
        return None
    return kind.made


def argument(made: Made, name: str, position: int | None = None) -> Value | None:
    """What a call was given under a name or in a place; None where it was not."""
    given = dict(made.arguments)
    if "*" in given:
        return UNKNOWN
    return given.get(name, given.get(position) if position is not None else None)


def receiver(target: Value) -> Value | None:
    """The object whose method is called."""
    kind = next(iter(target)) if len(target) == 1 else None
    return kind.receiver if isinstance(kind, FunctionValue) else None


def over_asgi(client: Value) -> bool:
    """Whether a client is certainly an AsyncClient that asks an app in this process."""
    made = made_by(client, "AsyncClient", "httpx", "httpx2")
    transport = argument(made, "transport") if made is not None else None
    return transport is not None and made_by(transport, *TRANSPORTS) is not None


def swallows_errors(client: Value) -> bool:
    """Whether the transport of an AsyncClient may keep exceptions of the app to itself."""
    made = made_by(client, "AsyncClient", "httpx", "httpx2")
    transport = argument(made, "transport") if made is not None else None
    carrier = made_by(transport, *TRANSPORTS) if transport else None
    return carrier is None or argument(carrier, "raise_app_exceptions", 1) is not None


def app_made(app: Value | None) -> Made | None:
    """How an app of FastAPI or Starlette was made."""
    return (made_by(app, "FastAPI", "fastapi") or made_by(app, "Starlette", "starlette")) if app else None


def lifespan_of(app: Value | None) -> FunctionInfo | None:
    """The lifespan that an app of FastAPI or Starlette was made with, where it is a function of the project."""
    made = app_made(app)
    lifespan = argument(made, "lifespan") if made else None
    kind = next(iter(lifespan)) if lifespan and len(lifespan) == 1 else None
    if not isinstance(kind, FunctionValue) or kind.receiver is not None or isinstance(kind.function.node, ast.Lambda):
        return None
    return kind.function if kind.function.module.origin == "project" else None


def yielded_state(function: FunctionInfo) -> frozenset[str]:
    """The names of the state that a lifespan yields: `yield {"db": db}`, `yield State(db=db)`."""
    names: set[object] = set()
    for part in own_nodes(function.node):
        value = part.value if isinstance(part, ast.Yield) else None
        if isinstance(value, ast.Dict):
            names |= {key.value if isinstance(key, ast.Constant) else None for key in value.keys}
        elif isinstance(value, ast.Call) and not value.args:
            names |= {keyword.arg for keyword in value.keywords}
    return frozenset(name for name in names if isinstance(name, str))


def around(run: Run) -> Iterator[ast.AST]:
    """The function, and the fixtures that run around it."""
    yield run.node
    if run.kind in (TEST, FIXTURE):
        wanted = requested(run.node, run.cls is not None)
        wanted += [str(name) for mark in run.marks if mark.name == "usefixtures" for name in _texts(mark.arguments)]
        for fixture in run.engine.fixtures.closure(wanted, run.seeker).values():
            if fixture is not None:
                yield fixture.node


def _texts(nodes: list[ast.expr]) -> Iterator[object]:
    return (node.value for node in nodes if isinstance(node, ast.Constant))


def calls(node: ast.AST, name: str) -> bool:
    """Whether something of that name is called below a node."""
    return any(
        isinstance(part, ast.Call) and getattr(part.func, "id", getattr(part.func, "attr", "")) == name
        for part in parts_of(node)
    )


def modules_of(run: Run) -> list[Module]:
    """The project's modules that the function's own rests on."""
    project = run.engine.project
    return [project.module(path) for path in sorted(project.reach(run.module))]


def members_of(run: Run, module: Module) -> Iterator[tuple[ast.stmt, str]]:
    """Functions, methods and statements of a module, and what each is: a test, a fixture or a helper."""
    engine = run.engine
    for statement in module.body:
        cls = engine.world.class_info(module, statement) if isinstance(statement, ast.ClassDef) else None
        for member in statement.body if isinstance(statement, ast.ClassDef) else [statement]:
            if not isinstance(member, Definition):
                yield member, HELPER
            elif engine.fixtures.made_by(module, member, cls) is not None:
                yield member, FIXTURE
            else:
                yield member, TEST if engine.is_test(module, member, cls) else HELPER


def state_uses(
    nodes: Iterable[ast.AST], names: frozenset[str]
) -> Iterator[tuple[ast.Attribute | ast.Subscript, str, ast.expr]]:
    """Where code reads or sets `x.state.name` or `x.state["name"]`: the place, the name, and `x`."""
    for node in nodes:
        for part in parts_of(node):
            yield from _state_use(part, names)


def _state_use(part: ast.AST, names: frozenset[str]) -> Iterator[tuple[ast.Attribute | ast.Subscript, str, ast.expr]]:
    match part:
        case ast.Attribute(value=ast.Attribute(value=owner, attr="state"), attr=name):
            pass
        case ast.Subscript(value=ast.Attribute(value=owner, attr="state"), slice=ast.Constant(value=str(name))):
            pass
        case _:
            return
    if name in names:
        yield part, name, owner


def needed_by_requests(run: Run, names: frozenset[str]) -> str | None:
    """One of these names that the app reads from the state of a request, where nothing in sight sets any of them there."""
    uses = [use for module in (modules_of(run) if names else ()) for use in state_uses(module.body, names)]
    if not all(isinstance(node.ctx, ast.Load) or is_app(owner) for node, _, owner in uses):
        return None
    return min((name for _, name, owner in uses if is_request(owner)), default=None)


def is_app(owner: ast.expr) -> bool:
    """Whether `x` in `x.state` names an app."""
    name = _last(owner)
    return name in {"app", "application"} or name.endswith("_app")


def is_request(owner: ast.expr) -> bool:
    """Whether `x` in `x.state` names a request or a websocket."""
    name = _last(owner)
    return name in {"req", "conn", "connection", "websocket", "ws"} or name.endswith("request")


def _last(node: ast.expr) -> str:
    return str(getattr(node, "attr", getattr(node, "id", ""))).lower()


def state_reads(parts: Iterable[ast.AST], names: frozenset[str], *, on_app: bool) -> Iterator[str]:
    """Names that parts of an expression read from the state of the app, or of a request."""
    for part in parts:
        for node, name, owner in _state_use(part, names):
            if isinstance(node.ctx, ast.Load) and (is_app(owner) if on_app else is_request(owner)):
                yield name
