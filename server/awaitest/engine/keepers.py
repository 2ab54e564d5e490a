"""Classes without annotations whose objects keep a coroutine that their constructor is given, and await it when they are awaited or
entered: `pool.acquire()` of the database drivers."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitest.engine.arguments import Call, bound_arguments
from awaitest.engine.values import (
    UNKNOWN,
    Awaitable,
    ClassInfo,
    Coroutine,
    FunctionValue,
    Instance,
    Value,
    join,
    known,
)
from awaitest.engine.world import Definition
from awaitest.source.nodes import parts_of, spelt

if TYPE_CHECKING:
    from awaitest.engine.expressions import Evaluator
    from awaitest.engine.world import World


def parameter(world: World, cls: ClassInfo) -> str | None:
    """The parameter of the constructor that is the coroutine."""
    kept = _kept(world, cls)
    maker = world.method(cls, "__init__") if kept is not None else None
    if maker is None:
        return None
    bare = {item.arg for item in maker.node.args.args if item.annotation is None}
    assigned = [
        part for part in parts_of(maker.node) if isinstance(part, ast.Assign) and spelt(part.targets[0]) == kept
    ]
    names = [spelt(part.value) for part in assigned]
    return names[0] if len(names) == 1 and names[0] in bare else None


def given(run: Evaluator, call: Call, cls: ClassInfo) -> Value | None:
    """What the coroutine gives that an object of such a class is made with."""
    name = parameter(run.world, cls)
    maker = run.world.method(cls, "__init__") if name is not None else None
    if name is None or maker is None:
        return None
    coroutine = bound_arguments(call, FunctionValue(maker, frozenset({Instance(cls)}))).get(name, UNKNOWN)
    results = (
        it.site.result() if isinstance(it, Coroutine) else it.result if isinstance(it, Awaitable) else UNKNOWN
        for it in coroutine
    )
    value = join(*results) if coroutine else UNKNOWN
    return value if known(value) else None


def held(world: World, kind: Instance) -> Value | None:
    """What the coroutine of such an object gives; None for an object of any other class."""
    return kind.arguments[0] if len(kind.arguments) == 1 and parameter(world, kind.cls) is not None else None


def enters_result(world: World, cls: ClassInfo) -> bool:
    """Whether `async with` gives what the coroutine gives: `self.x = await self.coroutine`, then `return self.x`."""
    kept, entering = _kept(world, cls), world.method(cls, "__aenter__")
    match entering.node.body if entering is not None and isinstance(entering.node, Definition) else []:
        case [ast.Return(value=ast.Await(value=value))]:
            return spelt(value) == kept
        case [ast.Assign(targets=[target], value=ast.Await(value=value)), ast.Return(value=ast.expr() as returned)]:
            return spelt(value) == kept and spelt(target) == spelt(returned)
    return False


def _kept(world: World, cls: ClassInfo) -> str | None:
    """The attribute that `__await__` hands on: `return self.x.__await__()`."""
    awaiting = world.method(cls, "__await__")
    body = awaiting.node.body if awaiting is not None and isinstance(awaiting.node, Definition) else []
    match [it for it in body if not (isinstance(it, ast.Expr) and isinstance(it.value, ast.Constant))]:
        case [
            ast.Return(value=ast.Call(func=ast.Attribute(value=value, attr="__await__")))
            | ast.Return(value=ast.YieldFrom(value=ast.Call(func=ast.Attribute(value=value, attr="__await__"))))
        ]:
            return spelt(value) if spelt(value).startswith("self.") else None
    return None
