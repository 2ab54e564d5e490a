"""Between our types and those of the protocol. Columns of ours count code points, a client's count its own units."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from lsprotocol import types
from pygls.uris import from_fs_path, to_fs_path

from awaitest.check import Told
from awaitest.engine.diagnostic import Fix, Severity
from awaitest.source.text import Position, Span

SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.HINT: types.DiagnosticSeverity.Hint,
}
UNSAFE = "awaitest.unsafe"
"""The change annotation of fixes that may change what a test does."""

_CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2)}


class Columns:
    """Converts places for a client that counts in `encoding`: "utf-8", "utf-16" or "utf-32".

    pygls's own codec is not used: it places the end of a text before its last line break.
    """

    def __init__(self, encoding: str = "utf-16") -> None:
        self._codec = _CODECS.get(encoding)

    def position(self, lines: Sequence[str], place: types.Position) -> Position:
        """Our position of a client's; places behind the end of a line are its end."""
        return self._position(lines, place.line, place.character)

    def span(self, lines: Sequence[str], range_: types.Range) -> Span:
        return Span(self.position(lines, range_.start), self.position(lines, range_.end))

    def between(self, lines: Sequence[str], line: int, character: int, end_line: int, end_character: int) -> Span:
        """Our span of a client's lines and characters."""
        return Span(self._position(lines, line, character), self._position(lines, end_line, end_character))

    def _position(self, lines: Sequence[str], number: int, character: int) -> Position:
        if number >= len(lines):
            return Position(number, 0)
        line = lines[number]
        if self._codec is None or line.isascii():
            return Position(number, min(character, len(line.rstrip("\r\n"))))
        codec, width = self._codec
        before = line.encode(codec, "surrogatepass")[: character * width]
        return Position(number, len(before.decode(codec, "ignore")))

    def character(self, lines: Sequence[str], place: Position) -> int:
        """The client's character of our column."""
        line = lines[place.line] if place.line < len(lines) else ""
        if self._codec is None or line.isascii():
            return place.column
        codec, width = self._codec
        return len(line[: place.column].encode(codec, "surrogatepass")) // width

    def to_client(self, lines: Sequence[str], place: Position) -> types.Position:
        """The client's position of ours."""
        return types.Position(place.line, self.character(lines, place))

    def range(self, lines: Sequence[str], span: Span) -> types.Range:
        return types.Range(self.to_client(lines, span.start), self.to_client(lines, span.end))


@lru_cache(1 << 10)
def to_path(uri: str) -> Path | None:
    """The file a URI names; None for what is not a file, such as an unsaved text or a cell of a notebook."""
    if not uri.startswith("file:"):
        return None
    path = to_fs_path(uri)
    return Path(path) if path else None


def to_uri(path: Path) -> str:
    return from_fs_path(str(path)) or path.as_uri()


def to_diagnostic(told: Told, lines: Sequence[str], columns: Columns, page: str | None) -> types.Diagnostic:
    """A diagnostic for the client; `page` is the address of its rule's page."""
    return types.Diagnostic(
        range=columns.range(lines, told.span),
        message=told.message,
        severity=SEVERITIES[told.severity],
        code=told.code,
        code_description=types.CodeDescription(page) if page else None,
        source="awaitest",
    )


def diagnostic_json(told: Told, lines: Sequence[str], columns: Columns, page: str | None) -> str:
    """The same as JSON: what is sent with each keystroke."""
    start, end = told.span.start, told.span.end
    return (
        f'{{"range":{{"start":{{"line":{start.line},"character":{columns.character(lines, start)}}},'
        f'"end":{{"line":{end.line},"character":{columns.character(lines, end)}}}}},'
        f"{_about(told.message, told.severity, told.code, page)}}}"
    )


@lru_cache(1 << 12)
def _about(message: str, severity: Severity, code: str, page: str | None) -> str:
    described = {"codeDescription": {"href": page}} if page else {}
    told = {"message": message, "severity": SEVERITIES[severity].value, "code": code, **described, "source": "awaitest"}
    return json.dumps(told)[1:-1]


class EditMaker:
    """Makes workspace edits. `lines_of` and `version_of` tell of a file what it holds, and its version where it is open."""

    def __init__(
        self,
        columns: Columns,
        lines_of: Callable[[Path], Sequence[str]],
        version_of: Callable[[Path], int | None],
        uri_of: Callable[[Path], str],
        capabilities: types.WorkspaceEditClientCapabilities | None,
    ) -> None:
        self._columns, self._lines_of, self._version_of, self._uri_of = columns, lines_of, version_of, uri_of
        self._versioned = bool(capabilities and capabilities.document_changes)
        self._annotated = bool(capabilities and capabilities.change_annotation_support)

    def of(self, fixes: Sequence[Fix]) -> types.WorkspaceEdit:
        """One edit that makes all fixes."""
        by_path: dict[Path, list[types.TextEdit]] = {}
        for it in dict.fromkeys(edit for fix in fixes for edit in fix.edits):
            where = self._columns.range(self._lines_of(it.path), it.edit.span)
            by_path.setdefault(it.path, []).append(types.TextEdit(where, it.edit.text))
        if not self._versioned:
            return types.WorkspaceEdit(changes={self._uri_of(path): edits for path, edits in by_path.items()})
        marked = self._annotated and not all(fix.safe for fix in fixes)
        return types.WorkspaceEdit(
            document_changes=[self._of_file(path, edits, marked) for path, edits in by_path.items()],
            change_annotations={UNSAFE: _annotation()} if marked else None,
        )

    def _of_file(self, path: Path, edits: Sequence[types.TextEdit], marked: bool) -> types.TextDocumentEdit:
        document = types.OptionalVersionedTextDocumentIdentifier(self._uri_of(path), self._version_of(path))
        if not marked:
            return types.TextDocumentEdit(document, edits)
        return types.TextDocumentEdit(
            document, [types.AnnotatedTextEdit(UNSAFE, edit.range, edit.new_text) for edit in edits]
        )


def _annotation() -> types.ChangeAnnotation:
    return types.ChangeAnnotation(
        "May change what the test does", needs_confirmation=False, description="awaitest does not call this fix safe"
    )
