"""Answers the world's questions about code by walking it silently."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from awaitest.engine.annotations import declared
from awaitest.engine.expressions import Evaluator
from awaitest.engine.syntax import assigning, declarations, generates, is_placeholder
from awaitest.engine.values import NONE, UNKNOWN, ClassInfo, ClassValue, FunctionInfo, Instance, Value, join, known
from awaitest.engine.walk import Walk
from awaitest.engine.world import World

if TYPE_CHECKING:
    from awaitest.engine.fixtures import Fixtures
    from awaitest.project.modules import Module

_DEEPEST = 12


class SilentReader:
    """The `Reader` of a world. Results are remembered; recursion gives unknown."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.reader = self
        self._active: set[int] = set()
        self.fixtures: Fixtures | None = None
        self.rests_on_fixtures = False
        """Whether anything that is remembered was concluded from what fixtures give."""

    def expression(self, module: Module, node: ast.expr, closure: Mapping[str, Value] | None = None) -> Value:
        if closure is not None and len(self._active) < _DEEPEST:
            return outside(Evaluator(self.world, module, {}, closure).eval(node))
        key, known = id(node), self.world.knowledge(module)
        if key not in known.expressions:
            known.alive.append(node)
            known.expressions[key] = UNKNOWN
            if len(self._active) < _DEEPEST:
                known.expressions[key] = shared(outside(Evaluator(self.world, module, {}, None).eval(node)))
        return known.expressions[key]

    def returns(self, function: FunctionInfo, arguments: dict[str, Value]) -> Value:
        node = function.node
        key = (id(node), tuple(sorted(arguments.items(), key=lambda item: item[0])))
        known = self.world.knowledge(function.module)
        if key in known.returns:
            return known.returns[key]
        if id(node) in self._active or len(self._active) >= _DEEPEST:
            return UNKNOWN
        self._active.add(id(node))
        try:
            value = self._walk(function, arguments)
        finally:
            self._active.discard(id(node))
        if function.closure is None:
            known.alive.append(node)
            known.returns[key] = value
        return value

    def _walk(self, function: FunctionInfo, arguments: dict[str, Value]) -> Value:
        node = function.node
        names = {**parameters(self.world, function), **arguments}
        if not isinstance(node, ast.Lambda) and is_placeholder(node.body):
            return UNKNOWN
        if isinstance(node, ast.Lambda):
            return Evaluator(self.world, function.module, names, function.closure).eval(node.body)
        walk = Walk(self.world, function.module, node, names, function.closure)
        walk.run()
        results = walk.yielded if generates(node) else walk.given
        if function.module.origin != "project":
            results = [value for value in results if value != NONE]
        return join(*results) if results else UNKNOWN

    def attributes(self, cls: ClassInfo, name: str) -> Value | None:
        key, known = (id(cls.node), name), self.world.knowledge(cls.module)
        if key not in known.attributes:
            known.alive.append(cls.node)
            known.attributes[key] = None
            if len(self._active) < _DEEPEST:
                known.attributes[key] = self._assigned(cls, name)
        return known.attributes[key]

    def _assigned(self, cls: ClassInfo, name: str) -> Value | None:
        """What the nearest class that assigns it leaves in the attribute, or else declares it to be; nothing but None is for
        others to replace."""
        path, found = f"self.{name}", []
        for owner in self.world.mro(cls)[0]:
            methods = assigning(owner.node.body, name)
            for node in methods:
                function = self.world.function_info(owner.module, node, owner)
                found.append(self._attribute_after(cls, function, path))
            if found:
                value = join(*found)
                if value == NONE or not known(value):
                    annotation = next((it for method in methods for it in declarations(method, name)), None)
                    return declared(self.world, owner.module, annotation)
                return value
        return None

    def _attribute_after(self, cls: ClassInfo, function: FunctionInfo, path: str) -> Value:
        node = function.node
        if id(node) in self._active or isinstance(node, ast.Lambda):
            return UNKNOWN
        names = parameters(self.world, function)
        names["self"] = frozenset({Instance(cls)})
        if self.fixtures is not None:
            given = self.fixtures.arguments(function, cls)
            self.rests_on_fixtures |= bool(given)
            names |= given
        self._active.add(id(node))
        try:
            walk = Walk(self.world, function.module, node, names)
            walk.run()
        finally:
            self._active.discard(id(node))
        values = [state.names[path] for state in walk.exits if path in state.names]
        return outside(join(*values)) if values else UNKNOWN


def outside(value: Value) -> Value:
    """The value as somebody sees it who did not make it: its life is not followed."""
    return frozenset(replace(kind, site=None) if isinstance(kind, Instance) else kind for kind in value)


def shared(value: Value) -> Value:
    """The value as everybody sees it who imports it: one object for all."""
    return frozenset(
        replace(kind, made=replace(kind.made, shared=True)) if isinstance(kind, Instance) and kind.made else kind
        for kind in value
    )


def parameters(world: World, function: FunctionInfo) -> dict[str, Value]:
    """Every parameter with what its annotation declares."""
    arguments = function.node.args
    names = {
        item.arg: declared(world, function.module, item.annotation)
        for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    }
    for extra in (arguments.vararg, arguments.kwarg):
        if extra is not None:
            names[extra.arg] = UNKNOWN
    first = next(iter((*arguments.posonlyargs, *arguments.args)), None)
    if function.owner is not None and first is not None and first.arg == "self":
        names["self"] = frozenset({Instance(function.owner)})
        names["__class__"] = frozenset({ClassValue(function.owner)})
    return names
