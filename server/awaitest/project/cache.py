"""Keeps skeletons of third-party modules on disk. Text only; anything torn, foreign or unreadable is as good as absent."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path

SCHEMA = 1
_HEADER = "# awaitest skeleton "


def default_folder() -> Path:
    """Where this user's caches lie; `AWAITEST_CACHE_DIR` overrides it."""
    given = os.environ.get("AWAITEST_CACHE_DIR")
    if given:
        return Path(given)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "awaitest"


class SkeletonCache:
    """One small file per module, named after its path; valid while the module's stamp is the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / f"skeletons-{SCHEMA}-{sys.version_info.major}.{sys.version_info.minor}"

    def get(self, path: Path, stamp: tuple[int, int]) -> str | None:
        """The skeleton kept for this state of a file."""
        try:
            header, _, text = self._file(path).read_text("utf-8").partition("\n")
        except (OSError, ValueError):
            return None
        return text if header == self._header(path, stamp, text) else None

    def put(self, path: Path, stamp: tuple[int, int], text: str) -> None:
        """Keep a skeleton; failing to is no harm."""
        file = self._file(path)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".tmp")
            try:
                with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
                    stream.write(f"{self._header(path, stamp, text)}\n{text}")
                Path(name).replace(file)
            except (OSError, ValueError):
                Path(name).unlink(missing_ok=True)
        except OSError:
            return

    def _file(self, path: Path) -> Path:
        digest = _digest(str(path))
        return self._folder / digest[:2] / f"{digest[2:]}.py"

    def _header(self, path: Path, stamp: tuple[int, int], text: str) -> str:
        return _HEADER + _digest(f"{path}\0{stamp[0]}\0{stamp[1]}\0{text}")


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
