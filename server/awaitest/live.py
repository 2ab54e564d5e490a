"""Open files: checked after every edit at the cost of what the edit touched, and told what others' edits mean to them.

What is said is always what a fresh check of the same texts would say. An edit inside a test leaves everything else as it
is; any other edit changes the *surface* of its file, and all open files that reach it are checked anew."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from pathlib import Path

from awaitest.check import Adjust, Checker, Report, Told, reports_of
from awaitest.engine.run import FIXTURE, HELPER, MODULE, Run
from awaitest.engine.sheet import Sheet
from awaitest.engine.world import Definition
from awaitest.project.cache import SkeletonCache
from awaitest.project.config import CONFIG_NAMES
from awaitest.project.discovery import is_tests
from awaitest.project.files import DiskFiles, Files, OpenFiles
from awaitest.project.workspace import Workspace
from awaitest.source.document import Document, Segment
from awaitest.source.text import Span

SURROUNDINGS = CONFIG_NAMES | {"pyvenv.cfg", "uv.lock", "poetry.lock", "pdm.lock", "requirements.txt"}
"""Files that say how tests run and in which environment."""

_DECIDES = re.compile(r"\b(?:anyio_backend|mark\.anyio)\b")
_WATCHING = (FIXTURE, HELPER, MODULE)
"""Kinds of functions of which more may be said, or less, by what the bodies of tests do."""
_RENEWED_AFTER = 500
"""Edits. The engine remembers some nodes of every version of a test; a new one forgets them."""


@dataclass
class OpenFile:
    """One open file and what was concluded of it."""

    path: Path
    document: Document
    segments: list[Segment] = field(default_factory=list)
    """Those of the last edit."""
    reach: frozenset[Path] = frozenset()
    sheet: Sheet | None = None
    reports: dict[Run, list[Report]] = field(default_factory=dict)
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
        self._open: dict[Path, OpenFile] = {}
        self.files = OpenFiles(self._documents, files or DiskFiles())
        self.workspace = Workspace(self.files, cache=cache, opened=self._documents, environments=environments)
        self.checker = Checker(self.workspace, adjust)

    # -- texts -------------------------------------------------------------------------------------------------------

    def document(self, path: Path) -> Document | None:
        """The document of an open file."""
        return self._documents.get(path)

    def open(self, path: Path, text: str) -> set[Path]:
        """A file is opened; the other open files that must be checked anew."""
        on_disk = self.files.base.read(path)
        document = self._documents[path] = Document(text)
        self._open[path] = OpenFile(path, document, document.segments)
        if on_disk != text.encode("utf-8", "replace"):
            return self.changed([path])
        self.checker.forget(path)
        return set()

    def edit(self, path: Path, changes: Iterable[tuple[Span | None, str]]) -> set[Path]:
        """Apply changes in order, each to a span or, with None, to the whole text. Gives the other open files that must
        be checked anew. Raises KeyError where the file is not open."""
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
            self._outdate(lambda other: other.path != path and self._hands_out(other.path, path))
            return set()
        state.edits = 0
        return self.changed([path])

    def close(self, path: Path) -> set[Path]:
        """A file is closed: what lies on the disk counts again."""
        self._open.pop(path, None)
        self._documents.pop(path, None)
        return self.changed([path])

    def changed(self, paths: Sequence[Path]) -> set[Path]:
        """Files changed, came or went on the disk; the open files that must be checked anew, among them those named."""
        outdated: set[Path] = set()
        for path in paths:
            if path.name in SURROUNDINGS:
                self.checker.forget_projects(path.parent)
                outdated |= self._outdate(lambda other, folder=path.parent: folder in other.path.parents)  # type: ignore[misc]
                continue
            self.checker.forget(path)
            outdated |= self._outdate(lambda other, path=path: self._rests_on(other, path))  # type: ignore[misc]
        return outdated - {path for path in paths if path in self._open}

    def reconsider(self) -> set[Path]:
        """Settings or environments changed: everything open must be checked anew."""
        self.checker.forget_projects()
        return self._outdate(lambda _: True)

    def _rests_on(self, other: OpenFile, path: Path) -> bool:
        if path in other.reach or other.path == path or self._hands_out(other.path, path):
            return True
        known = self.files.is_file(path) and path in self._documents
        return not known and self.workspace.project_of(other.path).config.rootdir in path.parents

    def _outdate(self, touched: Callable[[OpenFile], bool]) -> set[Path]:
        outdated = {path: state for path, state in self._open.items() if touched(state)}
        for state in outdated.values():
            state.sheet = None
        return set(outdated)

    # -- checks ------------------------------------------------------------------------------------------------------

    def checks(self, path: Path) -> bool:
        """Whether a file is one of tests."""
        return path.suffix == ".py" and is_tests(path, self.workspace.project_of(path).config)

    def check(self, path: Path, proceed: Callable[[], bool] = lambda: True) -> list[Told]:
        """What is wrong in an open file. Raises CancelledError once `proceed()` is false."""
        state = self._open[path]
        sheet = self._sheet(state)
        reports: list[Report] = []
        kept, state.reports = state.reports, {}
        changed = {run.cls for run in sheet.runs if run not in kept}
        for run in sheet.runs:
            if not proceed():
                state.reports = kept
                raise CancelledError
            fresh = run not in kept or run.kind in _WATCHING or (run.cls is not None and run.cls in changed)
            state.reports[run] = reports_of(run) if fresh else kept[run]
            reports += state.reports[run]
        return self.checker.tell(path, state.document, reports)

    def sheet(self, path: Path) -> Sheet:
        """The walked functions of an open file."""
        return self._sheet(self._open[path])

    def _sheet(self, state: OpenFile) -> Sheet:
        project = self.workspace.project_of(state.path)
        module = project.module(state.path)
        if state.sheet is None:
            state.sheet = self.checker.engine(project).sheet(module)
            state.reports = {}
            state.reach = project.reach(module)
        else:
            engine = state.sheet.runs[-1].engine
            state.sheet = engine.sheet(module, state.sheet)
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

    def _hands_out(self, giver: Path, taker: Path) -> bool:
        """Whether a file may have fixtures that are judged by what tests of another do with them."""
        config = self.workspace.project_of(giver).config
        if giver.name == "conftest.py":
            return giver.parent in taker.parents
        return not config.collects_file(giver) and config.rootdir in taker.parents


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
    return type(node), node.name, [ast.unparse(decorator) for decorator in node.decorator_list], words, segment.owner
