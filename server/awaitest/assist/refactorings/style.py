"""How this project writes what a refactoring adds."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from packaging.version import Version

from awaitest.assist.lens import loop_scope
from awaitest.engine.clients import LIBRARIES
from awaitest.engine.runner import Reason
from awaitest.engine.style import marker_name
from awaitest.source.edits import Import

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_IMPORTED = re.compile(rb"^[ \t]*(?:from|import)[ \t]+(httpx2?)\b", re.MULTILINE)
_PACKAGES = {"asyncio": "pytest-asyncio", "anyio": "anyio"}
_LOOP_SCOPE_OF_FIXTURES = Version("0.24")
_NEIGHBOURS = 40


def library(run: Run) -> str | None:
    """ "httpx" or "httpx2": what the file imports, then what stands around it, then what is installed."""
    project = run.engine.project
    texts = [run.document.text.encode("utf-8", "replace")]
    around = [other.path for other in project.surroundings(run.module) if other.path is not None]
    near = [run.path.parent / name for name in project.files.names(run.path.parent)[:_NEIGHBOURS]]
    for paths in ([], around, near):
        texts += [project.files.read(path) or b"" for path in paths if path.suffix == ".py" and path != run.path]
        used = Counter(match[1].decode() for text in texts for match in _IMPORTED.finditer(text))
        present = [name for name, _ in used.most_common() if project.environment.has(name) is not False]
        if present:
            return present[0]
    return next((name for name in reversed(LIBRARIES) if project.environment.has(name) is True), None)


def runner(run: Run) -> str | None:
    """Who runs this test once it is async and marked as this suite marks its tests; None where that cannot be told."""
    verdict = run.verdict
    if verdict.reason is Reason.NO_MARKER:
        return _PACKAGES.get(marker_name(run) or "")
    return verdict.by


def fixture_decorator(run: Run) -> tuple[str, Import] | None:
    """What makes an async fixture of function scope run on the loop of this test, and the import it needs."""
    project, by = run.engine.project, runner(run)
    config = project.config
    if by == "anyio":
        taken = config.asyncio_mode != "strict" and project.plugin("pytest-asyncio") is not False
        return None if taken else ("pytest.fixture", Import("pytest"))
    scope, default = loop_scope(run), config.asyncio_default_fixture_loop_scope
    if by != "pytest-asyncio" or config.asyncio_mode is None or scope is None:
        return None
    if scope == ("function" if default in (None, "fixture-scope") else default):
        name = "pytest" if config.asyncio_mode == "auto" else "pytest_asyncio"
        return f"{name}.fixture", Import(name)
    version = project.environment.version("pytest-asyncio")
    if version is None or version < _LOOP_SCOPE_OF_FIXTURES:
        return None
    return f'pytest_asyncio.fixture(loop_scope="{scope}")', Import("pytest_asyncio")
