"""Methods that subclasses in sight define anew: an object that is declared as their base may be one of theirs."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from awaitest.engine.members import attribute
from awaitest.engine.syntax import generates
from awaitest.engine.values import (
    UNKNOWN,
    CallableValue,
    ClassValue,
    Coroutine,
    FunctionValue,
    Instance,
    Site,
    Value,
    every,
)
from awaitest.engine.world import statements_binding
from awaitest.source.nodes import spelt

if TYPE_CHECKING:
    from awaitest.engine.expressions import Evaluator


def redefined(run: Evaluator, base: Value, name: str) -> list[ast.stmt]:
    """What subclasses make of a method. An object that was made here is of its own class."""
    declared = [it.cls for it in base if isinstance(it, Instance) and it.site is None and it.made is None]
    nearby = (*run.local_classes, *run.world.classes_of(run.module)) if declared else ()
    return [
        node
        for cls in nearby
        if any(cls is not it and it in run.world.mro(cls)[0] for it in declared)
        for node in statements_binding(cls.node.body, name)
    ]


def some_method(run: Evaluator, node: ast.Attribute, base: Value, others: Iterable[ast.stmt]) -> Value:
    """One of the methods that an object may have: of coroutine functions it is known that they are, though not what they give."""
    own = [it.function.node if isinstance(it, FunctionValue) else None for it in attribute(run.world, base, node.attr)]
    if not all(map(_is_coroutine_function, (*own, *others))):
        return UNKNOWN
    later = Site(node, run.module, spelt(node), escaped=True)
    return frozenset({CallableValue(frozenset({Coroutine(later)}))})


def unrelated(run: Evaluator, classes: Value, objects: Value) -> bool:
    """Whether no object is of one of the classes, or of a class in sight that derives from one of them and from its own."""
    named = {kind.cls for kind in classes if isinstance(kind, ClassValue)}
    own = {kind.cls for kind in objects if isinstance(kind, Instance)}
    if not every(classes, ClassValue) or not every(objects, Instance):
        return False
    modules = (run.module, *(cls.module for cls in named | own))
    nearby = named.union(own, run.local_classes, *map(run.world.classes_of, modules))
    families = [run.world.mro(cls)[0] for cls in nearby]
    complete = all(run.world.mro(cls)[1] for cls in named | own)
    return complete and all(named.isdisjoint(it) or own.isdisjoint(it) for it in families)


def _is_coroutine_function(node: ast.AST | None) -> bool:
    return isinstance(node, ast.AsyncFunctionDef) and not node.decorator_list and not generates(node)
