"""The one door to the file system. Everything that surrounds a test is read through `Files`, so that editors can lay
unsaved text over the disk and tests can work in memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from awaitest.source.document import Document

LARGEST = 20_000_000
"""Bytes. A larger file is not read: no test module is that long."""


class Entry(NamedTuple):
    """One name in a directory. A link to a directory is neither: whoever walks a tree does not follow it."""

    name: str
    is_dir: bool
    is_file: bool


class Files(Protocol):
    """Read access to files. No method raises: what cannot be read is absent."""

    def read(self, path: Path) -> bytes | None:
        """The content, or None where there is no readable regular file."""

    def is_file(self, path: Path) -> bool:
        """Whether a regular file, or a link to one, lies there."""

    def is_dir(self, path: Path) -> bool:
        """Whether a directory, or a link to one, lies there."""

    def names(self, directory: Path) -> list[str]:
        """Sorted names in a directory; empty where it cannot be listed."""

    def scan(self, directory: Path) -> list[Entry]:
        """The entries of a directory sorted by name, with their kinds, at the cost of one listing."""

    def stamp(self, path: Path) -> tuple[int, int] | None:
        """Modification time in nanoseconds and size in bytes: equal stamps mean unchanged content."""


class DiskFiles:
    """The disk as it is."""

    def read(self, path: Path) -> bytes | None:
        try:
            if not path.is_file() or path.stat().st_size > LARGEST:
                return None
            return path.read_bytes()
        except (OSError, ValueError):
            return None

    def is_file(self, path: Path) -> bool:
        try:
            return path.is_file()
        except (OSError, ValueError):
            return False

    def is_dir(self, path: Path) -> bool:
        try:
            return path.is_dir()
        except (OSError, ValueError):
            return False

    def names(self, directory: Path) -> list[str]:
        return [entry.name for entry in self.scan(directory)]

    def scan(self, directory: Path) -> list[Entry]:
        try:
            with os.scandir(directory) as listing:
                return sorted(map(_entry, listing))
        except (OSError, ValueError):
            return []

    def stamp(self, path: Path) -> tuple[int, int] | None:
        try:
            status = path.stat()
        except (OSError, ValueError):
            return None
        return status.st_mtime_ns, status.st_size


def _entry(item: os.DirEntry[str]) -> Entry:
    try:
        return Entry(item.name, item.is_dir(follow_symlinks=False), item.is_file())
    except OSError:
        return Entry(item.name, is_dir=False, is_file=False)


class OpenFiles:
    """The files an editor has open, laid over others. What is open may change at any time."""

    def __init__(self, documents: Mapping[Path, Document], base: Files) -> None:
        self.base = base
        self._documents = documents

    def read(self, path: Path) -> bytes | None:
        document = self._documents.get(path)
        return self.base.read(path) if document is None else document.text.encode("utf-8", "surrogatepass")

    def is_file(self, path: Path) -> bool:
        return path in self._documents or self.base.is_file(path)

    def is_dir(self, path: Path) -> bool:
        return self.base.is_dir(path)

    def names(self, directory: Path) -> list[str]:
        return [entry.name for entry in self.scan(directory)]

    def scan(self, directory: Path) -> list[Entry]:
        entries = {entry.name: entry for entry in self.base.scan(directory)}
        unsaved = [path.name for path in self._documents if path.parent == directory and path.name not in entries]
        return sorted([*entries.values(), *(Entry(name, is_dir=False, is_file=True) for name in unsaved)])

    def stamp(self, path: Path) -> tuple[int, int] | None:
        return self.base.stamp(path)


class OverlayFiles:
    """Texts laid over other files; over nothing, where no base is given."""

    def __init__(self, texts: Mapping[Path, str], base: Files | None = None) -> None:
        self._content = {path: text.encode("utf-8", "surrogatepass") for path, text in texts.items()}
        self._directories: dict[Path, set[str]] = {}
        for path in self._content:
            for child, parent in zip((path, *path.parents), path.parents, strict=False):
                self._directories.setdefault(parent, set()).add(child.name)
        self._base = base

    def read(self, path: Path) -> bytes | None:
        content = self._content.get(path)
        return content if content is not None or self._base is None else self._base.read(path)

    def is_file(self, path: Path) -> bool:
        return path in self._content or (self._base is not None and self._base.is_file(path))

    def is_dir(self, path: Path) -> bool:
        return path in self._directories or (self._base is not None and self._base.is_dir(path))

    def names(self, directory: Path) -> list[str]:
        below = self._base.names(directory) if self._base is not None else []
        return sorted({*below, *self._directories.get(directory, ())})

    def scan(self, directory: Path) -> list[Entry]:
        entries = {entry.name: entry for entry in self._base.scan(directory)} if self._base is not None else {}
        for name in self._directories.get(directory, ()):
            path = directory / name
            entries[name] = Entry(name, path in self._directories, path in self._content)
        return [entries[name] for name in sorted(entries)]

    def stamp(self, path: Path) -> tuple[int, int] | None:
        content = self._content.get(path)
        if content is not None:
            return hash(content), len(content)
        return self._base.stamp(path) if self._base is not None else None
