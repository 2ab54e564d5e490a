"""What a project says it needs, for want of an environment: exact versions from lock files, else the newest version that
each declared range allows. Without any of it, today's usual packages in today's versions are assumed."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from awaitest.project.environment import NEWEST, Environment, Plugin, ancestors, find_environment
from awaitest.project.files import Files
from awaitest.project.tables import ConfigProblem, Table, read_ini, read_text, read_toml

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

Ranges = dict[str, SpecifierSet]
"""Canonical names and the versions allowed."""


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
        return not _contradicts(environment, _nearest(files, ancestors(files, rootdir))[1])

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
    for directory in nearest:
        for path in _locks(files, directory):
            versions = _locked(files, path)
            if "pytest" in versions:
                return _environment(versions, frozenset(versions), str(path), complete=True)
    declaring, ranges = _nearest(files, nearest)
    if ranges:
        return _assumed(ranges, f"the dependencies declared in {declaring}")
    return _assumed({}, "nothing declared: the newest releases are assumed")


def _nearest(files: Files, directories: Iterable[Path]) -> tuple[Path | None, Ranges]:
    """The first directory that declares dependencies, and these."""
    declared = ((directory, _declared(files, directory)) for directory in directories)
    return next(((directory, ranges) for directory, ranges in declared if ranges), (None, {}))


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


# Declared dependencies


def _declared(files: Files, directory: Path) -> Ranges:
    ranges: Ranges = {}
    for requirement in (*_pyproject(files, directory), *_setup_cfg(files, directory), *_requirements(files, directory)):
        name, allowed = requirement
        ranges[name] = ranges.get(name, SpecifierSet()) & allowed
    return ranges


_Declared = tuple[str, SpecifierSet]


def _parse(line: str) -> Iterator[_Declared]:
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return
    yield canonicalize_name(requirement.name), requirement.specifier


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))


def _tables(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        yield from value.items()


def _pyproject(files: Files, directory: Path) -> Iterator[_Declared]:
    path = directory / "pyproject.toml"
    table = read_toml(files, path) if files.is_file(path) else None
    if not isinstance(table, Table):
        return
    groups = [table.get("project", "dependencies"), table.get("tool", "uv", "dev-dependencies")]
    for keys in (("project", "optional-dependencies"), ("dependency-groups",), ("tool", "pdm", "dev-dependencies")):
        groups += [group for _, group in _tables(table.get(*keys))]
    for group in groups:
        for line in _strings(group):
            yield from _parse(line)
    poetry = [table.get("tool", "poetry", "dependencies"), table.get("tool", "poetry", "dev-dependencies")]
    for _, group in _tables(table.get("tool", "poetry", "group")):
        poetry.append(group.get("dependencies") if isinstance(group, Mapping) else None)
    for group in poetry:
        yield from (_poetry(name, value) for name, value in _tables(group) if name != "python")


def _poetry(name: str, value: object) -> _Declared:
    written = value.get("version") if isinstance(value, Mapping) else value
    if isinstance(written, list):
        written = None
    clauses = (_poetry_clause(clause.strip()) for clause in str(written or "*").split(","))
    try:
        return canonicalize_name(name), SpecifierSet(",".join(clause for clause in clauses if clause))
    except InvalidSpecifier:
        return canonicalize_name(name), SpecifierSet()


def _poetry_clause(clause: str) -> str:
    if clause in ("*", ""):
        return ""
    found = re.fullmatch(r"([\^~])\s*(\d+(?:\.\d+)*)\S*", clause)
    if found is None:
        return f"=={clause}" if clause[0].isdigit() else clause
    numbers = [int(number) for number in found[2].split(".")]
    significant = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
    fixed = significant if found[1] == "^" else min(1, len(numbers) - 1)
    bound = ".".join(map(str, [*numbers[:fixed], numbers[fixed] + 1]))
    return f">={found[2]},<{bound}"


def _setup_cfg(files: Files, directory: Path) -> Iterator[_Declared]:
    path = directory / "setup.cfg"
    table = read_ini(files, path) if files.is_file(path) else None
    if not isinstance(table, Table):
        return
    blocks = [table.get("options", "install_requires"), table.get("options", "tests_require")]
    blocks += [block for _, block in _tables(table.get("options.extras_require"))]
    for block in blocks:
        for line in str(block or "").splitlines():
            yield from _parse(line.strip())


def _requirements(files: Files, directory: Path) -> Iterator[_Declared]:
    seen: set[Path] = set()
    for folder in (directory, directory / "requirements"):
        for name in files.names(folder):
            if name.endswith(".txt") and (folder != directory or "requirements" in name):
                yield from _requirements_file(files, folder / name, seen)


def _requirements_file(files: Files, path: Path, seen: set[Path]) -> Iterator[_Declared]:
    text = read_text(files, path) if path not in seen and files.is_file(path) else ""
    seen.add(path)
    if isinstance(text, ConfigProblem):
        return
    for line in text.replace("\\\n", " ").split("\n"):
        written = re.split(r"(?:^|\s)#|\s--hash", line, maxsplit=1)[0].strip()
        included = re.fullmatch(r"(?:-r|--requirement)[\s=]*(\S+)", written)
        if included and "\0" not in included[1]:
            yield from _requirements_file(files, _beside(path, included[1]), seen)
        elif written and not written.startswith("-"):
            yield from _parse(written)


def _beside(path: Path, relative: str) -> Path:
    """A file named relative to another, `..` resolved in the text alone: that also ends every loop of includes."""
    folder = path.parent
    parts = PurePosixPath(relative.replace("\\", "/")).parts
    for part in parts:
        folder = folder.parent if part == ".." else folder / part
    return folder
