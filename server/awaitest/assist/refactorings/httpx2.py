"""Move a file from httpx to httpx2."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from awaitest.engine.diagnostic import Fix
from awaitest.engine.repair import fix
from awaitest.engine.steps import Called, Received, Step
from awaitest.engine.values import Coroutine, FunctionValue, Instance, Kind, Plain, Value, join
from awaitest.project.modules import Imported
from awaitest.source.nodes import parts_of
from awaitest.source.text import Edit, Position, Span

if TYPE_CHECKING:
    from awaitest.engine.run import Run
    from awaitest.project.modules import Module

OLD, NEW = "httpx", "httpx2"
_TIED = re.compile(r"\b(?:httpx2|respx|respx_mock|httpx_mock|pytest_httpx|httpx_ws|httpx_sse|authlib)\b")
"""Words of what works with one of the libraries only."""
_FROM = re.compile(r"from[ \t]+(?=httpx\b)")
_TEXT = re.compile(r"httpx(?:\.|$)")


def offer(runs: Sequence[Run], span: Span) -> Fix | None:
    """Imports and names, where the cursor stands on one of them and httpx2 has all of them."""
    run = runs[0] if runs else None
    if run is None or not any(OLD in line for line in run.document.lines[span.start.line : span.end.line + 1]):
        return None
    text = run.document.text
    if _TIED.search(text) or run.engine.project.environment.has(NEW) is not True or _shares(runs):
        return None
    edits = _edits(run)
    if not edits or not any(span.start.line <= edit.span.start.line <= span.end.line for edit in edits):
        return None
    return fix(run, "Use httpx2 in this file", edits, safe=False)


def _edits(run: Run) -> list[Edit] | None:
    """Every place that names httpx; None where one is not understood, or httpx2 lacks what it names."""
    library = run.engine.project.resolver.load(NEW)
    if library is None:
        return None
    edits: list[Edit] = []
    bases: set[int] = set()
    for node in (part for statement in run.document.module() for part in parts_of(statement)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == OLD:
            bases.add(id(node.value))
            if not _has(run, library, node.attr):
                return None
        if _opaque(node, bases):
            return None
        places = list(_places(run, node, library))
        if None in places:
            return None
        edits += [edit for edit in places if edit is not None]
    return edits


def _opaque(node: ast.AST, bases: set[int]) -> bool:
    """Whether a node uses the name in a way that moving it may break."""
    match node:
        case ast.Name(id=name) if name == OLD:
            return id(node) not in bases
        case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name == OLD
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return OLD in names
        case ast.Constant(value=str(text)):
            return _TEXT.match(text) is not None
    return False


def _places(run: Run, node: ast.AST, library: Module) -> Iterator[Edit | None]:
    """What to change at a node: an import, or a name; None for what cannot be changed."""
    if isinstance(node, ast.Name) and node.id == OLD:
        yield _renamed(run.span(node).start)
    elif isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name.partition(".")[0] == OLD or alias.asname == OLD:
                yield _renamed(run.span(alias).start) if alias.name == OLD and alias.asname is None else None
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").partition(".")[0] == OLD:
        start = run.span(node).start
        found = _FROM.match(run.document.lines[start.line], start.column)
        known = node.module == OLD and all(_has(run, library, alias.name) for alias in node.names)
        yield _renamed(Position(start.line, found.end())) if known and found is not None else None


def _renamed(start: Position) -> Edit:
    return Edit(Span(start, Position(start.line, start.column + len(OLD))), NEW)


def _has(run: Run, library: Module, name: str) -> bool:
    return run.engine.project.resolver.lookup(library, name) is not None


def _shares(runs: Sequence[Run]) -> bool:
    """Whether objects of httpx come into the file, or may come, from other files of the project."""
    for run in runs:
        for step in run.steps:
            givers, value = _handed(step)
            others = [module for module in givers if module.origin == "project" and module is not run.module]
            if others and any(_may_be_old(run, kind, others) for kind in value):
                return True
    return False


def _handed(step: Step) -> tuple[list[Module], Value]:
    """What a fixture or a function gives in a step, and where they stand."""
    if isinstance(step, Received):
        return [step.fixture.module], step.value
    if not isinstance(step, Called):
        return [], frozenset()
    givers = [kind.function.module for kind in step.target if isinstance(kind, FunctionValue)]
    return givers, join(
        *(kind.site.result() if isinstance(kind, Coroutine) else frozenset({kind}) for kind in step.result)
    )


def _may_be_old(run: Run, kind: Kind, givers: Sequence[Module]) -> bool:
    """Whether a value is an object of httpx or of a class that derives from one, or cannot be told from one that its givers make."""
    if isinstance(kind, Instance):
        own = kind.cls.package in ("starlette", "fastapi")
        return not own and any(base.package == OLD for base in run.engine.world.mro(kind.cls)[0])
    return not isinstance(kind, Plain) and any(_imports(module, OLD) for module in givers)


def _imports(module: Module, package: str) -> bool:
    bindings = (binding for bound in module.bound.values() for binding in bound)
    return any(isinstance(it, Imported) and it.module.partition(".")[0] == package for it in bindings)
