"""What the diagnostics of one file rest on, noted while it is checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(eq=False)
class Notes:
    """Which other files of the project were asked, and what they were asked for."""

    paths: set[Path] = field(default_factory=set)
    """Modules that were read."""
    words: set[tuple[Path, bytes]] = field(default_factory=set)
    """Words that were looked for in and below a folder; the modules that hold them are among `paths`."""

    def rest_on(self, path: Path, text: bytes) -> bool:
        """Whether it matters to the file that `path` now holds `text`."""
        return path in self.paths or any(folder in path.parents and word in text for folder, word in self.words)


class Dependents:
    """Which files rest on which."""

    def __init__(self) -> None:
        self._notes: dict[Path, tuple[Notes, int]] = {}
        self._by_path: dict[Path, set[Path]] = {}
        self._by_word: dict[tuple[Path, bytes], set[Path]] = {}

    def put(self, file: Path, notes: Notes) -> None:
        """Take up what a file rests on; the notes may have grown since."""
        size = len(notes.paths) + len(notes.words)
        if self._notes.get(file) == (notes, size):
            return
        self.drop(file)
        self._notes[file] = notes, size
        for path in notes.paths:
            self._by_path.setdefault(path, set()).add(file)
        for word in notes.words:
            self._by_word.setdefault(word, set()).add(file)

    def drop(self, file: Path) -> None:
        """Forget a file."""
        notes, _ = self._notes.pop(file, (Notes(), 0))
        for path in notes.paths:
            self._by_path.get(path, set()).discard(file)
        for word in notes.words:
            self._by_word.get(word, set()).discard(file)

    def knows(self, path: Path) -> bool:
        """Whether any file rests on a path."""
        return bool(self._by_path.get(path))

    def of(self, path: Path, text: bytes) -> set[Path]:
        """The files to which it matters that `path` now holds `text`."""
        found = set(self._by_path.get(path, ()))
        for (folder, word), files in self._by_word.items():
            if word in text and not files <= found and folder in path.parents:
                found |= files
        return found
