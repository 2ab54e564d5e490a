"""Reports a marker on a fixture.

Finds `@pytest.mark.…` above or below `@pytest.fixture` or `@pytest_asyncio.fixture`.

Why: Marks are for tests. pytest has never looked at those of a fixture, and since version 9 it stops: no test of the
file is collected. Before that it warned. A fixture is made async by its decorator, and asks for another fixture with a
parameter.

Bad:
    import pytest
    import pytest_asyncio

    @pytest.mark.asyncio
    @pytest_asyncio.fixture
    async def token():
        return "secret"

Good:
    import pytest_asyncio

    @pytest_asyncio.fixture
    async def token():
        return "secret"

Ignore: Never: the marker does nothing at best.

Fix: Sometimes safe. Drops the markers, and the import of pytest if nothing else uses it. Unsafe for `usefixtures`,
since the fixture that was to be used should become a parameter instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from packaging.version import Version

from awaitest.engine.diagnostic import Severity
from awaitest.engine.marks import decorators
from awaitest.engine.repair import dropped_marks, fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import FIXTURE, Run
from awaitest.engine.steps import Collected

RULE = Rule("AWT210", "marker-on-fixture", Severity.ERROR)

_REFUSED_SINCE, _WARNS_SINCE = Version("9"), Version("8")


def check(step: Collected, run: Run) -> Iterator[Finding]:
    """A fixture among whose decorators is a mark."""
    if run.kind != FIXTURE:
        return
    world = run.engine.world
    given = {node: [*decorators(world, run.module, [node], "function")] for node in run.node.decorator_list}
    marks = [node for node, found in given.items() if found]
    if not marks:
        return
    names = {mark.name: None for found in given.values() for mark in found}
    does, severity = _outcome(run)
    advice = "A fixture uses another one by a parameter." if "usefixtures" in names else "Drop it."
    message = f"The fixture `{run.node.name}` is marked {_listed(names)}: {does}. {advice}"
    title = "Drop the marker" if len(marks) == 1 else "Drop the markers"
    yield Finding(
        marks[0],
        message,
        lambda: fix(run, title, dropped_marks(run, marks), safe="usefixtures" not in names),
        severity,
    )


def _listed(names: Iterable[str | None]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def _outcome(run: Run) -> tuple[str, Severity | None]:
    version = run.engine.project.environment.version("pytest")
    if version is None or version >= _REFUSED_SINCE:
        return "pytest 9 refuses that and collects no test of the file", None
    if version >= _WARNS_SINCE:
        return "the marker does nothing, pytest warns, and pytest 9 collects no test of the file", Severity.WARNING
    return "the marker does nothing, and pytest 9 collects no test of the file", Severity.WARNING
