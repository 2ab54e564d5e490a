"""Tables that fit a width: cells wrap, nothing is cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from awaitest.cli.terminal import printable, width_of

GAP = "  "
NARROWEST = 6
"""Columns to which a column may shrink, however narrow the terminal is."""


def table(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """The lines of a table with a rule below its header."""
    cells = [[printable(" ".join(cell.split())) for cell in row] for row in (header, *rows)]
    widths = _widths(cells, width)
    for number, row in enumerate(cells):
        wrapped = [wrap(cell, columns) for cell, columns in zip(row, widths, strict=True)]
        for line in range(max(map(len, wrapped))):
            parts = [part[line] if line < len(part) else "" for part in wrapped]
            yield GAP.join(_padded(part, columns) for part, columns in zip(parts, widths, strict=True)).rstrip()
        if number == 0:
            yield GAP.join("-" * columns for columns in widths)


def _widths(cells: Sequence[Sequence[str]], width: int) -> list[int]:
    """The widest columns give way first."""
    widths = [max(width_of(cell) for cell in column) for column in zip(*cells, strict=True)]
    room = width - len(GAP) * (len(widths) - 1)
    while sum(widths) > room and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return widths


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - width_of(text))


def wrap(text: str, columns: int) -> list[str]:
    """Lines of at most `columns`, broken at spaces where possible; at least one line."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        if line and width_of(f"{line} {word}") > columns:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
        while width_of(line) > columns and len(line) > 1:
            head = _head(line, columns)
            lines.append(head)
            line = line[len(head) :]
    return [*lines, line] if line or not lines else lines


def _head(text: str, columns: int) -> str:
    """The longest beginning that fits, at least one character."""
    taken = 0
    for index, character in enumerate(text):
        taken += width_of(character)
        if taken > columns and index:
            return text[:index]
    return text
