"""How tests are written at a place: who runs them, which mark and decorator that takes, which client they use."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitest.assist.snippets.search import Search, fixtures_giving
from awaitest.engine.clients import LIBRARIES
from awaitest.engine.fixtures import Seeker
from awaitest.engine.run import TEST, Run
from awaitest.engine.runner import Verdict
from awaitest.engine.sheet import Sheet
from awaitest.engine.style import marker_name
from awaitest.engine.values import FunctionInfo
from awaitest.source.document import Document
from awaitest.source.nodes import parts_of

if TYPE_CHECKING:
    from awaitest.engine.analysis import Engine
    from awaitest.engine.values import ClassInfo
    from awaitest.project.modules import Module

_LIBRARY = re.compile(r"^[ \t]*(?:from|import)[ \t]+(httpx2?)\b", re.MULTILINE)
_SIGNATURE = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+\w+\([^()]*\)([ \t]*->)?", re.MULTILINE)
_PLUGINS = {"asyncio": "pytest-asyncio", "anyio": "anyio"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a careful reader of the project would keep to when adding a test."""

    runner: str
    """"pytest-asyncio" or "anyio"."""
    mark: str | None
    """The mark an async test needs, None where it runs without."""
    why: str
    """Why it runs without a mark, where that is known."""
    marked: bool
    """Whether the surroundings give the mark of a runner to every test, plain ones too."""
    fixture: str
    """The module whose `fixture` decorates async fixtures."""
    library: str
    """"httpx" or "httpx2"."""
    qualified: bool
    """Whether this file writes `httpx.AsyncClient`."""
    annotated: bool
    """Whether functions are annotated."""
    client: str | None
    """The fixture that gives an AsyncClient."""


def dialect_of(engine: Engine, seeker: Seeker, search: Search) -> Dialect:
    """The dialect at a place of a file."""
    module = seeker.module
    text = module.document.text if module.document is not None else ""
    newcomer = _newcomer(engine, module, seeker.cls)
    verdict = newcomer.verdict
    mark = _mark(newcomer) if verdict.by is None else None
    runner = verdict.by or _PLUGINS.get(mark or "") or _installed(engine)
    client, package = _client(engine, seeker, runner)
    library = _library(engine, [text], package, search.near)
    return Dialect(
        runner=runner,
        mark=mark,
        why=verdict.why,
        marked=any(each.name in _PLUGINS for each in newcomer.marks),
        fixture=_fixture(engine, runner, [text, *search.near]),
        library=library,
        qualified=_is_qualified(module, library),
        annotated=_annotated([text, *search.near]),
        client=client,
    )


def _newcomer(engine: Engine, module: Module, cls: ClassInfo | None) -> Run:
    """An async test without marks of its own, as if it stood there."""
    node = ast.parse("async def test_(): ..." if cls is None else "async def test_(self): ...").body[0]
    assert isinstance(node, ast.AsyncFunctionDef)
    run = Run(engine, module, TEST, FunctionInfo(module, node, cls), cls, None)
    Sheet(module.document or Document(""), {None: [run]})
    return run


def _mark(newcomer: Run) -> str | None:
    habits = newcomer.sheet.habits
    if newcomer.verdict.reason is None:
        return habits[0] if habits else None
    usable = newcomer.engine.project.plugin("anyio") is not False
    if not habits and usable and newcomer.engine.project.uses_anyio(newcomer.path):
        return "anyio"
    return marker_name(newcomer) or "asyncio"


def _installed(engine: Engine) -> str:
    return "pytest-asyncio" if engine.project.plugin("pytest-asyncio") is not False else "anyio"


def _fixture(engine: Engine, runner: str, texts: Iterable[str]) -> str:
    if runner == "anyio":
        return "pytest"
    habitual = any("@pytest_asyncio.fixture" in text for text in texts)
    return "pytest_asyncio" if habitual or engine.project.config.asyncio_mode != "auto" else "pytest"


def _client(engine: Engine, seeker: Seeker, runner: str) -> tuple[str | None, str | None]:
    """The fixture that gives an AsyncClient, the one this file asks for most, and the library of its class."""
    found = {
        name: package
        for name, package in fixtures_giving(engine, seeker, "AsyncClient", LIBRARIES)
        if (fixture := engine.fixtures.find(name, seeker)) is not None
        and (not fixture.is_async or engine.runner.handles(fixture, Verdict(by=runner)) is not False)
    }
    asked = Counter(
        node.arg for statement in seeker.module.body for node in parts_of(statement) if isinstance(node, ast.arg)
    )
    best = min(found, key=lambda name: (-asked[name], len(name)), default=None)
    return best, found.get(best or "")


def _library(engine: Engine, own: list[str], of_client: str | None, near: list[str]) -> str:
    environment = engine.project.environment
    only = "httpx2" if environment.has("httpx2") and environment.has("httpx") is False else "httpx"
    return _most_used(own) or of_client or _most_used(near) or only


def _most_used(texts: list[str]) -> str | None:
    used = Counter(name for text in texts for name in _LIBRARY.findall(text))
    return used.most_common(1)[0][0] if used else None


def _is_qualified(module: Module, library: str) -> bool:
    origins = (module.import_origin(name) for name in module.bound)
    return {origin for origin in origins if origin is not None and origin[0] == library} == {(library, "")}


def _annotated(texts: Iterable[str]) -> bool:
    """Whether most functions of the nearest text that has any say what they return; so do ours where there is none."""
    for text in texts:
        returns = [bool(arrow) for arrow in _SIGNATURE.findall(text)]
        if returns:
            return sum(returns) * 2 >= len(returns)
    return True
