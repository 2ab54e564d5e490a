"""Whether a statement can start where the cursor stands, and in which class."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitest.engine.runner import in_testcase, is_isolated
from awaitest.source.edits import indent_of
from awaitest.source.scanner import Scanner
from awaitest.source.splitter import indentation
from awaitest.source.text import Position

if TYPE_CHECKING:
    from awaitest.engine.analysis import Engine
    from awaitest.engine.values import ClassInfo
    from awaitest.project.modules import Module
    from awaitest.source.document import Document

_BEFORE = re.compile(r"\ufeff?(?P<indent>[ \t\f]*)(?P<word>\w*)")
_AFTER = re.compile(r"\w*\s*")


@dataclass(frozen=True, slots=True)
class Place:
    """The top level of a module, or the body of a class of tests; `word` is what is typed there so far."""

    line: int
    word: str
    cls: ClassInfo | None = None


def place_of(engine: Engine, module: Module, position: Position) -> Place | None:
    """The place at a position; None where no test or fixture can stand."""
    document = module.document
    if document is None:
        return None
    lines, line = document.lines, position.line
    text = lines[line] if line < len(lines) else ""
    before = _BEFORE.fullmatch(text[: position.column])
    if before is None or not _AFTER.fullmatch(text[position.column :]) or not _between(document, line):
        return None
    if not before["indent"]:
        return Place(line, before["word"])
    node = _class_at(document, line, before["indent"])
    cls = engine.world.class_info(module, node) if node is not None else None
    if cls is None or not _of_tests(engine, module, cls):
        return None
    return Place(line, before["word"], cls)


def _between(document: Document, line: int) -> bool:
    """Whether a logical line begins here: no string, no bracket is open."""
    segment = document.segment_at(line)
    scanner = Scanner()
    for text in document.lines[segment.line : line] if segment is not None else ():
        scanner.feed(text)
    return scanner.between


def _class_at(document: Document, line: int, indent: str) -> ast.ClassDef | None:
    """The class whose body has this indentation here."""
    depth = indentation(f"{indent}_")
    above = range(min(line, len(document.lines)) - 1, -1, -1)
    header = next((row for row in above if 0 <= indentation(document.lines[row]) < depth), None)
    if header is None:
        return None
    for node in _classes(document.module()):
        start = _row(document, node)
        members = [row for row in (_row(document, member) for member in node.body) if row > start]
        heads = start <= header and document.segment_at(header) is document.segment_of(node)
        if heads and all(indent_of(document.lines[row]) == indent for row in members[:1]):
            return node
    return None


def _classes(body: Iterable[ast.stmt]) -> Iterator[ast.ClassDef]:
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            yield statement
            yield from _classes(statement.body)


def _row(document: Document, node: ast.stmt) -> int:
    return document.segment_of(node).span(node).start.line


def _of_tests(engine: Engine, module: Module, cls: ClassInfo) -> bool:
    """Whether pytest collects a test from this class, and passes fixtures to it."""
    node = ast.parse("async def test_(self): ...").body[0]
    assert isinstance(node, ast.AsyncFunctionDef)
    isolated = is_isolated(engine.world, cls)
    return engine.is_test(module, node, cls) and not isolated and in_testcase(engine.world, cls) is False
