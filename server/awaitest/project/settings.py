"""awaitest's own settings: the table [tool.awaitest] of the nearest pyproject.toml that has one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pathspec import GitIgnoreSpec

from awaitest.project.environment import find_environment
from awaitest.project.files import Files
from awaitest.project.tables import ConfigProblem, Table, read_toml

SEVERITIES = ("error", "warning", "hint", "off")
OFF = "off"
ALL = "ALL"
TABLE = ("tool", "awaitest")


@dataclass(frozen=True, slots=True)
class Option:
    """One setting as users write it. `kind` names the shape of its value: `rules` is a list of rules, `globs` a list of
    gitignore patterns, `rules by glob` and `severity by rule` are tables, `path` is a string."""

    name: str
    kind: str
    default: object
    doc: str


OPTIONS = (
    Option("select", "rules", [ALL], "Rules to check: codes, names, beginnings of codes such as AWT1, or ALL."),
    Option("ignore", "rules", [], "Rules not to check. Where select and ignore meet, the more specific one wins."),
    Option("per-file-ignores", "rules by glob", {}, "Rules not to check in some files: a pattern and a list of rules."),
    Option("severity", "severity by rule", {}, "The level of a rule: error, warning, hint or off."),
    Option("exclude", "globs", [], "Files and folders to leave out, as .gitignore would, when a folder is checked."),
    Option(
        "python",
        "path",
        None,
        "The interpreter or virtual environment that runs the tests. Passed over on machines that have none there.",
    ),
)
"""All settings. Editors' settings and the configuration schema are generated from here."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings; `root` is the folder their paths and patterns are relative to. A wrong one is left out and
    listed in `problems`."""

    root: Path
    path: Path | None = None
    select: tuple[str, ...] = (ALL,)
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    severity: tuple[tuple[str, str], ...] = ()
    exclude: tuple[str, ...] = ()
    python: Path | None = None
    problems: tuple[ConfigProblem, ...] = ()
    _ignored_in: tuple[tuple[GitIgnoreSpec, tuple[str, ...]], ...] = field(init=False, compare=False, repr=False)
    _excluded: GitIgnoreSpec = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        compiled = tuple((GitIgnoreSpec.from_lines([glob]), rules) for glob, rules in self.per_file_ignores)
        object.__setattr__(self, "_ignored_in", compiled)
        object.__setattr__(self, "_excluded", GitIgnoreSpec.from_lines(self.exclude))

    def enabled(self, code: str, name: str, relative_path: str) -> bool:
        """Whether a rule is checked in a file, named by its path below `root` with slashes."""
        selected, ignored = _specificity(self.select, code, name), _specificity(self.ignore, code, name)
        if selected <= ignored or self.severity_of(code, name, "") == OFF:
            return False
        return not any(
            _specificity(rules, code, name) and spec.match_file(relative_path) for spec, rules in self._ignored_in
        )

    def severity_of(self, code: str, name: str, default: str) -> str:
        """The level set for a rule by its most specific entry, one of `SEVERITIES`, else the default."""
        entries = [(_specificity((rule,), code, name), level) for rule, level in self.severity]
        best = max(entries, key=lambda entry: entry[0], default=(0, default))
        return best[1] if best[0] else default

    def excludes(self, relative_path: str) -> bool:
        """Whether a file, or a folder whose path ends with a slash, is left out when its folder is checked."""
        return self._excluded.match_file(relative_path)


def _specificity(rules: Iterable[str], code: str, name: str) -> int:
    """How closely the best fitting entry names a rule: 0 not at all, 1 `ALL`, more with each letter of the code."""
    return max((_fit(rule, code, name) for rule in rules), default=0)


def _fit(rule: str, code: str, name: str) -> int:
    if rule == name:
        return len(code) + 1
    if rule == ALL:
        return 1
    return len(rule) + 1 if code.startswith(rule) else 0


def load_settings(files: Files, start_dir: Path, known_rules: Mapping[str, str]) -> Settings:
    """The settings that hold in a folder. `known_rules` maps codes to names. A broken pyproject.toml ends the search:
    nobody can tell whether it has the table."""
    for directory in (start_dir, *start_dir.parents):
        path = directory / "pyproject.toml"
        table = read_toml(files, path) if files.is_file(path) else None
        if isinstance(table, ConfigProblem):
            return Settings(directory, problems=(table,))
        if table is not None and table.get(*TABLE) is not None:
            return _Reader(files, table, known_rules).settings()
    return Settings(start_dir)


class _Reader:
    def __init__(self, files: Files, table: Table, known_rules: Mapping[str, str]) -> None:
        self._files = files
        self._table = table
        self._known = known_rules
        self._problems: list[ConfigProblem] = []
        values = table.get(*TABLE)
        if not isinstance(values, dict):
            self._report("[tool.awaitest] must be a table")
        self._values: dict[str, object] = values if isinstance(values, dict) else {}

    def settings(self) -> Settings:
        names = [option.name for option in OPTIONS]
        for key in self._values:
            if key not in names:
                self._report(f"{key!r} is not a setting of awaitest{_meant(key, names)}", key)
        root = self._table.path.parent
        return Settings(
            root,
            self._table.path,
            select=self._rules("select") if "select" in self._values else (ALL,),
            ignore=self._rules("ignore"),
            per_file_ignores=tuple(
                (glob, self._rules("per-file-ignores", glob))
                for glob in self._entries("per-file-ignores", "a table of patterns and lists of rules")
                if self._is_pattern(glob, "per-file-ignores", glob)
            ),
            severity=tuple(self._severities()),
            exclude=tuple(glob for glob in self._strings("exclude") if self._is_pattern(glob, "exclude")),
            python=self._python(root),
            problems=tuple(self._problems),
        )

    def _python(self, root: Path) -> Path | None:
        value = self._values.get("python")
        if value is None:
            return None
        if not isinstance(value, str) or "\0" in value:
            self._report("'python' must be a string: the path of an interpreter or of a virtual environment", "python")
            return None
        path = root / _home(Path(value))
        if not (self._files.is_file(path) or self._files.is_dir(path)):
            return None
        if find_environment(self._files, root, path) is None:
            self._report(f"'python': {value} is neither a Python interpreter nor an environment", "python")
            return None
        return path

    def _rules(self, *keys: str) -> tuple[str, ...]:
        return tuple(rule for rule in self._strings(*keys) if self._is_rule(rule, *keys))

    def _strings(self, *keys: str) -> list[str]:
        value = self._table.get(*TABLE, *keys)
        if value is None:
            return []
        if not isinstance(value, list):
            self._report(f"{keys[-1]!r} must be a list of strings", *keys)
            return []
        for item in value:
            if not isinstance(item, str):
                self._report(f"{keys[-1]!r} must be a list of strings, but has {item!r:.80}", *keys)
        return [item for item in value if isinstance(item, str)]

    def _entries(self, key: str, shape: str) -> dict[str, object]:
        value = self._values.get(key, {})
        if not isinstance(value, dict):
            self._report(f"{key!r} must be {shape}", key)
        return value if isinstance(value, dict) else {}

    def _severities(self) -> Iterable[tuple[str, str]]:
        for rule, level in self._entries("severity", "a table of rules and levels").items():
            if not isinstance(level, str) or level not in SEVERITIES:
                self._report(f"{level!r:.80} is not a level: use {', '.join(SEVERITIES)}", "severity", rule)
            elif self._is_rule(rule, "severity", rule):
                yield rule, level

    def _is_rule(self, rule: str, *keys: str) -> bool:
        names = self._known.values()
        if rule == ALL or rule in names or (rule and any(code.startswith(rule) for code in self._known)):
            return True
        self._report(f"{rule!r} is not a rule of awaitest{_meant(rule, [*names, ALL])}", *keys, item=rule)
        return False

    def _is_pattern(self, glob: str, *keys: str) -> bool:
        try:
            GitIgnoreSpec.from_lines([glob])
        except (ValueError, re.error) as error:
            self._report(f"{glob!r} is not a pattern: {error}", *keys, item=glob)
            return False
        return True

    def _report(self, message: str, *keys: str, item: str | None = None) -> None:
        line = self._table.line_of(*TABLE, *keys)
        if item is not None:
            line = self._table.line_of_item(line, item)
        self._problems.append(ConfigProblem(self._table.path, line, message))


def _home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def _meant(word: str, choices: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, choices, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
