"""On which backends anyio runs a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitest.engine.fixtures import requested
from awaitest.engine.values import Collection, Plain, Value, known
from awaitest.source.nodes import spelt

if TYPE_CHECKING:
    from awaitest.engine.fixtures import Fixture
    from awaitest.engine.run import Run

BACKEND = "anyio_backend"
_AWARE = frozenset({BACKEND, "anyio_backend_name", "anyio_backend_options"})


def pinned(run: Run) -> Fixture | None:
    """The `anyio_backend` fixture of the project that this test sees."""
    return run.engine.fixtures.find(BACKEND, run.seeker)


def aware(run: Run) -> bool:
    """Whether the test itself asks which backend it runs on."""
    wanted = requested(run.node, run.cls is not None)
    marked = any(mark.name == "parametrize" and BACKEND in spelt(mark.node) for mark in run.marks)
    return marked or not _AWARE.isdisjoint(wanted)


def backends(run: Run) -> frozenset[str] | None:
    """Their names; None where they cannot be told."""
    project, fixtures = run.engine.project, run.engine.fixtures
    if "trio" in str(project.config.values.get("addopts", "")) or project.runs_async_otherwise(run.module):
        return None
    fixture = pinned(run)
    given = fixtures.values_for([BACKEND], run.seeker).get(BACKEND)
    if fixture is None:
        trio = project.environment.has("trio")
        if trio is None or (given is not None and not known(given)):
            return None
        return frozenset({"asyncio", "trio"}) if trio else frozenset({"asyncio"})
    if fixture.parametrised or given is None:
        return None
    names = [_name(frozenset({kind})) for kind in given]
    return frozenset(name for name in names if name is not None) if None not in names else None


def _name(value: Value) -> str | None:
    """`"asyncio"` and `("asyncio", {…})` name a backend."""
    (kind,) = value
    if isinstance(kind, Collection) and kind.items:
        return _name(kind.items[0]) if len(kind.items[0]) == 1 else None
    return kind.const if isinstance(kind, Plain) and isinstance(kind.const, str) else None
