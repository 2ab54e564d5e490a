"""Reports an async test that pytest does not take for one, because of its name.

Finds, in files that pytest takes for tests, async functions with a marker that runs tests, and classes with async
`test…` methods, whose name is none that pytest collects and that nothing else mentions.

Why: pytest collects by names alone: functions by `python_functions` (`test…`), classes by `python_classes`
(`Test…`). What it does not collect does not run, and no report says so.

Bad:
    import pytest

    @pytest.mark.asyncio
    async def check_login():
        assert 1 + 1 == 3

Good:
    import pytest

    @pytest.mark.asyncio
    async def test_check_login():
        assert 1 + 1 == 2

Ignore: When something outside of the project calls it, or inherits from it.

Fix: Unsafe. Gives it a name that pytest collects by default: a test that never ran may fail.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.alterations import goes_through
from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.repair import fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import HELPER, Run
from awaitest.engine.runner import in_testcase
from awaitest.engine.steps import Collected
from awaitest.engine.values import ClassInfo
from awaitest.engine.world import Definition, statements_binding
from awaitest.source.nodes import parts_of
from awaitest.source.text import Edit, Span

RULE = Rule("AWT219", "async-test-not-collected", Severity.WARNING)

_RUNNING = frozenset({"asyncio", "anyio"})
_DEFAULT = {"python_functions": ("test",), "python_classes": ("Test",)}


def check(step: Collected, run: Run) -> Iterator[Finding]:
    """A function that is no test, though it reads as one."""
    config = run.engine.project.config
    if run.kind != HELPER or not run.is_async or not config.collects_file(run.path):
        return
    if run.cls is not None:
        yield from _of_class(run, run.cls)
        return
    marks = [mark.name for mark in run.marks if mark.where == "function"]
    marked = not _RUNNING.isdisjoint(marks) and len(marks) == len(run.node.decorator_list)
    if marked and not config.collects_function(run.node.name) and _is_forgotten(run, run.node.name):
        yield _finding(run, "python_functions", run.node, f"test_{run.node.name}")


def _of_class(run: Run, cls: ClassInfo) -> Iterator[Finding]:
    """The class of a function that is the first async test in it."""
    config, world = run.engine.project.config, run.engine.world
    tests = (it for it in cls.node.body if isinstance(it, ast.AsyncFunctionDef) and config.collects_function(it.name))
    if next(tests, None) is not run.node or config.collects_class(cls.node.name) or world.enclosing(cls):
        return
    chosen = bool(statements_binding(cls.node.body, "__test__"))
    if not chosen and in_testcase(world, cls) is False and _is_forgotten(run, cls.node.name):
        bare = cls.node.name.removesuffix("Tests").removesuffix("Test")
        yield _finding(run, "python_classes", cls.node, f"Test{bare}")


def _is_forgotten(run: Run, name: str) -> bool:
    """Whether nothing in the project mentions a name beside its definition, goes through all names of the module, or collects in
    its own way."""
    project = run.engine.project
    others = project.modules_mentioning(run.path.stem.encode(), project.config.rootdir)
    if goes_through(run.module, own=True) or any(goes_through(it, own=False) for it in others if it is not run.module):
        return False
    if any(True for _ in project.modules_mentioning(b"pytest_pycollect_makeitem", project.config.rootdir)):
        return False
    modules = project.modules_mentioning(name.encode(), project.config.rootdir)
    return not any(_mentions(part, name) for module in modules for node in module.body for part in parts_of(node))


def _mentions(part: ast.AST, name: str) -> bool:
    text = part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else ""
    names = (part.name, part.asname) if isinstance(part, ast.alias) else ()
    return name in text or name in (getattr(part, "id", None), getattr(part, "attr", None), *names)


def _finding(run: Run, option: str, node: Definition | ast.ClassDef, better: str) -> Finding:
    patterns = getattr(run.engine.project.config, option)
    message = f"pytest does not collect `{node.name}`, so that it never runs: `{option}` is `{' '.join(patterns)}`. "
    message += f"Name it `{better}`." if patterns == _DEFAULT[option] else "Give it such a name."

    def place() -> Span:
        return run.document.segment_of(node).name_span(node)

    def repair() -> Fix | None:
        usable = patterns == _DEFAULT[option] and better not in run.module.bound
        return fix(run, f"Name it `{better}`", [Edit(place(), better)], safe=False) if usable else None

    return Finding(place, message, repair)
