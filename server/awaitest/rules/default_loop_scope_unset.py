"""Reports a configuration without `asyncio_default_fixture_loop_scope`.

Looks at the file that pytest reads, where pytest-asyncio 0.24 or newer is installed and the key is not set.

Why: pytest-asyncio then warns at the start of every run: the loop of async fixtures follows their scope today, and will
be the one of each function in a version to come.

Bad:
    [tool.pytest.ini_options]
    asyncio_mode = "auto"

Good:
    [tool.pytest.ini_options]
    asyncio_mode = "auto"
    asyncio_default_fixture_loop_scope = "function"

Ignore: When the warning does not disturb.

Fix: Unsafe. Sets the key to `function`, the default to come; fixtures of a wider scope then need a `loop_scope` of
their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from packaging.version import Version

from awaitest.engine.configuration import ConfigFile, Configured
from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.rule import Finding, Rule

RULE = Rule("AWT232", "default-loop-scope-unset", Severity.HINT)

_KEY = "asyncio_default_fixture_loop_scope"
_WARNS_SINCE, _SHOWN_SINCE = Version("0.24"), Version("9")


def check(step: Configured, run: ConfigFile) -> Iterator[Finding]:
    """The file that pytest reads does not set the key."""
    config, project = step.config, step.project
    line = step.table.lines.get(config.keys) if step.table is not None and config.keys else None
    version = project.environment.version("pytest-asyncio")
    if config.path != run.path or line is None or config.problems or _KEY in config.values:
        return
    if project.plugin("pytest-asyncio") is not True or version is None or version < _WARNS_SINCE:
        return
    if config.asyncio_default_fixture_loop_scope is not None:
        return
    pytest = project.environment.version("pytest")
    shown = pytest is None or pytest >= _SHOWN_SINCE
    warns = "of which pytest-asyncio warns at every start" if shown else "which pytest-asyncio deprecates"
    message = f"`{_KEY}` is not set, {warns}. Set it to `function`, the default to come."
    yield Finding(run.at(run.header(line)), message, lambda: _fix(run, line))


def _fix(run: ConfigFile, line: int) -> Fix:
    value = '"function"' if run.is_toml else "function"
    fix = run.adding(line, f"{_KEY} = {value}", "Set it to `function`")()
    return Fix(fix.title, fix.edits, safe=False)
