"""One module as a tree: what it binds and what it imports. Nothing of it is executed."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from awaitest.source.document import Document

Origin = Literal["project", "installed", "stdlib", "stub"]


@dataclass(frozen=True, slots=True)
class Imported:
    """A name bound by an import: `name` of `module`, or the module itself; `level` counts leading dots."""

    module: str
    name: str | None
    level: int = 0


Binding = ast.stmt | ast.expr | Imported


@dataclass(eq=False)
class Module:
    """A module. Only files of the project have a `document`; the rest is read once."""

    name: str
    path: Path | None
    is_package: bool
    origin: Origin
    tree: list[ast.stmt] = field(default_factory=list)
    document: Document | None = None

    @property
    def body(self) -> list[ast.stmt]:
        return self.document.module() if self.document is not None else self.tree

    @cached_property
    def _names(self) -> _Names:
        names = _Names()
        names.read(self.body)
        return names

    @property
    def bound(self) -> Mapping[str, list[Binding]]:
        """Module-level names with what binds them, in order."""
        return self._names.bound

    @property
    def star_imports(self) -> Sequence[Imported]:
        return self._names.stars

    @property
    def all_names(self) -> frozenset[str] | None:
        """The names of `__all__`, or None where there is none or it is computed."""
        return frozenset(self._names.exported) if self._names.exported is not None else None

    @cached_property
    def rebound(self) -> frozenset[str]:
        """Names that functions assign by `global`."""
        return frozenset(
            name for node in self.body for part in ast.walk(node) if isinstance(part, ast.Global) for name in part.names
        )

    def import_origin(self, name: str) -> tuple[str, str] | None:
        """Where `name` was imported from, as written: module and name."""
        last = self._names.bound.get(name, [None])[-1]
        return (last.module, last.name or "") if isinstance(last, Imported) else None

    def may_be_function(self, name: str) -> bool:
        """Whether a name is a function here or imported, so that it may be a fixture."""
        return any(
            isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef | Imported)
            for item in self._names.bound.get(name, ())
        )


class _Names:
    """Collects what the top level of a module binds, also inside `if`, `try`, `with` and loops."""

    def __init__(self) -> None:
        self.bound: dict[str, list[Binding]] = {}
        self.stars: list[Imported] = []
        self.exported: list[str] | None = None

    def read(self, body: Sequence[ast.stmt]) -> None:
        for node in body:
            self._statement(node)

    def _bind(self, name: str, binding: Binding) -> None:
        self.bound.setdefault(name, []).append(binding)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._bind(node.name, node)
            case ast.Import():
                for alias in node.names:
                    whole = alias.name if alias.asname else alias.name.partition(".")[0]
                    self._bind(alias.asname or whole, Imported(whole, None))
            case ast.ImportFrom():
                self._from(node)
            case ast.Assign():
                for target in node.targets:
                    self._assign(target, node.value)
            case ast.AnnAssign(target=ast.Name(id=name)):
                self._bind(name, node)
            case ast.AugAssign(target=ast.Name(id=name)):
                self._exports(name, node.value, extend=True)
                self._bind(name, node)
            case ast.For() | ast.AsyncFor():
                self._assign(node.target, None)
                self.read([*node.body, *node.orelse])
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    if item.optional_vars is not None:
                        self._assign(item.optional_vars, None)
                self.read(node.body)
            case ast.If() | ast.While():
                self.read([*node.body, *node.orelse])
            case ast.Try():
                self.read(
                    [*node.body, *node.orelse, *(s for handler in node.handlers for s in handler.body), *node.finalbody]
                )

    def _from(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            imported = Imported(node.module or "", alias.name, node.level)
            if alias.name == "*":
                self.stars.append(imported)
            else:
                self._bind(alias.asname or alias.name, imported)

    def _assign(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name):
            self._exports(target.id, value, extend=False)
            self._bind(target.id, value if value is not None else target)
        elif isinstance(target, ast.Tuple | ast.List):
            for element in target.elts:
                self._assign(element, None)

    def _exports(self, name: str, value: ast.expr | None, extend: bool) -> None:
        if name != "__all__" or not isinstance(value, ast.List | ast.Tuple):
            return
        names = list(_strings(value))
        self.exported = [*(self.exported or []), *names] if extend else names


def _strings(node: ast.List | ast.Tuple) -> Iterator[str]:
    for element in node.elts:
        if isinstance(element, ast.Constant) and isinstance(element.value, str):
            yield element.value
