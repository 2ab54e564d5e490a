"""Runs the cases of rules in memory: checks their marks and what their fixes do. See `tests/rules/README.md` for how to write cases."""

from __future__ import annotations

import io
import sys
import tokenize
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from packaging.version import Version
from tests.rules.notation import FIX, NO_FIX, UNSAFE_FIX, Case, Mark, write_code

from awaitest.check import Checker
from awaitest.engine.diagnostic import Diagnostic, Fix, Severity
from awaitest.project.declared import PLUGINS
from awaitest.project.environment import NEWEST, Environment, find_environment
from awaitest.project.files import DiskFiles, Files, OverlayFiles
from awaitest.project.library import Library
from awaitest.project.modules import Module
from awaitest.project.workspace import Workspace
from awaitest.registry import SYNTAX_NAME, all_rules
from awaitest.source.document import Document
from awaitest.source.text import Edit, apply, conflict

ROOT = Path("/project")
CASES = Path(__file__).with_name("cases")
ROUNDS = 6
"""More rounds of fixes than any case needs."""

SYNTAX_RULES = {SYNTAX_NAME, "await-outside-async"}
_CONFIGS = {"pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "pyproject.toml", "tox.ini", "setup.cfg"}
_OTHER_HEADERS = {"without", "python", "environment", "skip"}
_MODULES = {"pytest-asyncio": "pytest_asyncio", "asgi-lifespan": "asgi_lifespan"}

Texts = Mapping[str, str]


class Lacking(Library):
    """A library without some top-level modules."""

    def __init__(self, library: Library, absent: frozenset[str]) -> None:
        self._library = library
        self._absent = absent

    def find(self, name: str) -> Path | None:
        return None if name.partition(".")[0] in self._absent else self._library.find(name)

    def load(self, name: str) -> Module | None:
        return None if name.partition(".")[0] in self._absent else self._library.load(name)


class CaseWorkspace(Workspace):
    """One project in memory, in an environment made up for it; the installed libraries are read once for all cases."""

    def __init__(self, files: Files, environment: Environment) -> None:
        super().__init__(files)
        self._assigned = environment

    def _environment(self, rootdir: Path) -> Environment:
        del rootdir
        return self._assigned

    def _library(self, environment: Environment) -> Library:
        library = _shared_library(environment.site_packages)
        absent = frozenset(_MODULES.get(name, name) for name in NEWEST if environment.has(name) is False)
        return Lacking(library, absent) if absent else library


@cache
def _shared_library(roots: tuple[Path, ...]) -> Library:
    return Library(DiskFiles(), roots)


@cache
def _site_packages() -> tuple[Path, ...]:
    here = find_environment(DiskFiles(), ROOT, running=Path(sys.prefix))
    return here.site_packages if here is not None else ()


def environment_of(headers: Mapping[str, str], sources: bool = True) -> Environment:
    """What the headers say is installed; without `sources`, no library can be read."""
    roots = _site_packages() if sources else ()
    if headers.get("environment") == "unknown":
        return Environment(site_packages=roots)
    absent = {name.strip() for name in headers.get("without", "").split(",")}
    given = {key: value for key, value in headers.items() if key not in _OTHER_HEADERS and "_" not in key}
    versions = {name: version for name, version in NEWEST.items() if name not in absent}
    versions |= {name: Version(version) for name, version in given.items()}
    major, minor = headers.get("python", "3.13").split(".")
    return Environment(
        versions,
        tuple(plugin for plugin in PLUGINS if plugin.distribution in versions),
        roots,
        python=(int(major), int(minor)),
        origin="the case",
        present=frozenset(versions),
        complete=True,
    )


def check(texts: Texts, headers: Mapping[str, str], sources: bool = True) -> tuple[Diagnostic, ...]:
    """All diagnostics in all Python files of a project, file by file."""
    return _checked(tuple(texts.items()), tuple(headers.items()), sources)


def check_case(case: Case, sources: bool = True, texts: Texts | None = None) -> tuple[Diagnostic, ...]:
    """All diagnostics of a case, or of its texts after a fix. Hints fit much correct code: only the cases of their own rules
    look at them."""
    found = check(case.files if texts is None else texts, case.headers, sources)
    return tuple(it for it in found if it.severity is not Severity.HINT or it.name == case.rule)


@cache
def _checked(
    items: tuple[tuple[str, str], ...], headers: tuple[tuple[str, str], ...], sources: bool
) -> tuple[Diagnostic, ...]:
    files = {ROOT / path: text for path, text in items}
    if not any(path.name in _CONFIGS for path in files):
        options = (f"{key} = {value}\n" for key, value in headers if "_" in key)
        files[ROOT / "pytest.ini"] = "[pytest]\n" + "".join(options)
    checker = Checker(CaseWorkspace(OverlayFiles(files), environment_of(dict(headers), sources)))
    return tuple(
        diagnostic
        for path, _ in items
        if path.endswith(".py") or path in _CONFIGS
        for diagnostic in checker.check(ROOT / path)
    )


@cache
def default_severities() -> dict[str, str]:
    """Rule name → its own level."""
    return {SYNTAX_NAME: "error", **{loaded.rule.name: loaded.rule.severity.value for loaded in all_rules()}}


def mark_of(diagnostic: Diagnostic) -> Mark:
    """The mark that would announce a diagnostic."""
    fix = NO_FIX if diagnostic.fix is None else FIX if diagnostic.fix.safe else UNSAFE_FIX
    level = diagnostic.severity.value
    severity = None if default_severities()[diagnostic.name] == level else level
    path = diagnostic.path.relative_to(ROOT).as_posix()
    return Mark(path, diagnostic.span, diagnostic.name, fix, severity, diagnostic.message)


def wrong_marks(case: Case, found: Iterable[Diagnostic]) -> str:
    """How marks and diagnostics differ; empty where they do not."""
    actual = [mark_of(diagnostic) for diagnostic in found]
    unmet = list(case.marks)
    wrong: list[str] = []
    for mark in actual:
        match = next((other for other in unmet if _says(mark, other)), None)
        if match is None:
            wrong.append(f"reported, not marked: {_place(mark)}")
        else:
            unmet.remove(match)
    wrong += [f"marked, not reported: {_place(mark)}" for mark in unmet]
    if not wrong:
        return ""
    drawn = write_code(case, actual)
    return "\n".join([f"{case.place}: {case.title}", *wrong, "", "what is reported:", "", drawn])


def _says(actual: Mark, expected: Mark) -> bool:
    same = (actual.path, actual.span, actual.rule, actual.fix, actual.severity)
    wanted = (expected.path, expected.span, expected.rule, expected.fix, expected.severity)
    return same == wanted and expected.fragment in actual.fragment


def _place(mark: Mark) -> str:
    start, end = mark.span.start, mark.span.end
    where = f"{start.line + 1}:{start.column + 1}–{end.line + 1}:{end.column + 1}"
    words = " ".join(word for word in (mark.rule, mark.fix, mark.severity) if word)
    return f"{mark.path} {where} {words}: {mark.fragment}"


# -- fixes -------------------------------------------------------------------------------------------------------------


def apply_fixes(texts: Texts, fixes: Iterable[Fix]) -> dict[str, str]:
    """The texts after all fixes that fit together, picked in order."""
    chosen: dict[str, list[Edit]] = {}
    for fix in fixes:
        edits: dict[str, list[Edit]] = {}
        for it in fix.edits:
            edits.setdefault(it.path.relative_to(ROOT).as_posix(), []).append(it.edit)
        if not any(conflict([*chosen.get(path, ()), *its]) for path, its in edits.items()):
            for path, its in edits.items():
                chosen.setdefault(path, []).extend(its)
    return {**texts, **{path: apply(Document(texts[path]).lines, edits) for path, edits in chosen.items()}}


def wrong_fixes(case: Case, found: Sequence[Diagnostic], one_by_one: bool = True) -> str:
    """What is wrong with the fixes of the rule under test, all together and `one_by_one`; empty where nothing is."""
    for diagnostic in found if one_by_one else ():
        if diagnostic.name == case.rule and diagnostic.fix is not None:
            wrong = _wrong_fix(case, found, diagnostic, diagnostic.fix)
            if wrong:
                return f"{case.place}: {case.title}: {diagnostic.fix.title}: {wrong}"
    texts: Texts = case.files
    for _ in range(ROUNDS):
        fixes = [it.fix for it in found if it.name == case.rule and it.fix is not None]
        if not fixes:
            break
        texts = apply_fixes(texts, fixes)
        found = check_case(case, texts=texts)
    else:
        return f"{case.place}: {case.title}: the fixes never settle:\n\n{_changed(case.files, texts)}"
    if texts != {**case.files, **case.fixed}:
        return f"{case.place}: {case.title}: the fixes give:\n\n{_changed(case.files, texts)}"
    return ""


def _wrong_fix(case: Case, before: Sequence[Diagnostic], diagnostic: Diagnostic, fix: Fix) -> str:
    texts = apply_fixes(case.files, [fix])
    changed = [path for path in texts if texts[path] != case.files[path]]
    if not changed:
        return "changes nothing"
    after = check_case(case, texts=texts)
    shown = _changed(case.files, texts)
    allowed = Counter(it.name for it in before) - Counter([diagnostic.name])
    for path in (path for path in changed if path.endswith(".py")):
        if not SYNTAX_RULES & allowed.keys() and (error := compile_error(texts[path])):
            return f"{error}:\n\n{shown}"
        if lost := Counter(comments(case.files[path])) - Counter(comments(texts[path])):
            return f"loses the comments {sorted(lost)}:\n\n{shown}"
    if left := Counter(it.name for it in after) - allowed:
        return f"leaves or brings {dict(left)}:\n\n{shown}"
    return ""


def compile_error(text: str) -> str:
    """Why a text is no Python module; empty where it is one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "fixed", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return f"does not compile: {error}"
    return ""


def comments(text: str) -> list[str]:
    """The comments of a text, as far as it can be split into tokens."""
    found: list[str] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                found.append(token.string)
    except (tokenize.TokenError, SyntaxError):
        pass
    return found


def _changed(before: Texts, after: Texts) -> str:
    return "\n".join(f"#- {path}\n{text}" for path, text in after.items() if text != before.get(path))
