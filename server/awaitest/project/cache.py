"""Keeps skeletons of third-party modules on disk. Text only; anything torn, foreign or unreadable is as good as absent."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path

SCHEMA = 2
"""Raised whenever skeletons of the same file become different."""

_HEADER = "# awaitest skeleton "
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


class SkeletonCache:
    """One small file per module, named after its path; valid while the module's stamp is the same. Processes may share
    it, anybody may delete it, and no method raises."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / f"skeletons-{SCHEMA}-{sys.version_info.major}.{sys.version_info.minor}"
        self._pruned = False

    def get(self, path: Path, stamp: tuple[int, int]) -> str | None:
        """The skeleton kept for this state of a file."""
        try:
            header, _, text = self._file(path).read_bytes().decode("utf-8").partition("\n")
        except (OSError, ValueError):
            return None
        return text if header == _header(path, stamp, text) else None

    def put(self, path: Path, stamp: tuple[int, int], text: str) -> None:
        """Keep a skeleton; failing to is no harm."""
        file = self._file(path)
        try:
            content = f"{_header(path, stamp, text)}\n{text}".encode()
            file.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".tmp")
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(content)
                Path(name).replace(file)
            except OSError:
                Path(name).unlink(missing_ok=True)
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

    def _file(self, path: Path) -> Path:
        digest = _digest(str(path))[:16]
        return self._folder / digest[:2] / f"{digest[2:]}.py"


def _header(path: Path, stamp: tuple[int, int], text: str) -> str:
    return _HEADER + _digest(f"{path}\0{stamp[0]}\0{stamp[1]}\0{text}")


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
