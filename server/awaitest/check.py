"""One call from a file to its diagnostics. The command line and the language server both use this and nothing below it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from awaitest.engine.analysis import Engine
from awaitest.engine.diagnostic import Diagnostic, Severity
from awaitest.engine.rule import Finding, LoadedRule
from awaitest.engine.run import Run
from awaitest.engine.steps import Row, Step
from awaitest.engine.table import rows
from awaitest.project.modules import Module
from awaitest.project.settings import Settings, load_settings
from awaitest.project.workspace import Project, Workspace
from awaitest.registry import SYNTAX_CODE, SYNTAX_NAME, all_rules, rule_names
from awaitest.source.document import Document
from awaitest.source.text import Position, Span

_SUPPRESSED = re.compile(
    r"#\s*(?:awaitest:\s*ignore(?P<file>-file)?|(?P<noqa>noqa))(?:\s*[:\[]\s*(?P<rules>[\w\s,-]+)\]?)?", re.IGNORECASE
)


_DEFINED = re.compile(r"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", re.MULTILINE)


class Checker:
    """Checks files of a workspace."""

    def __init__(self, workspace: Workspace, overrides: Mapping[str, Any] | None = None) -> None:
        """`overrides`: fields of `Settings` that hold whatever the project's settings say."""
        self.workspace = workspace
        self._overrides = dict(overrides or {})
        self._engines: dict[int, Engine] = {}
        self._settings: dict[Path, Settings] = {}

    def check(self, path: Path) -> list[Diagnostic]:
        """All diagnostics of a file, in the order of its text."""
        project = self.workspace.project_of(path)
        module = project.module(path)
        found = list(self._diagnostics(project, module, path))
        return sorted(found, key=lambda item: (item.span, item.code))

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
            self._engines[id(project)] = Engine(project)
        return self._engines[id(project)]

    def settings(self, path: Path) -> Settings:
        """The settings that hold for a file."""
        if path.parent not in self._settings:
            loaded = load_settings(self.workspace.files, path.parent, rule_names())
            self._settings[path.parent] = replace(loaded, **self._overrides)
        return self._settings[path.parent]

    def _diagnostics(self, project: Project, module: Module, path: Path) -> Iterator[Diagnostic]:
        document = module.document
        if document is None:
            return
        settings = self.settings(path)
        relative = _relative(path, settings.root)
        suppressed = Suppressions(document)
        for diagnostic in self._raw(project, module, document, path):
            level = settings.severity_of(diagnostic.code, diagnostic.name, diagnostic.severity.value)
            if level == "off" or not settings.enabled(diagnostic.code, diagnostic.name, relative):
                continue
            if not suppressed.covers(diagnostic):
                yield _with_severity(diagnostic, Severity(level))

    def _raw(self, project: Project, module: Module, document: Document, path: Path) -> Iterator[Diagnostic]:
        yield from _unreadable(document, path)
        seen: set[tuple[str, Span]] = set()
        for run in self.engine(project).runs(module):
            for loaded, finding in findings(run):
                span = finding.at if isinstance(finding.at, Span) else run.span(finding.at)
                key = (loaded.rule.code, span)
                if key in seen:
                    continue
                seen.add(key)
                fix = finding.fix() if finding.fix is not None else None
                severity = finding.severity or loaded.rule.severity
                yield Diagnostic(loaded.rule.code, loaded.rule.name, severity, finding.message, path, span, fix)


def _unreadable(document: Document, path: Path) -> Iterator[Diagnostic]:
    """What Python cannot read: mistakes, and, once per function or class, syntax that is newer than this Python."""
    told: set[tuple[str, tuple[int, int]]] = set()
    for segment in document.segments:
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
            yield Diagnostic(SYNTAX_CODE, SYNTAX_NAME, severity, message, path, Span(place, place))


def _newer(what: str, needs: tuple[int, int]) -> str:
    wanted, here = ".".join(map(str, needs)), f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"{what} is not checked: its syntax needs Python {wanted} or newer, and awaitest runs on {here}. Run awaitest on that Python."


def findings(run: Run) -> Iterator[tuple[LoadedRule, Finding]]:
    """What the rules say of one run."""
    by_step = _dispatch()
    for step in run.steps:
        for loaded in by_step.get(type(step), ()):
            for finding in loaded.check(step, run):
                yield loaded, finding


def _dispatch() -> dict[type[Step], list[LoadedRule]]:
    table: dict[type[Step], list[LoadedRule]] = {}
    for loaded in all_rules():
        for step in loaded.steps:
            table.setdefault(step, []).append(loaded)
    return table


class Suppressions:
    """Comments that silence diagnostics: `# awaitest: ignore[rule]`, `# awaitest: ignore-file[rule]`, `# noqa: AWT101`."""

    def __init__(self, document: Document) -> None:
        self._lines: dict[int, frozenset[str]] = {}
        self._file: list[frozenset[str]] = []
        for number, line in enumerate(document.lines):
            if "#" not in line:
                continue
            for match in _SUPPRESSED.finditer(line):
                rules = frozenset(re.split(r"[\s,]+", (match["rules"] or "").strip().lower())) - {""}
                if match["file"]:
                    self._file.append(rules)
                else:
                    self._lines[number] = self._lines.get(number, frozenset()) | rules if rules else frozenset({"*"})

    def covers(self, diagnostic: Diagnostic) -> bool:
        """Whether a comment on the first or last line of the diagnostic, or for the whole file, silences it."""
        near = (self._lines.get(line, frozenset()) for line in {diagnostic.span.start.line, diagnostic.span.end.line})
        return any(_names(rules, diagnostic, empty_is_all=False) for rules in near) or any(
            _names(rules, diagnostic, empty_is_all=True) for rules in self._file
        )


def _names(rules: Iterable[str], diagnostic: Diagnostic, empty_is_all: bool) -> bool:
    named = set(rules)
    if not named:
        return empty_is_all
    return bool(named & {"*", diagnostic.code.lower(), diagnostic.name})


def _with_severity(diagnostic: Diagnostic, severity: Severity) -> Diagnostic:
    if diagnostic.severity is severity:
        return diagnostic
    return Diagnostic(
        diagnostic.code, diagnostic.name, severity, diagnostic.message, diagnostic.path, diagnostic.span, diagnostic.fix
    )


def _relative(path: Path, root: Path) -> str:
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.as_posix()


def _title(run: Run) -> str:
    name = run.node.name
    return f"{run.cls.node.name}::{name}" if run.cls is not None else name
