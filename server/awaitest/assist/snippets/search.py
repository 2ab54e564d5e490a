"""Finds what tests use of their project: the app, a dependency of it, the engine of its database."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from awaitest.engine.fixtures import Seeker
from awaitest.engine.values import Instance
from awaitest.project.config import path_matches
from awaitest.project.discovery import SKIPPED, is_tests
from awaitest.project.resolve import Found
from awaitest.source.nodes import parts_of

if TYPE_CHECKING:
    from awaitest.engine.analysis import Engine
    from awaitest.project.modules import Module

_FROM = re.compile(r"^from[ \t]+(\w[\w.]*)[ \t]+import[ \t]+(?:\(([^()]*)\)|([^\n#(]+))", re.MULTILINE)
_NAME = re.compile(r"^\s*(\w+)", re.MULTILINE)
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_NOT_THE_APP = frozenset({"docs", "docs_src", "example", "examples", "scripts", "benchmarks"})
_NEIGHBOURS, _DEEPEST, _MOST_FOLDERS, _MOST_FILES, _MOST_MODULES = 40, 6, 400, 1500, 60

_Is = Callable[["Module", str], bool]


@dataclass(frozen=True, slots=True)
class Bound:
    """A name for something of the project; `home` is the module to import it from, None where the name is at hand.
    `is_guess`: others may be meant."""

    name: str
    home: str | None = None
    is_fixture: bool = False
    is_guess: bool = False


class Search:
    """What the tests of one file use of their project. Each answer is looked for when it is asked for."""

    def __init__(self, engine: Engine, seeker: Seeker) -> None:
        self._engine = engine
        self._seeker = seeker
        self._module = seeker.module
        self._project = engine.project
        self._resolver = engine.project.resolver

    @cached_property
    def near(self) -> list[str]:
        """The texts around the file: of its conftests, nearest first, then of the files beside it."""
        path, files = self._module.path, self._project.files
        if path is None:
            return []
        around = [module.path for module in self._project.surroundings(self._module) if module.path is not None]
        beside = [path.parent / name for name in files.names(path.parent) if name.endswith(".py")][:_NEIGHBOURS]
        chosen = (other for other in dict.fromkeys([*around, *beside]) if other != path)
        return [(files.read(other) or b"").decode("utf-8", "replace") for other in chosen]

    @cached_property
    def app(self) -> Bound | None:
        """The FastAPI app: of this file, of a fixture, as the neighbours import it, or as the project binds it."""
        return (
            self._here(self._is_app, "app")
            or self._of_fixture()
            or self._imported(self._is_app)
            or self._in_project(self._is_app, b"FastAPI(", "app")
        )

    @cached_property
    def database(self) -> Bound | None:
        """The engine that SQLAlchemy made."""
        return (
            self._here(self._is_engine, "engine")
            or self._imported(self._is_engine)
            or self._in_project(self._is_engine, b"create_async_engine(", "engine")
        )

    @cached_property
    def dependency(self) -> Bound | None:
        """The function that the code of the app depends on first."""
        for module in self._modules_of_app():
            for node in _depended_on(module):
                found = self._resolver.resolve(module, node)
                name = _function_name(found) if isinstance(found, Found) else None
                home = self._importable(found.module) if name is not None and found is not None else None
                if name is not None and home is not None:
                    return Bound(name, home, is_guess=True)
        return None

    def _is_app(self, module: Module, name: str) -> bool:
        value = self._engine.world.name(module, name) or frozenset()
        return any(
            isinstance(kind, Instance) and self._engine.world.derives(kind.cls, "FastAPI", "fastapi") for kind in value
        )

    def _is_engine(self, module: Module, name: str) -> bool:
        node = getattr(self._resolver.lookup(module, name), "node", None)
        return isinstance(node, ast.Call) and _last_name(node.func) == "create_async_engine"

    def _here(self, fits: _Is, usual: str) -> Bound | None:
        names = [name for name in self._module.bound if fits(self._module, name)]
        return Bound(min(names, key=lambda name: name != usual)) if names else None

    def _of_fixture(self) -> Bound | None:
        """The fixture that gives it, or, where nobody knows what they give, one that is named so."""
        names = [name for name, _ in fixtures_giving(self._engine, self._seeker, "FastAPI", ("fastapi",))]
        if not names and self._engine.fixtures.find("app", self._seeker) is not None:
            names = ["app"]
        return Bound(min(names, key=len), is_fixture=True) if names else None

    def _imported(self, fits: _Is) -> Bound | None:
        """As most of the neighbours import it."""
        imports = [
            (home, name)
            for text in self.near
            for home, inside, plain in _FROM.findall(text)
            for part in (inside or plain).split(",")
            for name in _NAME.findall(part)[:1]
        ]
        for (home, name), _ in Counter(imports).most_common():
            module = self._own(home)
            if module is not None and fits(module, name):
                return Bound(name, home)
        return None

    def _in_project(self, fits: _Is, word: bytes, usual: str) -> Bound | None:
        """Where the project binds it, as near to its root as possible."""
        for paths in self._levels():
            found = [
                Bound(name, home)
                for path in paths
                if word in (self._project.files.read(path) or b"")
                for module in (self._project.module(path),)
                for name in module.bound
                if fits(module, name) and (home := self._importable(module)) is not None
            ]
            if found:
                return min(found, key=lambda it: it.name != usual)
        return None

    def _levels(self) -> Iterator[list[Path]]:
        """The project's modules that are no tests, level by level."""
        files, config = self._project.files, self._project.config
        folders, seen = [config.rootdir], 0
        while folders and seen < _MOST_FILES:
            inner: list[Path] = []
            paths: list[Path] = []
            for folder in folders:
                if files.is_file(folder / "pyvenv.cfg"):
                    continue
                for entry in files.scan(folder):
                    path = folder / entry.name
                    if entry.is_file and path.suffix == ".py" and not is_tests(path, config):
                        paths.append(path)
                    elif entry.is_dir and self._holds_code(path):
                        inner.append(path)
            seen += len(paths)
            yield paths
            folders = inner[:_MOST_FOLDERS]

    def _holds_code(self, folder: Path) -> bool:
        config = self._project.config
        depth = len(folder.parts) - len(config.rootdir.parts)
        if depth > _DEEPEST or folder.name.startswith(".") or folder.name in SKIPPED | _NOT_THE_APP:
            return False
        left_out = any(path_matches(pattern, folder) for pattern in config.norecursedirs)
        return not left_out and not is_tests(folder / "module.py", config)

    def _modules_of_app(self) -> Iterator[Module]:
        """The module that binds the app, and those of the project that it imports."""
        home = self._own(self.app.home) if self.app is not None and self.app.home is not None else None
        pending = [home] if home is not None else self._project.surroundings(self._module)
        seen = {id(module) for module in pending}
        while pending and len(seen) < _MOST_MODULES:
            module = pending.pop(0)
            yield module
            for imported in self._imports_of(module):
                if id(imported) not in seen:
                    seen.add(id(imported))
                    pending.append(imported)

    def _imports_of(self, module: Module) -> Iterator[Module]:
        for node in (part for statement in module.body for part in parts_of(statement)):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and (origin := self._resolver.absolute(module, node)) is not None:
                names = [origin, *(f"{origin}.{alias.name}" for alias in node.names)]
            yield from (own for name in names if (own := self._own(name)) is not None)

    def _own(self, name: str) -> Module | None:
        """A module of the project, by its dotted name."""
        path = self._resolver.find(name)
        standard = name.partition(".")[0] in sys.stdlib_module_names
        if standard or (path is not None and not _INSTALLED.isdisjoint(path.parts)):
            return None
        module = self._resolver.load(name)
        return module if module is not None and module.origin == "project" else None

    def is_own(self, name: str) -> bool:
        """Whether a dotted name is that of a module of the project."""
        return self._own(name) is not None

    def _importable(self, module: Module) -> str | None:
        """The dotted name that tests import a module by."""
        path, root = module.path, self._project.config.rootdir
        if path is None:
            return None
        names = [module.name]
        if root in path.parents:
            parts = path.relative_to(root).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            names += [".".join(parts[start:]) for start in range(len(parts))]
        return next((name for name in names if name and self._resolver.find(name) == path), None)


def fixtures_giving(engine: Engine, seeker: Seeker, name: str, packages: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The visible fixtures that give objects of a class, nearest first, each with the package the class is of."""
    seen: set[str] = set()
    for layer in engine.fixtures.chain(seeker):
        for fixture in (fixture for known, fixture in layer.items() if known not in seen):
            value = engine.fixtures.value(fixture, seeker)
            classes = [kind.cls for kind in value if isinstance(kind, Instance)]
            for package in packages:
                if classes and all(engine.world.derives(cls, name, package) for cls in classes):
                    yield fixture.name, package
        seen.update(layer)


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _depended_on(module: Module) -> Iterator[ast.expr]:
    for node in (part for statement in module.body for part in parts_of(statement)):
        if isinstance(node, ast.Call) and node.args and _last_name(node.func) in {"Depends", "Security"}:
            yield node.args[0]


def _function_name(found: Found) -> str | None:
    """The name of a function at the top level of a module of the project."""
    node, module = found.node, found.module
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node not in module.body:
        return None
    return node.name if module.origin == "project" else None
