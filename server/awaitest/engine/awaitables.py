"""Objects that are no coroutines but must be awaited like them, such as what aiohttp's `session.get()` gives."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitest.engine.special import awaited
from awaitest.engine.steps import Absent, Called
from awaitest.engine.uses import uses
from awaitest.engine.values import Instance, Kind, Value, every

if TYPE_CHECKING:
    from awaitest.engine.run import Run


def not_awaited(step: Absent, run: Run) -> ast.Call | None:
    """The call whose awaitable object is read as if it were the result: it lacks what the result has."""
    if step.expected or not step.owner or not all(_gives(kind, step.node.attr, run) for kind in step.owner):
        return None
    made = [it for it in run.steps if isinstance(it, Called) and it.result == step.owner and run.mine(it.node)]
    for call in made:
        read = [place.parent for place in uses(run, call.node) or []]
        if any(part is step.node for part in read) and all(isinstance(part, ast.Attribute) for part in read):
            return call.node
    return None


def _gives(kind: Kind, name: str, run: Run) -> bool:
    """Whether awaiting an object of this kind certainly gives one that has the attribute."""
    world = run.engine.world
    if not isinstance(kind, Instance) or world.has(kind.cls, "__await__") is not True:
        return False
    result: Value = awaited(world, kind)
    return every(result, Instance) and all(
        isinstance(it, Instance)
        and (world.member(it.cls, name) is not None or world.reader.attributes(it.cls, name) is not None)
        for it in result
    )
