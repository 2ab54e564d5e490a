"""pytest's configuration as pytest finds it: the file that governs a test, the root directory, and the values that
decide who runs an async test. `PYTEST_ADDOPTS` is not read: it belongs to one shell, not to the project.

Which file governs: pytest searches upward from the paths it is given, so `pytest tests/test_a.py`, an editor's run button
and `pytest tests` all read the nearest configuration above the test. That one is taken; a sub-project of a monorepo with
its own file is thereby its own project. A bare `pytest` at the project's root would miss a `tests/pytest.ini`; what it
reads instead is kept in `PytestConfig.outer`, so that a rule can stay silent where the two disagree.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from packaging.version import Version

from awaitest.project.files import Files
from awaitest.project.options import Options, Plugins
from awaitest.project.tables import ConfigProblem, Keys, Table, read_ini, read_toml

NEWEST_PYTEST = Version("9.2.0")
PYPROJECT_IS_ROOT = Version("8.1")
NATIVE_TABLES = SHADOWED_LOADED = Version("9.0")
OVERRIDES_IN_ADDOPTS = Version("9.1")
STRAY_OPTIONS_REFUSED = Version("9.2")
LOOP_SCOPES = ("function", "class", "module", "package", "session")
CHOICES: dict[str, tuple[str, ...]] = {
    "asyncio_mode": ("strict", "auto"),
    "anyio_mode": ("strict", "auto"),
    "asyncio_default_fixture_loop_scope": (*LOOP_SCOPES, "fixture-scope"),
    "asyncio_default_test_loop_scope": LOOP_SCOPES,
    "asyncio_debug": ("true", "false"),
}
"""The options of async tests, and what they may say."""
ASYNC_KEYS = tuple(CHOICES)
PROJECT_MARKS = ("pyproject.toml", "setup.py", "setup.cfg", ".git")
NO_RECURSION = ("*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}")


@dataclass(frozen=True, slots=True)
class PytestConfig:
    """What pytest knows before it collects. A mode or scope is None where its value, or the file, is invalid:
    pytest stops there, so nothing is known."""

    path: Path | None
    rootdir: Path
    section: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    asyncio_mode: str | None = "strict"
    anyio_mode: str | None = "strict"
    asyncio_default_fixture_loop_scope: str | None = None
    asyncio_default_test_loop_scope: str | None = "function"
    python_files: tuple[str, ...] = ("test_*.py", "*_test.py")
    python_classes: tuple[str, ...] = ("Test",)
    python_functions: tuple[str, ...] = ("test",)
    norecursedirs: tuple[str, ...] = NO_RECURSION
    testpaths: tuple[str, ...] = ()
    pythonpath: tuple[Path, ...] = ()
    import_mode: str = "prepend"
    plugins: Plugins = field(default_factory=Plugins)
    ignored: tuple[Path, ...] = ()
    """Files beside `path` that hold pytest configuration nobody reads."""
    problems: tuple[ConfigProblem, ...] = ()
    lines: Mapping[Keys, int] = field(default_factory=dict)
    keys: Keys = ()
    """The table of `path` that holds the values."""
    outer: PytestConfig | None = None
    """What a bare `pytest` at the project's root reads, where that is another file."""

    @property
    def import_roots(self) -> tuple[Path, ...]:
        """Where the project's own modules are looked for. Without a configuration file pytest takes the folder of the tests for its
        root; what they import lies beside it, where `python -m pytest` is typed."""
        folders = (self.rootdir, *self.rootdir.parents) if self.path is None else ()
        beside = [folder.parent for folder in folders if folder.name in ("tests", "test")]
        return (self.rootdir, *self.pythonpath, *beside[-1:])

    @property
    def usefixtures(self) -> tuple[str, ...]:
        """The fixtures that every test gets."""
        given = self.values.get("usefixtures", ())
        return tuple(given.split() if isinstance(given, str) else map(str, given) if isinstance(given, list) else ())

    @property
    def confcutdir(self) -> Path:
        """The uppermost directory whose conftest.py is loaded."""
        return self.path.parent if self.path is not None else self.rootdir

    def line_of(self, key: str) -> int | None:
        """The line of `path`, from 1, that sets a key."""
        return self.lines.get((*self.keys, key))

    def collects_file(self, path: Path) -> bool:
        """Whether pytest takes a file it meets in a directory as a test module."""
        return path.suffix == ".py" and any(path_matches(pattern, path) for pattern in self.python_files)

    def collects_class(self, name: str) -> bool:
        """Whether the name makes a class a test class."""
        return _name_matches(self.python_classes, name)

    def collects_function(self, name: str) -> bool:
        """Whether the name makes a function a test."""
        return _name_matches(self.python_functions, name)


def find_config(
    files: Files, test_path: Path, invocation_dir: Path | None = None, pytest: Version | None = None
) -> PytestConfig:
    """The configuration of `pytest test_path`, typed in `invocation_dir` (it only helps to choose a root directory
    where no file does). `test_path` is a file or a directory; `pytest` the installed version, None for the newest."""
    version = pytest or NEWEST_PYTEST
    start = test_path if files.is_dir(test_path) else test_path.parent
    pyproject: Path | None = None
    for directory in (start, *start.parents):
        for name, load in _LOADERS.items():
            path = directory / name
            if not files.is_file(path):
                continue
            if name == "pyproject.toml" and pyproject is None:
                pyproject = path
            found = load(files, path, version)
            if found is not None:
                return replace(_governing(files, path, found, version), outer=_outer(files, directory, version))
    if pyproject is not None and version >= PYPROJECT_IS_ROOT:
        return PytestConfig(pyproject, pyproject.parent)
    for directory in (start, *start.parents):
        if files.is_file(directory / "setup.py"):
            return PytestConfig(None, directory)
    return PytestConfig(None, _common(invocation_dir, start))


def path_matches(pattern: str, path: PurePath) -> bool:
    """pytest's own glob: against the name, or against the end of the path where the pattern has a separator."""
    if os.sep != "/" and os.sep not in pattern:
        pattern = pattern.replace("/", os.sep)
    if os.sep not in pattern:
        return fnmatch.fnmatch(path.name, pattern)
    anchored = pattern if PurePath(pattern).is_absolute() else f"*{os.sep}{pattern}"
    return fnmatch.fnmatch(str(path), anchored)


def _name_matches(patterns: Iterable[str], name: str) -> bool:
    return any(
        name.startswith(pattern) or (any(sign in pattern for sign in "*?[") and fnmatch.fnmatch(name, pattern))
        for pattern in patterns
    )


def _common(invocation_dir: Path | None, start: Path) -> Path:
    if invocation_dir is None:
        return start
    shared = next(
        (parent for parent in (start, *start.parents) if parent in (invocation_dir, *invocation_dir.parents)), start
    )
    return start if shared == Path(shared.anchor) else shared


def _outer(files: Files, directory: Path, version: Version) -> PytestConfig | None:
    def is_root(folder: Path) -> bool:
        return any(files.is_file(folder / mark) or files.is_dir(folder / mark) for mark in PROJECT_MARKS)

    if is_root(directory):
        return None
    root = next((folder for folder in directory.parents if is_root(folder)), None)
    return find_config(files, root, None, version) if root is not None else None


@dataclass(frozen=True, slots=True)
class _Section:
    table: Table
    keys: Keys
    native: bool = False

    @property
    def values(self) -> Mapping[str, object]:
        values = self.table.get(*self.keys)
        return values if isinstance(values, Mapping) else {}


_Found = _Section | ConfigProblem | None
_Loader = Callable[[Files, Path, Version], _Found]


def _pytest_toml(files: Files, path: Path, version: Version) -> _Found:
    if version < NATIVE_TABLES:
        return None
    table = read_toml(files, path)
    if isinstance(table, ConfigProblem):
        return table
    if not isinstance(table.values.get("pytest", {}), dict):
        return table.problem("'pytest' must be a table", "pytest")
    stray = next((key for key, value in table.values.items() if not isinstance(value, dict)), None)
    if "pytest" not in table.values and stray is not None and version >= STRAY_OPTIONS_REFUSED:
        return table.problem(f"'{stray}' stands outside of the table [pytest]", stray)
    return _Section(table, ("pytest",), native=True)


def _pytest_ini(files: Files, path: Path, _: Version) -> _Found:
    table = read_ini(files, path)
    return table if isinstance(table, ConfigProblem) else _Section(table, ("pytest",))


def _tox_ini(files: Files, path: Path, _: Version) -> _Found:
    table = read_ini(files, path)
    if isinstance(table, ConfigProblem):
        return table
    return _Section(table, ("pytest",)) if "pytest" in table.values else None


def _setup_cfg(files: Files, path: Path, _: Version) -> _Found:
    table = read_ini(files, path)
    if isinstance(table, ConfigProblem):
        return table
    if "tool:pytest" in table.values:
        return _Section(table, ("tool:pytest",))
    if "pytest" in table.values:
        return table.problem("[pytest] is not read from setup.cfg: pytest wants [tool:pytest]", "pytest")
    return None


def _pyproject_toml(files: Files, path: Path, version: Version) -> _Found:
    table = read_toml(files, path)
    if isinstance(table, ConfigProblem):
        return table
    for keys in (("tool",), ("tool", "pytest"), ("tool", "pytest", "ini_options")):
        value = table.get(*keys)
        if value is not None and not isinstance(value, dict):
            return table.problem(f"'{'.'.join(keys)}' must be a table", *keys)
    options = table.get("tool", "pytest", "ini_options")
    pytest = table.get("tool", "pytest")
    has_native = version >= NATIVE_TABLES and isinstance(pytest, dict) and bool(pytest.keys() - {"ini_options"})
    if has_native and options:
        message = "[tool.pytest] and [tool.pytest.ini_options] cannot both be used"
        return table.problem(message, "tool", "pytest", "ini_options")
    if has_native:
        return _Section(table, ("tool", "pytest"), native=True)
    return _Section(table, ("tool", "pytest", "ini_options")) if options is not None else None


_LOADERS: dict[str, _Loader] = {
    "pytest.toml": _pytest_toml,
    ".pytest.toml": _pytest_toml,
    "pytest.ini": _pytest_ini,
    ".pytest.ini": _pytest_ini,
    "pyproject.toml": _pyproject_toml,
    "tox.ini": _tox_ini,
    "setup.cfg": _setup_cfg,
}
CONFIG_NAMES = frozenset(_LOADERS)
_FIXTURE_SCOPE = "asyncio_default_fixture_loop_scope"


def _governing(files: Files, path: Path, found: _Section | ConfigProblem, version: Version) -> PytestConfig:
    names = list(_LOADERS)
    shadowed = [path.parent / name for name in names[names.index(path.name) + 1 :]]
    beside = {other: _LOADERS[other.name](files, other, version) for other in shadowed if files.is_file(other)}
    loaded = (found, *beside.values()) if version >= SHADOWED_LOADED else (found,)
    broken = [other for other in loaded if isinstance(other, ConfigProblem)]
    ignored = tuple(other for other, section in beside.items() if isinstance(section, _Section))
    if isinstance(found, ConfigProblem) or broken:
        unknown = PytestConfig(
            path, path.parent, asyncio_mode=None, anyio_mode=None, asyncio_default_test_loop_scope=None
        )
        return replace(unknown, ignored=ignored, problems=tuple(broken))
    return replace(_read(path, found, version), ignored=ignored)


def _read(path: Path, section: _Section, version: Version) -> PytestConfig:
    table, keys = section.table, section.keys
    options = Options(table, keys, section.values, section.native, version >= OVERRIDES_IN_ADDOPTS)
    default = PytestConfig(path, path.parent)
    options.expect_flag("asyncio_debug")
    return PytestConfig(
        path,
        path.parent,
        section=".".join(keys),
        values=section.values,
        asyncio_mode=options.choice("asyncio_mode", CHOICES["asyncio_mode"], "strict", "--asyncio-mode"),
        anyio_mode=options.anyio_mode(),
        asyncio_default_fixture_loop_scope=options.choice(_FIXTURE_SCOPE, CHOICES[_FIXTURE_SCOPE], None),
        asyncio_default_test_loop_scope=options.choice("asyncio_default_test_loop_scope", LOOP_SCOPES, "function"),
        python_files=options.words("python_files", default.python_files),
        python_classes=options.words("python_classes", default.python_classes),
        python_functions=options.words("python_functions", default.python_functions),
        norecursedirs=options.words("norecursedirs", default.norecursedirs),
        testpaths=options.words("testpaths", ()),
        pythonpath=tuple(path.parent / entry for entry in options.words("pythonpath", ()) if "\0" not in entry),
        import_mode=options.option("--import-mode") or "prepend",
        plugins=options.plugins(),
        problems=tuple(options.problems),
        lines=table.lines,
        keys=keys,
    )
