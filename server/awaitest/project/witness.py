"""Notes what is asked of the disk, so that a later run can tell whether the answers are still the same."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from awaitest.project.files import Entry, Files

File = tuple[int, int, str]
"""Modification time in nanoseconds, size in bytes, and the content's digest; "" where only the stamp was asked for."""

NO_FOLDER = -1
UNSURE = 0
"""Stands for the time of what changed so late that it may change once more within the same tick of the clock."""
_TICK = 2_000_000_000
_MADE_BY_TOOLS = frozenset({"__pycache__/", ".pytest_cache/", ".ruff_cache/", ".mypy_cache/"})
_stat = os.stat
"""Thousands are asked: a `Path` for each costs more than the question."""


@dataclass
class Folder:
    """What was asked of one directory."""

    changed: int
    """Its modification time in nanoseconds: while it is the same, so are all the answers."""
    names: list[str] | None = None
    """Where it was listed: the names in it, of directories with a slash behind."""
    files: dict[str, bool] = field(default_factory=dict)
    """Whether a name is a file."""
    folders: dict[str, bool] = field(default_factory=dict)
    """Whether a name is a directory."""

    def add(self, other: Folder) -> None:
        self.changed = self.changed if self.changed == other.changed else UNSURE
        self.names = other.names if self.names is None else self.names
        self.files = other.files | self.files
        self.folders = other.folders | self.folders


@dataclass
class Seen:
    """What was asked of the disk, with the answers, by path."""

    files: dict[str, File] = field(default_factory=dict)
    folders: dict[str, Folder] = field(default_factory=dict)

    def add(self, other: Seen) -> None:
        for path, file in other.files.items():
            if path not in self.files or not self.files[path][2]:
                self.files[path] = file
        for path, folder in other.folders.items():
            if path in self.folders:
                self.folders[path].add(folder)
            else:
                self.folders[path] = folder


@dataclass
class Changes:
    """How the disk differs from what was seen. Paths are strings, of directories with a slash behind."""

    texts: dict[str, bytes] = field(default_factory=dict)
    """Files with another content; empty where only the stamp of a file was known."""
    came: set[str] = field(default_factory=set)
    went: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.texts or self.came or self.went)


class Witness:
    """Passes every question on, and notes it."""

    def __init__(self, base: Files) -> None:
        self._base = base
        self._seen = Seen()

    def seen(self) -> Seen:
        """What was asked since the last call."""
        taken, self._seen = self._seen, Seen()
        return taken

    def read(self, path: Path) -> bytes | None:
        stamp = self._base.stamp(path)
        content = self._base.read(path)
        if content is None or stamp is None:
            self._folder(path.parent).files[path.name] = self._base.is_file(path)
        else:
            self._seen.files[str(path)] = (_sure(stamp[0]), stamp[1], digest(content))
        return content

    def is_file(self, path: Path) -> bool:
        folder = self._folder(path.parent)
        answer = folder.files[path.name] = self._base.is_file(path)
        return answer

    def is_dir(self, path: Path) -> bool:
        folder = self._folder(path.parent)
        answer = folder.folders[path.name] = self._base.is_dir(path)
        return answer

    def names(self, directory: Path) -> list[str]:
        return [entry.name for entry in self.scan(directory)]

    def scan(self, directory: Path) -> list[Entry]:
        folder, entries = self._folder(directory), self._base.scan(directory)
        folder.names = sorted({_marked(it.name, it.is_dir) for it in entries} - _MADE_BY_TOOLS)
        return entries

    def stamp(self, path: Path) -> tuple[int, int] | None:
        stamp = self._base.stamp(path)
        if stamp is None:
            self._folder(path.parent).files[path.name] = False
        else:
            self._seen.files.setdefault(str(path), (*stamp, ""))
        return stamp

    def _folder(self, path: Path) -> Folder:
        name = str(path)
        found = self._seen.folders.get(name)
        if found is None:
            found = self._seen.folders[name] = Folder(_changed(name))
        return found


def digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=12).hexdigest()


def compare(seen: Seen) -> Changes:
    """What has changed since; `seen` takes over the new state."""
    changes = Changes()
    for path, file in list(seen.files.items()):
        stamp = _stamp(path)
        if stamp != file[:2]:
            _compare_file(seen, changes, path, stamp)
    for path, folder in seen.folders.items():
        now = _changed(path)
        if now == UNSURE or now != folder.changed:
            folder.changed = now
            _compare_folder(changes, path, folder)
    return changes


def _compare_file(seen: Seen, changes: Changes, path: str, stamp: tuple[int, int] | None) -> None:
    known = seen.files[path][2]
    content = _content(path) if stamp is not None and known else None
    if stamp is None or content is None:
        changes.texts[path] = b""
        changes.went |= {path} if stamp is None else set()
        del seen.files[path]
        return
    now = digest(content)
    seen.files[path] = (_sure(stamp[0]), stamp[1], now)
    if now != known:
        changes.texts[path] = content


def _compare_folder(changes: Changes, path: str, folder: Folder) -> None:
    base = path.rstrip(os.sep) + os.sep
    if folder.names is not None:
        before, folder.names = set(folder.names), _listed(path)
        changes.came |= {base + name for name in set(folder.names) - before}
        changes.went |= {base + name for name in before - set(folder.names)}
    for answers, ask, mark in ((folder.files, os.path.isfile, ""), (folder.folders, os.path.isdir, "/")):
        for name, before_there in answers.items():
            answers[name] = there = ask(base + name)
            if there != before_there:
                (changes.came if there else changes.went).add(base + name + mark)


def _sure(changed: int) -> int:
    """What changed a moment ago may change again unnoticed."""
    return changed if changed < time.time_ns() - _TICK else UNSURE


def _listed(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted({_marked(it.name, it.is_dir(follow_symlinks=False)) for it in entries} - _MADE_BY_TOOLS)
    except (OSError, ValueError):
        return []


def _marked(name: str, is_folder: bool) -> str:
    return f"{name}/" if is_folder else name


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        status = _stat(path)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size


def _changed(folder: str) -> int:
    try:
        return _sure(_stat(folder).st_mtime_ns)
    except (OSError, ValueError):
        return NO_FOLDER


def _content(path: str) -> bytes | None:
    try:
        return Path(path).read_bytes()
    except OSError:
        return None
