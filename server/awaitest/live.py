"""Open files: checked after every edit at the cost of what the edit touched, and told what others' edits mean to them.

What is said is always what a fresh check of the same texts would say. An edit inside a test leaves everything else as it
is; any other edit changes the *surface* of its file, and all open files that reach it are checked anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import is_
from pathlib import Path

from awaitest.check import Adjust, Checker, Report, Told, placed, reports_of
from awaitest.engine.run import FIXTURE, HELPER, MODULE, Run
from awaitest.engine.sheet import Sheet
from awaitest.engine.syntax import assigned
from awaitest.engine.world import Definition
from awaitest.project.cache import SkeletonCache
from awaitest.project.config import CONFIG_NAMES, PytestConfig
from awaitest.project.discovery import configurations, find_tests, is_tests
from awaitest.project.files import DiskFiles, Files, OpenFiles
from awaitest.project.notes import Dependents, Notes
from awaitest.project.settings import Settings
from awaitest.project.workspace import DECIDING, Workspace
from awaitest.source.document import Document, Exchange, Segment
from awaitest.source.nodes import spelt
from awaitest.source.text import Span

SURROUNDINGS = CONFIG_NAMES | {"pyvenv.cfg", "uv.lock", "poetry.lock", "pdm.lock", "requirements.txt"}
"""Files that say how tests run and in which environment."""

_DECIDES = re.compile("|".join(re.escape(word.decode()) for word in DECIDING))
_SELVES = re.compile(r"\b(?:self|cls)\b[\w.]*\s*(?:=(?!=)|\()?")
_WATCHING = (FIXTURE, HELPER, MODULE)
"""Kinds of functions of which more may be said, or less, by what the bodies of tests do."""
_RENEWED_AFTER = 500
"""Edits. The engine remembers some nodes of every version of a test; a new one forgets them."""


class SupersededError(Exception):
    """The check is not wanted any more."""


@dataclass
class OpenFile:
    """One open file and what was concluded of it."""

    path: Path
    document: Document
    notes: Notes = field(default_factory=Notes)
    """What it rests on; that of earlier checks included, as long as their results are kept."""
    sheet: Sheet | None = None
    pending: list[Run] = field(default_factory=list)
    """Runs that no rule has looked at yet."""
    watching: set[Run] = field(default_factory=set)
    """Runs of which more may be said, or less, by what other functions do."""
    reports: dict[Run, list[Report]] = field(default_factory=dict)
    """Of runs of which anything is said."""
    placed: dict[Run, list[Told]] = field(default_factory=dict)
    """The reports with the places that they had after so many `shifts` of the document's lines."""
    shifts: int = 0
    stirred: set[Segment] = field(default_factory=set)
    """Classes of which a test does something else with `self` than it did when they were last checked."""
    exchanged: dict[Segment, Segment] = field(default_factory=dict)
    """Segments that were edited, with those on the sheet whose places they take."""
    alone: tuple[Segment | None, object] = None, None
    """The test that was edited last, which nothing else in the file mentions, and what others can know of it."""
    told: tuple[object, list[Told], list[Told]] = (None, [], [])
    """The comments and broken segments of the last check, what was reported and what was said of it."""
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
        self._surveyed: set[Path] = set()
        self._resting = Dependents()
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
        self._surveyed.discard(path)
        on_disk = self.files.base.read(path)
        document = self._documents[path] = Document(text)
        self._open[path] = OpenFile(path, document)
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
        exchanges: list[Exchange | None] = []
        for span, text in changes:
            if span is None:
                state.document = self._documents[path] = Document(text)
                state.sheet = None
                self.checker.forget(path)
            else:
                exchanges.append(state.document.edit(span, text))
        state.edits += 1
        if (
            state.sheet is not None
            and state.edits < _RENEWED_AFTER
            and all(it is not None and self._inside_test(state, it) for it in exchanges)
        ):
            outdated: set[Path] = set()
            for it in exchanges:
                assert it is not None
                state.exchanged[it.new] = state.exchanged.pop(it.old, it.old)
                if it.new.owner is not None and _SELVES.findall(it.old.text) != _SELVES.findall(it.new.text):
                    state.stirred.add(it.new.owner)
                outdated |= self._resting.of(path, it.new.text.encode("utf-8", "replace"))
            self._outdate(outdated - {path})
            return set()
        state.edits, state.alone = 0, (None, None)
        return self.changed([path])

    def close(self, path: Path) -> set[Path]:
        """A file is closed: what lies on the disk counts again."""
        if self._configurations.pop(path, None) is not None:
            return set()
        self._open.pop(path, None)
        self._documents.pop(path, None)
        self._resting.drop(path)
        return self.changed([path])

    def changed(self, paths: Sequence[Path]) -> set[Path]:
        """Files changed, came or went on the disk; the files, open or surveyed, that must be checked anew, those named
        left out where they are open."""
        outdated: set[Path] = set()
        for path in paths:
            if path.name in SURROUNDINGS:
                self.checker.forget_projects(path.parent)
                outdated |= self._outdate({it for it in self._known() if path.parent in it.parents})
            else:
                self.checker.forget(path)
                outdated |= self._outdate(self._resting_on(path))
        return outdated - {path for path in paths if path in self._open}

    def reconsider(self) -> set[Path]:
        """Settings or environments changed: everything must be checked anew."""
        self.checker.forget_projects()
        return self._outdate(self._known())

    def _resting_on(self, path: Path) -> set[Path]:
        """The files of which something else may be said now that a file has changed, came or went."""
        found = self._resting.of(path, self.files.read(path) or b"") | {path}
        if (path not in self._documents and not self.files.is_file(path)) or not self._resting.knows(path):
            around = frozenset(path.parents)
            return found | {
                it for it in self._known() if not around.isdisjoint(self.workspace.project_of(it).config.import_roots)
            }
        return found

    def _known(self) -> set[Path]:
        return {*self._open, *self._surveyed}

    def _outdate(self, outdated: set[Path]) -> set[Path]:
        for path in outdated & self._open.keys():
            self._open[path].sheet = None
        return outdated & self._known()

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
        try:
            self._look(state, sheet, proceed)
        finally:
            self._resting.put(path, state.notes)
        return self._tell(state, sheet)

    def _look(self, state: OpenFile, sheet: Sheet, proceed: Callable[[], bool]) -> None:
        """Have the rules look at what they have not seen yet, and again at what may look different now."""
        stirred = (run for owner in state.stirred for member in owner.members for run in sheet.by_segment[member])
        state.pending = list(dict.fromkeys((*state.pending, *state.watching, *stirred)))
        state.stirred.clear()
        while state.pending:
            if not proceed():
                raise SupersededError
            run = state.pending[-1]
            project = run.engine.project
            asked, reports = project.asked, reports_of(run)
            state.pending.pop()
            if run.asks_others or (run.kind in _WATCHING and project.asked != asked):
                state.watching.add(run)
            state.placed.pop(run, None)
            state.reports.pop(run, None)
            if reports:
                state.reports[run] = reports

    def _tell(self, state: OpenFile, sheet: Sheet) -> list[Told]:
        document = state.document
        if state.shifts != document.shifts:
            state.shifts = document.shifts
            state.placed.clear()
        for run, reports in state.reports.items():
            if run not in state.placed:
                state.placed[run] = placed(reports, state.path)
        reported = [told for run in filter(state.reports.__contains__, sheet.runs) for told in state.placed[run]]
        about = document.remarks, document.broken, document.shifts
        if about != state.told[0] or len(reported) != len(state.told[1]) or not all(map(is_, reported, state.told[1])):
            state.told = about, reported, self.checker.tell(state.path, document, reported)
        return state.told[2]

    def survey(self, path: Path) -> list[Told]:
        """What is wrong in a file that is not open. It is remembered what that rests on, nothing else."""
        if path.name in CONFIG_NAMES:
            return self.checker.check_config(path)
        project = self.workspace.project_of(path)
        module = project.module(path)
        notes = self.checker.noting(path, Notes())
        runs = self.checker.engine(project).runs(module)
        assert module.document is not None
        told = self.checker.tell(path, module.document, [it for run in runs for it in placed(reports_of(run), path)])
        self._surveyed.add(path)
        self._resting.put(path, notes)
        return told

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
            state.notes = self.checker.noting(state.path, Notes(set(state.notes.paths)))
            state.sheet = self.checker.engine(project).sheet(module)
            state.pending = list(state.sheet.runs)
            for results in (state.watching, state.reports, state.placed, state.exchanged, state.stirred):
                results.clear()
            state.told = None, [], []
        project.resolver.notes = state.notes
        engine = state.sheet.runs[-1].engine
        for new, old in state.exchanged.items():
            self._exchange(state, old, new, engine.inside(module, new))
        state.exchanged.clear()
        return state.sheet

    def _exchange(self, state: OpenFile, old: Segment, new: Segment, inside: list[Run]) -> None:
        """Forget what was said of a segment, and have a look at what stands there now."""
        assert state.sheet is not None
        gone = state.sheet.by_segment[old]
        for run in gone:
            state.reports.pop(run, None)
            state.placed.pop(run, None)
            state.watching.discard(run)
            if run.function is not None:
                run.engine.world.forget(run.function)
        state.sheet.exchange(old, new, inside)
        state.pending = [run for run in state.pending if run not in gone] + inside

    def _inside_test(self, state: OpenFile, exchange: Exchange) -> bool:
        """Whether an edit changed nothing but the inside of a test that nothing else mentions."""
        config = self.workspace.project_of(state.path).config
        old, new = exchange
        name = _test(new, config.collects_function) if config.collects_file(state.path) else None
        edited, before = state.alone
        outside = _outside(new)
        if name is None or outside != (before if edited is old else _outside(old)):
            return False
        word = re.compile(rf"\b{re.escape(name)}\b")
        others = () if edited is old else (it for it in state.document.segments if it is not new)
        if any(name in other.text and word.search(other.text) for other in others):
            return False
        state.alone = new, outside
        return True


def _test(segment: Segment, collects: Callable[[str], bool]) -> str | None:
    """The name of the test that a segment is, None for any other segment."""
    body = segment.body
    if segment.kind == "class" or len(body) != 1 or not isinstance(body[0], Definition):
        return None
    makes_fixture = "fixture" in segment.text and any("fixture" in spelt(it) for it in body[0].decorator_list)
    return body[0].name if collects(body[0].name) and not makes_fixture else None


def _outside(segment: Segment) -> object:
    """What other functions can know of a test."""
    body = segment.body
    if len(body) != 1 or not isinstance(body[0], Definition):
        return None
    node, words = body[0], frozenset(_DECIDES.findall(segment.text))
    kept = segment.text if assigned(node) else ""
    decorators = [spelt(decorator) for decorator in node.decorator_list]
    return type(node), node.name, decorators, words, kept, segment.owner
