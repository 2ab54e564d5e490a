"""Reads and writes the cases of a rule: Markdown with code blocks, and carets under the code that mark what must be reported.

    ## Invalid

    ### the result is dropped

    ```python
    async def test_read(client):
        client.get("/items")
    #   ^^^^^^^^^^^^^^^^^^^^ missing-await fix: never awaited
    ```

    ```python
    async def test_read(client):
        await client.get("/items")
    ```

    ## Valid

    ### missed: the client comes from a plugin that cannot be read
    …

The first block of a case is its code, the second the code after all fixes of the rule; prose may stand anywhere between.
How to write a block is told in `tests/rules/README.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from awaitest.source.text import Position, Span

TEST_FILE = "tests/test_case.py"
FIX, UNSAFE_FIX, NO_FIX = "fix", "unsafe-fix", ""

_MARK = re.compile(r"#(?=<| *[\^|])(?P<at><? *)(?P<carets>\^*|\|)(?P<open>\.\.\.)?(?: (?P<said>.*))?")
_SAID = re.compile(
    r"(?P<rule>[a-z]+(?:-[a-z]+)*)(?: (?P<fix>fix|unsafe-fix))?(?: (?P<severity>error|warning|hint))?: (?P<fragment>.*\S)"
)
_HEADER = re.compile(r"#! *(?P<key>[\w-]+): *(?P<value>.*\S)")
_FENCE = re.compile(r"(?P<ticks>`{3,})\w*")


class NotationError(Exception):
    """A file of cases that cannot be understood; the text names the place."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What must be reported at a place. `severity` is None where it is the rule's default; `fragment` is a part of the message."""

    path: str
    span: Span
    rule: str
    fix: str
    severity: str | None
    fragment: str


@dataclass(frozen=True, slots=True)
class Case:
    """Files (path → text) and what must be reported in them. `fixed` holds the files that the rule's fixes change."""

    rule: str
    title: str
    place: str
    files: Mapping[str, str]
    marks: tuple[Mark, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def own(self) -> list[Mark]:
        """The marks of the rule under test."""
        return [mark for mark in self.marks if mark.rule == self.rule]


@dataclass(frozen=True, slots=True)
class CaseFile:
    """All cases of one rule."""

    rule: str
    path: Path
    invalid: tuple[Case, ...]
    valid: tuple[Case, ...]


def read_cases(path: Path) -> CaseFile:
    """The cases in a file named after its rule; raises NotationError."""
    rule = path.stem.replace("_", "-")
    found: dict[str, list[Case]] = {"Invalid": [], "Valid": []}
    section = title = ""
    blocks: list[list[str]] = []
    start = 0

    def finish() -> None:
        if not title:
            return
        place = f"{path.name}:{start}"
        if section not in found or not 1 <= len(blocks) <= 2:
            raise NotationError(
                f"{place}: a case needs a section, '## Invalid' or '## Valid', and one or two code blocks"
            )
        found[section].append(_case(rule, title, place, blocks))

    fence = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if fence:
            if line == fence:
                fence = ""
            else:
                blocks[-1].append(line)
        elif opening := _FENCE.fullmatch(line):
            fence = opening["ticks"]
            blocks.append([])
        elif line.startswith(("## ", "### ")):
            finish()
            level, _, words = line.partition(" ")
            section, title = (words, "") if level == "##" else (section, words)
            blocks, start = [], number
    finish()
    return CaseFile(rule, path, tuple(found["Invalid"]), tuple(found["Valid"]))


def _case(rule: str, title: str, place: str, blocks: list[list[str]]) -> Case:
    try:
        headers, files, marks = _read_block(blocks[0])
        after = _read_block(blocks[1]) if len(blocks) > 1 else ({}, {}, [])
    except NotationError as error:
        raise NotationError(f"{place}: {title}: {error}") from None
    if after[0] or after[2]:
        raise NotationError(f"{place}: {title}: the block after the fix takes no carets and no headers")
    return Case(rule, title, place, files, tuple(marks), after[1], headers)


def read_code(text: str, rule: str = "") -> Case:
    """A case from one block of code."""
    return _case(rule, "", "", [text.split("\n")])


def _read_block(block: Iterable[str]) -> tuple[dict[str, str], dict[str, str], list[Mark]]:
    headers: dict[str, str] = {}
    files: dict[str, list[str]] = {}
    marks: list[Mark] = []
    unfinished: list[int] = []
    path = TEST_FILE
    for line in block:
        if line.startswith("#- "):
            path = line[3:].strip()
            files[path] = []
        elif header := _HEADER.fullmatch(line):
            headers[header["key"]] = header["value"]
        elif found := _MARK.fullmatch(line):
            lines = files.get(path)
            if not lines:
                raise NotationError(f"no code above {line!r}")
            _read_mark(found, path, lines, marks, unfinished)
        elif line or files.get(path):
            files.setdefault(path, []).append(line)
    if unfinished:
        raise NotationError("a span of several lines is left without '^ end'")
    return (
        headers,
        {name: "\n".join(lines).rstrip("\n") + "\n" if lines else "" for name, lines in files.items()},
        marks,
    )


def _read_mark(found: re.Match[str], path: str, lines: list[str], marks: list[Mark], unfinished: list[int]) -> None:
    """Add what one line of carets says; an `end` closes the newest span left open."""
    line, column = len(lines) - 1, 0 if found["at"].startswith("<") else found.start("carets")
    end = Position(line, found.end("carets") if found["carets"] != "|" else found.start("carets"))
    if found["said"] == "end":
        if not unfinished:
            raise NotationError(f"nothing to end: {found[0]!r}")
        opened = marks[unfinished[-1]]
        marks[unfinished.pop()] = Mark(
            path, Span(opened.span.start, end), opened.rule, opened.fix, opened.severity, opened.fragment
        )
        return
    said = _SAID.fullmatch(found["said"] or "")
    if said is None:
        raise NotationError(f"write '#  ^^^ rule-name [fix|unsafe-fix] [level]: part of the message', not {found[0]!r}")
    if found["open"]:
        if end.column != len(lines[-1]):
            raise NotationError(f"the carets of several lines reach to the end of their first line: {found[0]!r}")
        unfinished.append(len(marks))
    elif found["carets"] == "|":
        end = Position(line, column)
    marks.append(
        Mark(
            path, Span(Position(line, column), end), said["rule"], said["fix"] or "", said["severity"], said["fragment"]
        )
    )


def write_code(case: Case, marks: Iterable[Mark]) -> str:
    """The code of a case with marks drawn under it, as a case file would have it."""
    parts = [f"#! {key}: {value}" for key, value in case.headers.items()]
    shown = list(marks)
    for path, text in case.files.items():
        if path != TEST_FILE or parts or next(iter(case.files)) != path:
            parts.append(f"#- {path}")
        here = [mark for mark in shown if mark.path == path]
        for number, line in enumerate(text.split("\n")[:-1] if text else []):
            parts.append(line)
            parts += [_drawn(mark, line) for mark in here if mark.span.start.line == number]
            ends = [mark.span.end for mark in here if mark.span.end.line == number != mark.span.start.line]
            parts += [f"{_carets(max(end.column - 1, 0), end.column)} end" for end in sorted(ends, reverse=True)]
    return "\n".join(parts) + "\n"


def _drawn(mark: Mark, line: str) -> str:
    start, end = mark.span.start, mark.span.end
    several = end.line > start.line
    carets = _carets(start.column, len(line) if several else end.column) + ("..." if several else "")
    words = " ".join(word for word in (mark.rule, mark.fix, mark.severity) if word)
    return f"{carets} {words}: {mark.fragment}"


def _carets(start: int, end: int) -> str:
    if start == end or end == 1:
        return "#<|" if end == 0 else "#" + " " * (end - 1) + "|"
    if start == 0:
        return "#<" + "^" * (end - 2)
    return "#" + " " * (start - 1) + "^" * (end - start)
