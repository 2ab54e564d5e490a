"""Bytes of a Python file ↔ text, exactly: what was not edited is written back byte for byte."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"[ \t\f]*(?:#.*)?\Z")
_BREAK = re.compile(rb"\r\n|\r|\n")
_WIDE_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file is written: the codec, and whether a UTF-8 byte order mark comes first."""

    name: str = "utf-8"
    bom: bool = False


class DecodeProblem(Exception):  # noqa: N818 - a report like SyntaxProblem
    """Why bytes cannot become text, or text bytes: `line` counts from 0."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(line, message)
        self.line = line
        self.message = message


def decode(data: bytes) -> tuple[str, Encoding]:
    """The text, without byte order mark, and how it was written; raises DecodeProblem and nothing else."""
    wide = next((name for mark, name in _WIDE_MARKS.items() if data.startswith(mark)), None)
    if wide is None and _every_second_is_nul(data[:64]):
        wide = "UTF-16"
    if wide is not None:
        raise DecodeProblem(0, f"the file is written in {wide}, which Python does not read; save it as UTF-8")
    bom = data.startswith(codecs.BOM_UTF8)
    content = data.removeprefix(codecs.BOM_UTF8)
    line, name = _declared(content)
    if bom and name != "utf-8":
        raise DecodeProblem(line, f"the file declares the encoding {name} but starts with the mark of UTF-8")
    try:
        text = content.decode(name)
        exact = name == "utf-8" or text.encode(name) == content
    except UnicodeDecodeError as error:
        line = len(_BREAK.findall(content, 0, error.start))
        raise DecodeProblem(line, f"this line is not valid {name}: byte 0x{content[error.start]:02x}") from None
    except (LookupError, UnicodeError, ValueError):
        raise DecodeProblem(line, f"the declared encoding {name} is unknown or is no text encoding") from None
    if not exact:
        raise DecodeProblem(line, f"the file does not keep to its declared encoding {name}")
    return text, Encoding(name, bom)


def encode(text: str, encoding: Encoding) -> bytes:
    """The bytes of a text; raises DecodeProblem where the encoding has no bytes for a character."""
    try:
        data = text.encode(encoding.name)
    except UnicodeEncodeError as error:
        line = len(re.findall(r"\r\n|\r|\n", text[: error.start]))
        raise DecodeProblem(line, f"{encoding.name} cannot hold the character {text[error.start]!a}") from None
    return codecs.BOM_UTF8 + data if encoding.bom else data


def _declared(content: bytes) -> tuple[int, str]:
    """Line and name of the declared encoding; UTF-8 where none is declared."""
    for number, line in enumerate(_BREAK.split(content[:4096], maxsplit=2)[:2]):
        if found := _COOKIE.match(line):
            return number, _plain_name(found.group(1).decode("ascii"))
        if not _BLANK.match(line):
            break
    return 0, "utf-8"


def _plain_name(name: str) -> str:
    plain = name.lower().replace("_", "-")
    if plain == "utf8" or re.match(r"utf-8(?:-|\Z)", plain):
        return "utf-8"
    if re.match(r"(?:latin-1|iso-8859-1|iso-latin-1)(?:-|\Z)", plain):
        return "iso-8859-1"
    return plain


def _every_second_is_nul(data: bytes) -> bool:
    nuls, others = sorted((data[::2], data[1::2]), key=lambda half: half.count(0), reverse=True)
    return len(data) > 3 and set(nuls) == {0} and 0 not in others
