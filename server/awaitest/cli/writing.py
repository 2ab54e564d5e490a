"""Puts repaired files back: whole or not at all, with encoding, permissions and links as they were."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from awaitest.source.decode import DecodeProblem, encode
from awaitest.sources import Source


class NotWrittenError(Exception):
    """A file was left as it is; the text says why."""


def obstacle(path: Path) -> str | None:
    """Why a file must not be written, None where it may."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        return str(error)
    if not mode & 0o222 or not os.access(path, os.W_OK):
        return "is read-only"
    return None


def encoded(source: Source) -> bytes:
    """The bytes of the repaired text; raises NotWrittenError where its encoding has none for a character."""
    try:
        return encode(source.text, source.encoding)
    except DecodeProblem as error:
        raise NotWrittenError(f"in line {error.line + 1} of the repaired text, {error.message}") from error


def write(source: Source) -> None:
    """Replace the file by `source.text` in one step; raises NotWrittenError, and then nothing has changed on disk."""
    content = encoded(source)
    target = Path(os.path.realpath(source.path))
    if reason := obstacle(target):
        raise NotWrittenError(reason)
    try:
        if target.read_bytes() != source.content:
            raise NotWrittenError("changed on disk meanwhile")
        _replace(target, content)
    except OSError as error:
        raise NotWrittenError(error.strerror or str(error)) from error


def _replace(target: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(target.stat().st_mode & 0o7777)
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
