"""Objects that are no coroutines but must be awaited like them, such as what aiohttp's `session.get()` gives."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitest.engine.facts import UNITTEST_CONDITIONS
from awaitest.engine.keepers import parameter
from awaitest.engine.repair import path_to
from awaitest.engine.special import awaited
from awaitest.engine.steps import Absent, Called
from awaitest.engine.uses import Use, library_callee, uses
from awaitest.engine.values import NONE, Awaitable, Collection, FunctionValue, Instance, Kind, Plain, Value, every
from awaitest.engine.words import describe
from awaitest.engine.wrappers import only_keeps, wrapped_by
from awaitest.source.nodes import spelt

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_LOOPING = ("__iter__", "__getitem__")
_EQUALITIES = frozenset({"assertEqual", "assertNotEqual", "assertListEqual", "assertDictEqual"})
_MORE = frozenset(
    {"dict", "list", "tuple", "set", "frozenset", "str", "bytes", "int", "float", "NamedTuple", "Protocol"}
)
_BLOCKS = (ast.With, ast.AsyncWith, ast.Try)


def taken_for_result(step: Absent | Called, run: Run) -> tuple[ast.Call, str] | None:
    """The call whose awaitable object is asked for what its result is meant to do, and what that object is and lacks."""
    call = _read(step, run) if isinstance(step, Absent) else step.node
    claim = f"has no `{step.node.attr}`" if isinstance(step, Absent) else _asked(step, run)
    given = step.owner if isinstance(step, Absent) else step.result
    if call is None or claim is None:
        return None
    return call, f"{'an awaitable' if every(given, Awaitable) else f'a `{describe(given)}`'}, which {claim}"


def _read(step: Absent, run: Run) -> ast.Call | None:
    """The call whose awaitable object lacks an attribute that the result has."""
    if step.expected or not step.owner or not all(_gives(kind, step.node.attr, run) for kind in step.owner):
        return None
    made = [it for it in run.steps if isinstance(it, Called) and it.result == step.owner and run.mine(it.node)]
    for call in made:
        places = uses(run, call.node) or []
        if any(place.parent is step.node for place in places) and not any(map(_is_content, places)):
            return call.node
    return None


def _gives(kind: Kind, name: str, run: Run) -> bool:
    """Whether awaiting an object of this kind certainly gives one that has the attribute."""
    world = run.engine.world
    result = _result(kind, run) - NONE
    return every(result, Instance) and all(
        isinstance(it, Instance)
        and (world.member(it.cls, name) is not None or world.reader.attributes(it.cls, name) is not None)
        for it in result
    )


def _result(kind: Kind, run: Run) -> Value:
    """What awaiting gives; nothing for a kind that is no awaitable object."""
    if isinstance(kind, Awaitable):
        return kind.result
    is_awaitable = isinstance(kind, Instance) and run.engine.world.has(kind.cls, "__await__") is True
    return awaited(run.engine.world, kind) if is_awaitable else frozenset()


def _is_content(use: Use) -> bool:
    """Whether a place is served by the object itself, or looks at what it is."""
    match use.parent:
        case ast.Await() | ast.withitem() | ast.Return() | ast.Yield():
            return True
        case ast.Call(func=func):
            name = spelt(func).rpartition(".")[2].lower()
            return name.startswith(("is", "hasattr", "assertis", "type", "callable"))
    return False


def _asked(step: Called, run: Run) -> str | None:
    """What the awaitable object that a call gives cannot do, where something asks it for that."""
    if not all(isinstance(kind, Instance) and run.engine.world.member(kind.cls, "__await__") for kind in step.result):
        return None
    if not step.result or step.expected or not run.mine(step.node):
        return None
    places = uses(run, step.node)
    if not places or any(map(_is_content, places)) or not all(_is_bare(kind, run) for kind in step.result):
        return None
    if [type(place.parent) for place in places] == [ast.Expr]:
        return "does nothing by itself" if _keeps_coroutine(step, run) else None
    around = path_to(run.node, step.node)
    for place in places:
        claim = _claim(place, step.result, run)
        if claim and all(part in around for part in place.around if isinstance(part, _BLOCKS)):
            return claim
    return None


def _keeps_coroutine(step: Called, run: Run) -> bool:
    """Whether what is called gives objects that keep a coroutine, which nobody runs before the object is awaited or entered."""
    world = run.engine.world
    functions = [kind.function for kind in step.target if isinstance(kind, FunctionValue)]
    made = [wrapped_by(world, function) for function in functions]
    if None in made:
        classes = [kind.cls for kind in step.result if isinstance(kind, Instance)]
        made = [cls if parameter(world, cls) is not None else None for cls in classes]
    return bool(made) and all(cls is not None and only_keeps(world, cls) for cls in made)


def _is_bare(kind: Kind, run: Run) -> bool:
    """Whether all bases of an object's class are known, none of them a built-in type of data, nor one that tells only a part."""
    world = run.engine.world
    mro, complete = world.mro(kind.cls) if isinstance(kind, Instance) else ((), False)
    bases = (spelt(base).partition("[")[0].rpartition(".")[2] for cls in mro for base in cls.node.bases)
    return complete and _MORE.isdisjoint(bases)


def _claim(use: Use, owner: Value, run: Run) -> str | None:
    match use.parent:
        case ast.Subscript(value=value, ctx=ast.Load()) if value is use.node and _lacks(owner, run, "__getitem__"):
            return "cannot be indexed"
        case ast.For(iter=over) | ast.comprehension(iter=over, is_async=0) if over is use.node:
            return "cannot be looped over" if _lacks(owner, run, *_LOOPING, "__aiter__") else None
        case ast.Assign(targets=[ast.Tuple() | ast.List()]) if _lacks(owner, run, *_LOOPING):
            return "cannot be unpacked"
        case ast.Call(func=ast.Name(id="len")) if _lacks(owner, run, "__len__"):
            return "has no length"
        case ast.Call() as call:
            return _claim_of_assertion(use, call, owner, run)
        case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq()], comparators=[other]):
            other = other if left is use.node else left
            is_data = isinstance(other, (ast.Constant, ast.List, ast.Dict, ast.Tuple)) and spelt(other) != "None"
            return "equals no data" if is_data and _lacks(owner, run, "__eq__") else None
        case ast.Assert(test=test) if test is use.node and _is_condition(owner, run):
            return "is always true"
    return None


def _claim_of_assertion(use: Use, call: ast.Call, owner: Value, run: Run) -> str | None:
    """What an assertion of unittest asks the object for."""
    step = next((it for it in run.steps if isinstance(it, Called) and it.node is call), None)
    callee = library_callee(step.target) if step is not None else None
    name = callee.rpartition(".")[2] if callee is not None and callee.startswith("unittest.") else ""
    if step is None or use.node not in call.args[:2]:
        return None
    if name in UNITTEST_CONDITIONS:
        return "is always true" if _is_condition(owner, run) else None
    other = step.arguments[1 - call.args.index(use.node)] if len(call.args) > 1 else frozenset()
    is_data = name in _EQUALITIES and every(other - NONE, Plain, Collection) and other != NONE
    return "equals no data" if is_data and _lacks(owner, run, "__eq__") else None


def _is_condition(owner: Value, run: Run) -> bool:
    """Whether awaiting gives true or false, but the object is always true."""
    return _lacks(owner, run, "__bool__", "__len__") and all(
        every(result := _result(kind, run), Plain) and {getattr(it, "name", "") for it in result} == {"bool"}
        for kind in owner
    )


def _lacks(owner: Value, run: Run, *methods: str) -> bool:
    """Whether the objects certainly have none of these methods, nor have those of a subclass in sight."""
    world = run.engine.world
    classes = [kind.cls for kind in owner if isinstance(kind, Instance)]
    nearby = {it for cls in classes for it in (*world.classes_of(cls.module), *world.classes_of(run.module))}
    heirs = [it for it in nearby if not set(classes).isdisjoint(world.mro(it)[0])]
    return all(world.has(cls, method) is False for cls in classes for method in methods) and not any(
        world.member(it, method) for it in heirs for method in methods
    )
