"""Names that hold AsyncMocks, what a function sets on them, and what the code under test takes it for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaitest.engine.apps import members_of, modules_of
from awaitest.engine.bodies import body_in, none_awaits
from awaitest.engine.run import TEST
from awaitest.engine.steps import Called
from awaitest.engine.syntax import own_nodes
from awaitest.engine.values import AsyncMockValue, every
from awaitest.source.nodes import spelt

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_SHAPING = frozenset({"spec", "spec_set", "wraps", None})


def async_mocks(run: Run, name: str) -> list[ast.Call]:
    """The calls that make what a name holds, where all that the function binds to it are AsyncMocks made there."""
    made = [
        it.node
        for it in run.steps
        if isinstance(it, Called) and every(it.result, AsyncMockValue) and spelt(it.node.func).endswith("AsyncMock")
    ]
    nodes = list(own_nodes(run.node))
    bound = [it for it in nodes if isinstance(it, ast.Name) and it.id == name and isinstance(it.ctx, ast.Store)]
    calls = {
        id(target): it.value
        for it in nodes
        if isinstance(it, ast.Assign) and isinstance(it.value, ast.Call) and it.value in made
        for target in it.targets
    }
    return [calls[id(it)] for it in bound] if bound and all(id(it) in calls for it in bound) else []


def is_free(mock: ast.Call) -> bool:
    """Whether every attribute of a mock, and what calling it gives, is an AsyncMock as well: no class gives it shape."""
    return not mock.args and _SHAPING.isdisjoint(keyword.arg for keyword in mock.keywords)


def settings(run: Run) -> Iterator[tuple[ast.Attribute, ast.Assign]]:
    """What a function sets: `client.get.return_value = …`."""
    for part in own_nodes(run.node):
        if isinstance(part, ast.Assign) and len(part.targets) == 1 and isinstance(part.targets[0], ast.Attribute):
            yield part.targets[0], part


def root_of(node: ast.expr) -> str:
    """The name that a chain of attributes begins with; "" where it begins with something else."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def takes_json_as_data(run: Run) -> bool:
    """Whether code that the test rests on calls `json()`, and none awaits it or makes it a coroutine."""
    taken, bodies = False, []
    for module in modules_of(run):
        for node, kind in members_of(run, module):
            body = body_in(node)
            bodies.append(body)
            undecorated = kind != TEST and not getattr(node, "decorator_list", ())
            taken = taken or (body.called and undecorated and module.name.rpartition(".")[2] != "conftest")
    return taken and none_awaits(bodies)
