"""What code makes of the `json()` of a response: data, or something to await, perhaps by another name or elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from awaitest.engine.repair import path_to
from awaitest.source.nodes import kept, last_name, parts_of

_AWAITING = frozenset(
    {
        "as_completed", "create_task", "ensure_future", "gather", "isawaitable", "iscoroutine", "run",
        "run_until_complete", "shield", "start_soon", "wait", "wait_for",
    }
)  # fmt: skip
"""Functions that await what they get, or ask whether that can be done."""


@dataclass(frozen=True, slots=True)
class Body:
    """What one piece of code makes of bodies."""

    called: bool
    """Whether it calls `json()`."""
    awaited: bool
    """Whether it may await one, or makes `json` a coroutine function."""
    handed_to: frozenset[str]
    """Functions that get a body."""
    returned_by: frozenset[str]
    """Plain functions that give one back."""
    awaiting: frozenset[str]
    """Functions that await what they get."""
    awaited_calls: frozenset[str]
    """Functions what they give is awaited."""


def none_awaits(bodies: Iterable[Body]) -> bool:
    """Whether nothing in pieces of code that belong together awaits a body."""
    known = list(bodies)
    handed = frozenset[str]().union(*(it.handed_to for it in known))
    returned = frozenset[str]().union(*(it.returned_by for it in known))
    return not any(
        it.awaited or not handed.isdisjoint(it.awaiting) or not returned.isdisjoint(it.awaited_calls) for it in known
    )


@kept
def body_in(node: ast.stmt) -> Body:
    """What a statement, a function or a method makes of bodies."""
    parts = list(parts_of(node))
    calls = [part for part in parts if _calls_json(part)]
    made = any(isinstance(part, ast.AsyncFunctionDef) and part.name == "json" for part in parts)
    uses = [it for call in calls for it in _uses(node, parts, call)]
    handed = frozenset(name for use in uses for name in _handed_to(use))
    awaited = any(isinstance(use[0], ast.Await) for use in uses) or not handed.isdisjoint(_AWAITING)
    returned = frozenset(name for use in uses for name in _returned_by([*use, node]))
    functions = [part for part in parts if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef))]
    awaiting = frozenset(it.name for it in functions if _awaits_parameter(it))
    waited = (it for part in parts if isinstance(part, ast.Await) for it in parts_of(part))
    asked = frozenset(last_name(it.func) for it in waited if isinstance(it, ast.Call))
    return Body(bool(calls), awaited or made, handed, returned, awaiting, asked)


def _calls_json(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "json"


def _uses(root: ast.AST, parts: list[ast.AST], call: ast.AST) -> Iterator[list[ast.AST]]:
    """The ways up from a call, and from where a name that holds what it gives is used."""
    path = path_to(root, call)
    yield path
    target = path[0].targets[0] if path and isinstance(path[0], ast.Assign) else None
    for part in parts:
        if isinstance(target, ast.Name) and isinstance(part, ast.Name) and part.id == target.id:
            yield path_to(root, part)


def _handed_to(path: list[ast.AST]) -> Iterator[str]:
    """The function that gets a value, alone or in a display."""
    for around in path:
        if isinstance(around, ast.Call):
            yield last_name(around.func)
        if not isinstance(around, (ast.List, ast.Tuple, ast.Set, ast.Starred, ast.GeneratorExp, ast.ListComp)):
            return


def _returned_by(path: list[ast.AST]) -> Iterator[str]:
    """The plain function, or the one that a lambda is passed to, that gives a value back."""
    if isinstance(path[0], ast.Return):
        holder = next((it for it in path if isinstance(it, (ast.FunctionDef, ast.AsyncFunctionDef))), None)
        if isinstance(holder, ast.FunctionDef):
            yield holder.name
    elif isinstance(path[0], ast.Lambda):
        for around in path[1:2]:
            if isinstance(around, ast.Assign):
                yield from (last_name(target) for target in around.targets)


def _awaits_parameter(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function awaits one of its parameters."""
    taken = {part.arg for part in parts_of(node.args) if isinstance(part, ast.arg)}
    return any(
        isinstance(part, ast.Name) and part.id in taken
        for it in parts_of(node)
        if isinstance(it, ast.Await)
        for part in [it.value, *(it.value.args if isinstance(it.value, ast.Call) else ())]
    )
