"""Text of a segment → statements, and what keeps Python from reading it. Nothing here raises, whatever the text."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass

from awaitest.source import recovery
from awaitest.source.nodes import deep_line
from awaitest.source.syntax import needed_version

_ELSEWHERE = re.compile(r" \(?(?:detected )?(?:at|on) line \d+\)?")
_UNREADABLE = re.compile("[\x00\ud800-\udfff]")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_CLASS_AROUND = "class _:\n"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a text is not read: `row` counts from 0 in the text, `column` counts code points; `needs` is the Python
    version that could read it, where this interpreter is too old; `deep` code is nested too deeply for us."""

    row: int
    column: int
    message: str
    needs: tuple[int, int] | None = None
    deep: bool = False


class _TooDeepError(RecursionError):
    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


@dataclass(frozen=True, slots=True)
class Parsed:
    """Statements in `body`; `source` is the text they were read from, with `shift` rows put before it."""

    body: list[ast.stmt]
    source: str
    shift: int = 0
    fault: Fault | None = None


def parse_statement(text: str) -> Parsed:
    """A statement at the top of a module."""
    return _parse(text, "", "")


def parse_member(text: str) -> Parsed:
    """An indented definition in the body of a class."""
    return _parse(text, _CLASS_AROUND, "")


def parse_class(text: str, member_lead: str | None) -> Parsed:
    """A class without its members; `member_lead` is the white space before them, None where there are none."""
    return _parse(text, "", "" if member_lead is None else f"{member_lead}pass")


def _parse(text: str, before: str, after: str) -> Parsed:
    source = "\f" + text[1:] if text.startswith("\ufeff") else text
    if after:
        source += after if source.endswith(("\n", "\r")) else "\n" + after
    shift = 1 if before else 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return Parsed(_read(source, before, after), source, shift)
        except SyntaxError as error:
            fault = _unreadable(text) if _UNREADABLE.search(text) else _fault(error, text, shift)
        except _TooDeepError as error:
            fault = _deep(error.line - 1 - shift)
        except (ValueError, RecursionError, MemoryError):
            fault = _unreadable(text)
        repaired = recovery.repair(source)
        try:
            return Parsed(_read(repaired, before, after), repaired, shift, fault)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return Parsed([], source, shift, fault)


def _read(source: str, before: str, after: str) -> list[ast.stmt]:
    body = ast.parse(before + source).body
    line = deep_line(source, body)
    if line is not None:
        raise _TooDeepError(line)
    if before:
        return _only_class(body).body
    if after:
        _only_class(body).body.pop()
    return body


def _only_class(body: list[ast.stmt]) -> ast.ClassDef:
    if len(body) == 1 and isinstance(body[0], ast.ClassDef):
        return body[0]
    raise SyntaxError("unexpected indent")


def _fault(error: SyntaxError, text: str, shift: int) -> Fault:
    rows = _LINE_BREAK.split(text)
    row = min(max((error.lineno or 1) - 1 - shift, 0), len(rows) - 1)
    column = min(max((error.offset or 1) - 1, 0), len(rows[row]))
    needs = needed_version(text)
    if needs is not None:
        return Fault(row, column, f"this syntax needs Python {needs[0]}.{needs[1]} or newer", needs)
    return Fault(row, column, _ELSEWHERE.sub("", error.msg or "invalid syntax"))


def _deep(row: int) -> Fault:
    return Fault(row, 0, "this code is nested too deeply to be read", deep=True)


def _unreadable(text: str) -> Fault:
    found = _UNREADABLE.search(text)
    if found is None:
        return _deep(0)
    before = _LINE_BREAK.split(text[: found.start()])
    character = "a NUL character" if found.group() == "\0" else "half of a surrogate pair"
    return Fault(len(before) - 1, len(before[-1]), f"{character} cannot be part of Python source")
