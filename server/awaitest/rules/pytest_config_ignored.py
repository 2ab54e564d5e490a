"""Reports what pytest does not read, or refuses, in its configuration files.

Looks at `pytest.toml`, `pytest.ini`, `pyproject.toml`, `tox.ini` and `setup.cfg`: values that pytest refuses, tables
and keys that are misspelt or stand in a file or table that it does not read.

Why: pytest goes on without what it does not read: `asyncio_mode = auto` in the wrong table leaves the strict mode on,
and every unmarked async test fails, or is skipped before pytest 8.4.

Bad:
    [tool.pytest-asyncio]
    asyncio_mode = "auto"
    asyncio_default_fixture_loop_scope = "function"

Good:
    [tool.pytest.ini_options]
    asyncio_mode = "auto"
    asyncio_default_fixture_loop_scope = "function"

Ignore: When another program reads the table.

Fix: Safe. Corrects the name of the table, the key or the value, where it is clear what was meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from packaging.version import Version

from awaitest.engine.configuration import WANTED, ConfigFile, Configured
from awaitest.engine.diagnostic import Severity
from awaitest.engine.rule import Finding, Rule
from awaitest.project.config import ASYNC_KEYS, CHOICES
from awaitest.project.tables import ConfigProblem, Keys, Table

RULE = Rule("AWT231", "pytest-config-ignored", Severity.WARNING)

_VALIDATES_SINCE = Version("1.2")


def check(step: Configured, run: ConfigFile) -> Iterator[Finding]:
    """A file that sets what pytest does not read, or cannot."""
    problems = [it for it in step.config.problems if it.path == run.path]
    for problem in problems:
        yield from _refused(problem, step, run)
    if step.table is None or problems:
        return
    reads = step.config.path == run.path and bool(step.config.section)
    if step.config.path is not None and run.path in step.config.ignored:
        yield from _shadowed(step.table, run, step.config.path.name)
    if run.path.name.endswith("pytest.toml") and not step.reads_native:
        yield from _unread(step.table, run)
        return
    for keys, line in step.table.lines.items():
        if _is_misplaced(keys, step, step.table, run):
            yield _misplaced(keys, step.table, run)
        elif reads and keys[:-1] == step.config.keys and keys[-1] not in ASYNC_KEYS:
            for meant in get_close_matches(keys[-1], ASYNC_KEYS, 1, 0.8):
                does, level = ("stops", Severity.ERROR) if step.stops_at_unknown else ("goes on without it", None)
                message = f"pytest knows no option `{keys[-1]}` and {does}. Write `{meant}`."
                span = run.key(line)
                yield Finding(run.at(span), message, run.replacing(span, meant, f"Write `{meant}`"), level)


def _refused(problem: ConfigProblem, step: Configured, run: ConfigFile) -> Iterator[Finding]:
    what, found, choices = problem.message.partition(": it must be ")
    key = run.text(run.key(problem.line)).strip("\"'")
    span, fix, severity, effect = run.value(problem.line), None, Severity.ERROR, "pytest stops here"
    if found:
        fix = run.choosing(problem.line, CHOICES.get(key, ()))
        lately = (step.project.environment.version("pytest-asyncio") or _VALIDATES_SINCE) >= _VALIDATES_SINCE
        if key == "asyncio_debug" and not lately:
            return
        if key == "anyio_mode" and run.text(span)[:1] not in "[{" and what.startswith("'"):
            effect, severity = "anyio goes on in strict mode", Severity.WARNING
        elif key == "asyncio_debug" or (key.endswith("loop_scope") and not lately):
            effect = f"Async {'fixtures' if 'fixture' in key else 'tests'} fail here"
    elif run.path.name == "setup.cfg" and run.text(run.header(problem.line)) == "pytest":
        span = run.header(problem.line)
        fix = run.replacing(span, "tool:pytest", "Write `[tool:pytest]`")
    said = f"this {what}" if what.startswith("is ") else what
    message = f"{effect}: {said}.{f' It must be {choices}.' if found else ''}"
    yield Finding(run.at(span if fix else run.whole(problem.line)), message, fix, severity)


def _shadowed(table: Table, run: ConfigFile, name: str) -> Iterator[Finding]:
    wanted = WANTED[run.path.name]
    for keys in (wanted, wanted[:-1]):
        if keys in table.lines and table.get(*keys):
            message = f"pytest reads `{name}` beside this file, so that nothing here has an effect. Keep one of them."
            yield Finding(run.at(run.header(table.lines[keys])), message)
            return


def _unread(table: Table, run: ConfigFile) -> Iterator[Finding]:
    for line in [line for keys, line in table.lines.items() if keys[-1] in ASYNC_KEYS][:1]:
        message = f"pytest reads `{run.path.name}` from version 9 on only, so that nothing here has an effect."
        yield Finding(run.at(run.key(line)), message)


def _is_misplaced(keys: Keys, step: Configured, table: Table, run: ConfigFile) -> bool:
    """Whether this is a table with an option for async tests, in a place where pytest does not look."""
    held, wanted = table.get(*keys), WANTED[run.path.name]
    native = run.path.name == "pyproject.toml" and keys == ("tool", "pytest") and step.reads_native
    if not isinstance(held, dict) or keys == wanted or native or (len(keys) > 1 and not run.is_toml):
        return False
    return any(key in ASYNC_KEYS for key in held) and keys in table.lines


def _misplaced(keys: Keys, table: Table, run: ConfigFile) -> Finding:
    wanted, span = ".".join(WANTED[run.path.name]), run.header(table.lines[keys])
    held = table.get(*keys)
    key = next(key for key in ASYNC_KEYS if isinstance(held, dict) and key in held)
    message = (
        f"pytest does not read `{key}` from `[{run.text(span)}]`. In `{run.path.name}` it looks into `[{wanted}]`."
    )
    fix = None if table.get(*WANTED[run.path.name]) else run.replacing(span, wanted, f"Write `[{wanted}]`")
    return Finding(run.at(span), message, fix)
