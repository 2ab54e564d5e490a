"""Which functions of the app serve a request, and what they certainly read on the way."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitest.engine.apps import state_reads
from awaitest.engine.endless import generates_forever, never_ends
from awaitest.engine.syntax import DECIDING, generates, unconditional
from awaitest.engine.values import FunctionInfo, FunctionValue, Instance, Made
from awaitest.engine.world import Definition
from awaitest.project.resolve import Found
from awaitest.source.nodes import kept, last_name, of_kind, parts_of

if TYPE_CHECKING:
    from awaitest.engine.run import Run
    from awaitest.project.modules import Module

_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
_DEPENDING = frozenset({"Depends", "Security"})

Request = tuple[str, str]
"""Method and path."""


def requests_of(node: ast.AST, names: set[str], made: ast.Call | None = None) -> Iterator[Request]:
    """Requests that a function sends through a client of one of these names, or through one made on the spot."""
    return (request for request, _ in sent_by(node, names, made))


def sent_by(node: ast.AST, names: set[str], made: ast.Call | None = None) -> Iterator[tuple[Request, ast.Call]]:
    """The same, each with its call."""
    for part in parts_of(node):
        if not isinstance(part, ast.Call) or not isinstance(part.func, ast.Attribute) or part.func.attr not in _METHODS:
            continue
        owner = part.func.value
        path = part.args[0] if part.args else None
        mine = (isinstance(owner, ast.Name) and owner.id in names) or owner is made
        if mine and isinstance(path, ast.Constant) and isinstance(path.value, str):
            yield (part.func.attr, path.value.partition("?")[0]), part


def handler_of(run: Run, app: Made, request: Request) -> FunctionInfo | None:
    """The one function that serves a request, or None where it cannot be told."""
    method, path = request
    found = [
        run.engine.world.function_info(module, route.node)
        for module in modules_behind(run, app)
        for declared in _declared(module)
        for route in declared.routes
        if route.method == method and _serves(run, module, route.owner, app, path, route.path)
    ]
    return found[0] if len(found) == 1 else None


def modules_behind(run: Run, app: Made) -> list[Module]:
    """The modules of the project that an app is made of."""
    project = run.engine.project
    return [project.module(path) for path in sorted(project.reach(app.module))]


def started_by(run: Run, app: Made) -> Iterator[FunctionInfo]:
    """The functions that `@app.on_event("startup")` adds to an app of a module."""
    for module in modules_behind(run, app):
        for node, owner in (starter for declared in _declared(module) for starter in declared.starters):
            if _makers(run, module, owner) == {app.node}:
                yield run.engine.world.function_info(module, node)


@dataclass(frozen=True, slots=True)
class _Route:
    """A route that a decorator declares: the function, what it is added to, method and path."""

    node: Definition
    owner: ast.expr
    method: str
    path: str


@dataclass(frozen=True, slots=True)
class _Declared:
    """What the decorators of a statement declare; `endless` tells whether a function in it yields for ever."""

    routes: list[_Route]
    starters: list[tuple[Definition, ast.expr]]
    endless: bool


def _declared(module: Module) -> tuple[_Declared, ...]:
    return module.document.gathered(_declarations) if module.document is not None else ()


def _declarations(statement: ast.stmt) -> tuple[_Declared, ...]:
    found = map(_in_statement, statement.body if isinstance(statement, ast.ClassDef) else [statement])
    return tuple(it for it in found if it.routes or it.starters or it.endless)


@kept
def _in_statement(statement: ast.stmt) -> _Declared:
    functions: list[Definition] = [*of_kind(statement, ast.FunctionDef), *of_kind(statement, ast.AsyncFunctionDef)]
    decorators = [(part, item) for part in functions for item in part.decorator_list]
    routes, starters = [], []
    for node, item in decorators:
        match item:
            case ast.Call(func=ast.Attribute(value=owner, attr="on_event"), args=[ast.Constant(value="startup")]):
                if node is statement:
                    starters.append((node, owner))
            case ast.Call(func=ast.Attribute(value=owner, attr=method), args=[ast.Constant(value=str(path)), *_]):
                if method in _METHODS:
                    routes.append(_Route(node, owner, method, path))
    return _Declared(routes, starters, any(map(never_ends, of_kind(statement, ast.While))))


def _makers(run: Run, module: Module, owner: ast.expr) -> set[ast.Call]:
    value = run.engine.world.reader.expression(module, owner)
    return {kind.made.node for kind in value if isinstance(kind, Instance) and kind.made is not None}


def _serves(run: Run, module: Module, owner: ast.expr, app: Made, path: str, template: str) -> bool:
    """Whether a route of this owner serves a path: of the app itself, or of a router that may be included in it."""
    makers = _makers(run, module, owner)
    return makers <= {app.node} and _matches(path, template, whole=bool(makers))


def _matches(path: str, template: str, *, whole: bool) -> bool:
    """Whether a path fits a template, behind the prefix of a router where it may have one."""
    given, wanted = path.strip("/").split("/"), template.strip("/").split("/")
    if len(given) < len(wanted) or (whole and len(given) != len(wanted)) or (not whole and wanted == [""]):
        return False
    return all(
        want == have or (want.startswith("{") and want.endswith("}") and ":" not in want)
        for want, have in zip(reversed(wanted), reversed(given), strict=False)
    )


def certainly_reads(
    run: Run, function: FunctionInfo, names: frozenset[str], *, on_app: bool, deeper: int
) -> str | None:
    """A name of the state that each call of a function reads, itself or through what it depends on."""
    node = function.node
    if isinstance(node, ast.Lambda):
        return None
    for statement in node.body:
        if isinstance(statement, DECIDING):
            break
        found = next(state_reads(unconditional(statement), names, on_app=on_app), None)
        if found is not None:
            return found
    found_below = [item for item in dependencies(run, function) if item is not None] if deeper else []
    reads = (certainly_reads(run, item, names, on_app=on_app, deeper=deeper - 1) for item in found_below)
    return next((name for name in reads if name is not None), None)


def dependencies(run: Run, function: FunctionInfo) -> Iterator[FunctionInfo | None]:
    """The functions that a handler or dependency depends on by `Depends(…)`, in order; None for what else it depends on."""
    arguments = function.node.args
    declared = [item.annotation for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    for node in (*declared, *arguments.defaults, *arguments.kw_defaults):
        yield from _depends(run, function.module, node)


def dependency(run: Run, module: Module, *nodes: ast.expr | None) -> FunctionInfo | None:
    """The one function that annotations or defaults depend on."""
    found = [item for node in nodes for item in _depends(run, module, node)]
    return found[0] if len(found) == 1 else None


def _depends(run: Run, module: Module, node: ast.expr | None) -> Iterator[FunctionInfo | None]:
    """What an annotation, or a default, written out or by its name, depends on."""
    world = run.engine.world
    found = world.resolver.lookup(module, node.id) if isinstance(node, ast.Name) else None
    module, holder = (found.module, found.node) if isinstance(found, Found) else (module, node)
    for part in parts_of(holder) if isinstance(holder, ast.expr) else ():
        if isinstance(part, ast.Call) and last_name(part.func) in _DEPENDING:
            value = world.joined(module, part.args[:1])
            functions = [kind.function for kind in value if isinstance(kind, FunctionValue)]
            yield functions[0] if len(functions) == len(value) == 1 else None


def may_stream_forever(run: Run, app: Made) -> bool:
    """Whether any generator that an app may use never ends."""
    return any(declared.endless for module in modules_behind(run, app) for declared in _declared(module))


def streams_forever(run: Run, handler: FunctionInfo) -> bool:
    """Whether a handler calls one generator function of the project, its own or of its module, and that never ends."""
    nodes = list(parts_of(handler.node))
    own = {part.name: part for part in nodes[1:] if isinstance(part, Definition)}
    called = {part.func.id for part in nodes if isinstance(part, ast.Call) and isinstance(part.func, ast.Name)}
    found = [own[name] for name in called if name in own]
    for name in called - own.keys():
        target = run.engine.world.resolver.lookup(handler.module, name)
        if isinstance(target, Found) and isinstance(target.node, Definition) and target.module.origin == "project":
            found.append(target.node)
    generators = [node for node in found if generates(node)]
    return len(generators) == 1 and generates_forever(generators[0])
