"""Keeps what is expensive to find out on disk. Text only; anything torn, foreign or unreadable is as good as absent."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path

SCHEMA = 3
"""Raised whenever skeletons of the same file become different."""

_HEADER = "# awaitest cache "
_DAY = 24 * 60 * 60
_PRUNED_EVERY, _KEPT_FOR = 7 * _DAY, 60 * _DAY


def default_folder() -> Path:
    """Where this user's caches lie; `AWAITEST_CACHE_DIR` overrides it."""
    given = os.environ.get("AWAITEST_CACHE_DIR")
    if given:
        return Path(given)
    try:
        return _base() / "awaitest"
    except RuntimeError:
        return Path(tempfile.gettempdir()) / "awaitest-cache"


def _base() -> Path:
    """The platform's place for caches; RuntimeError where the user has no home."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


class TextCache:
    """One small file per name; valid while its state is the same. Processes may share it, anybody may delete it, and no
    method raises."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pruned = False

    def get(self, name: str, state: str) -> str | None:
        """The text kept under a name in this state."""
        try:
            header, _, text = self._file(name).read_bytes().decode("utf-8", "surrogatepass").partition("\n")
        except (OSError, ValueError):
            return None
        return text if header == _header(name, state, text) else None

    def put(self, name: str, state: str, text: str) -> None:
        """Keep a text; failing to is no harm."""
        file = self._file(name)
        try:
            content = f"{_header(name, state, text)}\n{text}".encode("utf-8", "surrogatepass")
            file.parent.mkdir(parents=True, exist_ok=True)
            handle, made = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".tmp")
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(content)
                Path(made).replace(file)
            except OSError:
                Path(made).unlink(missing_ok=True)
            self._prune()
        except (OSError, ValueError):
            return

    def _prune(self) -> None:
        """Once a week, delete what was written long ago; a module still in use is read again then."""
        if self._pruned:
            return
        self._pruned = True
        mark, now = self._folder / "pruned", time.time()
        if mark.exists() and now - mark.stat().st_mtime < _PRUNED_EVERY:
            return
        mark.touch()
        for file in self._folder.glob("*/*"):
            if now - file.stat().st_mtime > _KEPT_FOR:
                file.unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        digest = _digest(name)[:16]
        return self._folder / digest[:2] / f"{digest[2:]}.txt"


class SkeletonCache:
    """The skeletons of modules, valid while a module's stamp is the same."""

    def __init__(self, folder: Path) -> None:
        self._texts = TextCache(folder / f"skeletons-{SCHEMA}-{sys.version_info.major}.{sys.version_info.minor}")

    def get(self, path: Path, stamp: tuple[int, int]) -> str | None:
        """The skeleton kept for this state of a file."""
        return self._texts.get(str(path), f"{stamp[0]} {stamp[1]}")

    def put(self, path: Path, stamp: tuple[int, int], text: str) -> None:
        """Keep a skeleton."""
        self._texts.put(str(path), f"{stamp[0]} {stamp[1]}", text)


def _header(name: str, state: str, text: str) -> str:
    return _HEADER + _digest(f"{name}\0{state}\0{text}")


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
