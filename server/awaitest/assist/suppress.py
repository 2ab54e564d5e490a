"""Comments that silence a diagnostic: `# awaitest: ignore[rule]` on a line, `# awaitest: ignore-file[rule]` for a file."""

from __future__ import annotations

import re
from itertools import takewhile

from awaitest.engine.diagnostic import Diagnostic, FileEdit, Fix
from awaitest.source.document import Document
from awaitest.source.edits import insert, line_insert
from awaitest.source.scanner import Scanner
from awaitest.source.text import Edit, Position, Span

_WRITTEN = re.compile(
    r"#\s*awaitest:\s*ignore(?P<file>-file)?\s*(?P<sign>[:\[])\s*(?P<rules>[\w\s,-]*[\w-])", re.IGNORECASE
)


def on_line(document: Document, diagnostic: Diagnostic) -> Fix | None:
    """Silence a diagnostic where it stands; None where neither its first nor its last line can take a comment."""
    span, name = diagnostic.span, diagnostic.name
    lines = [line for line in dict.fromkeys((span.start.line, span.end.line)) if line < len(document.lines)]
    edits = [*(_extended(document, line, name, for_file=False) for line in lines)]
    edits += [_appended(document, line, f"# awaitest: ignore[{name}]") for line in lines]
    edit = next((edit for edit in edits if edit is not None), None)
    return None if edit is None else _fix(diagnostic, f"Ignore {name} on this line", edit)


def in_file(document: Document, diagnostic: Diagnostic) -> Fix:
    """Silence all diagnostics of this rule in the file."""
    name = diagnostic.name
    edits = (_extended(document, line, name, for_file=True) for line in range(len(document.lines)))
    edit = next((edit for edit in edits if edit is not None), None)
    if edit is None:
        head = takewhile(lambda line: line.lstrip("\ufeff").startswith("#"), document.lines)
        edit = line_insert(document, len(list(head)), f"# awaitest: ignore-file[{name}]")
    return _fix(diagnostic, f"Ignore {name} in this file", edit)


def _fix(diagnostic: Diagnostic, title: str, edit: Edit) -> Fix:
    return Fix(title, (FileEdit(diagnostic.path, edit),), safe=True)


def _extended(document: Document, line: int, name: str, *, for_file: bool) -> Edit | None:
    """The rule added to a comment that silences others already."""
    for match in _WRITTEN.finditer(document.lines[line]):
        if bool(match["file"]) is for_file and 0 <= _scanned(document, line).comment <= match.start():
            if match["sign"] == "[":
                return insert(Position(line, match.end("rules")), f", {name}")
            return insert(Position(line, match.start("rules")), f"{name}, ")
    return None


def _appended(document: Document, line: int, comment: str) -> Edit | None:
    """The comment at the end of a line, unless a string or statement goes on behind it."""
    scanner = _scanned(document, line)
    if scanner.in_string or scanner.joined:
        return None
    text = document.lines[line].rstrip("\r\n")
    code = text.rstrip()
    return Edit(Span.of(line, len(code), line, len(text)), f"  {comment}" if code else comment)


def _scanned(document: Document, line: int) -> Scanner:
    """What is open at the end of a line."""
    scanner = Scanner()
    segment = document.segment_at(line)
    for text in document.lines[segment.line if segment is not None else 0 : line + 1]:
        scanner.feed(text)
    return scanner
