"""What the diagnostics of one file rest on, noted while it is checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Notes:
    """Which other files of the project were asked, and what they were asked for."""

    paths: set[Path] = field(default_factory=set)
    """Modules that were read."""
    words: set[tuple[Path, bytes]] = field(default_factory=set)
    """Words that were looked for in and below a folder; the modules that hold them are among `paths`."""

    def rest_on(self, path: Path, text: bytes) -> bool:
        """Whether it matters to the file that `path` now holds `text`."""
        return path in self.paths or any(folder in path.parents and word in text for folder, word in self.words)
