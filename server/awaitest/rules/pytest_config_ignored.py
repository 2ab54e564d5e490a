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

from awaitest.engine.configuration import WANTED, ConfigFile, Configured
from awaitest.engine.diagnostic import Severity
from awaitest.engine.rule import Finding, Rule
from awaitest.project.config import ASYNC_KEYS, CHOICES
from awaitest.project.tables import ConfigProblem, Keys, Table

RULE = Rule("AWT231", "pytest-config-ignored", Severity.WARNING)


def check(step: Configured, run: ConfigFile) -> Iterator[Finding]:
    """A file that sets what pytest does not read, or cannot."""
    problems = [it for it in step.config.problems if it.path == run.path]
    for problem in problems:
        yield _refused(problem, run)
    if step.table is None or problems:
        return
    reads = step.config.path == run.path and bool(step.config.section)
    if step.config.path is not None and run.path in step.config.ignored:
        yield from _shadowed(step.table, run, step.config.path.name)
    for keys, line in step.table.lines.items():
        if _is_misplaced(keys, step.table, run):
            yield _misplaced(keys, step.table, run)
        elif reads and keys[:-1] == step.config.keys and keys[-1] not in ASYNC_KEYS:
            near = get_close_matches(keys[-1], ASYNC_KEYS, 1, 0.8)
            for meant in near:
                message = f"pytest knows no option `{keys[-1]}` and goes on without it. Write `{meant}`."
                span = run.key(line)
                yield Finding(run.at(span), message, run.replacing(span, meant, f"Write `{meant}`"))


def _refused(problem: ConfigProblem, run: ConfigFile) -> Finding:
    span = run.value(problem.line)
    written = run.text(span).strip("\"'")
    key = run.text(run.key(problem.line)).strip("\"'")
    near = get_close_matches(written, CHOICES.get(key, ()), 1, 0.6)
    fix = None
    if near:
        given = run.text(span)[:1]
        quote = given if given in ("'", '"') else '"' if run.is_toml else ""
        fix = run.replacing(span, f"{quote}{near[0]}{quote}", f"Write `{near[0]}`")
    elif run.path.name == "setup.cfg" and run.text(run.header(problem.line)) == "pytest":
        span = run.header(problem.line)
        fix = run.replacing(span, "tool:pytest", "Write `[tool:pytest]`")
    what, found, choices = problem.message.partition(": it must be ")
    message = f"pytest stops here: {what}.{' It must be ' if found else ''}{choices}{'.' if found else ''}"
    return Finding(run.at(span if fix else run.whole(problem.line)), message, fix, Severity.ERROR)


def _shadowed(table: Table, run: ConfigFile, name: str) -> Iterator[Finding]:
    wanted = WANTED[run.path.name]
    for keys in (wanted, wanted[:-1]):
        if keys in table.lines and table.get(*keys):
            span = run.header(table.lines[keys])
            yield Finding(
                run.at(span),
                f"pytest reads `{name}` beside this file, so that nothing here has an effect. Keep one of them.",
            )
            return


def _is_misplaced(keys: Keys, table: Table, run: ConfigFile) -> bool:
    """Whether this is a table with an option for async tests, in a place where pytest does not look."""
    held = table.get(*keys)
    wanted = WANTED[run.path.name]
    if not isinstance(held, dict) or keys in (wanted, ("tool", "pytest")) or (len(keys) > 1 and not run.is_toml):
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
