"""Decorators that make objects: of each call, around its coroutine, to be awaited or entered (`return Result(method(*args))`), or of the
function itself."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitest.engine.annotations import declared, elements
from awaitest.engine.arguments import Argument, Call
from awaitest.engine.decorators import Shape, evaluate, inner_wrapper, shape
from awaitest.engine.generics import variables
from awaitest.engine.overloads import told
from awaitest.engine.syntax import generates
from awaitest.engine.values import (
    CallableValue,
    ClassInfo,
    ClassValue,
    FunctionInfo,
    FunctionValue,
    Instance,
    Value,
    every,
)
from awaitest.engine.world import Definition
from awaitest.source.nodes import spelt

if TYPE_CHECKING:
    from awaitest.engine.expressions import Evaluator
    from awaitest.engine.world import World


def wrapped_by(world: World, function: FunctionInfo) -> ClassInfo | None:
    """The class whose object a coroutine function gives that has but one decorator, of this kind."""
    decorators = getattr(function.node, "decorator_list", ())
    if not function.is_async or len(decorators) != 1 or generates(function.node):
        return None
    value = evaluate(world, function, next(iter(decorators)))
    kind = next(iter(value)) if len(value) == 1 else None
    decorator = kind.function if isinstance(kind, FunctionValue) else None
    wrapper = (
        inner_wrapper(decorator.node) if decorator is not None and isinstance(decorator.node, Definition) else None
    )
    if decorator is None or wrapper is None:
        return None
    match [part for part in wrapper.body if not _is_text(part)]:
        case [ast.Return(value=ast.Call(func=maker, args=[ast.Call(func=ast.Name(id=name))], keywords=[]))]:
            made = world.reader.expression(decorator.module, maker) if name == _first(decorator.node) else frozenset()
            cls = next((it.cls for it in made if isinstance(it, ClassValue)), None) if len(made) == 1 else None
            return cls if cls is not None and world.member(cls, "__new__") is None else None
    return None


def decorated(run: Evaluator, value: Value) -> Value:
    """The object that the one decorator of a function declares to make of it, such as a task; other values as they are."""
    kind = next(iter(value)) if len(value) == 1 else None
    if not isinstance(kind, FunctionValue) or kind.receiver is not None:
        return value
    decorators: list[ast.expr] = getattr(kind.function.node, "decorator_list", [])
    if len(decorators) != 1 or shape(run.world, kind.function) is not Shape.UNKNOWN:
        return value
    makers = evaluate(run.world, kind.function, decorators[0])
    maker = next(iter(makers)) if len(makers) == 1 else None
    made: Value = frozenset()
    if isinstance(maker, CallableValue):
        made = maker.result
    elif isinstance(maker, FunctionValue):
        call = Call(ast.Call(decorators[0], [], []), "", makers, [Argument(None, value, decorators[0])])
        returns = getattr(maker.function.node, "returns", None)
        made = told(run, call, maker) or declared(run.world, maker.function.module, returns)
    return made if every(made, Instance) else value


def object_of(world: World, cls: ClassInfo, result: Value) -> Instance:
    """An object of such a class around a coroutine that has this result, for which the one type variable of the class stands."""
    names = variables(world, cls)
    annotation = _annotation_of_coroutine(world, cls)
    is_result = isinstance(annotation, ast.Subscript) and [spelt(elements(annotation.slice)[-1])] == names
    return Instance(cls, arguments=(result,) if is_result else ())


def only_keeps(world: World, cls: ClassInfo) -> bool:
    """Whether an object of such a class does no more with the coroutine than to keep it until somebody awaits the object."""
    member = world.member(cls, "__init__")
    node = member.nodes[-1] if member is not None else None
    body = node.body if isinstance(node, ast.FunctionDef) else []
    return bool(body) and all(
        _is_text(it)
        or (isinstance(it, (ast.Assign, ast.AnnAssign)) and isinstance(it.value, (ast.Name, ast.Constant, type(None))))
        for it in body
    )


def _annotation_of_coroutine(world: World, cls: ClassInfo) -> ast.expr | None:
    member = world.member(cls, "__init__")
    node = member.nodes[-1] if member is not None else None
    arguments = node.args.args if isinstance(node, ast.FunctionDef) else []
    annotation = arguments[1].annotation if len(arguments) > 1 else None
    named = spelt(annotation.value).rpartition(".")[2] if isinstance(annotation, ast.Subscript) else ""
    return annotation if named in {"Awaitable", "Coroutine"} else None


def _first(node: ast.AST) -> str:
    """The name of the function that a decorator gets."""
    names = [it.arg for it in (*node.args.posonlyargs, *node.args.args)] if isinstance(node, Definition) else []
    return names[0] if names else ""


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
