"""Where events go: a file of JSON lines, flushed one by one, so that a run that hangs or dies keeps what it did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Sink:
    """Writes events; `None` for a path swallows them."""

    def __init__(self, path: Path | None) -> None:
        self._file = None if path is None else path.open("a", encoding="utf-8", errors="backslashreplace")

    def write(self, kind: str, **fields: Any) -> None:
        if self._file is not None and not self._file.closed:
            self._file.write(json.dumps({"kind": kind, **fields}, ensure_ascii=True) + "\n")
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
