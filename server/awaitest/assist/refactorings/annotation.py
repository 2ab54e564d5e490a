"""Annotate a parameter with what its fixture gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from awaitest.assist.cursor import parameter_at, run_at
from awaitest.assist.inlay import given_type
from awaitest.assist.refactorings.imports import spelled, with_imports
from awaitest.engine.diagnostic import FileEdit, Fix
from awaitest.engine.repair import insert
from awaitest.engine.values import ClassInfo
from awaitest.project.modules import Imported
from awaitest.project.resolve import Found
from awaitest.source.edits import Import
from awaitest.source.text import Span

if TYPE_CHECKING:
    from awaitest.engine.run import Run
    from awaitest.project.modules import Module


def offer(runs: Sequence[Run], span: Span) -> Fix | None:
    """`client` becomes `client: AsyncClient`."""
    run = run_at(runs, span.start)
    step = parameter_at(run, span.start) if run is not None else None
    given = given_type(run, step) if run is not None and step is not None else None
    if run is None or step is None or given is None:
        return None
    written = _written(run, given, step.fixture.module)
    if written is None:
        return None
    name, added = written
    edits = with_imports(run, [insert(run.span(step.node).end, f": {name}")], added, {})
    if edits is None:
        return None
    return Fix(f"Annotate `{step.name}` as `{name}`", tuple(FileEdit(run.path, edit) for edit in edits), safe=True)


def _written(run: Run, given: ClassInfo | str, giver: Module) -> tuple[str, list[Import]] | None:
    if isinstance(given, str):
        return None if given in run.module.bound else (given, [])
    own = run.module.bound.get(given.node.name)
    if own and any(_means(run, run.module, given) for _ in own):
        return spelled(run, given.package, given.node.name)
    origin = _origin(run, given, giver)
    return None if origin is None else spelled(run, origin, given.node.name)


def _origin(run: Run, cls: ClassInfo, giver: Module) -> str | None:
    """The module to import a class from: where the fixture's module has it from, else the shortest that exports it."""
    bindings = giver.bound.get(cls.node.name, [])
    if len(bindings) == 1 and isinstance(bindings[0], Imported) and bindings[0].level == 0 and bindings[0].name:
        return bindings[0].module
    parts = cls.module.name.split(".")
    names = [".".join(parts[: end + 1]) for end in range(len(parts))]
    for name in names:
        module = run.engine.project.resolver.load(name, run.module)
        if module is not None and _is_public(name) and _means(run, module, cls):
            return name
    return None


def _means(run: Run, module: Module, cls: ClassInfo) -> bool:
    found = run.engine.project.resolver.lookup(module, cls.node.name)
    return isinstance(found, Found) and found.node is cls.node


def _is_public(module: str) -> bool:
    """Whether others may import from a module: not from a private one, nor from a conftest."""
    return not any(part.startswith("_") or part == "conftest" for part in module.split("."))
