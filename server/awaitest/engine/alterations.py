"""Whether code beside a test may change it, or its class, in a way that its own decorators and `pytestmark` do not show."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaitest.engine.decorators import leaves_class
from awaitest.engine.values import ClassInfo, FunctionInfo
from awaitest.engine.world import World, statements_binding
from awaitest.source.nodes import kept, last_name, parts_of, spelt

if TYPE_CHECKING:
    from awaitest.project.modules import Module

ALL = "*"
"""What stands for every name of a module."""

_LOCAL = frozenset({"locals", "vars", "dir"})
_LOOK_UPS = _LOCAL | {"globals"}
_LISTING = frozenset({"vars", "dir", "getmembers"})


def altered(world: World, function: FunctionInfo, cls: ClassInfo | None) -> bool:
    """Whether statements beside a test may mark or replace it, or its class is made over."""
    return _is_handed_on(world, function, cls, "pytestmark") or replaced(world, function, cls)


def replaced(world: World, function: FunctionInfo, cls: ClassInfo | None) -> bool:
    """Whether something else may stand in the place of a function when pytest looks at this class, or at its module."""
    return _is_handed_on(world, function, cls) or (cls is not None and _is_made_over(world, cls))


def _is_handed_on(world: World, function: FunctionInfo, cls: ClassInfo | None, *more: str) -> bool:
    """Whether statements beside a function hand it, its class or one of these names on."""
    classes = _classes(world, cls)
    modules = {id(it): it for it in (function.module, *(owner.module for owner in classes))}.values()
    names = {ALL, function.name, *more, *(owner.node.name for owner in classes)}
    handed = (handed_on(node) for it in modules if it.origin == "project" for node in it.body)
    return any(not names.isdisjoint(found) for found in handed)


def _is_made_over(world: World, cls: ClassInfo) -> bool:
    """Whether a decorator, of a class or of one around or below it, or `__init_subclass__` may change what it holds."""
    bases = world.mro(cls)[0][1:]
    if any(statements_binding(base.node.body, "__init_subclass__") for base in bases):
        return True
    owners = _classes(world, cls)
    return not all(leaves_class(world, owner, node) for owner in owners for node in owner.node.decorator_list)


def _classes(world: World, cls: ClassInfo | None) -> list[ClassInfo]:
    """A class, those around it, and the bases of all of them."""
    around = () if cls is None else (cls, *world.enclosing(cls))
    return [base for nested in around for base in world.mro(nested)[0]]


def handed_on(statement: ast.stmt) -> frozenset[str]:
    """The names that a statement of a module or class hands on when it is imported: to a function, to another name."""
    match statement:
        case ast.ClassDef(body=body) | ast.If(test=ast.Compare(left=ast.Name(id="__name__")), orelse=body):
            return frozenset().union(*map(handed_on, body))
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Import() | ast.ImportFrom():
            return frozenset()
    return _named_in(statement)


@kept
def _named_in(statement: ast.stmt) -> frozenset[str]:
    parts = parts_of(statement)
    used = {id(part.value) for part in parts if isinstance(part, ast.Attribute)}
    used |= {id(part.func) for part in parts if isinstance(part, ast.Call)}
    return frozenset(name for part in parts for name in _names_in(part, used=id(part) in used))


def _names_in(part: ast.AST, *, used: bool) -> Iterator[str]:
    """What a part of a statement hands on; `used`: it is but called, or asked for an attribute."""
    match part:
        case ast.Name(id="pytestmark" as name, ctx=ast.Load()) | ast.Attribute(attr="pytestmark" as name):
            yield name
        case ast.Constant(value="pytestmark"):
            yield "pytestmark"
        case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()) if not used:
            yield name
        case ast.Call() | ast.Subscript() if looks_up(part):
            yield ALL


def looks_up(part: ast.AST) -> bool:
    """Whether this gives all names of the module or function that it stands in: `globals()`, `sys.modules[__name__]`."""
    match part:
        case ast.Call(func=ast.Name(id=name), args=[], keywords=[]):
            return name in _LOOK_UPS
        case ast.Subscript(value=value, slice=ast.Name(id="__name__")):
            return spelt(value).rpartition(".")[2] == "modules"
    return False


def goes_through(module: Module, *, own: bool) -> bool:
    """Whether code of a module goes through all names of its own, wherever it stands, or of another module or class."""
    parts = (part for node in module.body for part in parts_of(node))
    if not own:
        return any(isinstance(part, ast.Call) and part.args and last_name(part.func) in _LISTING for part in parts)
    everywhere = (looks_up(part) and last_name(getattr(part, "func", part)) not in _LOCAL for part in parts)
    return any(everywhere) or any(ALL in handed_on(node) for node in module.body)
