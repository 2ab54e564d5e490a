"""All projects of one run: each test file belongs to the project whose configuration pytest would read for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from awaitest.project.cache import SkeletonCache
from awaitest.project.config import PytestConfig, find_config
from awaitest.project.declared import environment_of
from awaitest.project.environment import Environment, Plugin
from awaitest.project.files import DiskFiles, Files
from awaitest.project.library import Library
from awaitest.project.modules import Module
from awaitest.project.plugins import may_run_tests
from awaitest.project.resolve import Resolver
from awaitest.project.settings import load_settings
from awaitest.project.texts import Sought, Texts, Words
from awaitest.source.document import Document

_PLUGIN_NAMES = {"pytest-asyncio": "asyncio", "anyio": "anyio"}
_RUNNING_HOOKS = (
    b"pytest_pyfunc_call",
    b"pytest_pycollect_makeitem",
    b"pytest_runtest_call",
    b"pytest_pycollect_makemodule",
    b"pytest_fixture_setup",
)
_MARKING_HOOKS = (b"pytest_collection_modifyitems", b"pytest_itemcollected")
_GENERATING_HOOK = b"pytest_generate_tests"
_MODES = (b"asyncio_mode", b"anyio_mode")
"""Options that say who runs async tests: a hook that names one may set it."""
_ASYNC_WORDS = (b"asyncio", b"anyio", b"trio", b"iscoroutinefunction", b"CO_COROUTINE", b"async")
_ANYIO = (b"mark.anyio", b"anyio_backend")
_MARKS = (b"mark.asyncio", b"mark.trio", *_ANYIO)
_ASYNC_TESTS = (b"\nasync def test",)
_MANY_MODULES = 10
_PLUGIN_TABLE = re.compile(
    rb"""^\[project\.entry-points\.["']?pytest11["']?\][^\n]*\n((?:(?!\[).*\n?)*)""", re.MULTILINE
)
_PLUGIN_MODULE = re.compile(rb"""^[^#\n=]+=\s*["']([\w.]+)""", re.MULTILINE)
_TRUE = frozenset({"true", "1", "yes", "on"})
_FIXTURES_OF_OTHERS = (
    b"aiohttp_client",
    b"aiohttp_server",
    b"autojump_clock",
    b"aiomisc",
    b"sanic_client",
    b"http_server_client",
)
"""Fixtures that come with a runner of async tests: who asks for one has it, though nothing declares it."""
DECIDING = (*_FIXTURES_OF_OTHERS, *_MARKS)
"""Words by which one module decides who runs the tests of others."""
_KNOWN_PLUGINS = frozenset(
    {"pytester", "pytest_asyncio", "pytest_asyncio.plugin", "anyio", "anyio.pytest_plugin", "asyncio"}
)


class Project:
    """One project: pytest's configuration, the environment and the modules."""

    def __init__(self, files: Files, config: PytestConfig, environment: Environment, resolver: Resolver) -> None:
        self.files = files
        self.config = config
        self.environment = environment
        self.resolver = resolver
        self.asked = 0
        """How often was asked about functions and modules beside the one that is looked at."""
        self._running_elsewhere: dict[Path | None, bool] = {}
        self._mentions: dict[str, list[Module]] = {}
        self._texts = Texts(files)
        self._foreign: bool | None = None
        self._around: dict[int, tuple[Module, list[Module]]] = {}
        self._reach: dict[int, tuple[Module, frozenset[Path]]] = {}

    def module(self, path: Path) -> Module:
        return self.resolver.load_path(path)

    def conftests(self, path: Path) -> Iterator[Module]:
        """conftest.py files that pytest loads for a file, nearest first."""
        root = self.config.confcutdir
        for folder in path.parents:
            conftest = folder / "conftest.py"
            if conftest != path and self.files.is_file(conftest):
                yield self.resolver.load_path(conftest)
            if folder == root:
                return

    def surroundings(self, module: Module) -> list[Module]:
        """Modules whose fixtures a module sees, nearest first: itself, its conftests, and what they load as plugins."""
        if id(module) not in self._around:
            self._around[id(module)] = module, self._found_around(module)
        found = self._around[id(module)][1]
        self.resolver.notes.paths.update(it.path for it in found if it.path is not None and it.document is not None)
        return found

    def _found_around(self, module: Module) -> list[Module]:
        found: dict[int, Module] = {id(module): module}
        if module.path is not None:
            for conftest in self.conftests(module.path):
                found.setdefault(id(conftest), conftest)
        for seen in list(found.values()):
            for name in _plugin_names(seen):
                loaded = self.resolver.load(name)
                if loaded is not None:
                    found.setdefault(id(loaded), loaded)
        for name in sorted(self.config.plugins.loaded):
            loaded = self.resolver.load(name)
            if loaded is not None:
                found.setdefault(id(loaded), loaded)
        return list(found.values())

    def reach(self, module: Module) -> frozenset[Path]:
        """The project's files that what is said of a module may rest on: itself, its conftests, and what they import."""
        if id(module) not in self._reach:
            self._reach[id(module)] = module, self._reached_from(module)
        self.asked += 1
        reached = self._reach[id(module)][1]
        self.resolver.notes.paths |= reached
        return reached

    def _reached_from(self, module: Module) -> frozenset[Path]:
        pending = [it.path for it in self.surroundings(module) if it.path is not None and it.document is not None]
        met: set[Path] = set()
        while pending:
            path = pending.pop()
            if path not in met:
                met.add(path)
                pending += self.resolver.imported(self.module(path))
        return frozenset(met)

    def forget(self, path: Path) -> Module | None:
        """A file changed, came or went: nothing that was concluded from it holds any longer. Gives its module where nobody
        asked for it by its name."""
        self._running_elsewhere.clear()
        self._mentions.clear()
        self._texts.forget(path)
        self._foreign = None
        self._around.clear()
        self._reach.clear()
        return self.resolver.invalidate(path)

    def plugins_mentioning(self, name: str) -> list[Module]:
        """Modules of installed plugins in whose text a fixture name occurs."""
        if name not in self._mentions:
            word = name.encode()
            modules = (
                self.resolver.load(plugin.module)
                for plugin in self.environment.plugins
                if self.config.plugins.allows(plugin.name) and word in self._text_of(plugin.module)
            )
            self._mentions[name] = [module for module in modules if module is not None]
        return self._mentions[name]

    def _text_of(self, module: str) -> bytes:
        path = self.resolver.find(module)
        return (self.files.read(path) or b"") if path is not None else b""

    def plugin(self, package: str) -> bool | None:
        """Whether a pytest plugin is at work here; None where that cannot be told."""
        return False if self.blocked(package) else self.environment.has(package)

    def blocked(self, package: str) -> bool:
        """Whether the configuration switches the plugin off."""
        return not self.config.plugins.allows(_PLUGIN_NAMES.get(package, package))

    def runs_async_otherwise(self, module: Module) -> bool:
        """Whether a hook of a conftest or of another plugin may run or mark async tests here."""
        if module.path not in self._running_elsewhere:
            near = [other for other in self.surroundings(module) if not self._is_tests(other)]
            self._running_elsewhere[module.path] = (
                self._foreign_plugin()
                or self._is_configured_elsewhere()
                or any(_may_run(self.files.read(other.path) or b"") for other in near if other.path is not None)
                or any(self.resolver.load(name) is None for name in self._loaded_by(near))
            )
        return self._running_elsewhere[module.path]

    def _is_configured_elsewhere(self) -> bool:
        """Whether many modules have async tests and mark none, and no file configures pytest: such a suite has its runner from
        what is out of sight, as the files that a source distribution leaves out."""
        return not self.config.section and self._speak_of(
            _ASYNC_TESTS, self.config.rootdir, without=_MARKS, least=_MANY_MODULES
        )

    def _is_tests(self, module: Module) -> bool:
        """Whether pytest collects a module, and so leaves the hooks in it alone."""
        return module.path is not None and self.config.collects_file(module.path)

    def _loaded_by(self, modules: list[Module]) -> set[str]:
        """Plugins that modules and the configuration load by name, without those that are known."""
        named = {name for module in modules for name in _plugin_names(module)} | self.config.plugins.loaded
        return named - _KNOWN_PLUGINS

    def uses_anyio(self, path: Path) -> bool:
        """Whether tests in or below the folder of a file are run by anyio."""
        return self.config.anyio_mode == "auto" or self._speak_of(_ANYIO, path.parent)

    def mentions_anyio(self) -> bool:
        """Whether any module of the project says that tests are run by anyio."""
        return self._speak_of(_ANYIO, self.config.rootdir)

    def _speak_of(self, words: Words, folder: Path, without: Words = (), least: int = 1) -> bool:
        """Whether a module, or at least so many, in or below a folder hold one of some words and none of others."""
        found = self._texts.first(Sought(folder, words, without, least))
        self.resolver.notes.words |= {(folder, word) for word in words}
        self.resolver.notes.paths.update(found)
        return len(found) >= least

    def _is_plugin(self) -> bool:
        """Whether the project declares a pytest plugin of its own, which its tests may have without its being installed, and
        which may run async tests."""
        declaring = (
            self.files.read(self.config.rootdir / name) or b"" for name in ("pyproject.toml", "setup.cfg", "setup.py")
        )
        return any(b"pytest11" in text and self._may_declare_runner(text) for text in declaring)

    def _may_declare_runner(self, text: bytes) -> bool:
        """Whether a plugin that a text declares is not found, or may run or mark async tests."""
        table = _PLUGIN_TABLE.search(text)
        names = _PLUGIN_MODULE.findall(table[1]) if table is not None else []
        texts = [self._text_of(name.decode()) for name in names]
        return not texts or not all(texts) or any(_may_run(it) or b"import *" in it for it in texts)

    def modules_mentioning(self, word: bytes, folder: Path) -> Iterator[Module]:
        """Modules in or below a folder in whose text a word occurs."""
        self.asked += 1
        self.resolver.notes.words.add((folder, word))
        for path, text in self._texts.below(folder):
            if word in text:
                yield self.module(path)

    def neighbours(self, module: Path, most: int) -> Iterator[bytes]:
        """The texts of other modules in the folder of one, the first by name."""
        self.asked += 1
        self.resolver.notes.words.add((module.parent, b""))
        return (text for path, text in islice(self._texts.inside(module.parent), most) if path != module)

    def _foreign_plugin(self) -> bool:
        """Whether a plugin beside those that are known may run or mark async tests here."""
        brought = self._speak_of(_FIXTURES_OF_OTHERS, self.config.rootdir)
        if self._foreign is None:
            self._foreign = (
                str(self.config.values.get("trio_mode")).lower() in _TRUE
                or (not self.environment.site_packages and any(map(may_run_tests, self.environment.present)))
                or brought
                or self._is_plugin()
                or any(map(self._runs_async, self.environment.plugins))
            )
        return self._foreign

    def _runs_async(self, plugin: Plugin) -> bool:
        """Whether an installed plugin may run async tests, beside those that are known."""
        if plugin.distribution in {"pytest-asyncio", "anyio"} or not self.config.plugins.allows(plugin.name):
            return False
        text = self._text_of(plugin.module)
        return any(hook in text for hook in _RUNNING_HOOKS[:2]) and any(word in text for word in _ASYNC_WORDS[:5])


class Workspace:
    """Finds the project of each file."""

    def __init__(
        self,
        files: Files | None = None,
        python: Path | None = None,
        cache: SkeletonCache | None = None,
        active: Path | None = None,
        opened: Mapping[Path, Document] | None = None,
        environments: Mapping[Path, Path] | None = None,
    ) -> None:
        """`python`: an interpreter or environment given by hand; `environments`: others, for what lies in and below a
        folder, before what `[tool.awaitest]` names; `opened`: the documents that stand in for files while an editor has them open."""
        self.files = files or DiskFiles()
        self._python = python
        self._chosen: Mapping[Path, Path] = {} if environments is None else environments
        self._active = active
        self._cache = cache
        self._opened: Mapping[Path, Document] = {} if opened is None else opened
        self._environments: dict[Path, Environment] = {}
        self._libraries: dict[tuple[Path, ...], Library] = {}
        self._by_folder: dict[Path, Project] = {}
        self._by_config: dict[tuple[Path | None, Path], Project] = {}

    def project_of(self, path: Path) -> Project:
        """The project a file belongs to."""
        folder = path.parent
        if folder not in self._by_folder:
            self._by_folder[folder] = self._find(path)
        return self._by_folder[folder]

    def forget(self, path: Path) -> list[tuple[Project, Module | None]]:
        """A module changed, came or went: the projects that must conclude anew, each with the module where nothing else
        rests on it."""
        around = frozenset(path.parents)
        projects = [
            it
            for it in self._by_config.values()
            if it.resolver.has_read(path) or not around.isdisjoint(it.config.import_roots)
        ]
        return [(project, project.forget(path)) for project in projects]

    def forget_projects(self, folder: Path | None = None) -> None:
        """The configuration or the environment changed: find the projects in and below a folder, or all, anew."""

        def stays(place: Path) -> bool:
            return folder is not None and folder != place and folder not in place.parents

        gone = {id(project) for place, project in self._by_folder.items() if not stays(place)}
        self._by_folder = {place: it for place, it in self._by_folder.items() if id(it) not in gone}
        self._by_config = {key: it for key, it in self._by_config.items() if id(it) not in gone}
        self._environments.clear()
        if folder is None:
            self._libraries.clear()

    def _environment(self, rootdir: Path) -> Environment:
        if rootdir not in self._environments:
            near = (self._chosen[folder] for folder in (rootdir, *rootdir.parents) if folder in self._chosen)
            asked = next(near, self._python) or load_settings(self.files, rootdir, {}).python
            self._environments[rootdir] = environment_of(self.files, rootdir, asked, self._active)
        return self._environments[rootdir]

    def _library(self, environment: Environment) -> Library:
        roots = environment.site_packages
        if roots not in self._libraries:
            self._libraries[roots] = Library(self.files, roots, self._cache)
        return self._libraries[roots]

    def _find(self, path: Path) -> Project:
        config = find_config(self.files, path)
        environment = self._environment(config.rootdir)
        version = environment.version("pytest")
        if version is not None and version.major < 9:
            config = find_config(self.files, path, pytest=version)
        key = (config.path, config.rootdir)
        if key not in self._by_config:
            resolver = Resolver(
                self.files, config.import_roots, self._library(environment), environment.editable, self._opened
            )
            self._by_config[key] = Project(self.files, config, environment, resolver)
        return self._by_config[key]


def _plugin_names(module: Module) -> list[str]:
    names: list[str] = []
    for statement in module.body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        value = getattr(statement, "value", None)
        if not isinstance(target, ast.Name) or target.id != "pytest_plugins":
            continue
        elements = value.elts if isinstance(value, ast.List | ast.Tuple) else [value]
        for element in elements:
            if isinstance(element, ast.Constant) and isinstance(element.value, str):
                names += element.value.split(",")
    return [name.strip() for name in names]


def _may_run(text: bytes) -> bool:
    generates = _GENERATING_HOOK in text and b"mark" in text
    if any(mode in text for mode in _MODES):
        return True
    if not generates and not any(hook in text for hook in (*_RUNNING_HOOKS, *_MARKING_HOOKS)):
        return False
    return any(word in text for word in _ASYNC_WORDS)
