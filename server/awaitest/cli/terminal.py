"""What a terminal shows: colours, the width of characters, the progress of a long run."""

from __future__ import annotations

import os
import shutil
import sys
import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TextIO

TAB = "    "
_COLOURS = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36", "dim": "2"}


@dataclass(frozen=True, slots=True)
class Style:
    """How text is laid out: with colours or without, within `width` columns."""

    colour: bool = False
    width: int = 100

    def paint(self, text: str, *names: str) -> str:
        if not self.colour or not text:
            return text
        return f"\x1b[{';'.join(_COLOURS[name] for name in names)}m{text}\x1b[0m"


def style_for(stream: TextIO, when: str, environ: Mapping[str, str] = os.environ) -> Style:
    """The style for a stream; `when` is "auto", "always" or "never"."""
    width = max(40, shutil.get_terminal_size((100, 24)).columns)
    colour = when == "always" or (when == "auto" and _wants_colour(stream, environ))
    if colour and sys.platform == "win32":
        os.system("")  # switches the console to escape sequences
    return Style(colour, width)


def _wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return environ.get("TERM") != "dumb" and stream.isatty()


def printable(text: str) -> str:
    """One line of text that cannot move the cursor, ring or reverse: tabs become spaces, other controls a mark."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if character == "\t":
        return TAB
    if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
        return "\ufffd"
    reversing = "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069"
    return "\ufffd" if reversing else character


def width_of(text: str) -> int:
    """Terminal columns that printable text takes."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class Progress:
    """Counts checked files on a terminal once a run has taken two seconds; silent anywhere else."""

    AFTER = 2.0
    EVERY = 0.1

    def __init__(self, stream: TextIO, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._total, self._clock = stream, total, clock
        self._live = stream.isatty()
        self._next = clock() + self.AFTER
        self._done = 0
        self._written = False

    def advance(self, files: int = 1) -> None:
        self._done += files
        if not self._live or self._clock() < self._next:
            return
        self._next = self._clock() + self.EVERY
        self._written = True
        self._stream.write(f"\rChecking {self._done} of {self._total} files")
        self._stream.flush()

    def clear(self) -> None:
        if self._written:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
