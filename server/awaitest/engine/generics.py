"""Type variables of generic classes, and what they stand for in an object whose class, or whose bases, say so."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import TYPE_CHECKING

from awaitest.engine.annotations import declared, elements, is_type_variable
from awaitest.engine.values import ClassInfo, ClassValue, FunctionInfo, Instance, Value
from awaitest.source.nodes import parts_of, spelt

if TYPE_CHECKING:
    from awaitest.engine.world import World

Bindings = Mapping[str, Value]
"""What type variables stand for, by name."""


def bound_in(world: World, owner: ClassInfo | None, receiver: Value | None) -> Bindings:
    """What `Self` and the type variables of a class stand for in an object of it, or of a class that derives from it."""
    kind = next(iter(receiver)) if owner is not None and receiver is not None and len(receiver) == 1 else None
    if isinstance(kind, ClassValue):
        return {"Self": frozenset({Instance(kind.cls)})}
    if owner is None or receiver is None or not isinstance(kind, Instance):
        return {}
    return {"Self": receiver, **_bound(world, kind.cls, kind.arguments, owner, 0)}


def bound_by(world: World, function: FunctionInfo, arguments: Mapping[str, Value]) -> Bindings:
    """The same for a method that is called with these arguments, its object among them."""
    first = next(iter((*function.node.args.posonlyargs, *function.node.args.args)), None)
    return bound_in(world, function.owner, arguments.get(first.arg)) if first is not None else {}


_DEEPEST = 8


def _bound(world: World, cls: ClassInfo, arguments: tuple[Value, ...], owner: ClassInfo, depth: int) -> Bindings:
    names = variables(world, cls) if arguments else []
    own = dict(zip(names, arguments, strict=True)) if len(names) == len(arguments) else {}
    if owner is cls or depth > _DEEPEST:
        return own if owner is cls else {}
    for base in cls.node.bases:
        generic = base if isinstance(base, ast.Subscript) else None
        parents = world.classes(world.reader.expression(cls.module, generic.value if generic is not None else base))
        if len(parents) == 1 and parents[0] is not cls and owner in world.mro(parents[0])[0]:
            given = elements(generic.slice) if generic is not None else []
            values = tuple(declared(world, cls.module, item, bound=own) for item in given)
            return _bound(world, parents[0], values, owner, depth + 1)
    return {}


def variables(world: World, cls: ClassInfo) -> list[str]:
    """The type variables of a class, in the order in which its arguments are given."""
    own = getattr(cls.node, "type_params", None)
    if own:
        return [item.name for item in own]
    generic = [base for base in cls.node.bases if isinstance(base, ast.Subscript)]
    told = [base for base in generic if spelt(base.value).rpartition(".")[2] == "Generic"] or generic
    found = (part for base in told for part in parts_of(base.slice) if isinstance(part, ast.Name))
    return list(dict.fromkeys(part.id for part in found if is_type_variable(world, cls.module, part)))
