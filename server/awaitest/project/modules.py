"""One module as a tree: what it binds and what it imports. Nothing of it is executed."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from awaitest.source.document import Document
from awaitest.source.nodes import parts_of

Origin = Literal["project", "installed", "stdlib", "stub"]


@dataclass(frozen=True, slots=True)
class Imported:
    """A name bound by an import: `name` of `module`, or the module itself; `level` counts leading dots."""

    module: str
    name: str | None
    level: int = 0


Binding = ast.stmt | ast.expr | Imported
_Live = dict[str, tuple[Binding, ...]]


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
        return _Names(self.body)

    @property
    def bound(self) -> Mapping[str, list[Binding]]:
        """Module-level names with all that binds them, in order."""
        return self._names.bound

    def held(self, name: str) -> tuple[Binding, ...]:
        """What a name may hold once the module has run: several bindings where branches part. Of a guarded import,
        `try: import a` with `except ImportError`, only what the import binds: the handler runs where it fails."""
        return self._names.live.get(name, ())

    @property
    def star_imports(self) -> Sequence[Imported]:
        return self._names.stars

    @property
    def all_names(self) -> frozenset[str] | None:
        """The names of `__all__`, or None where there is none or it is computed."""
        exported = self._names.exported
        return frozenset(exported) if exported is not None else None

    @property
    def dunder_getattr(self) -> bool:
        """Whether the module makes names on demand, so that what is not bound may exist all the same."""
        return "__getattr__" in self.bound

    @cached_property
    def rebound(self) -> frozenset[str]:
        """Names that functions assign by `global`."""
        return frozenset(
            name for node in self.body for part in parts_of(node) if isinstance(part, ast.Global) for name in part.names
        )

    @cached_property
    def rebinds_any(self) -> bool:
        """Whether the module gives its names other values by `globals()[name]`."""
        stored = (part for node in self.body for part in parts_of(node) if isinstance(part, ast.Subscript))
        return any(
            isinstance(part.ctx, ast.Store) and getattr(getattr(part.value, "func", None), "id", "") == "globals"
            for part in stored
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
    """What the top level of a module binds, also inside `if`, `try`, `with`, `match` and loops."""

    def __init__(self, body: Iterable[ast.stmt]) -> None:
        self.bound: dict[str, list[Binding]] = {}
        self.live: _Live = {}
        self.stars: list[Imported] = []
        self.exported: list[str] | None = None
        self._computed = False
        self._read(body)

    def _read(self, body: Iterable[ast.stmt]) -> bool:
        """Read statements in order; whether the module goes on after them."""
        for node in body:
            if isinstance(node, ast.Raise):
                return False
            self._statement(node)
        return True

    def _bind(self, name: str, binding: Binding) -> None:
        self.bound.setdefault(name, []).append(binding)
        self.live[name] = (binding,)

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
                self._export(name, node.value)
                self._bind(name, node)
            case ast.AugAssign(target=ast.Name(id=name)):
                self._export(name, node.value, extend=True)
                self._bind(name, node)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="__all__")))):
                self._export("__all__", None)
            case ast.Delete():
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        self.live.pop(target.id, None)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    if item.optional_vars is not None:
                        self._assign(item.optional_vars, None)
                self._read(node.body)
            case _:
                self._compound(node)

    def _compound(self, node: ast.stmt) -> None:
        match node:
            case ast.If() if _only_for_types(node.test):
                self._read(node.body)
            case ast.If(test=ast.UnaryOp(op=ast.Not(), operand=test)) if _only_for_types(test):
                self._read(node.orelse)
            case ast.If():
                self._branches(node.body, node.orelse)
            case ast.While():
                self._branches([*node.body, *node.orelse], [])
            case ast.For() | ast.AsyncFor():
                self._assign(node.target, None)
                self._branches([*node.body, *node.orelse], [])
            case ast.Match():
                self._branches(*(case.body for case in node.cases), [])
            case _ if hasattr(node, "handlers"):
                self._try(node)  # type: ignore[arg-type]  # ast.TryStar has the same fields
            case _ if isinstance(target := getattr(node, "name", None), ast.Name):
                self._bind(target.id, node)

    def _branches(self, *bodies: Sequence[ast.stmt]) -> None:
        start, ends = self.live, []
        for body in bodies:
            self.live = dict(start)
            if self._read(body):
                ends.append(self.live)
        self.live = _meet(ends) if ends else start

    def _try(self, node: ast.Try) -> None:
        start = dict(self.live)
        self._read(node.body)
        tried = self.live
        self._read(node.orelse)
        ends = [self.live]
        for handler in node.handlers:
            self.live = _meet([start, tried])
            if self._read(handler.body):
                without = _imported_names(tried) if _catches_failed_import(handler) else frozenset()
                ends.append({name: held for name, held in self.live.items() if name not in without})
        self.live = _meet(ends)
        self._read(node.finalbody)

    def _from(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            imported = Imported(node.module or "", alias.name, node.level)
            if alias.name == "*":
                self.stars.append(imported)
            else:
                self._bind(alias.asname or alias.name, imported)

    def _assign(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name):
            self._export(target.id, value)
            self._bind(target.id, value if value is not None else target)
        elif isinstance(target, ast.Tuple | ast.List):
            values = value.elts if isinstance(value, ast.Tuple | ast.List) else []
            starred = any(isinstance(item, ast.Starred) for item in (*target.elts, *values))
            pairs = values if len(values) == len(target.elts) and not starred else [None] * len(target.elts)
            for element, part in zip(target.elts, pairs, strict=True):
                self._assign(element, part)
        elif isinstance(target, ast.Starred):
            self._assign(target.value, None)

    def _export(self, name: str, value: ast.expr | None, extend: bool = False) -> None:
        if name != "__all__":
            return
        names = _strings(value)
        self._computed = (extend and self._computed) or names is None
        before = (self.exported or []) if extend else []
        self.exported = None if names is None or self._computed else [*before, *names]


def _meet(ends: Sequence[_Live]) -> _Live:
    """What names may hold where paths meet."""
    met: _Live = {}
    for end in ends:
        for name, bindings in end.items():
            met[name] = tuple(dict.fromkeys((*met.get(name, ()), *bindings)))
    return met


def _only_for_types(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"


def _catches_failed_import(handler: ast.ExceptHandler) -> bool:
    names = {getattr(part, "attr", None) or getattr(part, "id", None) for part in parts_of(handler.type or handler)}
    return handler.type is None or bool(names & {"ImportError", "ModuleNotFoundError", "Exception"})


def _imported_names(live: _Live) -> frozenset[str]:
    return frozenset(name for name, held in live.items() if any(isinstance(item, Imported) for item in held))


def _strings(node: ast.expr | None) -> list[str] | None:
    """The strings of a literal list, None where it is something else."""
    if not isinstance(node, ast.List | ast.Tuple):
        return None
    texts = [item.value for item in node.elts if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    return texts if len(texts) == len(node.elts) else None
