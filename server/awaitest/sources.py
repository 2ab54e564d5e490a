"""The texts of one run: every file is read once, so that what is checked, shown and repaired is the same text."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from awaitest.source.decode import DecodeProblem, Encoding, decode
from awaitest.source.splitter import split_lines

LARGEST = 20_000_000
"""Bytes. No test module is that long."""


class UnreadableError(Exception):
    """A file cannot be read; the text says why, `line` (from 1) where that is known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line

    def at(self, path: Path) -> str:
        """The message with the file, and the line if there is one, in front."""
        return f"{shown(path)}{'' if self.line is None else f':{self.line}'}: {self}"


@dataclass
class Source:
    """A file as it was read; `text` differs from `original` once repaired."""

    path: Path
    content: bytes
    encoding: Encoding
    original: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        """The lines of `text`, endings kept."""
        return split_lines(self.text)

    def replace(self, text: str) -> None:
        self.text = text
        self.__dict__.pop("lines", None)


class Sources:
    """Reads files, each once; `content` gives the bytes of a file or raises UnreadableError."""

    def __init__(self, content: Callable[[Path], bytes] | None = None) -> None:
        self._content = content or on_disk
        self._read: dict[Path, Source] = {}

    def read(self, path: Path) -> Source:
        """The file; raises UnreadableError."""
        if path not in self._read:
            self.put(path, self._content(path))
        return self._read[path]

    def put(self, path: Path, content: bytes) -> Source:
        """Take `content` for what the file holds; raises UnreadableError where it is no text."""
        try:
            text, encoding = decode(content)
        except DecodeProblem as error:
            raise UnreadableError(error.message, error.line + 1) from error
        self._read[path] = Source(path, content, encoding, text, text)
        return self._read[path]

    def changed(self) -> list[Source]:
        """The files whose text is no longer what was read."""
        return [source for source in self._read.values() if source.text != source.original]


def shown(path: Path) -> str:
    """The path as the user would type it: relative where it lies below the current directory."""
    try:
        return str(path.relative_to(os.path.abspath(os.curdir)))  # noqa: PTH100 - links stay as they are
    except ValueError:
        return str(path)


def on_disk(path: Path) -> bytes:
    """What a file holds; raises UnreadableError."""
    try:
        if path.is_dir():
            raise UnreadableError("is a directory")
        if path.exists() and not path.is_file():
            raise UnreadableError("is not a regular file")
        if path.stat().st_size > LARGEST:
            raise UnreadableError(f"is larger than {LARGEST // 1_000_000} MB")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from error
    except ValueError as error:
        raise UnreadableError(str(error)) from error
