"""Where events go: a file of JSON lines, written one by one, so that a run that hangs or dies keeps what it did.

By functions of the system that were there before any test: some tests forbid blocking calls on their loop, or replace `open`.
"""

from __future__ import annotations

import json
import os
from os import close as _close
from os import open as _open
from os import read as _read
from os import write as _write
from pathlib import Path
from typing import Any

_BINARY = getattr(os, "O_BINARY", 0)
_AT_ONCE = 1 << 20
_encode = json.JSONEncoder(check_circular=False).encode


class Sink:
    """Writes events; `None` for a path swallows them."""

    def __init__(self, path: Path | None) -> None:
        self._file = None if path is None else _open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _BINARY, 0o600)

    def write(self, kind: str, **fields: Any) -> None:
        if self._file is not None:
            left = (_encode({"kind": kind, **fields}) + "\n").encode()
            while left:
                left = left[_write(self._file, left) :]

    def close(self) -> None:
        if self._file is not None:
            _close(self._file)
            self._file = None


def source(path: str) -> bytes:
    """What a file holds. Raises OSError."""
    file = _open(path, os.O_RDONLY | _BINARY)
    try:
        return b"".join(iter(lambda: _read(file, _AT_ONCE), b""))
    finally:
        _close(file)
