"""The seam between the command line and the checker: no other module of the command line imports check or project."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from awaitest.project.notes import Notes
from awaitest.project.witness import Changes, Seen
from awaitest.sources import shown

if TYPE_CHECKING:
    from awaitest.engine.diagnostic import Diagnostic
    from awaitest.engine.overview import Given
    from awaitest.engine.rule import LoadedRule
    from awaitest.engine.steps import Row
    from awaitest.project.config import PytestConfig
    from awaitest.project.settings import Settings


_FIX = {"Safe": "safe", "Unsafe": "unsafe", "Sometimes": "sometimes"}
"""How the section on the fix begins on a rule's page."""


class UsageError(Exception):
    """What was asked for cannot be done; the text names the mistake. Ends with exit code 2."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something wrong in a configuration file; `line` from 1."""

    path: Path
    line: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Found:
    """The files to check, in order, each once; and the paths that cannot be, each with the reason."""

    files: list[Path] = field(default_factory=list)
    missing: list[tuple[Path, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Request:
    """How to look at the project. Pickled to worker processes, where each opens a session of its own.

    `select` and `ignore` hold codes, beginnings of codes, names or ALL, and override the project's settings; None means
    as the settings say.
    `texts` lie over the files on disk.
    """

    python: Path | None = None
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    cache: bool = True
    witness: bool = False
    """Whether to note what each file rests on."""
    texts: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """What is known of a rule. `fix` is "safe", "unsafe", "sometimes" or "none"; `page` is Markdown."""

    code: str
    name: str
    severity: str
    summary: str
    page: str
    fix: str


class Session(Protocol):
    """One look at a project. All paths are absolute."""

    def find(self, paths: Sequence[Path]) -> Found:
        """The files to check: a file stands for itself, a directory for what pytest collects below it, nothing for the
        tests of this project."""

    def mistakes(self, files: Sequence[Path]) -> Sequence[Mistake]:
        """Mistakes in the settings that hold for these files; with any, nothing is checked."""

    def unreadable(self, files: Sequence[Path]) -> Sequence[Mistake]:
        """What pytest could not read in its own configuration of these files; they are checked all the same."""

    def check(self, path: Path, text: str) -> list[Diagnostic]:
        """What is wrong in `path` if it holds `text`; settings and suppressions applied."""

    def notes(self) -> Notes | None:
        """What the file that was checked last rests on; None where nobody wants to know."""

    def seen(self) -> Seen:
        """What was asked of the disk since the last call, if anybody wants to know."""

    def outdated(self, changes: Changes, notes: Mapping[Path, Notes], files: Iterable[str]) -> set[Path] | None:
        """See `awaitest.project.outdated`."""

    def explain(self, path: Path, test: str) -> list[Row] | None:
        """The steps of "test_x" or "TestA::test_x"; None where the file has no such function."""

    def config(self, path: Path) -> dict[str, Any]:
        """What surrounds a file: see `awaitest.cli.commands.config`."""

    def runs(self, path: Path) -> tuple[Path | None, Path]:
        """The interpreter that runs the tests of a file, if one is known, and the folder to run them in."""


def open_session(request: Request) -> Session:
    """A session for the current directory."""
    return CheckerSession(request)


def all_rules() -> Sequence[RuleInfo]:
    """Every rule, sorted by code."""
    from awaitest import registry

    return [_info(loaded) for loaded in registry.all_rules()]


def _info(loaded: LoadedRule) -> RuleInfo:
    rule, page = loaded.rule, loaded.page
    summary = " ".join(page.partition("\n\n")[0].split())
    repair = page.partition("\n## Fix\n")[2].split(maxsplit=1)
    fix = _FIX.get(repair[0].strip(".,") if repair else "", "none")
    return RuleInfo(rule.code, rule.name, rule.severity.value, summary, f"# {rule.name} ({rule.code})\n\n{page}\n", fix)


class CheckerSession:
    """The real session."""

    def __init__(self, request: Request) -> None:
        from awaitest.check import Checker
        from awaitest.project.cache import SkeletonCache, default_folder
        from awaitest.project.environment import find_environment
        from awaitest.project.files import DiskFiles, Files, OverlayFiles
        from awaitest.project.witness import Witness
        from awaitest.project.workspace import Workspace

        asked = {key: getattr(request, key) for key in ("select", "ignore") if getattr(request, key) is not None}
        self._files: Files = OverlayFiles(request.texts, DiskFiles()) if request.texts else DiskFiles()
        self._witness = Witness(self._files) if request.witness else None
        self._files = self._witness or self._files
        self._notes: Notes | None = None
        if request.python and find_environment(self._files, Path.cwd(), request.python) is None:
            raise UsageError(f"--python: {shown(request.python)} is neither a Python interpreter nor an environment")
        self._python = request.python
        cache = SkeletonCache(default_folder()) if request.cache else None
        self._workspace = Workspace(self._files, request.python, cache, _activated())
        self._checker = Checker(self._workspace, lambda _, settings: replace(settings, **asked))

    def find(self, paths: Sequence[Path]) -> Found:
        from awaitest.project.discovery import Missing, configurations, find_tests

        found = Found()
        for it in find_tests(self._files, paths, Path.cwd(), self._settings, self._config):
            if isinstance(it, Missing):
                found.missing.append((it.path, it.reason))
            else:
                found.files.append(it)
        read = configurations(self._files, paths or [Path.cwd()], found.files)
        found.files.extend(path for path in read if path not in found.files)
        return found

    def mistakes(self, files: Sequence[Path]) -> Sequence[Mistake]:
        folders = dict.fromkeys([Path.cwd(), *(file.parent for file in files)])
        problems = dict.fromkeys(problem for folder in folders for problem in self._settings(folder).problems)
        return [Mistake(it.path, it.line, it.message) for it in problems]

    def unreadable(self, files: Sequence[Path]) -> Sequence[Mistake]:
        configs = {id(config): config for config in map(self._config, dict.fromkeys(file.parent for file in files))}
        problems = dict.fromkeys(problem for config in configs.values() for problem in config.problems)
        return [Mistake(it.path, it.line, it.message) for it in problems]

    def check(self, path: Path, text: str) -> list[Diagnostic]:
        del text  # what the overlay or the disk holds
        if self._witness is not None:
            self._notes = self._checker.noting(path, Notes())
        return self._checker.check(path)

    def notes(self) -> Notes | None:
        return self._notes

    def seen(self) -> Seen:
        return self._witness.seen() if self._witness is not None else Seen()

    def outdated(self, changes: Changes, notes: Mapping[Path, Notes], files: Iterable[str]) -> set[Path] | None:
        from awaitest.project.outdated import outdated

        return outdated(changes, notes, files, self._workspace.project_of)

    def explain(self, path: Path, test: str) -> list[Row] | None:
        return self._checker.explain(path, test)

    def runs(self, path: Path) -> tuple[Path | None, Path]:
        from awaitest.project.environment import interpreter

        project = self._workspace.project_of(path)
        asked = self._python if self._python is not None and self._python.is_file() else None
        return asked or interpreter(self._files, project.environment), project.config.rootdir

    def config(self, path: Path) -> dict[str, Any]:
        from awaitest.engine import overview

        file = path / "conftest.py" if path.is_dir() else path
        project = self._workspace.project_of(file)
        config, environment = project.config, project.environment
        engine, module = self._checker.engine(project), project.module(file)

        def mode(key: str, value: str | None) -> dict[str, str]:
            line = config.line_of(key)
            return {"value": value or "invalid", "source": "default" if line is None else f"{config.path}:{line}"}

        return {
            "config_file": str(config.path) if config.path else None,
            "section": config.section,
            "rootdir": str(config.rootdir),
            "asyncio_mode": mode("asyncio_mode", config.asyncio_mode),
            "anyio_mode": mode("anyio_mode", config.anyio_mode),
            "environment": {
                "origin": environment.origin,
                "python": ".".join(map(str, environment.python)),
                "versions": {name: str(version) for name, version in environment.versions.items()},
            },
            "runner": [asdict(it) for it in overview.runners(engine, module)],
            "fixtures": [_shown_fixture(it) for it in overview.visible_fixtures(engine, module)],
            "problems": [
                *(f"{it.path}:{it.line}: {it.message}" for it in config.problems),
                *(f"{ignored}: pytest does not read this configuration" for ignored in config.ignored),
            ],
        }

    def _settings(self, folder: Path) -> Settings:
        return self._checker.settings(folder / "conftest.py")

    def _config(self, folder: Path) -> PytestConfig:
        return self._workspace.project_of(folder / "conftest.py").config


def _shown_fixture(given: Given) -> dict[str, Any]:
    fixture = given.fixture
    module = fixture.module
    line: int = fixture.node.lineno
    if module.document is not None:
        line = module.document.segment_of(fixture.node).name_span(fixture.node).start.line + 1
    return {
        "name": fixture.name,
        "where": f"{module.path}:{line}",
        "gives": given.gives,
        "scope": fixture.scope,
        "async": fixture.is_async,
        "autouse": fixture.autouse,
        "hides": given.hides,
    }


def _activated() -> Path | None:
    """The environment that the shell has activated."""
    folder = os.environ.get("VIRTUAL_ENV") or os.environ.get("CONDA_PREFIX")
    return Path(folder) if folder else None
