"""A configuration file of pytest as a document that rules look at."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from awaitest.engine.diagnostic import FileEdit, Fix
from awaitest.engine.steps import Step
from awaitest.project.config import PytestConfig
from awaitest.project.tables import ConfigProblem, Keys, Table
from awaitest.project.workspace import Project
from awaitest.source.document import Segment
from awaitest.source.text import Edit, Position, Span

_NAME = re.compile(r"\[+\s*(?P<name>[^\]]*?)\s*\]")
_KEY = re.compile(r"""\s*(?P<key>["']?[\w.-]+["']?)\s*[=:]\s*(?P<value>.*?)\s*(?:\s[#;].*)?$""")

WANTED: dict[str, Keys] = {
    "pytest.toml": ("pytest",),
    ".pytest.toml": ("pytest",),
    "pytest.ini": ("pytest",),
    ".pytest.ini": ("pytest",),
    "pyproject.toml": ("tool", "pytest", "ini_options"),
    "tox.ini": ("pytest",),
    "setup.cfg": ("tool:pytest",),
}
"""The table that pytest reads from each file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured(Step):
    """A configuration file, `config` being what pytest reads in its folder; `table` is None where it cannot be parsed."""

    table: Table | None
    config: PytestConfig
    project: Project


@dataclass
class ConfigFile:
    """One configuration file under check, in the place of a run."""

    path: Path
    lines: list[str]
    steps: list[Configured] = field(default_factory=list)
    segments: Sequence[Segment] = ()
    """Nothing here is Python."""

    def begin(self, table: Table | ConfigProblem, config: PytestConfig, project: Project) -> None:
        parsed = table if isinstance(table, Table) else None
        self.steps = [Configured(node=ast.Pass(), table=parsed, config=config, project=project)]

    @property
    def is_toml(self) -> bool:
        return self.path.suffix == ".toml"

    def span(self, _node: ast.AST) -> Span:
        return self.whole(1)

    @staticmethod
    def at(span: Span) -> Callable[[], Span]:
        """A place, for a finding."""
        return lambda: span

    def whole(self, line: int) -> Span:
        """The text of a line, counted from 1, without the blanks and the comment around it."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return self._within(line, text.strip() and text[: len(text.rstrip())])

    def header(self, line: int) -> Span:
        """The name between the brackets of a table's header."""
        found = _NAME.search(self.lines[line - 1])
        return self._part(line, found, "name")

    def key(self, line: int) -> Span:
        """The key that a line sets."""
        return self._part(line, _KEY.match(self.lines[line - 1]), "key")

    def value(self, line: int) -> Span:
        """The value that a line sets, as far as it stands there."""
        return self._part(line, _KEY.match(self.lines[line - 1]), "value")

    def _part(self, line: int, found: re.Match[str] | None, name: str) -> Span:
        if found is None:
            return self.whole(line)
        return Span.of(line - 1, found.start(name), line - 1, found.end(name))

    @staticmethod
    def _within(line: int, text: str) -> Span:
        return Span.of(line - 1, len(text) - len(text.lstrip()), line - 1, len(text))

    def text(self, span: Span) -> str:
        return self.lines[span.start.line][span.start.column : span.end.column] if self.lines else ""

    def replacing(self, span: Span, text: str, title: str) -> Callable[[], Fix]:
        """A safe fix that puts another text in the place of a span."""
        return self.editing([Edit(span, text)], title)

    def adding(self, line: int, text: str, title: str) -> Callable[[], Fix]:
        """A safe fix that puts a line below another."""
        above = self.lines[line - 1]
        ending = above[len(above.rstrip("\r\n")) :]
        if ending:
            return self.editing([Edit(Span(Position(line, 0), Position(line, 0)), text + ending)], title)
        end = Position(line - 1, len(above))
        return self.editing([Edit(Span(end, end), f"\n{text}")], title)

    def editing(self, edits: Iterable[Edit], title: str) -> Callable[[], Fix]:
        return lambda: Fix(title, tuple(FileEdit(self.path, edit) for edit in edits), safe=True)
