"""Which files to check: what pytest would collect, conftest.py files, and all modules inside folders of tests.

A conftest.py alone does not make a folder one of tests: it often lies beside the app. Links to directories are not
followed, as git does not, so a loop of links is harmless. The user's global gitignore is not read."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pathspec import GitIgnoreSpec

from awaitest.project.config import CONFIG_NAMES, PytestConfig, path_matches
from awaitest.project.environment import ancestors
from awaitest.project.files import Entry, Files
from awaitest.project.settings import Settings

SKIPPED = frozenset(
    {
        ".git", ".hg", ".svn", ".bzr", ".jj", "__pycache__", "__pypackages__", "site-packages", "node_modules",
        ".tox", ".nox", ".venv", ".eggs", ".cache", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis",
        ".ipynb_checkpoints", ".idea", ".vscode",
    }
)  # fmt: skip
"""Folders nobody keeps tests in, whatever .gitignore says."""

ROOT_MARKS = CONFIG_NAMES | {"setup.py"}

_TEST_FOLDER = re.compile(r"(?:.*[-_.])?test(?:s|ing)?(?:[-_.].*)?", re.IGNORECASE)
_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Missing:
    """A path that was asked for and cannot be checked."""

    path: Path
    reason: str


def find_tests(
    files: Files,
    paths: Sequence[Path],
    cwd: Path,
    settings_for: Callable[[Path], Settings],
    config_for: Callable[[Path], PytestConfig],
) -> Iterator[Path | Missing]:
    """The files to check, each once, in a fixed order. A file that is asked for is always taken; a directory is walked;
    no paths mean pytest's `testpaths`, or else all of `cwd`. The callables tell what holds in a directory."""
    seen: set[Path] = set()
    for path in paths or default_paths(files, cwd, config_for(cwd)):
        if files.is_dir(path):
            start = _Place(path, config_for(path), settings_for(path), _ignores_above(files, path))
            found: Iterable[Path] = _walk(files, start, settings_for, config_for)
        elif files.is_file(path) and (path.suffix == ".py" or path.name in CONFIG_NAMES):
            found = [path]
        else:
            yield Missing(path, _obstacle(files, path))
            continue
        for file in found:
            if file not in seen:
                seen.add(file)
                yield file


def _obstacle(files: Files, path: Path) -> str:
    if files.is_file(path):
        return "is not a Python file"
    return "is not a regular file" if path.name in files.names(path.parent) else "does not exist"


def configurations(files: Files, asked: Sequence[Path], tests: Iterable[Path]) -> list[Path]:
    """The configuration files of pytest that lie beside or above tests, in the folders asked for."""
    folders = {folder for test in tests for folder in test.parents}
    inside = sorted(it for it in folders if any(it == path or path in it.parents for path in asked))
    found = (folder / name for folder in inside for name in files.names(folder) if name in CONFIG_NAMES)
    return [path for path in found if files.is_file(path)]


def is_tests(path: Path, config: PytestConfig) -> bool:
    """Whether a file is one of tests: by its name, or because it lies in a folder of tests."""
    if path.name == "conftest.py" or config.collects_file(path):
        return True
    root = config.rootdir
    return root in path.parents and any(map(_of_tests, path.parent.relative_to(root).parts))


def default_paths(files: Files, cwd: Path, config: PytestConfig) -> list[Path]:
    """Where a bare `pytest` looks: its `testpaths` when run at the root directory, if they exist, else `cwd`."""
    patterns = config.testpaths if config.rootdir == cwd else ()
    return [path for pattern in patterns for path in _expand(files, cwd, pattern)] or [cwd]


def _expand(files: Files, directory: Path, pattern: str) -> list[Path]:
    if "\0" in pattern:
        return []
    found = [directory]
    for part in Path(pattern).parts:
        if part == "**":
            found = list(dict.fromkeys(below for base in found for below in _below(files, base)))
        elif _MAGIC.search(part):
            found = [base / name for base in found for name in fnmatch.filter(files.names(base), part)]
        else:
            found = [base.parent if part == ".." else base / part for base in found]
    return [path for path in found if files.is_dir(path) or files.is_file(path)]


def _below(files: Files, directory: Path) -> Iterator[Path]:
    yield directory
    for entry in files.scan(directory):
        if entry.is_dir and not entry.name.startswith(".") and entry.name not in SKIPPED:
            yield from _below(files, directory / entry.name)


@dataclass(frozen=True, slots=True)
class _Ignore:
    """The patterns of one .gitignore; `base` is its folder's path with slashes and one at the end."""

    base: str
    spec: GitIgnoreSpec

    def says(self, path: str) -> bool | None:
        """Whether a path is ignored; None where no pattern speaks of it."""
        return self.spec.check_file(path[len(self.base) :]).include


@dataclass(frozen=True, slots=True)
class _Place:
    """A directory on the way, with all that holds there."""

    path: Path
    config: PytestConfig
    settings: Settings
    ignores: tuple[_Ignore, ...]
    is_start: bool = True
    of_tests: bool = False

    def leaves_out(self, path: str) -> bool:
        """Whether .gitignore files or `exclude` leave out a path, which ends with a slash where it is a directory."""
        verdicts = (ignore.says(path) for ignore in reversed(self.ignores))
        if next((verdict for verdict in verdicts if verdict is not None), False):
            return True
        root = _slashed(self.settings.root)
        return bool(self.settings.exclude) and path.startswith(root) and self.settings.excludes(path[len(root) :])


def _walk(
    files: Files,
    start: _Place,
    settings_for: Callable[[Path], Settings],
    config_for: Callable[[Path], PytestConfig],
) -> Iterator[Path]:
    pending = [replace(start, of_tests=_lies_in_tests(start))]
    while pending:
        place = pending.pop()
        entries = files.scan(place.path)
        names = {entry.name for entry in entries}
        if not place.is_start:
            if "pyvenv.cfg" in names or "conda-meta" in names:
                continue
            if not names.isdisjoint(ROOT_MARKS):
                place = replace(place, config=config_for(place.path))
            if "pyproject.toml" in names:
                place = replace(place, settings=settings_for(place.path))
        place = replace(place, ignores=_ignores_at(files, place, names))
        folder = _slashed(place.path)
        for entry in entries:
            if _is_taken(place, entry) and not place.leaves_out(folder + entry.name):
                yield place.path / entry.name
        pending += [
            replace(
                place, path=place.path / entry.name, is_start=False, of_tests=place.of_tests or _of_tests(entry.name)
            )
            for entry in reversed(entries)
            if entry.is_dir and _is_entered(place, entry.name) and not place.leaves_out(f"{folder}{entry.name}/")
        ]


def _is_taken(place: _Place, entry: Entry) -> bool:
    if not entry.is_file or not entry.name.endswith(".py"):
        return False
    return place.of_tests or entry.name == "conftest.py" or place.config.collects_file(place.path / entry.name)


def _is_entered(place: _Place, name: str) -> bool:
    if name in SKIPPED or "{{" in name:
        return False
    return not any(path_matches(pattern, place.path / name) for pattern in place.config.norecursedirs)


def _of_tests(name: str) -> bool:
    return _TEST_FOLDER.fullmatch(name) is not None


def _lies_in_tests(start: _Place) -> bool:
    """Whether a starting directory is a folder of tests: by the names below the project's root, or by its own name where
    nothing says that it is the root of a project."""
    root = start.config.rootdir
    if start.path != root and root in start.path.parents:
        return any(map(_of_tests, start.path.relative_to(root).parts))
    return start.config.path is None and _of_tests(start.path.name)


def _ignores_above(files: Files, start: Path) -> tuple[_Ignore, ...]:
    """The ignore files of the repository above a directory, save those that leave it out: it was asked for."""
    above = list(ancestors(files, start))
    if not {".git"} & set(files.names(above[-1])):
        return ()
    found: list[_Ignore] = []
    for directory in reversed(above[1:]):
        found += _ignores_in(files, directory, set(files.names(directory)))
    path = _slashed(start)
    return tuple(ignore for ignore in found if not ignore.says(path))


def _ignores_at(files: Files, place: _Place, names: set[str]) -> tuple[_Ignore, ...]:
    own = tuple(_ignores_in(files, place.path, names))
    return own if ".git" in names else place.ignores + own


def _ignores_in(files: Files, directory: Path, names: set[str]) -> Iterator[_Ignore]:
    sources = (".git/info/exclude",) if ".git" in names else ()
    for source in (*sources, *((".gitignore",) if ".gitignore" in names else ())):
        lines = (files.read(directory / source) or b"").decode("utf-8", "surrogateescape").splitlines()
        if any(line.strip() and not line.startswith("#") for line in lines):
            yield _Ignore(_slashed(directory), _spec(lines))


def _spec(lines: list[str]) -> GitIgnoreSpec:
    """The patterns of an ignore file, without those that are none."""
    try:
        return GitIgnoreSpec.from_lines(lines)
    except (ValueError, re.error):
        return GitIgnoreSpec.from_lines([line for line in lines if _is_pattern(line)])


def _is_pattern(line: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([line])
    except (ValueError, re.error):
        return False
    return True


def _slashed(directory: Path) -> str:
    path = directory.as_posix()
    return path if path.endswith("/") else f"{path}/"
