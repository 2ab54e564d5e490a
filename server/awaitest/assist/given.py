"""What a fixture hands to a parameter, and where the fixture stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitest.engine.fixtures import Fixture
from awaitest.engine.repair import uses_anyio
from awaitest.engine.run import FIXTURE, TEST
from awaitest.engine.steps import Received

if TYPE_CHECKING:
    from awaitest.engine.run import Run


def handed_over(run: Run, step: Received) -> bool | None:
    """Whether the parameter gets what the fixture gives: not where it gets a coroutine that nobody awaits, None where that cannot be told."""
    if not step.fixture.is_async:
        return True
    if run.kind == FIXTURE and run.is_async and uses_anyio(run):
        return True
    handled = run.engine.runner.handles(step.fixture, run.verdict if run.kind == TEST else None)
    return None if handled is False and run.kind != TEST else handled


def origin(run: Run, fixture: Fixture) -> str:
    """``async fixture `client` (scope session), tests/conftest.py:12``; the module alone where it is not the project's."""
    kind = "async fixture" if fixture.is_async else "fixture"
    scope = f" (scope {fixture.scope})" if fixture.scope != "?" else ""
    return f"{kind} `{fixture.name}`{scope}, {_place(run, fixture)}"


def _place(run: Run, fixture: Fixture) -> str:
    module, root = fixture.module, run.engine.project.config.rootdir
    document = module.document
    if module.path is None or document is None or not document.holds(fixture.node):
        return f"`{module.name}`"
    line = document.segment_of(fixture.node).name_span(fixture.node).start.line + 1
    path = module.path.relative_to(root) if module.path.is_relative_to(root) else module.path
    return f"{path.as_posix()}:{line}"
