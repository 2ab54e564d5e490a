"""What a project says it needs, for want of an environment: exact versions from lock files, else the newest version that
each declared range allows. Without any of it, today's usual packages in today's versions are assumed."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from packaging.specifiers import Specifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from awaitest.project.environment import NEWEST, Environment, Plugin, ancestors, find_environment
from awaitest.project.files import Files
from awaitest.project.requirements import Declared, Ranges, declared_in

USUAL = frozenset({"pytest", "pytest-asyncio", "anyio", "httpx"})
"""What an async test suite of a FastAPI app normally has."""

TEST_TOOLS = frozenset(
    {"pytest", "pytest-asyncio", "pytest-trio", "pytest-anyio", "asgi-lifespan", "respx", "pytest-httpx"}
)
"""Packages that only tests need: where one is declared, the tests' packages are declared."""

BRINGS: Mapping[str, tuple[str, ...]] = {
    "fastapi": ("starlette", "anyio"),
    "starlette": ("anyio",),
    "httpx": ("anyio",),
    "httpx2": ("anyio",),
}
"""Packages that come along with others."""

PLUGINS = (
    Plugin("asyncio", "pytest_asyncio.plugin", "pytest-asyncio"),
    Plugin("anyio", "anyio.pytest_plugin", "anyio"),
)


def environment_of(
    files: Files,
    rootdir: Path,
    python: Path | None = None,
    active: Path | None = None,
    running: Path | None = Path(sys.prefix),
) -> Environment:
    """The best that is known: the installed environment (see `find_environment`), else what the project declares. An
    environment that is not clearly the project's must not contradict what the project declares."""

    def fits(environment: Environment) -> bool:
        nearest = list(ancestors(files, rootdir))
        declared, (_, locked) = _nearest(files, nearest)[1], _lock(files, nearest)
        return (
            declared.needed <= environment.present
            and not _contradicts(environment, declared.ranges)
            and all(_same_release(environment.versions.get(name), locked.get(name)) for name in TEST_TOOLS)
        )

    return find_environment(files, rootdir, python, active, running, fits) or declared_environment(files, rootdir)


def _contradicts(environment: Environment, ranges: Ranges) -> bool:
    """Whether a version is installed that a declared range, if any version satisfies it, does not allow."""
    return any(
        name in environment.versions
        and not allowed.contains(environment.versions[name], prereleases=True)
        and newest_allowed(name, allowed) is not None
        for name, allowed in ranges.items()
    )


def declared_environment(files: Files, rootdir: Path) -> Environment:
    """From the nearest lock file that has pytest, else the nearest declared dependencies, else assumptions."""
    nearest = list(ancestors(files, rootdir))
    lock, versions = _lock(files, nearest)
    if lock is not None:
        return _environment(versions, frozenset(versions), str(lock), complete=True)
    declaring, declared = _nearest(files, nearest)
    if declaring is not None:
        return _assumed(declared.ranges, f"the dependencies declared in {declaring}")
    return _assumed({}, "nothing declared: the newest releases are assumed")


def _lock(files: Files, directories: Iterable[Path]) -> tuple[Path | None, dict[str, Version]]:
    """The nearest lock file that has pytest, and the versions in it."""
    for directory in directories:
        for path in _locks(files, directory):
            versions = _locked(files, path)
            if "pytest" in versions:
                return path, versions
    return None, {}


def _nearest(files: Files, directories: Iterable[Path]) -> tuple[Path | None, Declared]:
    """The first directory that declares dependencies, and these."""
    found = ((directory, declared_in(files, directory)) for directory in directories)
    return next(((directory, declared) for directory, declared in found if declared.ranges), (None, Declared()))


def _same_release(installed: Version | None, locked: Version | None) -> bool:
    return locked is None or (installed is not None and installed.release[:2] == locked.release[:2])


def newest_allowed(name: str, allowed: SpecifierSet) -> Version | None:
    """The newest known release where it is allowed, else a version just below the bound that forbids it (`<0.28` gives
    0.27.999); None where nothing is known of the package or the bounds contradict each other."""
    newest = NEWEST.get(name)
    candidates = [newest] if newest is not None else []
    candidates += [version for clause in allowed for version in _edge(clause)]
    fitting = [version for version in candidates if allowed.contains(version, prereleases=True)]
    return newest if newest in fitting else max(fitting, default=None)


def _edge(clause: Specifier) -> Iterator[Version]:
    try:
        version = Version(clause.version.removesuffix(".*"))
    except InvalidVersion:
        return
    release = list(version.release)
    if clause.operator == "<":
        while len(release) > 1 and release[-1] == 0:
            release.pop()
        yield _beyond([*release[:-1], release[-1] - 1] if release[-1] else [0])
    elif clause.operator == ">":
        yield _beyond(release)
    elif clause.operator == "~=":
        yield _beyond(release[:-1])
    elif clause.operator == "==" and clause.version.endswith(".*"):
        yield _beyond(release)
    elif clause.operator != "!=":
        yield version


def _beyond(release: Iterable[int]) -> Version:
    return Version(".".join(map(str, (*release, 999))))


def _assumed(ranges: Ranges, origin: str) -> Environment:
    versions = {name: newest_allowed(name, allowed) for name, allowed in ranges.items()}
    if not TEST_TOOLS & versions.keys():
        versions = {**{name: NEWEST[name] for name in USUAL}, **versions}
    for name in [name for name in BRINGS if name in versions]:
        for brought in BRINGS[name]:
            versions.setdefault(brought, NEWEST.get(brought) if versions[name] == NEWEST[name] else None)
    known = {name: version for name, version in versions.items() if version is not None}
    return _environment(known, frozenset(versions), origin, complete=False)


def _environment(
    versions: Mapping[str, Version], present: frozenset[str], origin: str, *, complete: bool
) -> Environment:
    plugins = tuple(plugin for plugin in PLUGINS if plugin.distribution in present)
    return Environment(versions, plugins, origin=origin, present=present, complete=complete)


# Lock files


_LOCK_NAMES = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "Pipfile.lock")
_LOCKED = re.compile(
    r"""^\[\[packages?\]\]\s*\n(?:(?!\[)[^\n]*\n){0,20}?name\s*=\s*"(?P<name>[^"\n]+)"\s*\n(?:(?!\[)[^\n]*\n){0,20}?version\s*=\s*"(?P<version>[^"\n]+)\"""",
    re.MULTILINE,
)


def _locks(files: Files, directory: Path) -> list[Path]:
    names = [entry.name for entry in files.scan(directory) if entry.is_file]
    others = [name for name in names if re.fullmatch(r"pylock\.[^.]+\.toml", name)]
    return [directory / name for name in (*(lock for lock in _LOCK_NAMES if lock in names), *others)]


def _locked(files: Files, path: Path) -> dict[str, Version]:
    """Names and versions of a lock file. Lock files are long and machine-written: the TOML ones are searched, not parsed."""
    text = (files.read(path) or b"").decode("utf-8", "replace").replace("\r\n", "\n")
    pairs = (
        _pipfile(text)
        if path.name == "Pipfile.lock"
        else (found.group("name", "version") for found in _LOCKED.finditer(text))
    )
    versions: dict[str, Version] = {}
    for name, written in pairs:
        canonical = canonicalize_name(name)
        try:
            versions[canonical] = max(Version(written.removeprefix("==")), versions.get(canonical, Version("0")))
        except InvalidVersion:
            continue
    return versions


def _pipfile(text: str) -> Iterator[tuple[str, str]]:
    try:
        locked = json.loads(text)
    except (ValueError, RecursionError, MemoryError):
        return
    for section in ("default", "develop"):
        packages = locked.get(section) if isinstance(locked, dict) else None
        for name, facts in packages.items() if isinstance(packages, dict) else ():
            if isinstance(facts, dict) and isinstance(facts.get("version"), str):
                yield name, facts["version"]
