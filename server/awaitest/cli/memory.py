"""What the last run of the same command found: a file is checked again only if something that it rests on has changed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import awaitest
from awaitest.cli.report import Outcome, Report, report_of
from awaitest.engine.diagnostic import Diagnostic, FileEdit, Fix, Severity
from awaitest.project.cache import TextCache, default_folder
from awaitest.project.notes import Notes
from awaitest.project.witness import Changes, Folder, Seen, compare, digest
from awaitest.source.text import Edit, Span
from awaitest.sources import Sources

if TYPE_CHECKING:
    from awaitest.cli.session import Request, Session

_PACKAGE = Path(awaitest.__file__).parent


@dataclass
class Memory:
    """One command line in one folder."""

    cache: TextCache
    name: str
    state: str
    outcomes: dict[Path, Outcome] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)
    changes: Changes = field(default_factory=Changes)
    _second: str = ""

    @classmethod
    def of(cls, paths: Sequence[str], request: Request) -> Memory | None:
        """The memory of a run over directories; None where there is nothing to be remembered."""
        if not request.cache or request.texts or not all(os.path.isdir(path) for path in paths):  # noqa: PTH112
            return None
        name = repr((os.getcwd(), tuple(paths), request.python, request.select, request.ignore))  # noqa: PTH109
        activated = [os.environ.get(name) for name in ("VIRTUAL_ENV", "CONDA_PREFIX")]
        state = repr((activated, sys.prefix, sys.version, awaitest.__version__, _own_stamps()))
        memory = cls(TextCache(default_folder() / "runs"), name, state)
        memory._load()
        return memory

    def report(self, sources: Sources) -> Report | None:
        """The report of the last run, if all that it rested on is still the same."""
        if not self.outcomes or self.changes:
            return None
        return report_of(self.outcomes.values(), sources)

    def still(self, session: Session, paths: Iterable[Path]) -> dict[Path, Outcome]:
        """Of these files, what was found in those that no change can have touched. The others are forgotten."""
        notes = self._notes()
        gone = session.outdated(self.changes, notes, self.seen.files) if notes else None
        if gone is None:
            self.outcomes, self.seen = {}, Seen()
            return {}
        wanted = set(paths) - gone
        self.outcomes = {
            path: outcome._replace(notes=notes[path]) for path, outcome in self.outcomes.items() if path in wanted
        }
        return self.outcomes

    def keep(self, outcomes: Mapping[Path, Outcome], seen: Seen) -> None:
        """Remember a whole run, in the order of its files."""
        if not outcomes or any(it.failure or it.notes is None for it in outcomes.values()):
            return
        self.seen.add(seen)
        told = {str(path): [_plain(it) for it in outcome.diagnostics] for path, outcome in outcomes.items()}
        folders = {path: [it.changed, it.names, it.files, it.folders] for path, it in self.seen.folders.items()}
        first = {"outcomes": told, "files": self.seen.files, "folders": folders}
        numbers: dict[str, int] = {}
        notes = [_plain_notes(it.notes or Notes(), numbers) for it in outcomes.values()]
        second = {"names": list(numbers), "notes": notes}
        self.cache.put(self.name, self.state, json.dumps(first) + "\n" + json.dumps(second))

    def _load(self) -> None:
        first, _, self._second = (self.cache.get(self.name, self.state) or "").partition("\n")
        if not first:
            return
        found = json.loads(first)
        self.seen.files = {path: tuple(file) for path, file in found["files"].items()}
        self.seen.folders = {path: Folder(*folder) for path, folder in found["folders"].items()}
        for path, told in ((Path(name), told) for name, told in found["outcomes"].items()):
            self.outcomes[path] = Outcome(path, [_diagnostic(path, it) for it in told])
        self.changes = compare(self.seen)

    def _notes(self) -> dict[Path, Notes]:
        """What the outcomes rest on, read when it is needed."""
        found = json.loads(self._second) if self._second else {"names": [], "notes": []}
        names = found["names"]
        paths = [Path(name) for name in names]
        notes = (
            Notes(
                {paths[it] for it in read},
                {(paths[folder], names[word].encode("utf-8", "surrogateescape")) for folder, word in words},
            )
            for read, words in found["notes"]
        )
        return dict(zip(self.outcomes, notes, strict=True))


def _plain_notes(notes: Notes, numbers: dict[str, int]) -> list[Any]:
    def number(name: str) -> int:
        return numbers.setdefault(name, len(numbers))

    words = ((number(str(folder)), number(word.decode("utf-8", "surrogateescape"))) for folder, word in notes.words)
    return [sorted(number(str(path)) for path in notes.paths), sorted(words)]


def _plain(told: Diagnostic) -> list[Any]:
    fix = None
    if told.fix is not None:
        edits = [[str(it.path), _plain_span(it.edit.span), it.edit.text] for it in told.fix.edits]
        fix = [told.fix.title, edits, told.fix.safe]
    return [told.code, told.name, told.severity.value, told.message, _plain_span(told.span), fix]


def _plain_span(span: Span) -> list[int]:
    return [span.start.line, span.start.column, span.end.line, span.end.column]


def _diagnostic(path: Path, plain: list[Any]) -> Diagnostic:
    code, name, severity, message, place, fix = plain
    made = None
    if fix is not None:
        title, edits, safe = fix
        made = Fix(title, tuple(FileEdit(Path(file), Edit(Span.of(*at), text)) for file, at, text in edits), safe)
    return Diagnostic(code, name, Severity(severity), message, path, Span.of(*place), made)


def _own_stamps() -> str:
    """Another awaitest, be it by one line, remembers nothing."""
    folders, stamps = [str(_PACKAGE)], []
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    folders += [] if entry.name == "__pycache__" else [entry.path]
                else:
                    status = entry.stat()
                    stamps.append((entry.path, status.st_mtime_ns, status.st_size))
    return digest(repr(sorted(stamps)).encode())
