"""Arguments of a call: what they bind to, which of them are wrong, and which leave our sight."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from awaitest.engine.annotations import PLAIN, bound_of, declared
from awaitest.engine.facts import BORROWING, REQUESTS
from awaitest.engine.filled import holds_data
from awaitest.engine.generics import bound_in
from awaitest.engine.steps import Misuse
from awaitest.engine.syntax import first_use
from awaitest.engine.values import (
    CallableValue,
    ClassInfo,
    Collection,
    Coroutine,
    FunctionValue,
    Instance,
    Plain,
    Value,
    coroutines,
    every,
)
from awaitest.engine.world import Definition
from awaitest.source.nodes import parts_of, spelt

if TYPE_CHECKING:
    from awaitest.engine.expressions import Evaluator
    from awaitest.engine.generics import Bindings
    from awaitest.project.modules import Module


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its keyword, or None for a positional one."""

    keyword: str | None
    value: Value
    node: ast.expr


@dataclass(slots=True)
class Call:
    """One call with its arguments evaluated."""

    node: ast.Call
    label: str
    target: Value
    arguments: list[Argument] = field(default_factory=list)

    def positional(self, position: int) -> Argument | None:
        found = [argument for argument in self.arguments if argument.keyword is None]
        return found[position] if position < len(found) else None


def given(call: Call) -> tuple[tuple[str | int, Value], ...]:
    """What a call is given, by keyword or position; "*" for what it unpacks."""
    starred = any(isinstance(argument.node, ast.Starred) for argument in call.arguments)
    names = (argument.keyword or ("*" if starred else position) for position, argument in enumerate(call.arguments))
    return tuple(
        ("*" if name == "**" else name, argument.value) for name, argument in zip(names, call.arguments, strict=True)
    )


def hand_over(run: Evaluator, call: Call) -> None:
    """Everything passed on is out of sight."""
    for argument in call.arguments:
        run.escape(argument.value)


def check_arguments(run: Evaluator, call: Call, target: FunctionValue) -> None:
    """A coroutine where the function declares data."""
    function = target.function
    owner = function.owner
    if owner is not None and function.name in REQUESTS and run.world.derives(owner, "BaseClient", "httpx", "httpx2"):
        for argument in call.arguments:
            wrong = list(coroutines(argument.value))
            if wrong and (every(argument.value, Coroutine) or every(argument.value, Collection)):
                run.misuse(frozenset(wrong), argument.node, Misuse.ARGUMENT, argument.keyword or "url")
        return
    if isinstance(function.node, ast.Lambda):
        return
    for argument in call.arguments:
        parameter = parameter_of(target, call, argument)
        if parameter is not None and every(argument.value, Coroutine):
            _check_argument(run, target, argument, parameter)


def check_constructor(run: Evaluator, call: Call, cls: ClassInfo) -> None:
    """A coroutine where a parameter of the constructor, or the field of a dataclass or model, declares data."""
    given_one = [argument for argument in call.arguments if every(argument.value, Coroutine)]
    if not given_one:
        return
    member = run.world.member(cls, "__init__")
    node = member.nodes[-1] if member is not None else None
    if member is not None and isinstance(node, Definition) and not node.decorator_list:
        function = run.world.function_info(member.owner.module, node, member.owner)
        check_arguments(run, call, FunctionValue(function, frozenset({Instance(cls)})))
    if run.world.derives(cls, "BaseModel", "pydantic") or _is_dataclass(cls):
        for argument in given_one:
            field_of = run.world.member(cls, argument.keyword or "")
            declaration = field_of.nodes[-1] if field_of is not None else None
            annotation = declaration.annotation if isinstance(declaration, ast.AnnAssign) else None
            if field_of is not None and _declares_data(run, field_of.owner.module, annotation, {}):
                run.misuse(argument.value, argument.node, Misuse.ARGUMENT, argument.keyword or "")


def _is_dataclass(cls: ClassInfo) -> bool:
    called = (item.func if isinstance(item, ast.Call) else item for item in cls.node.decorator_list)
    return any(spelt(item).rpartition(".")[2] == "dataclass" for item in called)


def check_append(run: Evaluator, call: Call) -> None:
    """A coroutine where a list is filled that is read as data."""
    match call.node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[ast.Call() as node]):
            value = call.arguments[0].value
            if every(value, Coroutine) and holds_data(run.body, name):
                run.misuse(value, node, Misuse.ARGUMENT, name)


def _check_argument(run: Evaluator, target: FunctionValue, argument: Argument, parameter: ast.arg) -> None:
    function = target.function
    bound = bound_in(run.world, function.owner, target.receiver)
    if _declares_data(run, function.module, parameter.annotation, bound):
        run.misuse(argument.value, argument.node, Misuse.ARGUMENT, parameter.arg)
        return
    match first_use(function.node, parameter.arg) if function.module.origin == "project" else None:
        case ast.Attribute(attr=attribute):
            run.misuse(argument.value, argument.node, Misuse.ATTRIBUTE, attribute)
        case ast.Subscript():
            run.misuse(argument.value, argument.node, Misuse.SUBSCRIPT)
        case ast.For() | ast.comprehension():
            run.misuse(argument.value, argument.node, Misuse.ITERATED)


def _declares_data(run: Evaluator, module: Module, annotation: ast.expr | None, bound: Bindings) -> bool:
    """Whether an annotation, its type variables standing for what is `bound`, rules a coroutine out."""
    if isinstance(annotation, ast.Name) and annotation.id in PLAIN:
        return True
    if annotation is not None and spelt(annotation) not in bound:
        module, annotation = bound_of(run.world, module, annotation) or (module, annotation)
    value = declared(run.world, module, annotation, bound=bound)
    return every(value, Plain, Collection, Instance) and all(
        not isinstance(kind, Instance) or _is_no_coroutine(run, kind.cls) for kind in value
    )


def _is_no_coroutine(run: Evaluator, cls: ClassInfo) -> bool:
    """Whether no coroutine is an object of a class, though those of its subclasses may well be awaitable."""
    world = run.world
    chosen = is_protocol(cls) or world.member(cls, "__subclasshook__") is not None
    return world.whole(cls) and world.has(cls, "__await__") is not True and not chosen


def is_protocol(cls: ClassInfo) -> bool:
    """Whether a class names a protocol among its bases: objects of others may pass for its own."""
    return any("Protocol" in spelt(base) for base in cls.node.bases)


def parameter_of(target: FunctionValue, call: Call, argument: Argument) -> ast.arg | None:
    """The parameter an argument is bound to."""
    arguments = target.function.node.args
    if argument.keyword is not None:
        every_one = (*arguments.args, *arguments.kwonlyargs)
        return next((item for item in every_one if item.arg == argument.keyword), None)
    positional = [*arguments.posonlyargs, *arguments.args][1 if target.receiver is not None else 0 :]
    before = [item for item in call.arguments if item.keyword is None]
    position = before.index(argument)
    if any(isinstance(item.node, ast.Starred) for item in before[: position + 1]) or position >= len(positional):
        return None
    return positional[position]


def hand_over_to(run: Evaluator, call: Call, target: FunctionValue) -> None:
    """Arguments escape into the function, but for clients that it only borrows."""
    for argument in call.arguments:
        only_client = every(argument.value, Instance)
        if not (only_client and borrows(target, argument, call)):
            run.escape(argument.value)


def borrows(target: FunctionValue, argument: Argument, call: Call) -> bool:
    """Whether the function only calls methods of the argument, so that closing it stays the caller's duty."""
    node = target.function.node
    if (
        isinstance(node, ast.Lambda)
        or target.function.module.origin != "project"
        or not isinstance(argument.node, ast.Name)
    ):
        return False
    parameter = parameter_of(target, call, argument)
    if parameter is None:
        return False
    name = parameter.arg
    used = [part for part in parts_of(node) if isinstance(part, ast.Name) and part.id == name]
    lent = {
        id(part.func.value)
        for part in parts_of(node)
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in BORROWING
    }
    return bool(used) and all(id(part) in lent for part in used)


def decorates(call: Call) -> bool:
    """Whether this is a decorator at work, `app.get("/")(handler)`: what it gives is the handler, whatever is declared."""
    handlers = (FunctionValue, CallableValue)
    return isinstance(call.node.func, ast.Call) and any(every(it.value, *handlers) for it in call.arguments)


def fits(call: Call, target: FunctionValue) -> bool:
    """Whether Python surely binds what a call gives to the parameters; nobody knows what it unpacks."""
    parameters = target.function.node.args
    positional = [*parameters.posonlyargs, *parameters.args][1 if target.receiver is not None else 0 :]
    if any(isinstance(item.node, ast.Starred) or item.keyword == "**" for item in call.arguments):
        return False
    in_order = sum(item.keyword is None for item in call.arguments)
    named = {item.keyword for item in call.arguments if item.keyword is not None}
    by_name = {item.arg for item in (*positional[in_order:], *parameters.kwonlyargs)}
    by_name -= {item.arg for item in parameters.posonlyargs}
    required = positional[: max(0, len(positional) - len(parameters.defaults))][in_order:]
    required += [
        item for item, default in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True) if default is None
    ]
    return (
        (in_order <= len(positional) or parameters.vararg is not None)
        and (named <= by_name or parameters.kwarg is not None)
        and all(item.arg in named for item in required)
    )


def bound_arguments(call: Call, target: FunctionValue) -> dict[str, Value]:
    """Parameter names with the values this call gives them."""
    node = target.function.node
    parameters = [item.arg for item in (*node.args.posonlyargs, *node.args.args)]
    bound: dict[str, Value] = {}
    if target.receiver is not None and parameters:
        bound[parameters.pop(0)] = target.receiver
    if any(isinstance(argument.node, ast.Starred) or argument.keyword == "**" for argument in call.arguments):
        return bound
    for argument in call.arguments:
        if argument.keyword is not None:
            bound[argument.keyword] = argument.value
        elif parameters:
            bound[parameters.pop(0)] = argument.value
    return bound
