"""Marks on tests, as pytest gathers them: the function's, its classes' and the module's, through aliases."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitest.engine.values import ClassInfo, FunctionInfo
from awaitest.engine.world import World, statements_binding

if TYPE_CHECKING:
    from awaitest.project.modules import Module

_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark; the name is None where it cannot be told. `where` is "function", "class" or "module"; its node stands in
    `module`, which need not be the one of the test."""

    name: str | None
    node: ast.expr
    where: str
    module: Module

    @property
    def keywords(self) -> dict[str, ast.expr]:
        items = self.node.keywords if isinstance(self.node, ast.Call) else []
        return {item.arg: item.value for item in items if item.arg is not None}

    @property
    def arguments(self) -> list[ast.expr]:
        return self.node.args if isinstance(self.node, ast.Call) else []


def marks_of(world: World, function: FunctionInfo, cls: ClassInfo | None) -> list[Mark]:
    """Every mark of a test function, nearest first."""
    node = function.node
    if isinstance(node, ast.Lambda):
        return []
    marks = list(decorators(world, function.module, node.decorator_list, "function"))
    if cls is not None:
        for owner in (base for nested in (cls, *world.enclosing(cls)) for base in world.mro(nested)[0]):
            marks += decorators(world, owner.module, owner.node.decorator_list, "class")
            marks += pytestmarks(world, owner.module, owner.node.body, "class")
    module = cls.module if cls is not None else function.module
    marks += module_marks(world, module)
    return marks


def asyncio_mark(marks: Iterable[Mark]) -> Mark | None:
    """The mark that pytest-asyncio reads, the nearest of its own; one whose name cannot be told may be it."""
    return next((mark for mark in marks if mark.name in {"asyncio", None}), None)


def module_marks(world: World, module: Module) -> list[Mark]:
    """What `pytestmark` of a module gives to all its tests, also where a star import brings it."""
    if "pytestmark" not in module.bound and not _brought_by_star(world, module):
        return []
    found = list(pytestmarks(world, module, module.body, "module"))
    if not found:
        target = world.resolver.lookup(module, "pytestmark")
        node = getattr(target, "node", None)
        found = (
            list(_of_value(world, target.module, node, "module"))
            if target and isinstance(node, ast.expr)
            else [Mark(None, ast.Name("pytestmark"), "module", module)]
        )
    return found


def _brought_by_star(world: World, module: Module) -> bool:
    """Whether a module that star imports lead to has a `pytestmark`, or cannot be found."""
    pending, met = [module], {id(module)}
    for reached in pending:
        for star in reached.star_imports:
            origin = world.resolver.star_module(reached, star)
            if origin is None or "pytestmark" in (origin.bound if origin.all_names is None else origin.all_names):
                return True
            if origin.all_names is None and id(origin) not in met:
                met.add(id(origin))
                pending.append(origin)
    return False


def decorators(world: World, module: Module, nodes: Iterable[ast.expr], where: str) -> Iterable[Mark]:
    """The marks among decorators."""
    for node in nodes:
        yield from _of_expression(world, module, node, where, 0)


def pytestmarks(world: World, module: Module, body: list[ast.stmt], where: str) -> Iterable[Mark]:
    """The marks that `pytestmark = …` in a body gives."""
    for statement in statements_binding(body, "pytestmark"):
        value = getattr(statement, "value", None)
        if isinstance(value, ast.expr):
            yield from _of_value(world, module, value, where)


def _of_value(world: World, module: Module, value: ast.expr, where: str) -> Iterable[Mark]:
    elements = value.elts if isinstance(value, (ast.List, ast.Tuple, ast.Set)) else [value]
    for element in elements:
        found = list(_of_expression(world, module, element, where, 0))
        yield from found or [Mark(None, element, where, module)]


def _of_expression(world: World, module: Module, node: ast.expr, where: str, depth: int) -> Iterable[Mark]:
    called = node.func if isinstance(node, ast.Call) else node
    if depth > _DEEPEST or not isinstance(called, (ast.Name, ast.Attribute)):
        return
    if isinstance(called, ast.Attribute) and _is_mark_factory(called.value):
        yield Mark(called.attr, node, where, module)
        return
    found = world.resolver.resolve(module, called)
    target = getattr(found, "node", None)
    if found is not None and isinstance(target, ast.expr) and target is not node:
        elements = target.elts if isinstance(target, (ast.List, ast.Tuple)) else [target]
        for element in elements:
            yield from _of_expression(world, found.module, element, where, depth + 1)


def _is_mark_factory(node: ast.expr) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == "mark") or (
        isinstance(node, ast.Name) and node.id == "mark"
    )
