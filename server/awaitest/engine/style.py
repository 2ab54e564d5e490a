"""How this suite marks its async tests, and the edits that mark one more in the same way."""

from __future__ import annotations

import ast
import re
from collections import Counter
from difflib import get_close_matches
from typing import TYPE_CHECKING

from awaitest.engine.marks import Mark, decorators, module_marks
from awaitest.engine.world import Definition
from awaitest.source.edits import indent_of, line_insert, renamed
from awaitest.source.text import Edit

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_MARK = re.compile(rb"\bmark\.(asyncio|anyio)\b")
_NEIGHBOURS = 40
_ALIKE = 0.8


def marker_edits(run: Run, mark: str | None = None) -> list[Edit] | None:
    """Edits that make somebody run the test of this run once it is async, by this mark or the suite's own; none where it will run as it is."""
    verdict = run.verdict
    if verdict.by is not None:
        return []
    if verdict.reason is None:
        return None
    if mark is not None:
        return mark_edits(run, run.node, mark)
    name = marker_name(run)
    return None if name is None else mark_edits(run, _target(run), name)


def mark_edits(run: Run, target: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, mark: str) -> list[Edit]:
    """Edits that put `@pytest.mark.…` above a test or a class, and import pytest where it is missing."""
    first = target.decorator_list[0] if target.decorator_list else target
    indent = indent_of(run.document.lines[run.span(target).start.line])
    added = line_insert(run.document, run.span(first).start.line, f"{indent}@pytest.mark.{mark}")
    imported = run.sheet.import_of_pytest
    return [added] if imported is None else [imported, added]


def marker_name(run: Run) -> str | None:
    """The mark this suite uses: what the file uses, then its neighbours, then what the plugins allow."""
    usable = _usable(run)
    used = [name for name in run.sheet.habits if name in usable]
    if used:
        return used[0]
    backend = run.engine.fixtures.find("anyio_backend", run.seeker)
    if backend is not None and backend.module.origin == "project" and "anyio" in usable:
        return "anyio"
    return usable[0] if usable else None


def habits(run: Run) -> list[str]:
    """The marks of async tests in the file, else in its neighbours, the most frequent first."""
    used = Counter(mark.name for mark in _marks_in_file(run) if mark.name in {"asyncio", "anyio"})
    used = used or Counter(_neighbours(run))
    return [name for name, _ in used.most_common() if name is not None]


def misspelt_marker(run: Run) -> tuple[Mark, str] | None:
    """A mark that is nearly one that would run the test, and the name it should have."""
    usable = _usable(run)
    alike = ((mark, get_close_matches(mark.name or "", usable, n=1, cutoff=_ALIKE)) for mark in run.marks)
    return next(((mark, names[0]) for mark, names in alike if names), None)


def respelling_edits(run: Run, mark: Mark, name: str) -> list[Edit] | None:
    """Edits that give a mark another name; None where it is not written in this file."""
    called = mark.node.func if isinstance(mark.node, ast.Call) else mark.node
    if not isinstance(called, ast.Attribute) or not run.mine(called):
        return None
    return [renamed(run.span(called), called.attr, name)]


def _usable(run: Run) -> list[str]:
    plugins = (("asyncio", "pytest-asyncio"), ("anyio", "anyio"))
    return [name for name, package in plugins if run.engine.project.plugin(package) is not False]


def _marks_in_file(run: Run) -> list[Mark]:
    world, module = run.engine.world, run.module
    marks = list(module_marks(world, module))
    for statement in module.body:
        for node in (statement, *getattr(statement, "body", ())):
            if isinstance(node, (Definition, ast.ClassDef)):
                marks += decorators(world, module, node.decorator_list, "function")
    return marks


def _neighbours(run: Run) -> list[str]:
    texts = run.engine.project.neighbours(run.path, _NEIGHBOURS)
    return [match[1].decode() for text in texts for match in _MARK.finditer(text)]


def _target(run: Run) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef:
    """What gets the mark: the class where this file marks its other classes, else the test."""
    if run.cls is None:
        return run.node
    world, module = run.engine.world, run.module
    classes = [node for node in module.body if isinstance(node, ast.ClassDef)]

    def marked(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
        return any(mark.name in {"asyncio", "anyio"} for mark in decorators(world, module, node.decorator_list, ""))

    members = [member for node in classes for member in node.body if isinstance(member, Definition)]
    by_class = any(marked(node) for node in classes) and not any(marked(member) for member in members)
    own = [member for member in run.cls.node.body if isinstance(member, Definition)]
    all_async = all(isinstance(member, ast.AsyncFunctionDef) or not member.name.startswith("test") for member in own)
    return run.cls.node if by_class and all_async and run.cls.node in classes else run.node
