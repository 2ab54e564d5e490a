"""What `pytest.mark.parametrize` gives to the parameters of a test, in place of the fixtures of these names."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from awaitest.engine.marks import Mark
from awaitest.engine.values import UNKNOWN, Collection, FunctionValue, Instance, Plain, Value, join
from awaitest.engine.world import World


def set_by_marks(world: World, marks: Iterable[Mark], wanted: Sequence[str]) -> dict[str, Value]:
    """Values of the parameters that marks set directly; of all wanted ones where a mark cannot be read."""
    found: dict[str, Value] = {}
    for mark in marks:
        if mark.name == "parametrize":
            found |= _of_mark(world, mark, wanted)
    return found


def _of_mark(world: World, mark: Mark, wanted: Sequence[str]) -> dict[str, Value]:
    named, values, indirect = (
        _argument(mark, *place) for place in ((0, "argnames"), (1, "argvalues"), (2, "indirect"))
    )
    names = _texts(world, mark, named)
    if isinstance(named, (ast.Constant, ast.Name, ast.Attribute)) and names is not None:
        names = [name.strip() for text in names for name in text.split(",") if name.strip()]
    if names is None:
        return dict.fromkeys(wanted, UNKNOWN)
    rows = [_row(world, mark, row, names) for row in _elements(values)] or [[UNKNOWN] * len(names)]
    given = {name: join(*(row[position] for row in rows)) for position, name in enumerate(names)}
    if indirect is None or (isinstance(indirect, ast.Constant) and not indirect.value):
        return given
    if isinstance(indirect, ast.Constant):
        return {}
    passed_on = _texts(world, mark, indirect)
    if passed_on is None:
        return dict.fromkeys(names, UNKNOWN)
    return {name: value for name, value in given.items() if name not in passed_on}


def _argument(mark: Mark, position: int, keyword: str) -> ast.expr | None:
    return mark.arguments[position] if position < len(mark.arguments) else mark.keywords.get(keyword)


def _texts(world: World, mark: Mark, node: ast.expr | None) -> list[str] | None:
    """The strings of a string or of a list of strings; None where they cannot be told."""
    if node is None:
        return None
    found: list[str] = []
    for element in node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]:
        (kind, *others) = world.reader.expression(mark.module, element)
        if others or not isinstance(kind, Plain) or not isinstance(kind.const, str):
            return None
        found.append(kind.const)
    return found


def _elements(node: ast.expr | None) -> list[ast.expr]:
    return node.elts if isinstance(node, (ast.List, ast.Tuple)) else []


def _row(world: World, mark: Mark, row: ast.expr, names: list[str]) -> list[Value]:
    """The values of one parameter set, one for each name."""
    if isinstance(row, ast.Call) and _is_param(world, mark, row.func):
        values = [world.reader.expression(mark.module, argument) for argument in row.args]
    elif len(names) == 1:
        values = [world.reader.expression(mark.module, row)]
    else:
        whole = world.reader.expression(mark.module, row)
        items = next((kind.items for kind in whole if isinstance(kind, Collection)), None) if len(whole) == 1 else None
        values = list(items or ())
    known = len(values) == len(names) and not any(map(_is_set, values))
    return values if known else [UNKNOWN] * len(names)


def _is_param(world: World, mark: Mark, called: ast.expr) -> bool:
    return any(
        isinstance(kind, FunctionValue)
        and kind.function.name == "param"
        and kind.function.module.name.startswith(("pytest", "_pytest"))
        for kind in world.reader.expression(mark.module, called)
    )


def _is_set(value: Value) -> bool:
    """Whether a value is a whole parameter set, made where nobody looks."""
    return any(isinstance(kind, Instance) and kind.cls.node.name == "ParameterSet" for kind in value)
