"""Edits that fixes are made of. They know syntax, not meaning; edits of one call never overlap and keep the line endings."""

from __future__ import annotations

import ast
import re
from collections.abc import Container
from itertools import dropwhile, takewhile
from typing import NamedTuple

from awaitest.source.document import Document
from awaitest.source.import_order import ImportStatement, module_of, name_key, section, statement_key
from awaitest.source.layout import indent_edits, indent_of, indent_unit, insert, line_insert, renamed
from awaitest.source.nodes import parts_of
from awaitest.source.text import Edit, Position, Span, apply, conflict

_FIRST_LINES = re.compile(r"#!|#.*coding[:=]")
_DEFINITION = re.compile(r"@|def\b|class\b|async\b")
__all__ = [
    "Import",
    "add_import",
    "difference",
    "indent_edits",
    "indent_of",
    "indent_unit",
    "insert",
    "line_insert",
    "remove_import",
    "renamed",
    "replace_import",
    "uses_of",
]

_NONE: frozenset[str] = frozenset()


class Import(NamedTuple):
    """`import module`, or `from module import name`."""

    module: str
    name: str | None = None


def uses_of(document: Document, name: str) -> int:
    """How often a name is read or deleted in the module, in annotations that are strings too."""
    word = re.compile(rf"(?<![\w.]){re.escape(name)}\b")
    uses = 0
    for node in _nodes(document):
        if isinstance(node, ast.Name):
            uses += node.id == name and not isinstance(node.ctx, ast.Store)
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if annotation is not None:
                uses += sum(len(word.findall(text)) for text in _strings(annotation))
    return uses


def add_import(
    document: Document, module: str, name: str | None = None, first_party: Container[str] = _NONE
) -> Edit | None:
    """Import a module, or a name from it, where it sorts; None where the module has it already.

    `first_party`: the project's own top-level modules, which have a section of their own.
    """
    statements = document.module()
    if any(_alias(statement, module, name, bare=True) for statement in _unconditional(statements)):
        return None
    leading = takewhile(lambda statement: not _defines(statement), statements)
    imports = [statement for statement in leading if isinstance(statement, ImportStatement)]
    for statement in imports:
        named = isinstance(statement, ast.ImportFrom) and statement.names[0].name != "*"
        if name and named and module_of(statement) == module:
            return _extended(document, statement, name)
    text = f"import {module}\n" if name is None else f"from {module} import {name}\n"
    if imports:
        return _sorted_in(document, _first_run(statements), Import(module, name), text, first_party)
    return _first_import(document, text)


def remove_import(document: Document, module: str, name: str | None = None, replaced: int = 0) -> Edit | None:
    """Drop an import at the top level that nothing uses any more; None where it is used, absent or cannot be told.

    `replaced`: how many uses go away together with the import.
    """
    if document.problems:
        return None
    for statement in document.module():
        alias = _alias(statement, module, name)
        if alias is None or not isinstance(statement, ImportStatement):
            continue
        bound = alias.asname or alias.name.partition(".")[0]
        if uses_of(document, bound) > replaced or bound in _exported(document):
            return None
        return _without(document, statement, alias)
    return None


def replace_import(
    document: Document, old: Import, new: Import, replaced: int = 0, first_party: Container[str] = _NONE
) -> list[Edit]:
    """Add `new`, and drop `old` where nothing else uses it; see `add_import` and `remove_import`."""
    added = add_import(document, *new, first_party=first_party)
    removed = remove_import(document, *old, replaced=replaced)
    edits = [edit for edit in (removed, added) if edit is not None]
    if added is None or not conflict(edits):
        return edits
    between = Document(apply(document.lines, [added]))
    removed = remove_import(between, *old, replaced=replaced)
    return [difference(document, apply(between.lines, [removed]))] if removed else [added]


def _nodes(document: Document) -> list[ast.AST]:
    return [node for statement in document.module() for node in parts_of(statement)]


def _strings(node: ast.AST) -> list[str]:
    return [child.value for child in parts_of(node) if isinstance(child, ast.Constant) and isinstance(child.value, str)]


def _defines(statement: ast.stmt) -> bool:
    return isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))


def _unconditional(statements: list[ast.stmt]) -> list[ast.stmt]:
    """Statements that run whenever the module does, those in `try` included."""
    inner = [child for statement in statements if isinstance(statement, ast.Try) for child in statement.body]
    return statements + inner


def _alias(statement: ast.stmt, module: str, name: str | None, bare: bool = False) -> ast.alias | None:
    """The part of an import statement that imports what is asked; with `bare`, under its own name."""
    if name is None and isinstance(statement, ast.Import):
        found = [alias for alias in statement.names if alias.name == module]
    elif name is not None and isinstance(statement, ast.ImportFrom) and module_of(statement) == module:
        found = [alias for alias in statement.names if alias.name == name]
    else:
        return None
    return next((alias for alias in found if not bare or alias.asname in (None, alias.name)), None)


def _exported(document: Document) -> set[str]:
    exported: set[str] = set()
    for statement in document.module():
        if not _defines(statement) and any(
            isinstance(node, ast.Name) and node.id == "__all__" for node in parts_of(statement)
        ):
            exported.update(_strings(statement))
    return exported


def _first_run(statements: list[ast.stmt]) -> list[ImportStatement]:
    begun = dropwhile(lambda statement: not isinstance(statement, ImportStatement), statements)
    run: list[ImportStatement] = []
    for statement in begun:
        if not isinstance(statement, ImportStatement):
            break
        run.append(statement)
    return run


def _first_line(document: Document, statement: ast.stmt) -> int:
    return document.segment_of(statement).span(statement).start.line


def _line_after(document: Document, statement: ast.stmt) -> int:
    home = document.segment_of(statement)
    return max(home.span(sibling).end.line for sibling in home.body) + 1


def _blank(document: Document, line: int) -> bool:
    return not document.lines[line].strip()


def _blanks_from(document: Document, line: int, step: int) -> int:
    """How many blank lines follow one another from a line on, downwards or upwards."""
    count = 0
    while 0 <= line < len(document.lines) and _blank(document, line):
        count += 1
        line += step
    return count


def _sorted_in(
    document: Document, run: list[ImportStatement], new: Import, text: str, first_party: Container[str]
) -> Edit:
    own = section(new.module, first_party)
    key = statement_key(new.module, new.name is not None)
    group: list[ImportStatement] = []
    for statement in run:
        same = section(module_of(statement), first_party) == own
        if group and (not same or _blank(document, _first_line(document, statement) - 1)):
            break
        if same:
            group.append(statement)
    smaller = [other for other in group if statement_key(module_of(other), isinstance(other, ast.ImportFrom)) <= key]
    if smaller:
        return line_insert(document, _line_after(document, smaller[-1]), text)
    if group:
        return line_insert(document, _first_line(document, group[0]), text)
    before = [statement for statement in run if section(module_of(statement), first_party) < own]
    if not before:
        return line_insert(document, _first_line(document, run[0]), text + "\n")
    line = _line_after(document, before[-1])
    apart = line == len(document.lines) or _blank(document, line)
    return line_insert(document, line, "\n" + text + ("" if apart else "\n"))


def _first_import(document: Document, text: str) -> Edit:
    statements = document.module()
    line = 0
    if (
        statements
        and isinstance(statements[0], ast.Expr)
        and _strings(statements[0])[:1] == [_docstring(statements[0])]
    ):
        line = _line_after(document, statements[0])
        text = "\n" + text
    else:
        comments = len(list(takewhile(lambda row: row.lstrip("\ufeff").startswith("#"), document.lines)))
        if comments < len(document.lines) and not _blank(document, comments):
            head = takewhile(lambda row: _FIRST_LINES.match(row), document.lines[: min(comments, 2)])
            comments = len(list(head))
        line = comments
        text = "\n" + text if comments else text
    blanks = _blanks_from(document, line, 1)
    following = document.lines[line + blanks] if line + blanks < len(document.lines) else ""
    needed = 0 if not following else 2 if _DEFINITION.match(following) else 1
    return line_insert(document, line, text + "\n" * max(0, needed - blanks))


def _docstring(statement: ast.Expr) -> object:
    return statement.value.value if isinstance(statement.value, ast.Constant) else None


def _extended(document: Document, statement: ImportStatement, name: str) -> Edit:
    home = document.segment_of(statement)
    places = [home.span(alias) for alias in statement.names]
    bracketed = _bracketed(document, home.span(statement).start, places[0].start)
    for alias, place in zip(statement.names, places, strict=True):
        if name_key(alias.name) > name_key(name):
            alone = bracketed and _alone(document, place)
            indent = indent_of(document.lines[place.start.line])
            return insert(place.start, f"{name},{document.newline}{indent}" if alone else f"{name}, ")
    last = places[-1]
    if not (bracketed and _alone(document, last)):
        return insert(last.end, f", {name}")
    line = document.lines[last.end.line]
    rest = line[last.end.column :].rstrip("\r\n")
    indent = indent_of(line)
    if rest.lstrip().startswith(","):
        return line_insert(document, last.end.line + 1, f"{indent}{name},\n")
    span = Span(last.end, Position(last.end.line, last.end.column + len(rest)))
    return Edit(span, f",{rest}{document.newline}{indent}{name}")


def _bracketed(document: Document, start: Position, end: Position) -> bool:
    lines = document.lines[start.line : end.line + 1]
    lines[-1] = lines[-1][: end.column]
    lines[0] = lines[0][start.column :]
    return any("(" in line.partition("#")[0] for line in lines)


def _alone(document: Document, place: Span) -> bool:
    """Whether a name has its lines for itself, but for a comma and a comment."""
    before = document.lines[place.start.line][: place.start.column]
    after = document.lines[place.end.line][place.end.column :].strip().removeprefix(",").strip()
    return not before.strip() and (not after or after.startswith("#"))


def _without(document: Document, statement: ImportStatement, alias: ast.alias) -> Edit:
    home = document.segment_of(statement)
    if len(statement.names) == 1:
        return _without_statement(document, statement)
    places = [home.span(other) for other in statement.names]
    index = statement.names.index(alias)
    place = places[index]
    if _bracketed(document, home.span(statement).start, places[0].start) and _alone(document, place):
        return Edit(Span.of(place.start.line, 0, place.end.line + 1, 0), "")
    if index + 1 < len(places):
        return Edit(Span(place.start, places[index + 1].start), "")
    return Edit(Span(places[index - 1].end, place.end), "")


def _without_statement(document: Document, statement: ImportStatement) -> Edit:
    home = document.segment_of(statement)
    span = home.span(statement)
    if len(home.body) > 1:
        index = home.body.index(statement)
        if index + 1 < len(home.body):
            return Edit(Span(span.start, home.span(home.body[index + 1]).start), "")
        return Edit(Span(home.span(home.body[index - 1]).end, span.end), "")
    first, after = span.start.line, span.end.line + 1
    above = _blanks_from(document, first - 1, -1) if first else len(document.lines)
    after += min(above, _blanks_from(document, after, 1))
    return Edit(Span.of(first, 0, after, 0), "")


def difference(document: Document, text: str) -> Edit:
    """One edit of whole lines that turns the document into a text."""
    old, new = document.lines, Document(text).lines
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False))))
    old, new = old[same:], new[same:]
    tail = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(reversed(old), reversed(new), strict=False))))
    changed = "".join(new[: len(new) - tail])
    return Edit(Span.of(same, 0, same + len(old) - tail, 0), changed)
