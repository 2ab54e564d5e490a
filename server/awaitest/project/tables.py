"""Configuration files as tables: TOML and INI, with the line of each key, and one clear problem where a file is broken."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import iniconfig

from awaitest.project.files import Files

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LARGEST_TABLE = 1_000_000
"""Bytes. A longer file is nobody's configuration; to parse it would take seconds."""

MOST_DOTS = 1_000
"""In a line. The time to parse a dotted key grows with the square of its length."""

DEEPEST = 8
"""Dotted keys are told apart this deep; settings lie at four at most."""

Keys = tuple[str, ...]
"""The way to a key: `("tool", "pytest", "asyncio_mode")` in TOML, `("pytest", "asyncio_mode")` in INI."""


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """What is wrong in a configuration file; `line` counts from 1."""

    path: Path
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Table:
    """A parsed file: nested `values`, and the line (from 1) of each key that stands on a line of its own."""

    path: Path
    values: Mapping[str, object]
    lines: Mapping[Keys, int]
    text: str = field(repr=False)

    def get(self, *keys: str) -> object:
        """The value at the end of the keys; None where the way breaks off."""
        value: object = self.values
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def line_of(self, *keys: str) -> int:
        """The line of a key, or of what surrounds it; 1 for the file as a whole."""
        return next((self.lines[keys[:end]] for end in range(len(keys), 0, -1) if keys[:end] in self.lines), 1)

    def line_of_item(self, line: int, item: str) -> int:
        """The line of a string in a list that begins at `line`; `line` itself where it is written in another way."""
        for number, written in enumerate(self.text.split("\n")[line - 1 :], line):
            if f'"{item}"' in written or f"'{item}'" in written:
                return number
            if number > line and _HEADER.match(written):
                break
        return line

    def problem(self, message: str, *keys: str) -> ConfigProblem:
        """A problem at the line of a key."""
        return ConfigProblem(self.path, self.line_of(*keys), message)


def read_text(files: Files, path: Path) -> str | ConfigProblem:
    """The text of a configuration file, lines ended by newlines."""
    content = files.read(path)
    if content is None:
        return ConfigProblem(path, 1, "cannot be read")
    if len(content) > LARGEST_TABLE:
        return ConfigProblem(path, 1, f"is too large to be read as configuration ({len(content):,} bytes)")
    try:
        return content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        return ConfigProblem(path, content.count(b"\n", 0, error.start) + 1, "is not valid UTF-8")


def read_toml(files: Files, path: Path) -> Table | ConfigProblem:
    """A TOML file."""
    text = read_text(files, path)
    if isinstance(text, ConfigProblem):
        return text
    dotted = next((line for line, written in enumerate(text.split("\n"), 1) if written.count(".") > MOST_DOTS), None)
    if dotted is not None:
        return ConfigProblem(path, dotted, f"is not read: a line has more than {MOST_DOTS:,} dots")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return ConfigProblem(path, _line_in(str(error), text), f"is not valid TOML: {error}")
    except (RecursionError, MemoryError, ValueError) as error:
        return ConfigProblem(path, 1, f"is not readable TOML: {error}")
    return Table(path, values, toml_lines(text), text)


def read_ini(files: Files, path: Path) -> Table | ConfigProblem:
    """An INI file as pytest reads it: a broken line or a duplicate breaks the whole file."""
    text = read_text(files, path)
    if isinstance(text, ConfigProblem):
        return text
    try:
        parsed = iniconfig.IniConfig(str(path), data=text)
    except iniconfig.ParseError as error:
        return ConfigProblem(path, error.lineno + 1, f"is not a valid INI file: {error.msg}")
    except (IndexError, ValueError) as error:
        return ConfigProblem(path, 1, f"is not a valid INI file: {error}")
    lines: dict[Keys, int] = {}
    for section, values in parsed.sections.items():
        for keys, name in [((section,), None), *(((section, name), name) for name in values)]:
            line = parsed.lineof(section, name)
            if line is not None:
                lines[keys] = line
    return Table(path, parsed.sections, lines, text)


_TOKEN = re.compile(
    r"""
    \#[^\n]* | \"\"\"(?:\\.|[^\\])*?\"\"\"+ | '''.*?'''+ | "(?:\\.|[^"\\\n])*" | '[^'\n]*'
    | [\[\]{}] | \n | [^\#"'\[\]{}\n]+ | .
    """,
    re.VERBOSE | re.DOTALL,
)
_HEADER = re.compile(r"\[\[?(?P<keys>[^\]\n]+)\]")
_KEYS = re.compile(r"""(?P<keys>(?:[\w.\t -]|"[^"\n]*"|'[^'\n]*')+)=""")
_KEY = re.compile(r"""[\w-]+|"[^"\n]*"|'[^'\n]*'""")


def toml_lines(text: str) -> dict[Keys, int]:
    """The line (from 1) of every table header and key of valid TOML; what lies in inline tables has none of its own."""
    lines: dict[Keys, int] = {}
    header: Keys = ()
    line = 1
    depth = 0
    fresh = True
    for token in _TOKEN.finditer(text):
        part = token.group()
        if fresh and depth == 0 and part.strip():
            if table := _HEADER.match(text, token.start()):
                header = _split(table["keys"])
                lines.setdefault(header, line)
            elif assignment := _KEYS.match(text, token.start()):
                keys = _split(assignment["keys"])
                for end in range(1, len(keys) + 1):
                    lines.setdefault(header + keys[:end], line)
        fresh = part == "\n" or (fresh and not part.strip())
        depth += (part in "[{") - (part in "]}")
        line += part.count("\n")
    return lines


def _split(keys: str) -> Keys:
    parts = (found.group().strip("\"'") for found in _KEY.finditer(keys))
    return tuple(islice(parts, DEEPEST))


def _line_in(message: str, text: str) -> int:
    found = re.search(r"at line (\d+)", message)
    return int(found[1]) if found else text.rstrip("\n").count("\n") + 1
