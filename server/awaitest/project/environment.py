"""What is installed where the tests run: versions, pytest plugins and import roots, told from file names and metadata.
Nothing is imported and no interpreter is started."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from awaitest.project.files import Files

NEWEST: Mapping[str, Version] = MappingProxyType(
    {
        "pytest": Version("9.2.0"),
        "pytest-asyncio": Version("1.5.0"),
        "anyio": Version("4.16.0"),
        "trio": Version("0.35.0"),
        "httpx": Version("0.28.1"),
        "httpx2": Version("2.16.2"),
        "starlette": Version("1.10.0"),
        "fastapi": Version("0.165.0"),
        "asgi-lifespan": Version("2.1.0"),
    }
)
"""The newest releases whose behaviour is known."""

FOLDERS = (".venv", "venv", "env", ".env", "virtualenv", ".virtualenv")
RUNNING_PYTHON = (sys.version_info[0], sys.version_info[1])


@dataclass(frozen=True, slots=True)
class Plugin:
    """A pytest plugin that loads by itself: its registered name, its module, and the distribution that brings it."""

    name: str
    module: str
    distribution: str


@dataclass(frozen=True, slots=True)
class Environment:
    """What the tests may use. Names are canonical (`pytest-asyncio`); `origin` says in words where the facts came from."""

    versions: Mapping[str, Version] = field(default_factory=dict)
    plugins: tuple[Plugin, ...] = ()
    site_packages: tuple[Path, ...] = ()
    """Import roots: site-packages and what its .pth files add."""
    editable: Mapping[str, Path] = field(default_factory=dict)
    """Top-level modules of editable installs that lie under no import root: a package's folder or a module's file."""
    python: tuple[int, int] = RUNNING_PYTHON
    origin: str = "nothing is known of the environment"
    present: frozenset[str] = frozenset()
    """Packages that are there, though perhaps in an unknown version."""
    complete: bool = False
    """Whether what is not listed is known to be absent."""
    prefix: Path | None = None
    """The folder of the environment."""

    def has(self, name: str) -> bool | None:
        """Whether a distribution is there; None where nobody can tell."""
        canonical = canonicalize_name(name)
        if canonical in self.versions or canonical in self.present:
            return True
        return False if self.complete else None

    def version(self, name: str) -> Version | None:
        """The version that is there; the newest known one where presence itself is unknown; else None."""
        canonical = canonicalize_name(name)
        return self.versions.get(canonical) or (NEWEST.get(canonical) if self.has(canonical) is None else None)


def find_environment(
    files: Files,
    rootdir: Path,
    python: Path | None = None,
    active: Path | None = None,
    running: Path | None = Path(sys.prefix),
    fits: Callable[[Environment], bool] = lambda _: True,
) -> Environment | None:
    """The environment that runs the tests: the one asked for with `python` (an interpreter, or a folder that holds one),
    the activated one (`VIRTUAL_ENV`, `CONDA_PREFIX`), a virtual environment in the project or above it, or the one
    awaitest itself runs in. None where none of the last three has pytest: such an environment runs no tests. One that lies
    above the project, or that awaitest runs in, must also be one that `fits`."""
    if python is not None:
        asked = _of_interpreter(files, python)
        return replace(asked, origin=f"{python}, as asked for") if asked is not None else None
    candidates = (
        *((folder, f"{folder}, the activated environment", True) for folder in (active,) if folder is not None),
        *((folder, str(folder), folder.parent == rootdir) for folder in _folders(files, rootdir)),
        *((folder, f"{folder}, where awaitest is installed", False) for folder in (running,) if folder is not None),
    )
    for folder, origin, certain in candidates:
        environment = _of_prefix(files, folder)
        if environment is not None and "pytest" in environment.versions and (certain or fits(environment)):
            return replace(environment, origin=origin)
    return None


def ancestors(files: Files, directory: Path) -> Iterator[Path]:
    """A directory and its parents, up to the root of its repository."""
    for folder in (directory, *directory.parents):
        yield folder
        if files.is_dir(folder / ".git") or files.is_file(folder / ".git"):
            return


def _folders(files: Files, rootdir: Path) -> Iterator[Path]:
    """Virtual environments: of any name in the project, of a usual one above it."""
    for directory in ancestors(files, rootdir):
        others = [entry.name for entry in files.scan(directory) if entry.is_dir] if directory == rootdir else []
        for name in dict.fromkeys((*FOLDERS, *others)):
            folder = directory / name
            if files.is_file(folder / "pyvenv.cfg") or files.is_dir(folder / "conda-meta"):
                yield folder


def _of_interpreter(files: Files, python: Path) -> Environment | None:
    if files.is_dir(python):
        return _of_prefix(files, python)
    if not files.is_file(python):
        return None
    for executable in dict.fromkeys((python, _resolved(python))):
        in_scripts = executable.parent.name.lower() in ("bin", "scripts")
        environment = _of_prefix(files, executable.parent.parent if in_scripts else executable.parent)
        if environment is not None:
            return environment
    return None


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path


def _of_prefix(files: Files, prefix: Path) -> Environment | None:
    settings = _pyvenv(files, prefix)
    python = _minor(settings.get("version", settings.get("version_info", "")))
    roots, told = _site_packages(files, prefix, python)
    if not roots:
        return None
    if settings.get("include-system-site-packages", "").lower() == "true" and settings.get("home"):
        home = Path(settings["home"])
        base = home.parent if home.name.lower() in ("bin", "scripts") else home
        roots += [root for root in _site_packages(files, base, python or told)[0] if root not in roots]
    return replace(_read(files, roots, python or told or RUNNING_PYTHON), prefix=prefix)


def interpreter(files: Files, environment: Environment) -> Path | None:
    """The interpreter of an environment; None where it has none in a usual place."""
    places = ("bin/python", "bin/python3", "Scripts/python.exe", "python.exe")
    found = (environment.prefix / place for place in places) if environment.prefix is not None else ()
    return next((path for path in found if files.is_file(path)), None)


def _pyvenv(files: Files, prefix: Path) -> dict[str, str]:
    text = (files.read(prefix / "pyvenv.cfg") or b"").decode("utf-8", "replace").replace("\0", "")
    pairs = (line.partition("=") for line in text.splitlines())
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def _minor(text: str) -> tuple[int, int] | None:
    found = re.match(r"\D*(\d{1,3})\.(\d{1,4})", text)
    return (int(found[1]), int(found[2])) if found else None


def _site_packages(
    files: Files, prefix: Path, python: tuple[int, int] | None
) -> tuple[list[Path], tuple[int, int] | None]:
    versions = {
        name: _minor(name) for name in files.names(prefix / "lib") if re.fullmatch(r"(python|pypy)3\.\d+t?", name)
    }
    fitting = [name for name, version in versions.items() if python is None or version == python] or list(versions)
    newest = max(fitting, key=lambda name: versions[name] or (0, 0), default=None)
    candidates = [prefix / "Lib" / "site-packages"]
    if newest is not None:
        bases = [prefix / "lib" / newest, prefix / "lib64" / newest, prefix / "local" / "lib" / newest]
        candidates = [base / name for base in bases for name in ("site-packages", "dist-packages")]
        candidates.append(prefix / "lib" / "python3" / "dist-packages")
    found = [folder for folder in candidates if files.is_dir(folder)]
    distinct = {_resolved(folder): folder for folder in reversed(found)}
    return list(reversed(distinct.values())), versions.get(newest) if newest is not None else None


_INFO = re.compile(r"(?P<name>[A-Za-z0-9][\w.]*)-(?P<version>[^-]+)(?:-py\d[\w.-]*)?\.(?:dist|egg)-info")


def _read(files: Files, roots: list[Path], python: tuple[int, int]) -> Environment:
    versions: dict[str, Version] = {}
    present: set[str] = set()
    plugins: dict[str, Plugin] = {}
    editable: dict[str, Path] = {}
    linked = [path for root in roots for path in _links(files, root, editable)]
    roots = list(dict.fromkeys((*roots, *linked)))
    for root in roots:
        for name in files.names(root):
            if not name.endswith((".dist-info", ".egg-info")):
                continue
            found = _INFO.fullmatch(name)
            distribution = canonicalize_name(found["name"] if found else name.rpartition(".")[0])
            present.add(distribution)
            version = _version(found["version"] if found else _recorded_version(files, root / name))
            if version is not None:
                versions.setdefault(distribution, version)
            for plugin in _plugins(files.read(root / name / "entry_points.txt"), distribution):
                plugins.setdefault(plugin.name, plugin)
    return Environment(
        MappingProxyType(versions),
        tuple(plugins.values()),
        tuple(roots),
        MappingProxyType(editable),
        python,
        present=frozenset(present),
        complete=True,
    )


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _recorded_version(files: Files, egg_info: Path) -> str:
    content = files.read(egg_info / "PKG-INFO") or files.read(egg_info) or b""
    found = re.search(rb"^Version: *(\S+)", content[:2000], re.MULTILINE)
    return found[1].decode("ascii", "replace") if found else ""


def _plugins(entry_points: bytes | None, distribution: str) -> Iterator[Plugin]:
    section = ""
    for line in (entry_points or b"").decode("utf-8", "replace").splitlines():
        name, equals, target = (part.strip() for part in line.partition("="))
        if name.startswith("["):
            section = name.strip("[]").strip()
        elif section == "pytest11" and equals:
            yield Plugin(name, re.split(r"[:\s\[]", target, maxsplit=1)[0], distribution)


def _links(files: Files, root: Path, editable: dict[str, Path]) -> Iterator[Path]:
    """The folders that .pth files and .egg-link files add; finders of editable installs fill `editable`."""
    for name in files.names(root):
        if name.endswith((".pth", ".egg-link")):
            yield from _linked(files, root, (files.read(root / name) or b"").decode("utf-8", "replace").splitlines())
        elif re.fullmatch(r"__editable__\w*_finder\.py", name):
            editable.update(_mapping(files.read(root / name) or b""))


def _linked(files: Files, root: Path, lines: Iterable[str]) -> Iterator[Path]:
    for line in map(str.strip, lines):
        if not line or line.startswith(("#", "import ", "import\t")) or "\0" in line:
            continue
        folder = Path(_normal(root / line))
        if folder != root and files.is_dir(folder):
            yield folder


def _normal(path: Path) -> Path:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and len(parts) > 1:
            parts.pop()
        elif part != "..":
            parts.append(part)
    return Path(*parts)


def _mapping(source: bytes) -> dict[str, Path]:
    """The literal that setuptools writes into the finder of an editable install: module names and where they lie."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    for statement in body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if any(isinstance(target, ast.Name) and target.id == "MAPPING" for target in targets):
                return _literal(statement.value)
    return {}


def _literal(value: ast.expr | None) -> dict[str, Path]:
    if not isinstance(value, ast.Dict):
        return {}
    pairs = zip(value.keys, value.values, strict=True)
    texts = ((k.value, v.value) for k, v in pairs if isinstance(k, ast.Constant) and isinstance(v, ast.Constant))
    return {name: Path(path) for name, path in texts if isinstance(name, str) and isinstance(path, str)}
