"""The one edit that imports what a snippet uses."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from awaitest.source.document import Document
from awaitest.source.edits import Import, add_import, difference
from awaitest.source.import_order import ImportStatement, module_of
from awaitest.source.text import Edit, apply

if TYPE_CHECKING:
    from awaitest.project.modules import Module

_STAND_IN = "def _(): ..."


def clashes(module: Module, wanted: Import) -> bool:
    """Whether the name that an import would bind means something else in the module."""
    name = wanted.name or wanted.module
    return name in module.bound and module.import_origin(name) != (wanted.module, wanted.name or "")


class ImportEdits:
    """Adds imports to a document in which a definition is about to take the place of a line."""

    def __init__(self, document: Document, line: int, is_own: Callable[[str], bool]) -> None:
        """`is_own`: whether a top-level module is one of the project."""
        self._document = document
        self._is_own = is_own
        defined = (_first_line(document, node) for node in document.module() if not _may_precede(node))
        self._end = min([line, *defined])
        row = document.lines[self._end] if self._end < len(document.lines) else ""
        ending = row[len(row.rstrip("\r\n")) :]
        above = document.lines[: self._end]
        self._head = Document("".join([*above, _STAND_IN + ending]))

    def edit(self, wanted: Iterable[Import]) -> Edit | None:
        """Whole lines, none of them the one that is replaced; an insertion may be right before that one."""
        missing = [each for each in wanted if add_import(self._document, *each) is not None]
        head = self._head
        modules = {module_of(node) for node in head.module() if isinstance(node, ImportStatement)}
        tops = {module.partition(".")[0] for module in (*modules, *(each.module for each in missing))}
        first_party = frozenset(filter(self._is_own, tops - {""}))
        for each in missing:
            added = add_import(head, *each, first_party=first_party)
            head = Document(apply(head.lines, [added])) if added is not None else head
        return difference(self._head, head.text) if missing else None


def _may_precede(node: ast.stmt) -> bool:
    return not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _first_line(document: Document, node: ast.stmt) -> int:
    """The first line of a definition, its decorators included."""
    home = document.segment_of(node)
    return min(home.span(part).start.line for part in (node, *getattr(node, "decorator_list", ())))
