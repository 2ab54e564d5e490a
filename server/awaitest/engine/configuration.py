"""A configuration file of pytest as a document that rules look at."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from awaitest.engine.diagnostic import FileEdit, Fix
from awaitest.engine.steps import Step
from awaitest.project.config import NATIVE_TABLES, PytestConfig
from awaitest.project.options import FLAGS
from awaitest.project.tables import ConfigProblem, Keys, Table
from awaitest.project.workspace import Project
from awaitest.source.segment import Part, Segment
from awaitest.source.splitter import Kind
from awaitest.source.text import Edit, Position, Span

_NAME = re.compile(r"\s*\[{1,2}(?P<part>[^\[\]]*)\]")
_KEY = re.compile(r"""\s*(?P<part>["']?[\w.-]+["']?)\s*[=:]""")
_COMMENT = re.compile(r"(?:^|\s)[#;]")

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


@dataclass(slots=True, kw_only=True, eq=False)
class Configured(Step):
    """A configuration file, `config` being what pytest reads in its folder; `table` is None where it cannot be parsed."""

    table: Table | None
    config: PytestConfig
    project: Project

    @property
    def reads_native(self) -> bool:
        """Whether pytest knows `pytest.toml` and `[tool.pytest]`."""
        version = self.project.environment.version("pytest")
        return version is None or version >= NATIVE_TABLES

    @property
    def stops_at_unknown(self) -> bool:
        """Whether pytest stops at an option that it does not know."""
        given = self.config.values
        strict = given.get("strict_config", given.get("strict")) if self.reads_native else None
        return str(strict).lower() in FLAGS[True] or "--strict-config" in str(given.get("addopts"))


@dataclass
class ConfigFile:
    """One configuration file under check, in the place of a run."""

    path: Path
    lines: list[str]
    steps: list[Configured] = field(default_factory=list)
    broken: Sequence[Segment] = ()
    """Nothing here is Python."""

    def begin(self, table: Table | ConfigProblem, config: PytestConfig, project: Project) -> None:
        parsed = table if isinstance(table, Table) else None
        self.steps = [Configured(node=ast.Pass(), table=parsed, config=config, project=project)]

    @property
    def remarks(self) -> list[Part]:
        """The text, whole."""
        return [Part(Kind.STATEMENT, 0, 0, "".join(self.lines), len(self.lines))]

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
        """The text of a line, counted from 1, without the blanks around it."""
        return self._stripped(line, 0, len(self._line(line)))

    def header(self, line: int) -> Span:
        """The name between the brackets of a table's header."""
        return self._part(line, _NAME)

    def key(self, line: int) -> Span:
        """The key that a line sets."""
        return self._part(line, _KEY)

    def value(self, line: int) -> Span:
        """The value that a line sets, as far as it stands there."""
        text, key = self._line(line), _KEY.match(self._line(line))
        if key is None:
            return self.whole(line)
        comment = _COMMENT.search(text, key.end())
        return self._stripped(line, key.end(), comment.start() if comment else len(text))

    def _line(self, line: int) -> str:
        return self.lines[line - 1] if line <= len(self.lines) else ""

    def _part(self, line: int, pattern: re.Pattern[str]) -> Span:
        found = pattern.match(self._line(line))
        return self._stripped(line, *found.span("part")) if found else self.whole(line)

    def _stripped(self, line: int, start: int, end: int) -> Span:
        text = self._line(line)[start:end]
        return Span.of(line - 1, start + len(text) - len(text.lstrip()), line - 1, start + len(text.rstrip()))

    def text(self, span: Span) -> str:
        return self.lines[span.start.line][span.start.column : span.end.column] if self.lines else ""

    def choosing(self, line: int, choices: Sequence[str]) -> Callable[[], Fix] | None:
        """A fix that writes the choice that the value of a line comes close to, quoted as the value is."""
        span = self.value(line)
        given, near = self.text(span)[:1], get_close_matches(self.text(span).strip("\"'"), choices, 1, 0.6)
        if not near:
            return None
        bare = not self.is_toml or near[0] in ("true", "false")
        quote = "" if bare else given if given in ("'", '"') else '"'
        return self.replacing(span, f"{quote}{near[0]}{quote}", f"Write `{near[0]}`")

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
