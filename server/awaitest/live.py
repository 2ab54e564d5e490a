"""Open files: checked after every edit at the cost of what the edit touched, and told what others' edits mean to them.

What is said is always what a fresh check of the same texts would say. An edit inside a test leaves everything else as it
is; any other edit changes the *surface* of its file, and all open files that reach it are checked anew."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from awaitest.check import Adjust, Checker, Report, Told, placed, reports_of
from awaitest.engine.run import FIXTURE, HELPER, MODULE, Run
from awaitest.engine.sheet import Sheet
from awaitest.engine.syntax import stores_on_self
from awaitest.engine.world import Definition
from awaitest.project.cache import SkeletonCache
from awaitest.project.config import CONFIG_NAMES, PytestConfig
from awaitest.project.discovery import configurations, find_tests, is_tests
from awaitest.project.files import DiskFiles, Files, OpenFiles
from awaitest.project.notes import Notes
from awaitest.project.settings import Settings
from awaitest.project.workspace import Workspace
from awaitest.source.document import Document, Segment
from awaitest.source.nodes import parts_of
from awaitest.source.text import Span

SURROUNDINGS = CONFIG_NAMES | {"pyvenv.cfg", "uv.lock", "poetry.lock", "pdm.lock", "requirements.txt"}
"""Files that say how tests run and in which environment."""

_DECIDES = re.compile(r"\b(?:anyio_backend|mark\.anyio)\b")
_SELVES = re.compile(r"\b(?:self|cls)\b[\w.]*\s*(?:=(?!=)|\()?")
_WATCHING = (FIXTURE, HELPER, MODULE)
"""Kinds of functions of which more may be said, or less, by what the bodies of tests do."""
_RENEWED_AFTER = 500
"""Edits. The engine remembers some nodes of every version of a test; a new one forgets them."""


_Touched = Callable[[Path, Notes], bool]


class SupersededError(Exception):
    """The check is not wanted any more."""


@dataclass
class OpenFile:
    """One open file and what was concluded of it."""

    path: Path
    document: Document
    segments: list[Segment] = field(default_factory=list)
    """Those of the last edit."""
    notes: Notes = field(default_factory=Notes)
    """What it rests on; that of earlier checks included, as long as their results are kept."""
    sheet: Sheet | None = None
    reports: dict[Run, list[Report]] = field(default_factory=dict)
    placed: dict[Run, list[Told]] = field(default_factory=dict)
    """The reports with the places that they had after so many `shifts` of the document's lines."""
    shifts: int = 0
    stirred: set[Segment] = field(default_factory=set)
    """Classes of which a test does something else with `self` than it did when they were last checked."""
    edits: int = 0


class Live:
    """The open files of an editor over the disk. Not safe for use by several threads at once."""

    def __init__(
        self,
        files: Files | None = None,
        cache: SkeletonCache | None = None,
        environments: dict[Path, Path] | None = None,
        adjust: Adjust = lambda _, settings: settings,
    ) -> None:
        self._documents: dict[Path, Document] = {}
        self._configurations: dict[Path, Document] = {}
        self._open: dict[Path, OpenFile] = {}
        self._surveyed: dict[Path, Notes] = {}
        self.files = OpenFiles(self._documents, files or DiskFiles())
        self.workspace = Workspace(self.files, cache=cache, opened=self._documents, environments=environments)
        self.checker = Checker(self.workspace, adjust)

    # -- texts -------------------------------------------------------------------------------------------------------

    def document(self, path: Path) -> Document | None:
        """The document of an open file."""
        return self._documents.get(path) or self._configurations.get(path)

    def open(self, path: Path, text: str) -> set[Path]:
        """A file is opened; the other open files that must be checked anew. What a configuration file says counts for
        others once it lies on the disk."""
        if path.name in CONFIG_NAMES:
            self._configurations[path] = Document(text)
            return set()
        self._surveyed.pop(path, None)
        on_disk = self.files.base.read(path)
        document = self._documents[path] = Document(text)
        self._open[path] = OpenFile(path, document, document.segments)
        if on_disk != text.encode("utf-8", "replace"):
            return self.changed([path])
        self.checker.forget(path)
        return set()

    def edit(self, path: Path, changes: Iterable[tuple[Span | None, str]]) -> set[Path]:
        """Apply changes in order, each to a span or, with None, to the whole text. Gives the other files that must be
        checked anew. Raises KeyError where the file is not open."""
        if path in self._configurations:
            for span, text in changes:
                if span is None:
                    self._configurations[path] = Document(text)
                else:
                    self._configurations[path].edit(span, text)
            return set()
        state = self._open[path]
        for span, text in changes:
            if span is None:
                state.document = self._documents[path] = Document(text)
                state.sheet = None
                self.checker.forget(path)
            else:
                state.document.edit(span, text)
        before, state.segments = state.segments, state.document.segments
        state.edits += 1
        if (
            state.sheet is not None
            and state.edits < _RENEWED_AFTER
            and self._only_in_tests(path, before, state.segments)
        ):
            state.stirred |= {
                new.owner
                for old, new in zip(before, state.segments, strict=True)
                if old is not new and new.owner and _SELVES.findall(old.text) != _SELVES.findall(new.text)
            }
            new_ones = (new.text for old, new in zip(before, state.segments, strict=True) if old is not new)
            typed = "".join(new_ones).encode("utf-8", "replace")
            self._outdate(lambda other, notes: other != path and notes.rest_on(path, typed))
            return set()
        state.edits = 0
        return self.changed([path])

    def close(self, path: Path) -> set[Path]:
        """A file is closed: what lies on the disk counts again."""
        if self._configurations.pop(path, None) is not None:
            return set()
        self._open.pop(path, None)
        self._documents.pop(path, None)
        return self.changed([path])

    def changed(self, paths: Sequence[Path]) -> set[Path]:
        """Files changed, came or went on the disk; the files, open or surveyed, that must be checked anew, those named
        left out where they are open."""
        outdated: set[Path] = set()
        for path in paths:
            if path.name in SURROUNDINGS:
                self.checker.forget_projects(path.parent)
                outdated |= self._outdate(_below(path.parent))
            else:
                self.checker.forget(path)
                outdated |= self._outdate(self._resting_on(path))
        return outdated - {path for path in paths if path in self._open}

    def reconsider(self) -> set[Path]:
        """Settings or environments changed: everything must be checked anew."""
        self.checker.forget_projects()
        return self._outdate(lambda _path, _notes: True)

    def _resting_on(self, path: Path) -> _Touched:
        came_or_went = path not in self._documents and not self.files.is_file(path)
        known = (*self._surveyed.values(), *(state.notes for state in self._open.values()))
        came_or_went |= not any(path in notes.paths for notes in known)
        text = self.files.read(path) or b""

        def touched(other: Path, notes: Notes) -> bool:
            if other == path or notes.rest_on(path, text):
                return True
            return came_or_went and self.workspace.project_of(other).config.rootdir in path.parents

        return touched

    def _outdate(self, touched: _Touched) -> set[Path]:
        outdated = {path for path, state in self._open.items() if touched(path, state.notes)}
        for path in outdated:
            self._open[path].sheet = None
        return outdated | {path for path, notes in self._surveyed.items() if touched(path, notes)}

    # -- checks ------------------------------------------------------------------------------------------------------

    def checks(self, path: Path) -> bool:
        """Whether there may be something to say of a file: it is one of tests, or configures them."""
        return path.name in CONFIG_NAMES or self.walks(path)

    def walks(self, path: Path) -> bool:
        """Whether a file is one of tests."""
        return path.suffix == ".py" and is_tests(path, self.workspace.project_of(path).config)

    def check(self, path: Path, proceed: Callable[[], bool] = lambda: True) -> list[Told]:
        """What is wrong in an open file. Raises SupersededError once `proceed()` is false."""
        if path in self._configurations:
            return self.checker.check_config(path, self._configurations[path].text)
        state = self._open[path]
        sheet = self._sheet(state)
        reported: list[Told] = []
        kept, state.reports = state.reports, {}
        where, state.placed = state.placed if state.shifts == state.document.shifts else {}, {}
        state.shifts = state.document.shifts
        for run in sheet.runs:
            known, told = kept.get(run), where.get(run)
            if known is None or run.kind in _WATCHING or (state.stirred and _owner(run) in state.stirred):
                if not proceed():
                    state.reports, state.placed = kept, where
                    raise SupersededError
                known, told = reports_of(run), None
            state.reports[run] = known
            if known:
                state.placed[run] = told = told if told is not None else placed(known, path)
                reported += told
        state.stirred.clear()
        return self.checker.tell(path, state.document, reported)

    def survey(self, path: Path) -> list[Told]:
        """What is wrong in a file that is not open. It is remembered what that rests on, nothing else."""
        if path.name in CONFIG_NAMES:
            return self.checker.check_config(path)
        project = self.workspace.project_of(path)
        module = project.module(path)
        self._surveyed[path] = self.checker.noting(path, Notes())
        runs = self.checker.engine(project).runs(module)
        assert module.document is not None
        return self.checker.tell(path, module.document, [it for run in runs for it in placed(reports_of(run), path)])

    def tests(self, folder: Path) -> list[Path]:
        """The files of tests in and below a folder, in a fixed order, and then the files that configure them."""

        def config(place: Path) -> PytestConfig:
            return self.workspace.project_of(place / "conftest.py").config

        def settings(place: Path) -> Settings:
            return self.checker.settings(place / "conftest.py")

        found = find_tests(self.files, [folder], folder, settings, config)
        tests = [path for path in found if isinstance(path, Path)]
        return tests + configurations(self.files, [folder], tests)

    def watched(self, path: Path, line: int) -> list[Run]:
        """The functions that hold a line of an open file, walked once more with the state kept after each step."""
        document = self._open[path].document
        segment = document.segment_at(line)
        project = self.workspace.project_of(path)
        return self.checker.engine(project).watch(project.module(path), segment) if segment is not None else []

    def sheet(self, path: Path) -> Sheet:
        """The walked functions of an open file."""
        return self._sheet(self._open[path])

    def _sheet(self, state: OpenFile) -> Sheet:
        project = self.workspace.project_of(state.path)
        module = project.module(state.path)
        if state.sheet is None:
            state.notes = self.checker.noting(state.path, Notes())
            state.sheet = self.checker.engine(project).sheet(module)
            state.reports = {}
        else:
            project.resolver.notes = state.notes
            state.sheet = state.sheet.runs[-1].engine.sheet(module, state.sheet)
        return state.sheet

    def _only_in_tests(self, path: Path, before: list[Segment], after: list[Segment]) -> bool:
        """Whether the segments differ only inside tests that nothing else mentions."""
        config = self.workspace.project_of(path).config
        if not config.collects_file(path) or len(before) != len(after):
            return False
        for old, new in zip(before, after, strict=True):
            if old is new:
                continue
            name = _test(new, config.collects_function)
            if name is None or _outside(old) != _outside(new):
                return False
            word = re.compile(rf"\b{re.escape(name)}\b")
            if any(name in other.text and word.search(other.text) for other in after if other is not new):
                return False
        return True


def _owner(run: Run) -> Segment | None:
    """The class that a function stands in."""
    return run.segment.owner if run.segment is not None else None


def _below(folder: Path) -> _Touched:
    return lambda other, _: folder in other.parents


def _test(segment: Segment, collects: Callable[[str], bool]) -> str | None:
    """The name of the test that a segment is, None for any other segment."""
    body = segment.body
    if segment.kind == "class" or len(body) != 1 or not isinstance(body[0], Definition):
        return None
    makes_fixture = any("fixture" in ast.unparse(decorator) for decorator in body[0].decorator_list)
    return body[0].name if collects(body[0].name) and not makes_fixture else None


def _outside(segment: Segment) -> object:
    """What other functions can know of a test."""
    body = segment.body
    if len(body) != 1 or not isinstance(body[0], Definition):
        return None
    node, words = body[0], frozenset(_DECIDES.findall(segment.text))
    kept = segment.text if any(stores_on_self(part) for part in parts_of(node)) else ""
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    return type(node), node.name, decorators, words, kept, segment.owner
