"""Whether anyio takes an async fixture: its plugin does so for a test that gets the fixture and `anyio_backend` too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitest.engine.fixtures import Fixture, Seeker
from awaitest.engine.getters import Getters

if TYPE_CHECKING:
    from awaitest.engine.run import Run


def may_take(run: Run, fixture: Fixture) -> bool:
    """Whether anyio may run an async fixture, for one of the tests that get it."""
    engine = run.engine
    if engine.project.config.anyio_mode == "auto":
        return True
    if engine.project.plugin("anyio") is False or not engine.project.mentions_anyio():
        return False
    if engine.runner.brings_backend(fixture.requests, _seeker(fixture)):
        return True
    return any(it is None or engine.runner.may_use_anyio(*it) for it in Getters(run, fixture).tests())


def is_meant_for(run: Run, fixture: Fixture) -> bool:
    """Whether anyio may take an async fixture, or is to: the suite has a backend, and pytest-asyncio runs none of the tests
    that get it."""
    if may_take(run, fixture):
        return True
    engine = run.engine
    backend = engine.fixtures.find("anyio_backend", _seeker(fixture))
    if backend is None or backend.module.origin != "project":
        return False
    tests = (it for it in Getters(run, fixture).tests() if it is not None and it[0].is_async)
    return all(engine.runner.verdict(*test).by != "pytest-asyncio" for test in tests)


def _seeker(fixture: Fixture) -> Seeker:
    return Seeker(fixture.module, fixture.function.owner)
