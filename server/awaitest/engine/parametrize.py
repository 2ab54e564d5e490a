"""What parametrisation gives: `pytest.mark.parametrize` to the parameters of a test, in place of the fixtures of these names, and the
decorator of a fixture to its `request.param`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from awaitest.engine.marks import Mark
from awaitest.engine.values import (
    UNKNOWN,
    ClassValue,
    Collection,
    FixtureRequest,
    FunctionValue,
    Instance,
    Plain,
    Value,
    every,
    join,
)
from awaitest.engine.world import World

if TYPE_CHECKING:
    from awaitest.engine.fixtures import Fixture
    from awaitest.project.modules import Module


def set_by_marks(world: World, marks: Iterable[Mark], wanted: Sequence[str]) -> dict[str, Value]:
    """Values of the parameters that marks set directly; of all wanted ones where a mark cannot be read."""
    found: dict[str, Value] = {}
    for mark in marks:
        if mark.name == "parametrize":
            found |= _of_mark(world, mark, wanted)
    return found


def passed_on(world: World, marks: Iterable[Mark]) -> Iterator[str]:
    """The fixtures that get their `request.param` from marks."""
    for mark in marks:
        if mark.name == "parametrize":
            names = _names(world, mark.module, _argument(mark, 0, "argnames"))
            yield from _indirect(world, mark, names or []) or ()


def requested_by(world: World, fixture: Fixture) -> Value:
    """The `request` of a fixture. Only functions and classes are told apart, since tests compare other parameters with something."""
    keywords = fixture.decorator.keywords if isinstance(fixture.decorator, ast.Call) else []
    params = next((it.value for it in keywords if it.arg == "params"), None)
    given = [value for row in _elements(params) for value in _row(world, fixture.module, row, ["param"])]
    param = join(*given) if given else UNKNOWN
    return frozenset({FixtureRequest(param)}) if every(param, FunctionValue, ClassValue) else UNKNOWN


def _of_mark(world: World, mark: Mark, wanted: Sequence[str]) -> dict[str, Value]:
    names = _names(world, mark.module, _argument(mark, 0, "argnames"))
    if names is None:
        return dict.fromkeys(wanted, UNKNOWN)
    indirect = _indirect(world, mark, names)
    if indirect is None:
        return dict.fromkeys(names, UNKNOWN)
    values = _elements(_argument(mark, 1, "argvalues"))
    rows = [_row(world, mark.module, row, names) for row in values] or [[UNKNOWN] * len(names)]
    given = {name: join(*(row[position] for row in rows)) for position, name in enumerate(names)}
    return {name: value for name, value in given.items() if name not in indirect}


def _indirect(world: World, mark: Mark, names: list[str]) -> list[str] | None:
    """Which of the names a mark passes on to the fixtures of these names; None where that cannot be told."""
    indirect = _argument(mark, 2, "indirect")
    if indirect is None or isinstance(indirect, ast.Constant):
        return names if indirect is not None and indirect.value else []
    return _texts(world, mark.module, indirect)


def _argument(mark: Mark, position: int, keyword: str) -> ast.expr | None:
    return mark.arguments[position] if position < len(mark.arguments) else mark.keywords.get(keyword)


def _names(world: World, module: Module, named: ast.expr | None) -> list[str] | None:
    """The names in a list, or in one string with commas; None where they cannot be told."""
    names = _texts(world, module, named)
    if isinstance(named, (ast.Constant, ast.Name, ast.Attribute)) and names is not None:
        names = [name.strip() for text in names for name in text.split(",") if name.strip()]
    return names


def _texts(world: World, module: Module, node: ast.expr | None) -> list[str] | None:
    """The strings of a string or of a list of strings; None where they cannot be told."""
    if node is None:
        return None
    found: list[str] = []
    for element in node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]:
        (kind, *others) = world.reader.expression(module, element)
        if others or not isinstance(kind, Plain) or not isinstance(kind.const, str):
            return None
        found.append(kind.const)
    return found


def _elements(node: ast.expr | None) -> list[ast.expr]:
    return node.elts if isinstance(node, (ast.List, ast.Tuple)) else []


def _row(world: World, module: Module, row: ast.expr, names: list[str]) -> list[Value]:
    """The values of one parameter set, one for each name."""
    if isinstance(row, ast.Call) and _is_param(world, module, row.func):
        values = [world.reader.expression(module, argument) for argument in row.args]
    elif len(names) == 1:
        values = [world.reader.expression(module, row)]
    else:
        whole = world.reader.expression(module, row)
        items = next((kind.items for kind in whole if isinstance(kind, Collection)), None) if len(whole) == 1 else None
        values = list(items or ())
    known = len(values) == len(names) and not any(map(_is_set, values))
    return values if known else [UNKNOWN] * len(names)


def _is_param(world: World, module: Module, called: ast.expr) -> bool:
    return any(
        isinstance(kind, FunctionValue)
        and kind.function.name == "param"
        and kind.function.module.name.startswith(("pytest", "_pytest"))
        for kind in world.reader.expression(module, called)
    )


def _is_set(value: Value) -> bool:
    """Whether a value is a whole parameter set, made where nobody looks."""
    return any(isinstance(kind, Instance) and kind.cls.node.name == "ParameterSet" for kind in value)
