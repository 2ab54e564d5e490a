"""Inlay hints: the type of a parameter that a fixture fills and nobody annotated."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitest.assist.given import handed_over
from awaitest.engine.steps import Received
from awaitest.engine.values import ClassInfo, Instance, Plain, every
from awaitest.source.text import Position

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_BUILT_IN = frozenset({"str", "bytes", "int", "float", "bool"})


@dataclass(frozen=True, slots=True)
class Hint:
    """Text shown behind a parameter's name."""

    position: Position
    label: str
    tooltip: str


def hints(runs: Sequence[Run]) -> list[Hint]:
    """A hint for every parameter whose fixture gives objects of one known class."""
    return [hint for run in runs for step in run.received() if (hint := _hint(run, step)) is not None]


def given_type(run: Run, step: Received) -> ClassInfo | str | None:
    """The one class, or the name of the built-in type, that an unannotated parameter holds; None where that is not known."""
    if not isinstance(step.node, ast.arg) or step.node.annotation is not None or handed_over(run, step) is not True:
        return None
    if every(step.value, Instance):
        classes = {kind.cls for kind in step.value if isinstance(kind, Instance)}
        return classes.pop() if len(classes) == 1 else None
    names = {kind.name if isinstance(kind, Plain) else "" for kind in step.value}
    return names.pop() if len(names) == 1 and names <= _BUILT_IN else None


def _hint(run: Run, step: Received) -> Hint | None:
    given = given_type(run, step)
    if given is None:
        return None
    name = given if isinstance(given, str) else given.node.name
    return Hint(run.span(step.node).end, f": {name}", f"The fixture `{step.fixture.name}` gives {name}.")
