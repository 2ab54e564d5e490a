"""What the files of one directory declare: pyproject.toml, setup.cfg, setup.py and requirement files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from awaitest.project.files import Files
from awaitest.project.plugins import may_run_tests
from awaitest.project.tables import ConfigProblem, Table, read_ini, read_text, read_toml

Ranges = dict[str, SpecifierSet]
"""Canonical names and the versions allowed."""


@dataclass(frozen=True, slots=True)
class Declared:
    """`needed` are the packages without which the tests cannot run: what the project itself needs, and the runners of
    async tests that are declared beside pytest; none that depends on the platform."""

    ranges: Ranges = field(default_factory=dict)
    needed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Requirement:
    name: str
    allowed: SpecifierSet = field(default_factory=SpecifierSet)
    conditional: bool = False


@dataclass(frozen=True, slots=True)
class _Group:
    """Requirements that are installed together; `always`: wherever the project is."""

    requirements: list[_Requirement]
    always: bool = False

    def needed(self) -> Iterator[str]:
        """Names of what the tests cannot run without."""
        names = [it.name for it in self.requirements if not it.conditional]
        runs = "pytest" in names
        return (it for it in names if self.always or (runs and (it == "pytest-asyncio" or may_run_tests(it))))


def declared_in(files: Files, directory: Path) -> Declared:
    """Everything the files of a directory declare, in all groups and extras."""
    pyproject = _table(read_toml(files, directory / "pyproject.toml"))
    setup = _table(read_ini(files, directory / "setup.cfg"))
    sources = (_pyproject(pyproject), _setup_cfg(setup), _setup_py(files, directory), _files(files, directory))
    groups = [group for source in sources for group in source]
    ranges: Ranges = {}
    for requirement in (it for group in groups for it in group.requirements):
        ranges[requirement.name] = ranges.get(requirement.name, SpecifierSet()) & requirement.allowed
    needed = (name for group in groups for name in group.needed())
    names = (pyproject.get("project", "name"), pyproject.get("tool", "poetry", "name"), setup.get("metadata", "name"))
    itself = {canonicalize_name(name) for name in names if isinstance(name, str)}
    return Declared(ranges, frozenset(needed) - itself)


def _table(read: Table | ConfigProblem) -> Table:
    return read if isinstance(read, Table) else Table(read.path, {}, {}, "")


def _parsed(lines: Iterable[str]) -> list[_Requirement]:
    found = []
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        conditional = requirement.marker is not None
        found.append(_Requirement(canonicalize_name(requirement.name), requirement.specifier, conditional))
    return found


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))


def _tables(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        yield from value.items()


def _pyproject(table: Table) -> Iterator[_Group]:
    yield _Group(_parsed(_strings(table.get("project", "dependencies"))), always=True)
    yield _Group(_parsed(_strings(table.get("tool", "uv", "dev-dependencies"))))
    for keys in (("project", "optional-dependencies"), ("dependency-groups",), ("tool", "pdm", "dev-dependencies")):
        yield from (_Group(_parsed(_strings(group))) for _, group in _tables(table.get(*keys)))
    poetry = ("tool", "poetry")
    yield _Group(_of_poetry(table.get(*poetry, "dependencies")), always=True)
    yield _Group(_of_poetry(table.get(*poetry, "dev-dependencies")))
    for _, group in _tables(table.get(*poetry, "group")):
        yield _Group(_of_poetry(group.get("dependencies") if isinstance(group, Mapping) else None))


def _of_poetry(table: object) -> list[_Requirement]:
    return [_poetry(name, value) for name, value in _tables(table) if name != "python"]


def _poetry(name: str, value: object) -> _Requirement:
    written = value.get("version") if isinstance(value, Mapping) else value
    conditional = not isinstance(value, str) and not (isinstance(value, Mapping) and value.keys() <= _UNCONDITIONAL)
    if isinstance(written, list):
        written = None
    clauses = (_poetry_clause(clause.strip()) for clause in str(written or "*").split(","))
    try:
        allowed = SpecifierSet(",".join(clause for clause in clauses if clause))
    except InvalidSpecifier:
        allowed = SpecifierSet()
    return _Requirement(canonicalize_name(name), allowed, conditional)


_UNCONDITIONAL = {"version", "extras", "allow-prereleases"}


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


def _setup_cfg(table: Table) -> Iterator[_Group]:
    yield _Group(_parsed(_lines(table.get("options", "install_requires"))), always=True)
    yield _Group(_parsed(_lines(table.get("options", "tests_require"))))
    for _, block in _tables(table.get("options.extras_require")):
        yield _Group(_parsed(_lines(block)))


def _lines(block: object) -> Iterator[str]:
    return (line.strip() for line in str(block or "").splitlines())


def _setup_py(files: Files, directory: Path) -> Iterator[_Group]:
    """What `setup(…)` is given, or what bears the name of its keywords: literals, or names of such."""
    path = directory / "setup.py"
    text = read_text(files, path) if files.is_file(path) else ""
    try:
        body = ast.parse(text if isinstance(text, str) else "").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    named = {
        target.id: statement.value
        for statement in body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    calls = [part for statement in body if isinstance(statement, ast.Expr | ast.If) for part in ast.walk(statement)]
    given = [(it.arg, it.value) for call in calls if isinstance(call, ast.Call) for it in call.keywords]
    for key, value in (*named.items(), *given):
        value = named.get(value.id, value) if isinstance(value, ast.Name) else value
        if key == "extras_require" and isinstance(value, ast.Dict):
            yield from (_Group(_parsed(_literals(extra, named))) for extra in value.values)
        elif key in {"install_requires", "tests_require"}:
            yield _Group(_parsed(_literals(value, named)), always=key == "install_requires")


def _literals(value: ast.expr, named: Mapping[str, ast.expr], depth: int = 0) -> Iterator[str]:
    if depth > 8:
        return
    match value:
        case ast.Constant(value=str(text)):
            yield text
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            for element in elements:
                yield from _literals(element, named, depth + 1)
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            yield from _literals(left, named, depth + 1)
            yield from _literals(right, named, depth + 1)
        case ast.Name(id=name) if name in named:
            yield from _literals(named[name], named, depth + 1)


def _files(files: Files, directory: Path) -> Iterator[_Group]:
    """Requirement files beside the project and in its folder `requirements`."""
    seen: set[Path] = set()
    for folder in (directory, directory / "requirements"):
        for name in files.names(folder):
            if name.endswith(".txt") and (folder != directory or "requirements" in name):
                lines = _requirements_file(files, folder / name, seen)
                yield _Group(_parsed(lines), always=name == "requirements.txt")


def _requirements_file(files: Files, path: Path, seen: set[Path]) -> Iterator[str]:
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
            yield written


def _beside(path: Path, relative: str) -> Path:
    """A file named relative to another, `..` resolved in the text alone: that also ends every loop of includes."""
    folder = path.parent
    parts = PurePosixPath(relative.replace("\\", "/")).parts
    for part in parts:
        folder = folder.parent if part == ".." else folder / part
    return folder
