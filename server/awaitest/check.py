"""One call from a file to its diagnostics. The command line and the language server both use this and nothing below it."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

from awaitest.engine.analysis import Engine
from awaitest.engine.configuration import ConfigFile
from awaitest.engine.diagnostic import Diagnostic, Fix, Severity
from awaitest.engine.rule import Finding, LoadedRule, Rule
from awaitest.engine.run import Run
from awaitest.engine.steps import Row, Step
from awaitest.engine.table import rows
from awaitest.project.config import CONFIG_NAMES, find_config
from awaitest.project.files import OverlayFiles
from awaitest.project.notes import Notes
from awaitest.project.settings import Settings, load_settings
from awaitest.project.tables import read_ini, read_toml
from awaitest.project.workspace import Project, Workspace
from awaitest.registry import SYNTAX_CODE, SYNTAX_NAME, all_rules, rule_names
from awaitest.source.decode import DecodeProblem, decode
from awaitest.source.document import Document
from awaitest.source.splitter import split_lines
from awaitest.source.text import Position, Span

_SUPPRESSED = re.compile(
    r"#\s*(?:awaitest:\s*ignore(?P<file>-file)?|(?P<noqa>noqa))(?:\s*[:\[]\s*(?P<rules>[\w\s,-]+)\]?)?", re.IGNORECASE
)


_DEEP = "This statement is not checked: its code is nested too deeply. All around it is."
_DEFINED = re.compile(r"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", re.MULTILINE)


Adjust = Callable[[Path, Settings], Settings]


class Checker:
    """Checks files of a workspace."""

    def __init__(self, workspace: Workspace, adjust: Adjust = lambda _, settings: settings) -> None:
        """`adjust` makes of a folder and its project's settings the ones that hold there."""
        self.workspace = workspace
        self._adjust = adjust
        self._engines: dict[int, tuple[Project, Engine]] = {}
        self._settings: dict[Path, Settings] = {}

    def check(self, path: Path) -> list[Diagnostic]:
        """All diagnostics of a file with their fixes, in the order of its text."""
        if path.name in CONFIG_NAMES:
            return [told.diagnostic(with_fix=True) for told in self.check_config(path)]
        project = self.workspace.project_of(path)
        module = project.module(path)
        if module.document is None:
            return []
        runs = self.engine(project).runs(module)
        told = [it for run in runs for it in placed(reports_of(run), path)]
        return [it.diagnostic(with_fix=True) for it in self.tell(path, module.document, told)]

    def noting(self, path: Path, notes: Notes) -> Notes:
        """From now on, note what is asked about other files for this one; it rests on all that it imports in any case."""
        project = self.workspace.project_of(path)
        project.resolver.notes = notes
        if path.name not in CONFIG_NAMES:
            project.reach(project.module(path))
        return notes

    def tell(self, path: Path, document: Document | ConfigFile, reported: Iterable[Told]) -> list[Told]:
        """What is said of a file: what was reported and what Python cannot read, settings and suppressions applied."""
        settings = self.settings(path)
        relative = _relative(path, settings.root)
        suppressed = Suppressions(document)
        found: dict[tuple[str, Span], Told] = {}
        levels: dict[tuple[str, Severity], Severity | None] = {}
        for told in (*_unreadable(document, path), *reported):
            asked = told.code, told.severity
            if asked not in levels:
                level = settings.severity_of(told.code, told.name, told.severity.value)
                off = level == "off" or not settings.enabled(told.code, told.name, relative)
                levels[asked] = None if off else Severity(level)
            severity = levels[asked]
            if severity is not None and not suppressed.covers(told):
                found.setdefault(
                    (told.code, told.span), told if severity is told.severity else replace(told, severity=severity)
                )
        return sorted(found.values(), key=lambda told: (told.span, told.code))

    def check_config(self, path: Path, text: str | None = None) -> list[Told]:
        """What is wrong in a configuration file of pytest; `text` stands in for what lies on the disk."""
        base = self.workspace.files
        files = base if text is None else OverlayFiles({path: text}, base)
        project = self.workspace.project_of(path)
        try:
            read = decode(files.read(path) or b"")[0]
        except DecodeProblem:
            return []
        run = ConfigFile(path, split_lines(read))
        table = read_toml(files, path) if run.is_toml else read_ini(files, path)
        config = find_config(files, path, pytest=project.environment.version("pytest"))
        run.begin(table, config, project)
        return self.tell(path, run, placed(reports_of(run), path))

    def explain(self, path: Path, test: str) -> list[Row] | None:
        """The execution table of a test named `test_x` or `TestA::test_x`; None where there is no such function."""
        project = self.workspace.project_of(path)
        engine = Engine(project)
        engine.watched = True
        for run in engine.runs(project.module(path)):
            if run.function is not None and run.parent is None and _title(run) == test:
                return rows(run)
        return None

    def engine(self, project: Project) -> Engine:
        """The engine of a project."""
        if id(project) not in self._engines:
            self._engines[id(project)] = project, Engine(project)
        return self._engines[id(project)][1]

    def forget(self, path: Path) -> None:
        """A module changed, came or went."""
        for project, alone in self.workspace.forget(path):
            _, engine = self._engines.pop(id(project), (project, None))
            if engine is not None and alone is not None:
                self._engines[id(project)] = project, engine.without(alone)

    def forget_projects(self, folder: Path | None = None) -> None:
        """Configuration, settings or environment changed in a folder, or everywhere."""
        self.workspace.forget_projects(folder)
        self._engines.clear()
        self._settings.clear()

    def settings(self, path: Path) -> Settings:
        """The settings that hold for a file."""
        if path.parent not in self._settings:
            loaded = load_settings(self.workspace.files, path.parent, rule_names())
            self._settings[path.parent] = self._adjust(path.parent, loaded)
        return self._settings[path.parent]


@dataclass(frozen=True, slots=True)
class Report:
    """What a rule reports of a run."""

    rule: Rule
    finding: Finding
    run: Run | ConfigFile


@dataclass(frozen=True, slots=True)
class Told:
    """A diagnostic whose fix is made when somebody asks for it."""

    code: str
    name: str
    severity: Severity
    message: str
    path: Path
    span: Span
    repair: Callable[[], Fix | None] | None = None

    def diagnostic(self, with_fix: bool) -> Diagnostic:
        fix = self.repair() if with_fix and self.repair is not None else None
        return Diagnostic(self.code, self.name, self.severity, self.message, self.path, self.span, fix)


def reports_of(run: Run | ConfigFile) -> list[Report]:
    """What the rules say of one run."""
    by_step = _dispatch()
    found: dict[tuple[str, object], Report] = {}
    for step in run.steps:
        for loaded in by_step.get(type(step), ()):
            for finding in loaded.check(step, run):
                found.setdefault((loaded.rule.code, finding.at), Report(loaded.rule, finding, run))
    return list(found.values())


def placed(reports: Iterable[Report], path: Path) -> list[Told]:
    """Reports with the places where they stand now."""
    return [_told(report, path) for report in reports]


def _told(report: Report, path: Path) -> Told:
    finding, rule = report.finding, report.rule
    span = report.run.span(finding.at) if isinstance(finding.at, ast.AST) else finding.at()
    severity = finding.severity or rule.severity
    return Told(rule.code, rule.name, severity, finding.message, path, span, finding.fix)


def _unreadable(document: Document | ConfigFile, path: Path) -> Iterator[Told]:
    """What Python cannot read: mistakes, and, once per function or class, syntax that is newer than this Python."""
    told: set[tuple[str, tuple[int, int]]] = set()
    for segment in document.broken:
        for problem in segment.problems:
            place = Position(problem.line, problem.column)
            severity, message = Severity.ERROR, f"Python cannot read this: {problem.message}."
            if problem.needs is not None:
                named = _DEFINED.search(segment.text)
                what = f"`{named[1]}`" if named is not None else "This part of the module"
                if (what, problem.needs) in told:
                    continue
                told.add((what, problem.needs))
                severity, message = Severity.HINT, _newer(what, problem.needs)
            elif problem.deep:
                severity, message = Severity.HINT, _DEEP
            yield Told(SYNTAX_CODE, SYNTAX_NAME, severity, message, path, Span(place, place))


def _newer(what: str, needs: tuple[int, int]) -> str:
    wanted, here = ".".join(map(str, needs)), f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"{what} is not checked: its syntax needs Python {wanted} or newer, and awaitest runs on {here}. Run awaitest on that Python."


@cache
def _dispatch() -> dict[type[Step], list[LoadedRule]]:
    table: dict[type[Step], list[LoadedRule]] = {}
    for loaded in all_rules():
        for step in loaded.steps:
            table.setdefault(step, []).append(loaded)
    return table


@lru_cache(1 << 14)
def _comments(text: str) -> tuple[tuple[int, re.Match[str]], ...]:
    """The suppressions in a piece of text, by line."""
    lines = enumerate(split_lines(text))
    return tuple((number, match) for number, line in lines for match in _SUPPRESSED.finditer(line))


class Suppressions:
    """Comments that silence diagnostics: `# awaitest: ignore[rule]`, `# awaitest: ignore-file[rule]`, `# noqa: AWT101`."""

    def __init__(self, document: Document | ConfigFile) -> None:
        self._lines: dict[int, frozenset[str]] = {}
        self._file: list[frozenset[str]] = []
        for part in document.remarks:
            for offset, match in _comments(part.text):
                rules = frozenset(re.split(r"[\s,]+", (match["rules"] or "").strip().lower())) - {""}
                if match["file"]:
                    self._file.append(rules)
                else:
                    number = part.line + offset
                    self._lines[number] = self._lines.get(number, frozenset()) | rules if rules else frozenset({"*"})

    def covers(self, diagnostic: Told | Diagnostic) -> bool:
        """Whether a comment on the first or last line of the diagnostic, or for the whole file, silences it."""
        if not self._lines and not self._file:
            return False
        near = (self._lines.get(line, frozenset()) for line in {diagnostic.span.start.line, diagnostic.span.end.line})
        return any(_names(rules, diagnostic, empty_is_all=False) for rules in near) or any(
            _names(rules, diagnostic, empty_is_all=True) for rules in self._file
        )


def _names(rules: Iterable[str], diagnostic: Told | Diagnostic, empty_is_all: bool) -> bool:
    named = set(rules)
    if not named:
        return empty_is_all
    return bool(named & {"*", diagnostic.code.lower(), diagnostic.name})


def _relative(path: Path, root: Path) -> str:
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.as_posix()


def _title(run: Run) -> str:
    name = run.node.name
    return f"{run.cls.node.name}::{name}" if run.cls is not None else name
