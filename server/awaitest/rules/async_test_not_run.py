"""Reports an async test that nobody runs.

Finds `async def` tests without a marker or mode that hands them to pytest-asyncio or anyio, as the configuration that
pytest reads, the installed plugins and the test's fixtures decide.

Why: pytest cannot run a coroutine function by itself. It fails the test (before pytest 8.4 it skipped it) with a
message that asks for a plugin, even where the plugin is installed and only the marker is missing.

Bad:
    async def test_answer():
        assert 6 * 7 == 42

Good:
    import pytest

    @pytest.mark.asyncio
    async def test_answer():
        assert 6 * 7 == 42

Ignore: When a plugin that this project cannot see, for example one given with `-p` by hand, runs the tests.

Fix: Safe. Adds the marker that this suite uses, on the test or, where the file marks its classes, on the class. A
misspelt marker is spelt right.
"""

from __future__ import annotations

from collections.abc import Iterator

from packaging.version import Version

from awaitest.engine.diagnostic import Severity
from awaitest.engine.repair import fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import TEST, Run
from awaitest.engine.runner import Reason
from awaitest.engine.steps import Collected
from awaitest.engine.style import marker_edits, marker_name, misspelt_marker, respelling_edits
from awaitest.engine.syntax import generates

RULE = Rule("AWT201", "async-test-not-run", Severity.ERROR)

_FAILS_SINCE = Version("8.4")
_PACKAGES = {"asyncio": "pytest-asyncio", "anyio": "anyio"}


def check(step: Collected, run: Run) -> Iterator[Finding]:
    """An async test with a verdict that nobody runs it."""
    if run.kind != TEST or not run.is_async or generates(run.node):
        return
    reason = run.verdict.reason
    if reason is None or reason is Reason.TESTCASE:
        return
    message = f"Nobody runs `{run.node.name}`: {_why(run, reason)}. {_outcome(run)}"
    misspelt = misspelt_marker(run) if reason is Reason.NO_MARKER else None
    if misspelt is not None:
        mark, right = misspelt
        yield Finding(
            run.name_span,
            message,
            lambda: fix(run, f"Spell the marker `{right}`", respelling_edits(run, mark, right), safe=True),
        )
    elif reason is Reason.NO_MARKER:
        name = marker_name(run)
        yield Finding(
            run.name_span,
            message,
            lambda: fix(run, f"Mark it with `@pytest.mark.{name}`", marker_edits(run), safe=True),
        )
    else:
        yield Finding(run.name_span, message)


def _why(run: Run, reason: Reason) -> str:
    marker = run.verdict.marker
    package = _PACKAGES.get(marker, marker)
    if reason is Reason.PLUGIN_ABSENT:
        return f"it is marked `{marker}`, but {package} is not installed"
    project = run.engine.project
    config = project.config
    if reason is Reason.PLUGIN_BLOCKED:
        where = f" in {config.path.name}" if config.path is not None else ""
        return f"it is marked `{marker}`, but `addopts`{where} switches that plugin off"
    if (misspelt := misspelt_marker(run)) is not None:
        return f"its mark `{misspelt[0].name}` does nothing; `{misspelt[1]}` would"
    if project.plugin("pytest-asyncio") is False:
        return "it has no anyio marker, and pytest-asyncio does not run here"
    line = config.line_of("asyncio_mode")
    if config.path is None or line is None:
        return "it has no asyncio or anyio marker, and asyncio_mode is strict by default"
    return (
        f"it has no asyncio or anyio marker, and {config.path.name}:{line} sets asyncio_mode to {config.asyncio_mode}"
    )


def _outcome(run: Run) -> str:
    version = run.engine.project.environment.version("pytest")
    if version is not None and version < _FAILS_SINCE:
        return "pytest skips it with a warning."
    return 'pytest fails it: "async def functions are not natively supported".'
