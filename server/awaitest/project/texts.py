"""Which modules of a project hold a word, found by their bytes alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from awaitest.project.files import Files

Words = tuple[bytes, ...]

_NOT_TESTS = frozenset({"node_modules", "venv", "env", "site-packages", "dist", "build"})
_DEEPEST = 6


class Sought(NamedTuple):
    """Modules in or below a folder that hold one of some words and none of others; so many are enough."""

    folder: Path
    words: Words
    without: Words = ()
    least: int = 1

    def held_by(self, text: bytes) -> bool:
        return any(word in text for word in self.words) and not any(word in text for word in self.without)


class Texts:
    """The texts of modules, and which of them were found to hold what was sought."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._first: dict[Sought, tuple[Path, ...]] = {}

    def first(self, sought: Sought) -> tuple[Path, ...]:
        """The first modules that hold what is sought, not more than are enough."""
        if sought not in self._first:
            where = (path for path, text in self.below(sought.folder) if sought.held_by(text))
            self._first[sought] = tuple(islice(where, sought.least))
        return self._first[sought]

    def forget(self, path: Path) -> None:
        """A file changed, came or went: what it may make another answer of is sought anew."""
        text = self._files.read(path) or b""

        def stays(sought: Sought, found: tuple[Path, ...]) -> bool:
            if sought.folder not in path.parents:
                return True
            return path not in found and (len(found) >= sought.least or not sought.held_by(text))

        self._first = {sought: found for sought, found in self._first.items() if stays(sought, found)}

    def inside(self, folder: Path) -> Iterator[tuple[Path, bytes]]:
        """The modules in a folder, by name."""
        paths = (folder / name for name in self._files.names(folder) if name.endswith(".py"))
        return ((path, self._files.read(path) or b"") for path in paths)

    def below(self, folder: Path) -> Iterator[tuple[Path, bytes]]:
        """The modules in and below a folder, one folder after the other."""
        for inner in chain([folder], self._folders(folder)):
            yield from self.inside(inner)

    def _folders(self, folder: Path, depth: int = _DEEPEST) -> Iterator[Path]:
        if depth == 0:
            return
        for name in self._files.names(folder):
            if "." in name or name.startswith("__") or name in _NOT_TESTS:
                continue
            inner = folder / name
            if self._files.is_dir(inner):
                yield inner
                yield from self._folders(inner, depth - 1)
