"""What a call of a built-in function gives."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitest.engine import members
from awaitest.engine.arguments import Argument, Call, hand_over
from awaitest.engine.steps import Iterated, Misuse
from awaitest.engine.syntax import INSPECTED
from awaitest.engine.values import (
    UNKNOWN,
    AsyncIterator,
    ClassValue,
    Collection,
    Coroutine,
    Instance,
    Plain,
    Value,
    every,
    join,
    plain,
)

if TYPE_CHECKING:
    from awaitest.engine.expressions import Evaluator

_DATA = {"len": "int", "str": "str", "repr": "str", "int": "int", "float": "float", "bool": "bool", "hash": "int",
         "isinstance": "bool", "hasattr": "bool", "callable": "bool", "dict": "dict", "bytes": "bytes", "print": "None",
         "range": "range", "id": "int", "format": "str", "round": "int", "any": "bool", "all": "bool", "sum": "int"}  # fmt: skip
_ITERATING = frozenset(
    {
        "list",
        "tuple",
        "set",
        "frozenset",
        "sorted",
        "sum",
        "min",
        "max",
        "any",
        "all",
        "enumerate",
        "zip",
        "map",
        "filter",
        "dict",
    }
)
_NEEDING_DATA = frozenset(
    {
        "len",
        "int",
        "float",
        "sum",
        "vars",
        "sorted",
        "list",
        "tuple",
        "set",
        "frozenset",
        "dict",
        "bytes",
        "any",
        "all",
        "min",
        "max",
        "enumerate",
        "reversed",
        "zip",
        "iter",
    }
)
_LOOKING = frozenset({"str", "repr", "print", "format"})


def called_builtin(run: Evaluator, call: Call, name: str) -> Value:
    first = call.positional(0)
    if name == "getattr" and first is not None and len(call.arguments) == 2:
        return _getattr(run, call, first.value)
    if name in {"getattr", "hasattr"} and first is not None and INSPECTED.isdisjoint(_named(call) or INSPECTED):
        run.misuse(first.value, call.node, Misuse.ASKED, later=True)
        run.escape(join(*(it.value for it in call.arguments[1:])))
        return plain("bool") if name == "hasattr" else UNKNOWN
    if first is not None and name in _NEEDING_DATA:
        run.misuse(first.value, first.node, Misuse.ARGUMENT, f"{name}()")
    if first is not None and name in {"all", "any"}:
        _asked_for_truth(run, first)
    if first is not None and name == "bool":
        run.misuse(first.value, first.node, Misuse.CONDITION, later=not isinstance(first.node, ast.Call))
    second = call.positional(1)
    asked = first is not None and second is not None and members.never_awaitable(run.world, second.value)
    if name == "isinstance" and asked and first is not None:
        run.misuse(first.value, call.node, Misuse.ASKED, later=not isinstance(first.node, ast.Call))
        return plain("bool")
    if name == "anext" and first is not None and len(call.arguments) == 1 and every(first.value, AsyncIterator):
        return given_coroutine(run, call, join(*(kind.item for kind in first.value if isinstance(kind, AsyncIterator))))
    if name in members.ASYNC_ITERATION:
        hand_over(run, call)
        return given_coroutine(run, call, UNKNOWN)
    if name == "super" and not call.arguments:
        return _base(run)
    if name in _LOOKING:
        for argument in call.arguments:
            if isinstance(argument.node, ast.Call):
                run.misuse(argument.value, argument.node, Misuse.ARGUMENT, f"{name}()")
    if name in {"list", "tuple", "set", "sorted", "reversed", "iter"} and first is not None:
        run.note(
            Iterated(node=call.node, is_async=False, value=first.value, iterable=first.node, expected=run.expected > 0)
        )
        inner = frozenset({Collection("list", join(*(k.element for k in first.value if isinstance(k, Collection))))})
        return inner if every(first.value, Collection) else frozenset({Collection("list", UNKNOWN)})
    if name == "isinstance" and first is not None:
        run.inspect(first.value)
    elif name not in _LOOKING and name not in _NEEDING_DATA and name != "bool":
        hand_over(run, call)
    if name in _ITERATING and not (name in {"all", "any"} and first is not None and every(first.value, Collection)):
        hand_over(run, call)
    return plain(_DATA[name]) if name in _DATA else UNKNOWN


def _asked_for_truth(run: Evaluator, given: Argument) -> None:
    """`all` and `any` ask each element whether it is true, and keep none."""
    made = _elements(given.node)
    later = not made or not all(isinstance(node, ast.Call) for node in made)
    for kind in given.value:
        if isinstance(kind, Collection) and kind.name != "dict":
            for item in (kind.element,) if kind.items is None else kind.items:
                run.misuse(item, given.node, Misuse.CONDITION, later=later)


def _elements(node: ast.expr) -> list[ast.expr]:
    """The expressions that make the elements of a display or comprehension."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return node.elts
    return [node.elt] if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)) else []


def _getattr(run: Evaluator, call: Call, receiver: Value) -> Value:
    names = _named(call)
    if not names:
        run.escape(receiver)
        return UNKNOWN
    return join(*(members.attribute(run.world, receiver, name) for name in names))


def _named(call: Call) -> set[str]:
    """The attributes that `getattr` or `hasattr` may ask for; none where that cannot be told."""
    argument = call.positional(1)
    names = {kind.const if isinstance(kind, Plain) else None for kind in (argument.value if argument else UNKNOWN)}
    return {name for name in names if isinstance(name, str)} if all(isinstance(it, str) for it in names) else set()


def _base(run: Evaluator) -> Value:
    """`self` as the one base of its class sees it."""
    cls = next(iter(run.state.names.get("__class__", UNKNOWN)))
    if not isinstance(cls, ClassValue) or len(cls.cls.node.bases) != 1:
        return UNKNOWN
    classes = run.world.mro(cls.cls)[0]
    return frozenset({Instance(classes[1])}) if len(classes) > 1 else UNKNOWN


def given_coroutine(run: Evaluator, call: Call, result: Value) -> Value:
    """The coroutine of a call whose result is known otherwise than by its signature."""
    site = run.site(call.node, call.label)
    site.result = lambda: result
    return frozenset({Coroutine(site)})
