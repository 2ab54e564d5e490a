"""Modules outside the project: installed packages as skeletons, the standard library, and our own stubs."""

from __future__ import annotations

import ast
import sysconfig
import warnings
from collections.abc import Iterable
from pathlib import Path

from awaitest.project.cache import SkeletonCache
from awaitest.project.files import DiskFiles, Files
from awaitest.project.modules import Module, Origin
from awaitest.project.skeleton import skeleton

STUBS = Path(__file__).parent / "stubs"
STDLIB = Path(sysconfig.get_path("stdlib"))
_DISK = DiskFiles()


class Library:
    """What an environment offers, shared by all projects that use it. For the standard library our stubs come first."""

    def __init__(self, files: Files, site_packages: Iterable[Path] = (), cache: SkeletonCache | None = None) -> None:
        self._files = files
        self._site_packages = tuple(site_packages)
        self._cache = cache
        self._modules: dict[str, Module | None] = {}
        self._found: dict[str, tuple[Path, Origin] | None] = {}

    def find(self, name: str) -> Path | None:
        """The file of a module, by its dotted name."""
        found = self._locate(name)
        return found[0] if found is not None else None

    def load(self, name: str) -> Module | None:
        """A module by its dotted name; None where it cannot be found. Namespace packages have an empty body."""
        if name not in self._modules:
            self._modules[name] = None
            self._modules[name] = self._load(name)
        return self._modules[name]

    def _load(self, name: str) -> Module | None:
        found = self._locate(name)
        if found is not None:
            path, origin = found
            return Module(name, path, path.stem == "__init__", origin, self._tree(path, origin))
        if any(is_folder(self._files, root, name) for root in self._site_packages):
            return Module(name, None, True, "installed")
        return None

    def _locate(self, name: str) -> tuple[Path, Origin] | None:
        if name not in self._found:
            self._found[name] = self._search(name.split("."))
        return self._found[name]

    def _search(self, parts: list[str]) -> tuple[Path, Origin] | None:
        if not all(part.isidentifier() for part in parts):
            return None
        stub = module_file(_DISK, STUBS, parts, ".pyi")
        standard = module_file(_DISK, STDLIB, parts)
        if stub is not None and standard is not None:
            return stub, "stub"
        for root in self._site_packages:
            path = module_file(self._files, root, parts) or module_file(self._files, root, parts, ".pyi")
            path = path or module_file(self._files, root, [f"{parts[0]}-stubs", *parts[1:]], ".pyi")
            if path is not None:
                return path, "installed"
        if stub is not None:
            return stub, "stub"
        return (standard, "stdlib") if standard is not None else None

    def _tree(self, path: Path, origin: Origin) -> list[ast.stmt]:
        files = self._files if origin == "installed" else _DISK
        stamp = files.stamp(path)
        text = self._cache.get(path, stamp) if self._cache is not None and stamp is not None else None
        if text is None:
            text = skeleton(files.read(path) or b"")
            if self._cache is not None and stamp is not None:
                self._cache.put(path, stamp, text)
        return _parsed(text)


def _parsed(text: str) -> list[ast.stmt]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def module_file(files: Files, root: Path, parts: list[str], suffix: str = ".py") -> Path | None:
    """The file of a module below a root: a package's `__init__`, or the module's own."""
    base = root.joinpath(*parts)
    for path in (base / f"__init__{suffix}", base.with_name(base.name + suffix)):
        if files.is_file(path):
            return path
    return None


def is_folder(files: Files, root: Path, name: str) -> bool:
    """Whether a folder without `__init__.py` makes a dotted name a namespace package."""
    parts = name.split(".")
    return all(part.isidentifier() for part in parts) and files.is_dir(root.joinpath(*parts))
