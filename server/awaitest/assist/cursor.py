"""What stands at a place in a file."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from awaitest.engine.steps import Received
from awaitest.engine.world import Definition
from awaitest.source.nodes import children
from awaitest.source.text import Position, Span

if TYPE_CHECKING:
    from awaitest.engine.run import Run


def holds(span: Span, position: Position) -> bool:
    """Whether a place lies in a span or right behind it."""
    return span.start <= position <= span.end


def run_at(runs: Sequence[Run], position: Position) -> Run | None:
    """The innermost function at a place."""
    around = [run for run in runs if run.function is not None and holds(run.span(run.node), position)]
    return max(around, key=lambda run: run.span(run.node).start, default=None)


def nodes_at(run: Run, position: Position) -> list[ast.AST]:
    """The nodes of a function at a place, those of nested functions left out, innermost first."""
    found = [node for node in _own(run.node) if holds(run.span(node), position)]
    return list(reversed(found))


def parameter_at(run: Run, position: Position) -> Received | None:
    """The fixture of the parameter at a place."""
    given = (step for step in run.received() if isinstance(step.node, ast.arg))
    return next((step for step in given if holds(run.span(step.node), position)), None)


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below one that have a place, outer before inner."""
    for child in children(node):
        if isinstance(child, ast.expr | ast.stmt | ast.arg):
            yield child
        if not isinstance(child, Definition | ast.ClassDef | ast.Lambda):
            yield from _own(child)
