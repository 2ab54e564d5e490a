"""What holds for the tests of one file: who runs them, and what each fixture gives."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitest.engine.fixtures import Fixture, Seeker
from awaitest.engine.runner import Reason, Verdict
from awaitest.engine.values import FunctionInfo
from awaitest.engine.words import describe

if TYPE_CHECKING:
    from awaitest.engine.analysis import Engine
    from awaitest.project.modules import Module

_KINDS = {"no marker": "", "the asyncio marker": "@pytest.mark.asyncio\n", "the anyio marker": "@pytest.mark.anyio\n"}
_WHY = {
    Reason.NO_MARKER: "the mode is strict and nothing marks them",
    Reason.PLUGIN_ABSENT: "the plugin of the marker is not installed",
    Reason.PLUGIN_BLOCKED: "the configuration switches the plugin of the marker off",
}


@dataclass(frozen=True, slots=True)
class RunBy:
    """Who runs async tests of one kind here, and why."""

    kind: str
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Given:
    """One visible fixture: what it gives, and whether it hides another of its name further out."""

    fixture: Fixture
    gives: str
    hides: bool


def runners(engine: Engine, module: Module) -> list[RunBy]:
    """Who runs an async test of this file, by the marker it has."""
    return [_run_by(f"async tests with {kind}", _verdict(engine, module, marker)) for kind, marker in _KINDS.items()]


def _verdict(engine: Engine, module: Module, marker: str) -> Verdict:
    node = ast.parse(f"{marker}async def test_(): ...").body[0]
    assert isinstance(node, ast.AsyncFunctionDef)
    return engine.runner.verdict(FunctionInfo(module, node), None)


def _run_by(kind: str, verdict: Verdict) -> RunBy:
    if verdict.by is not None:
        return RunBy(kind, verdict.by, verdict.why)
    if verdict.reason is not None:
        return RunBy(kind, "nobody", _WHY.get(verdict.reason, verdict.reason.value))
    return RunBy(kind, "cannot be told", "a hook, a plugin or the configuration may decide it")


def visible_fixtures(engine: Engine, module: Module) -> list[Given]:
    """The fixtures a test of this file sees, nearest first; those of installed plugins are left out."""
    seeker = Seeker(module)
    found: dict[str, Given] = {}
    for layer in engine.fixtures.chain(seeker):
        for name, fixture in layer.items():
            if name in found:
                known = found[name]
                found[name] = Given(known.fixture, known.gives, hides=True)
            else:
                found[name] = Given(fixture, describe(engine.fixtures.value(fixture, seeker)), hides=False)
    return list(found.values())
