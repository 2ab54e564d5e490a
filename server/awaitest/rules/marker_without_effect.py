"""Reports a `pytestmark` of an asyncio or anyio marker where it marks nothing.

Finds `pytestmark` at the top of a `conftest.py` or an `__init__.py` that names an async marker.

Why: pytest takes `pytestmark` from the module or class that a test stands in, and from nowhere else. The tests beside
the conftest are not marked, and their coroutines are not run.

Bad:
    #- tests/conftest.py
    import pytest

    pytestmark = pytest.mark.asyncio

Good:
    import pytest

    pytestmark = pytest.mark.asyncio

    async def test_answer():
        assert 6 * 7 == 42

Ignore: When a hook of yours reads the name; where a module imports it, nothing is reported.

Fix: Unsafe. Deletes it, as it does nothing. Mark the test modules, or set `asyncio_mode = "auto"`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.marks import module_marks
from awaitest.engine.repair import dropped_marks, fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import MODULE, TEST, Run
from awaitest.engine.steps import Collected
from awaitest.source.nodes import parts_of, spelt
from awaitest.source.text import Edit, Position, Span

RULE = Rule("AWT208", "marker-without-effect", Severity.ERROR)

_NAME = "pytestmark"
_READ_BY_NOBODY = frozenset({"conftest.py", "__init__.py"})
_ASYNC = frozenset({"asyncio", "anyio"})


def check(step: Collected, run: Run) -> Iterator[Finding]:
    """A `pytestmark` in a module that has no tests."""
    if run.kind != MODULE or run.path.name not in _READ_BY_NOBODY or any(it.kind == TEST for it in run.sheet.runs):
        return
    marks = [mark for mark in module_marks(run.engine.world, run.module) if mark.name in _ASYNC]
    stated = [it for it in run.module.body if isinstance(it, ast.Assign) and spelt(it.targets[0]) == _NAME]
    if not marks or len(stated) != 1 or _is_read(run):
        return
    message = f"`{_NAME}` in `{run.path.name}` marks no test: pytest looks for it in the test's own module and class. "
    message += "Mark the modules, or set `asyncio_mode`."
    yield Finding(stated[0], message, lambda: _fix(run, stated[0]))


def _is_read(run: Run) -> bool:
    """Whether a module in or below this folder may take the name from here, or this one reads it."""
    project, folder = run.engine.project, run.path.parent
    here = (part for statement in run.module.body for part in parts_of(statement))
    if any(isinstance(part, ast.Name) and part.id == _NAME and isinstance(part.ctx, ast.Load) for part in here):
        return True
    if any(module.star_imports for module in project.modules_mentioning(b"import *", folder)):
        return True
    return any(
        isinstance(part, ast.ImportFrom) and any(it.name == _NAME for it in part.names)
        for module in project.modules_mentioning(_NAME.encode(), folder)
        for part in module.body
    )


def _fix(run: Run, stated: ast.Assign) -> Fix | None:
    if len(run.module.body) < 2 or run.document.lines[run.span(stated).end.line].rstrip() != run.source(stated):
        return None
    whole, *imports = dropped_marks(run, [stated])
    start = whole.span.start.line
    while start and not run.document.lines[start - 1].strip():
        start -= 1
    dropped = Edit(Span(Position(start, 0), whole.span.end), "")
    title = f"Delete `{_NAME}`"
    return fix(run, title, [dropped, *imports], safe=False) or fix(run, title, [whole, *imports], safe=False)
