"""All safe fixes of some files at once: the rounds of `awaitest check --fix`, on texts beside the open ones."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from awaitest.engine.diagnostic import Diagnostic, FileEdit, Fix
from awaitest.fixing import repair
from awaitest.live import SupersededError
from awaitest.lsp.session import Proceed, Session
from awaitest.source.splitter import split_lines
from awaitest.source.text import Edit, Span
from awaitest.sources import Source, Sources, UnreadableError


@dataclass(frozen=True, slots=True)
class _Round:
    diagnostics: Sequence[Diagnostic]
    sources: Sources


def repaired(session: Session, paths: Sequence[Path], code: str, proceed: Proceed) -> list[Fix]:
    """One fix that makes all safe fixes of a rule, or with "" of every rule; empty where nothing can be repaired."""
    bench = session.bench()
    sources = Sources(lambda path: _content(session, path))

    def check() -> _Round:
        if not proceed():
            raise SupersededError
        for source in sources.changed():
            bench.open(source.path, source.text)
        found = [
            told.diagnostic(with_fix=True)
            for path in paths
            for told in (bench.check(path) if bench.document(path) is not None else bench.survey(path))
            if code in ("", told.code)
        ]
        return _Round(found, sources)

    repair(check(), check, unsafe=False, obstacle=lambda _: None)
    edits = [FileEdit(source.path, edit) for source in sources.changed() for edit in _edits(source)]
    return [Fix("Fix all", tuple(edits), safe=True)] if edits else []


def _content(session: Session, path: Path) -> bytes:
    content = session.live.files.read(path)
    if content is None:
        raise UnreadableError("cannot be read")
    return content


def _edits(source: Source) -> list[Edit]:
    """Whole lines to put in the place of others."""
    before = split_lines(source.original)
    matcher = difflib.SequenceMatcher(None, before, source.lines, autojunk=False)
    return [
        Edit(Span.of(first, 0, last, 0), "".join(source.lines[start:end]))
        for tag, first, last, start, end in matcher.get_opcodes()
        if tag != "equal"
    ]
