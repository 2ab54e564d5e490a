"""Finds modules and follows names through imports, re-exports and aliases to their definitions."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from awaitest.project.files import Files
from awaitest.project.imports import imports
from awaitest.project.library import Library, is_folder, module_file
from awaitest.project.modules import Binding, Imported, Module
from awaitest.project.notes import Notes
from awaitest.source.decode import DecodeProblem, decode
from awaitest.source.document import Document
from awaitest.source.nodes import parts_of

_DEEPEST = 24
_ALWAYS_LOADED = frozenset(
    {"abc", "asyncio", "builtins", "collections", "contextlib", "dataclasses", "enum", "functools", "inspect", "json",
     "logging", "os", "pathlib", "re", "sys", "time", "types", "typing", "unittest", "warnings"}
)  # fmt: skip
"""Modules that pytest has imported before any test: a file of the project cannot take their name."""


@dataclass(frozen=True, slots=True)
class Found:
    """A definition, or the expression a name was assigned, with the module it stands in."""

    module: Module
    node: ast.AST


@dataclass(frozen=True, slots=True)
class FoundModule:
    """A name that means a module."""

    module: Module


_Result = Found | FoundModule | None


class Resolver:
    """Modules of one project and its environment. Project roots come first, then the library."""

    def __init__(
        self,
        files: Files,
        roots: Iterable[Path],
        library: Library,
        editable: Mapping[str, Path] | None = None,
        opened: Mapping[Path, Document] | None = None,
    ) -> None:
        """`opened`: documents that stand in for files while an editor has them open."""
        self._opened: Mapping[Path, Document] = {} if opened is None else opened
        self._files = files
        self._roots = tuple(dict.fromkeys((*roots, *(root / "src" for root in roots))))
        self._library = library
        self._editable = dict(editable or {})
        self._by_name: dict[str, Module | None] = {}
        self._by_path: dict[Path, Module] = {}
        self._lookups: dict[tuple[int, str], _Result] = {}
        self._found: dict[tuple[Path | None, str], Path | None] = {}
        self._imported: dict[int, tuple[Module, tuple[Path, ...]]] = {}
        self._asked_for: set[Path] = set()
        """Files that modules, or their settings, named."""
        self.notes = Notes()
        """Of the file that is being checked."""

    # -- modules -----------------------------------------------------------------------------------------------------

    def load_path(self, path: Path) -> Module:
        """The module of a project file; empty where it cannot be read."""
        self.notes.paths.add(path)
        known = self._by_path.get(path)
        if known is None:
            known = self._by_path[path] = self._project_module(path)
        return known

    def _project_module(self, path: Path) -> Module:
        name, is_package = self.name_of(path)
        return Module(name, path, is_package, "project", document=self._opened.get(path) or self._document(path))

    def _document(self, path: Path) -> Document:
        content = self._files.read(path)
        try:
            return Document(decode(content)[0] if content is not None else "")
        except DecodeProblem:
            return Document("")

    def has_read(self, path: Path) -> bool:
        """Whether the module of a file was asked for."""
        return path in self._by_path

    def invalidate(self, path: Path) -> Module | None:
        """Forget the module of a file that changed, came or went. Other modules stay, what was looked up does not. Gives the
        module where nothing that may have been concluded of others rests on it: none of them named it."""
        before = self._by_path.pop(path, None)
        self._by_name = {
            name: known for name, known in self._by_name.items() if known is not None and known.path not in (None, path)
        }
        self._imported.pop(id(before), None)
        self._lookups.clear()
        if not self._files.is_file(path) or (before is None and self._missed(path)):
            self._found.clear()
            self._imported.clear()
            return None
        return before if path not in self._asked_for else None

    def _missed(self, path: Path) -> bool:
        """Whether a name that was looked up, and led nowhere or elsewhere, might lead to a file."""
        last = path.parent.name if path.name == "__init__.py" else path.stem
        return any(found != path and name.rpartition(".")[2] == last for (_, name), found in self._found.items())

    def name_of(self, path: Path) -> tuple[str, bool]:
        """The dotted name pytest would import a file by, and whether it is a package: packages go up as far as
        `__init__.py` does."""
        is_package = path.name == "__init__.py"
        parts = [] if is_package else [path.stem]
        folder = path.parent
        while self._files.is_file(folder / "__init__.py") and folder != folder.parent:
            parts.insert(0, folder.name)
            folder = folder.parent
        return ".".join(parts) or path.stem, is_package

    def find(self, name: str) -> Path | None:
        """The file of a module, by its dotted name."""
        return self._own(name, None) or self._library.find(name)

    def _own(self, name: str, importer: Module | None) -> Path | None:
        home = _home(importer)
        if (home, name) not in self._found:
            self._found[home, name] = self._search(name, home)
        return self._found[home, name]

    def _search(self, name: str, home: Path | None) -> Path | None:
        parts = name.split(".")
        if not all(part.isidentifier() for part in parts):
            return None
        if parts[0] in _ALWAYS_LOADED:
            return None
        for root in self._roots if home is None else dict.fromkeys((home, *self._roots)):
            path = module_file(self._files, root, parts)
            if path is not None:
                return path
        linked = self._editable.get(parts[0])
        return module_file(self._files, linked.parent, [linked.name, *parts[1:]]) if linked is not None else None

    def load(self, name: str, importer: Module | None = None) -> Module | None:
        """A module by its dotted name, as `importer` gets it: the directory above its packages is on `sys.path` while
        pytest runs it. None where there is none. Namespace packages have an empty body."""
        path = self._own(name, importer)
        if path is not None:
            self._asked_for.add(path)
            return self.load_path(path)
        if name not in self._by_name:
            self._by_name[name] = self._library.load(name) or self._namespace(name)
        return self._by_name[name]

    def _namespace(self, name: str) -> Module | None:
        found = any(is_folder(self._files, root, name) for root in self._roots)
        return Module(name, None, True, "project") if found else None

    # -- names -------------------------------------------------------------------------------------------------------

    def lookup(self, module: Module, name: str) -> Found | FoundModule | None:
        """What a module-level name means: a definition, an assigned expression or a module. None where that is unknown,
        also where branches of the module disagree."""
        key = (id(module), name)
        if key not in self._lookups:
            self._lookups[key] = _Search(self).name(module, name, 0)
        return self._lookups[key]

    def resolve(self, module: Module, node: ast.expr) -> Found | FoundModule | None:
        """What a dotted name means in a module."""
        return _Search(self).expression(module, node, 0)

    def star_module(self, module: Module, star: Imported) -> Module | None:
        """The module a star import takes its names from."""
        origin = _absolute(module, star.module, star.level)
        return self.load(origin, module) if origin is not None else None

    def imported(self, module: Module) -> tuple[Path, ...]:
        """The files of the project that a module imports, wherever in it the statement stands."""
        if id(module) not in self._imported:
            paths = (self._own(name, module) for name in self._names_imported(module))
            self._imported[id(module)] = module, tuple(dict.fromkeys(path for path in paths if path is not None))
        return self._imported[id(module)][1]

    def _names_imported(self, module: Module) -> Iterator[str]:
        text = module.document.text if module.document is not None else ""
        for level, name, names in imports(text):
            origin = _absolute(module, name, level)
            if origin is not None and self._is_own(origin.partition(".")[0], module):
                yield origin
                yield from (f"{origin}.{part}" for part in names)

    def _is_own(self, package: str, importer: Module) -> bool:
        """Whether a package of this name, or a part of it, lies in the project."""
        if self._own(package, importer) is not None:
            return True
        home = _home(importer)
        return any(is_folder(self._files, root, package) for root in (*self._roots, *([home] if home else ())))

    def absolute(self, module: Module, node: ast.ImportFrom) -> str | None:
        """The absolute module name of a `from … import`."""
        return _absolute(module, node.module or "", node.level)


class _Search:
    """One search. It enters no name twice, so that circular imports end and star imports cost no more than they are."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._results: dict[tuple[int, str], _Result] = {}

    def name(self, module: Module, name: str, depth: int) -> _Result:
        key = (id(module), name)
        if depth > _DEEPEST:
            return None
        if key not in self._results:
            self._results[key] = None
            self._results[key] = (
                self._bound(module, name, depth) if name in module.bound else self._open(module, name, depth)
            )
        return self._results[key]

    def _bound(self, module: Module, name: str, depth: int) -> _Result:
        held = module.held(name)
        if any(_is_opaque(binding) for binding in held):
            return None
        results = [found for binding in held if (found := self._follow(module, binding, depth)) is not None]
        if results:
            return _agreed(results)
        instead = (item for item in reversed(module.bound[name]) if item not in held and isinstance(item, Imported))
        return next((found for item in instead if (found := self._imported(module, item, depth)) is not None), None)

    def _open(self, module: Module, name: str, depth: int) -> _Result:
        """A name that only a star import or a submodule may bring."""
        for star in reversed(module.star_imports):
            origin = self._resolver.star_module(module, star)
            if origin is not None and _exports(origin, name):
                found = self.name(origin, name, depth + 1)
                if found is not None:
                    return found
        return self._submodule(module, name) if module.is_package else None

    def expression(self, module: Module, node: ast.expr, depth: int) -> _Result:
        if depth > _DEEPEST:
            return None
        if isinstance(node, ast.Name):
            return self.name(module, node.id, depth + 1)
        if isinstance(node, ast.Attribute):
            base = self.expression(module, node.value, depth + 1)
            if isinstance(base, FoundModule):
                return self.name(base.module, node.attr, depth + 1) or self._submodule(base.module, node.attr)
        return None

    def _follow(self, module: Module, binding: Binding, depth: int) -> _Result:
        if isinstance(binding, Imported):
            return self._imported(module, binding, depth)
        if isinstance(binding, ast.Name | ast.Attribute):
            return self.expression(module, binding, depth + 1) or Found(module, binding)
        if isinstance(binding, ast.AnnAssign) and binding.value is not None:
            return Found(module, binding.value)
        return Found(module, binding)

    def _imported(self, module: Module, imported: Imported, depth: int) -> _Result:
        origin = _absolute(module, imported.module, imported.level)
        if origin is None:
            return None
        loaded = self._resolver.load(origin, module)
        if imported.name is None:
            return FoundModule(loaded) if loaded is not None else None
        found = self.name(loaded, imported.name, depth + 1) if loaded is not None else None
        if found is not None or (loaded is not None and imported.name in loaded.bound and loaded is not module):
            return found
        submodule = self._resolver.load(f"{origin}.{imported.name}", module)
        return FoundModule(submodule) if submodule is not None else None

    def _submodule(self, module: Module, name: str) -> FoundModule | None:
        loaded = self._resolver.load(f"{module.name}.{name}", module)
        return FoundModule(loaded) if loaded is not None else None


def _home(module: Module | None) -> Path | None:
    """The directory above the packages of a project module: the first one upward without `__init__.py`."""
    if module is None or module.path is None or module.origin != "project":
        return None
    above = module.path.parents
    height = module.name.count(".") + module.is_package
    return above[height] if height < len(above) else None


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


def _is_opaque(binding: Binding) -> bool:
    """Whether the binding says nothing of what it binds: the target of a loop, `x += 1`, a piece of an unpacked value."""
    if isinstance(binding, ast.stmt):
        return not isinstance(binding, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.AnnAssign)
    return isinstance(getattr(binding, "ctx", None), ast.Store)


def _agreed(results: list[Found | FoundModule]) -> _Result:
    """The one meaning of several findings. A None beside something else is a placeholder; functions that are declared
    alike count as one."""
    real = [found for found in results if not _is_none(found)] or results
    first, *others = real
    return first if all(_declaration(found) == _declaration(first) for found in others) else None


def _is_none(found: Found | FoundModule) -> bool:
    return isinstance(found, Found) and isinstance(found.node, ast.Constant) and found.node.value is None


def _declaration(found: Found | FoundModule) -> object:
    if isinstance(found, FoundModule):
        return found.module
    node = found.node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node
    yields = any(isinstance(part, ast.Yield | ast.YieldFrom) for part in parts_of(node))
    outside = [*node.decorator_list, *([node.returns] if node.returns is not None else [])]
    return type(node), yields, *map(ast.dump, outside)
