"""Functions that declare by `@overload` what they give for which arguments."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaitest.engine.annotations import declared, elements
from awaitest.engine.arguments import Call, bound_arguments, fits, is_protocol
from awaitest.engine.generics import bound_by
from awaitest.engine.promises import passes_through
from awaitest.engine.values import (
    NONE,
    CallableValue,
    Coroutine,
    FunctionInfo,
    FunctionValue,
    Instance,
    Plain,
    Site,
    Value,
    every,
    join,
    known,
)
from awaitest.engine.world import Definition, decorated_with
from awaitest.source.nodes import spelt

if TYPE_CHECKING:
    from awaitest.engine.expressions import Evaluator
    from awaitest.engine.world import World

_OPEN = frozenset({"Any", "object", "TypeVar"})


def told(run: Evaluator, call: Call, target: FunctionValue) -> Value | None:
    """What a call gives by the first overload that takes its arguments, or by all that may be the first; None where there are
    none, or not all of them are known."""
    overloads = _overloads(run.world, target.function)
    if target.receiver is not None and overloads and passes_through(run, target.function, target.receiver):
        return None
    given: list[Value] = []
    for overload in overloads:
        own = FunctionValue(overload, target.receiver)
        takes = _takes(run, call, own, overloads) if fits(call, own) else False
        if takes is not False:
            given.append(_given(run, call, own))
        if takes:
            break
    value = join(*given) if given else frozenset()
    return value if known(value) else None


def _overloads(world: World, function: FunctionInfo) -> list[FunctionInfo]:
    """In the order of the text."""
    member = world.member(function.owner, function.name) if function.owner is not None else None
    nodes = member.nodes if member is not None else function.module.bound.get(function.name, ())
    if len(nodes) < 2 or function.node not in nodes:
        return []
    found = [node for node in nodes if isinstance(node, Definition) and decorated_with(node, "overload")]
    return [world.function_info(function.module, node, function.owner) for node in found]


def _given(run: Evaluator, call: Call, overload: FunctionValue) -> Value:
    function, node = overload.function, overload.function.node
    returns = node.returns if isinstance(node, Definition) else None
    bound = bound_by(run.world, function, bound_arguments(call, overload))
    result = declared(run.world, function.module, returns, bound=bound)
    if not function.is_async or not known(result):
        return result
    return frozenset({Coroutine(Site(call.node, run.module, call.label, lambda: result))})


def _takes(run: Evaluator, call: Call, overload: FunctionValue, others: Iterable[FunctionInfo]) -> bool | None:
    """Whether an overload takes the arguments by which overloads differ; None where that cannot be told."""
    annotations = [_annotations(it) for it in others]
    own = _annotations(overload.function)
    verdicts = [
        _allows(run, overload.function, own[name], value) if name in own else None
        for name, value in bound_arguments(call, overload).items()
        if len({spelt(it[name]) if name in it else "" for it in annotations}) > 1
    ]
    if False in verdicts:
        return False
    return None if None in verdicts else True


def _annotations(function: FunctionInfo) -> dict[str, ast.expr]:
    arguments = function.node.args
    every_one = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    return {item.arg: item.annotation for item in every_one if item.annotation is not None}


def _allows(run: Evaluator, function: FunctionInfo, annotation: ast.expr, value: Value) -> bool | None:
    verdicts = [_part_allows(run, function, part, value) for part in _parts(annotation)]
    if True in verdicts:
        return True
    return None if None in verdicts else False


def _parts(annotation: ast.expr) -> Iterator[ast.expr]:
    """What stands in a union."""
    match annotation:
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            yield from (*_parts(left), *_parts(right))
        case ast.Subscript(value=base, slice=inside) if spelt(base).rpartition(".")[2] in {"Union", "Optional"}:
            for part in elements(inside):
                yield from _parts(part)
            if spelt(base).endswith("Optional"):
                yield ast.Constant(None)
        case _:
            yield annotation


def _part_allows(run: Evaluator, function: FunctionInfo, part: ast.expr, value: Value) -> bool | None:
    name = spelt(part.value if isinstance(part, ast.Subscript) else part).rpartition(".")[2]
    allowed = declared(run.world, function.module, part)
    if name == "Literal" and isinstance(part, ast.Subscript):
        texts = {_literal(it) for it in elements(part.slice)}
        return _is_among(texts, value)
    if name in _OPEN or not known(allowed) or not known(value):
        return None
    if allowed == NONE and value.isdisjoint(NONE):
        return False
    classes = {kind.cls for kind in allowed if isinstance(kind, Instance)}
    if every(value, Plain) and value != NONE:
        given, wanted = ({kind.name for kind in it if isinstance(kind, Plain)} for it in (value, allowed))
        if given <= wanted:
            return True
        return None if wanted - {"None"} or any(map(is_protocol, classes)) else False
    if value == NONE:
        return allowed == NONE
    if every(value, FunctionValue):
        return every(allowed, CallableValue) or (None if every(allowed, Instance) else False)
    if every(value, Instance) and every(allowed, Instance):
        families = [run.world.mro(it.cls) for it in value if isinstance(it, Instance)]
        if all(not classes.isdisjoint(family) for family, _ in families):
            return True
        is_other = all(classes.isdisjoint(family) and complete for family, complete in families)
        return False if is_other and not any(map(is_protocol, classes)) else None
    return None


def _is_among(texts: set[object], value: Value) -> bool | None:
    consts = [(type(kind.const), kind.const) if isinstance(kind, Plain) else None for kind in value]
    if not consts or any(it is None or it[1] is None for it in consts):
        return None if value != NONE else (type(None), None) in texts
    among = [it in texts for it in consts]
    return True if all(among) else None if any(among) else False


def _literal(node: ast.expr) -> object:
    const = node.value if isinstance(node, ast.Constant) else node
    return type(const), const
