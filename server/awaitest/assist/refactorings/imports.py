"""The imports of a file, changed together with the code below them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from awaitest.engine.repair import merged
from awaitest.engine.values import ClassValue, ModuleValue
from awaitest.engine.world import Definition
from awaitest.project.modules import Imported
from awaitest.source.document import Document
from awaitest.source.edits import Import, add_import, difference, remove_import, uses_of
from awaitest.source.import_order import module_of
from awaitest.source.text import Edit, Position, apply, conflict

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_IMPORTS = ast.Import | ast.ImportFrom


def with_imports(
    run: Run, edits: Iterable[Edit], added: Sequence[Import], gone: Mapping[str, int]
) -> tuple[Edit, ...] | None:
    """Edits together with the imports they need, without those nothing uses any more; None where edits collide.

    `gone`: how many uses of a name the edits remove.
    """
    document, chosen = run.document, merged(edits)
    if conflict(chosen):
        return None
    end = Position(_imports_end(document), 0)
    if any(edit.span.start < end < edit.span.end for edit in chosen):
        end = Position(len(document.lines), 0)
    head = Document("".join(document.lines[: end.line]))
    own = frozenset(_own_packages(run, added))
    text = apply(head.lines, [edit for edit in chosen if edit.span.start < end])
    for new in added:
        text = _changed(text, partial(add_import, module=new.module, name=new.name, first_party=own))
    for name, uses in gone.items():
        old = _import_of(run, name)
        if old is not None and old not in added and uses_of(document, name) <= uses:
            text = _changed(text, partial(remove_import, module=old.module, name=old.name, replaced=uses))
    first = [] if text == head.text else [difference(head, text)]
    whole = merged([*first, *(edit for edit in chosen if edit.span.start >= end)])
    return None if conflict(whole) else whole


def spelled(run: Run, module: str, name: str) -> tuple[str, list[Import]] | None:
    """How a file writes a class of a module, and the import it lacks for that; None where the name means something else."""
    world, bound = run.engine.world, run.module.bound
    if name in bound:
        found = world.name(run.module, name) or frozenset()
        own = found and all(
            isinstance(kind, ClassValue) and kind.cls.package == module.partition(".")[0] for kind in found
        )
        return (name, []) if own and _always_bound(run.document, name) else None
    if module in bound and _always_bound(run.document, module):
        kinds = world.name(run.module, module) or frozenset()
        if kinds and all(isinstance(kind, ModuleValue) and kind.module.name == module for kind in kinds):
            return f"{module}.{name}", []
    return name, [Import(module, name)]


def first_definition(document: Document) -> int | None:
    """The line at which the first function or class begins, decorators included."""
    for statement in document.module():
        if isinstance(statement, Definition | ast.ClassDef):
            return document.segment_of(statement).span(next(iter(statement.decorator_list), statement)).start.line
    return None


def _imports_end(document: Document) -> int:
    """The line before which imports are changed: the first definition, where imports stand before it."""
    first = first_definition(document)
    leading = next((node for node in document.module() if isinstance(node, Definition | ast.ClassDef | _IMPORTS)), None)
    return first if first is not None and isinstance(leading, _IMPORTS) else len(document.lines)


def _own_packages(run: Run, added: Sequence[Import]) -> Iterator[str]:
    """The top-level modules of the project among all that are imported."""
    statements = [node for node in run.document.module() if isinstance(node, _IMPORTS)]
    for name in {name.partition(".")[0] for name in (*map(module_of, statements), *(new.module for new in added))}:
        module = run.engine.project.resolver.load(name, run.module) if name else None
        if module is not None and module.origin == "project":
            yield name


def _import_of(run: Run, name: str) -> Import | None:
    bindings = run.module.bound.get(name, [])
    if len(bindings) != 1 or not isinstance(bindings[0], Imported) or name in (run.module.all_names or ()):
        return None
    return Import("." * bindings[0].level + bindings[0].module, bindings[0].name)


def _always_bound(document: Document, name: str) -> bool:
    """Whether a statement at the top level, not one inside of `if TYPE_CHECKING`, binds a name."""
    for statement in document.module():
        if isinstance(statement, ast.ClassDef) and statement.name == name:
            return True
        if isinstance(statement, _IMPORTS) and any((alias.asname or alias.name) == name for alias in statement.names):
            return True
    return False


def _changed(text: str, change: Callable[[Document], Edit | None]) -> str:
    document = Document(text)
    edit = change(document)
    return text if edit is None else apply(document.lines, [edit])
