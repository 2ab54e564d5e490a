"""Finds modules and follows names through imports, re-exports and aliases to their definitions."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from awaitest.project.files import Files
from awaitest.project.library import Library, is_folder, module_file
from awaitest.project.modules import Imported, Module
from awaitest.source.decode import DecodeProblem, decode
from awaitest.source.document import Document

_DEEPEST = 24


@dataclass(frozen=True, slots=True)
class Found:
    """A definition, or the expression a name was assigned, with the module it stands in."""

    module: Module
    node: ast.AST


@dataclass(frozen=True, slots=True)
class FoundModule:
    """A name that means a module."""

    module: Module


class Resolver:
    """Modules of one project and its environment. Project roots come first, then the library."""

    def __init__(
        self, files: Files, roots: Iterable[Path], library: Library, editable: Mapping[str, Path] | None = None
    ) -> None:
        self._files = files
        self._roots = tuple(dict.fromkeys((*roots, *(root / "src" for root in roots))))
        self._library = library
        self._editable = dict(editable or {})
        self._by_name: dict[str, Module | None] = {}
        self._by_path: dict[Path, Module] = {}
        self._lookups: dict[tuple[int, str], Found | FoundModule | None] = {}
        self._found: dict[str, Path | None] = {}

    # -- modules -----------------------------------------------------------------------------------------------------

    def load_path(self, path: Path) -> Module:
        """The module of a project file; empty where it cannot be read."""
        known = self._by_path.get(path)
        if known is None:
            known = self._by_path[path] = self._project_module(path)
            self._by_name.setdefault(known.name, known)
        return known

    def _project_module(self, path: Path) -> Module:
        content = self._files.read(path)
        try:
            text = decode(content)[0] if content is not None else ""
        except DecodeProblem:
            text = ""
        name, is_package = self.name_of(path)
        return Module(name, path, is_package, "project", document=Document(text))

    def name_of(self, path: Path) -> tuple[str, bool]:
        """The dotted name pytest would import a file by, and whether it is a package: packages go up as far as `__init__.py` does."""
        is_package = path.name == "__init__.py"
        parts = [] if is_package else [path.stem]
        folder = path.parent
        while self._files.is_file(folder / "__init__.py") and folder != folder.parent:
            parts.insert(0, folder.name)
            folder = folder.parent
        return ".".join(parts) or path.stem, is_package

    def find(self, name: str) -> Path | None:
        """The file of a module, by its dotted name."""
        return self._own(name) or self._library.find(name)

    def _own(self, name: str) -> Path | None:
        if name not in self._found:
            self._found[name] = self._search(name.split("."))
        return self._found[name]

    def _search(self, parts: list[str]) -> Path | None:
        if not all(part.isidentifier() for part in parts):
            return None
        for root in self._roots:
            path = module_file(self._files, root, parts)
            if path is not None:
                return path
        linked = self._editable.get(parts[0])
        return module_file(self._files, linked.parent, [linked.name, *parts[1:]]) if linked is not None else None

    def load(self, name: str) -> Module | None:
        """A module by its dotted name; None where it cannot be found. Namespace packages have an empty body."""
        if name not in self._by_name:
            self._by_name[name] = None
            self._by_name[name] = self._load(name)
        return self._by_name[name]

    def _load(self, name: str) -> Module | None:
        path = self._own(name)
        if path is not None:
            return self.load_path(path)
        found = self._library.load(name)
        if found is None and any(is_folder(self._files, root, name) for root in self._roots):
            return Module(name, None, True, "project")
        return found

    # -- names -------------------------------------------------------------------------------------------------------

    def lookup(self, module: Module, name: str) -> Found | FoundModule | None:
        """What a module-level name means: a definition, an assigned expression or a module; None where that is unknown."""
        key = (id(module), name)
        if key not in self._lookups:
            self._lookups[key] = None
            self._lookups[key] = self._lookup(module, name, 0)
        return self._lookups[key]

    def _lookup(self, module: Module, name: str, depth: int) -> Found | FoundModule | None:
        if depth > _DEEPEST:
            return None
        for binding in _by_worth(module.bound.get(name, ())):
            found = self._follow(module, binding, depth)
            if found is not None:
                return found
        if name in module.bound:
            return None
        for star in reversed(module.star_imports):
            origin = self.star_module(module, star)
            if origin is None or origin is module or not _exports(origin, name):
                continue
            found = self._lookup(origin, name, depth + 1)
            if found is not None:
                return found
        if module.is_package:
            submodule = self.load(f"{module.name}.{name}")
            return FoundModule(submodule) if submodule is not None else None
        return None

    def _follow(self, module: Module, binding: ast.AST | Imported, depth: int) -> Found | FoundModule | None:
        if isinstance(binding, Imported):
            return self._imported(module, binding, depth)
        if isinstance(binding, ast.Name | ast.Attribute) and isinstance(binding.ctx, ast.Load):
            return self.resolve(module, binding, depth + 1) or Found(module, binding)
        if isinstance(binding, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return Found(module, binding)
        if isinstance(binding, ast.AnnAssign):
            return Found(module, binding.value) if binding.value is not None else Found(module, binding)
        if isinstance(binding, ast.expr) and not isinstance(getattr(binding, "ctx", None), ast.Store):
            return Found(module, binding)
        return None

    def _imported(self, module: Module, imported: Imported, depth: int) -> Found | FoundModule | None:
        origin = _absolute(module, imported.module, imported.level)
        if origin is None:
            return None
        loaded = self.load(origin)
        if imported.name is None:
            return FoundModule(loaded) if loaded is not None else None
        if loaded is not None:
            found = self._lookup(loaded, imported.name, depth + 1) if loaded is not module else None
            if found is not None:
                return found
        submodule = self.load(f"{origin}.{imported.name}")
        return FoundModule(submodule) if submodule is not None else None

    def resolve(self, module: Module, node: ast.expr, depth: int = 0) -> Found | FoundModule | None:
        """What a dotted name means in a module."""
        if depth > _DEEPEST:
            return None
        if isinstance(node, ast.Name):
            return self._lookup(module, node.id, depth)
        if isinstance(node, ast.Attribute):
            base = self.resolve(module, node.value, depth + 1)
            if isinstance(base, FoundModule):
                found = self._lookup(base.module, node.attr, depth + 1)
                if found is not None:
                    return found
                submodule = self.load(f"{base.module.name}.{node.attr}")
                return FoundModule(submodule) if submodule is not None else None
        return None

    def star_module(self, module: Module, star: Imported) -> Module | None:
        """The module a star import takes its names from."""
        origin = _absolute(module, star.module, star.level)
        return self.load(origin) if origin is not None else None

    def absolute(self, module: Module, node: ast.ImportFrom) -> str | None:
        """The absolute module name of a `from … import`."""
        return _absolute(module, node.module or "", node.level)


def _absolute(module: Module, name: str, level: int) -> str | None:
    if level == 0:
        return name or None
    parts = module.name.split(".")
    keep = len(parts) - level + (1 if module.is_package else 0)
    if keep < 0:
        return None
    return ".".join([*parts[:keep], *([name] if name else [])]) or None


def _exports(module: Module, name: str) -> bool:
    return name in module.all_names if module.all_names is not None else not name.startswith("_")


def _by_worth(bindings: Iterable[ast.AST | Imported]) -> list[ast.AST | Imported]:
    """Bindings, the one that counts first: the last definition, but real code before overloads."""
    ordered = list(bindings)[::-1]
    return sorted(ordered, key=_is_overload)


def _is_overload(binding: ast.AST | Imported) -> bool:
    decorators = getattr(binding, "decorator_list", ())
    return any((getattr(item, "attr", None) or getattr(item, "id", None)) == "overload" for item in decorators)
