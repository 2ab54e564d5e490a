"""Who runs an async test: pytest-asyncio, anyio, unittest, or nobody."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from awaitest.engine.alterations import altered
from awaitest.engine.decorators import Shape, is_mark, leaves_class, shape
from awaitest.engine.fixtures import Fixture, Fixtures, Seeker, requested
from awaitest.engine.marks import Mark, marks_of
from awaitest.engine.values import ClassInfo, FunctionInfo
from awaitest.engine.world import Definition, World
from awaitest.source.nodes import parts_of

if TYPE_CHECKING:
    from awaitest.project.workspace import Project


class Reason(Enum):
    """Why nobody runs an async test."""

    NO_MARKER = "no marker"
    PLUGIN_ABSENT = "the marker's plugin is not installed"
    PLUGIN_BLOCKED = "the marker's plugin is switched off"
    TESTCASE = "unittest.TestCase does not await"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`by` names who runs the test; None with a reason: nobody does; None without: it cannot be told."""

    by: str | None = None
    reason: Reason | None = None
    marker: str = ""
    why: str = ""

    @property
    def certain_not_run(self) -> bool:
        return self.reason is not None


UNSURE = Verdict()
_CASE_HOOKS = (
    "run", "__call__", "_callTestMethod", "__init__", "__new__", "__init_subclass__", "__getattribute__", "debug",
)  # fmt: skip
_RUNNING_MARKS = {"asyncio": "pytest-asyncio", "anyio": "anyio"}
_FOREIGN_MARKS = frozenset(
    {"trio", "twisted", "gen_test", "curio", "tornado", "asyncio_cooperative", "sanic", "inlineCallbacks"}
)

BACKENDS = frozenset({"anyio_backend", "anyio_backend_name", "anyio_backend_options"})
"""The fixture that has anyio run a test, and those of its plugin that ask for it."""
_HARMLESS_MARKS = frozenset({"skip", "skipif", "xfail", "filterwarnings", "parametrize"})


def in_testcase(world: World, cls: ClassInfo) -> bool | None:
    """Whether a class is a unittest.TestCase that does not await its methods; None where it cannot be told."""
    bases, complete = world.mro(cls)
    names = [base.node.name for base in bases if base.package == "unittest"]
    if "TestCase" not in names:
        return False if complete else None
    if "IsolatedAsyncioTestCase" in names:
        return False
    own = [base for base in bases if base.package != "unittest"]
    touched = any(world_class_defines(base, hook) for base in own for hook in _CASE_HOOKS)
    decorated = not all(leaves_class(world, base, node) for base in own for node in base.node.decorator_list)
    return True if complete and not touched and not decorated else None


def is_isolated(world: World, cls: ClassInfo) -> bool:
    return any(base.package == "unittest" and base.node.name == "IsolatedAsyncioTestCase" for base in world.mro(cls)[0])


def world_class_defines(cls: ClassInfo, name: str) -> bool:
    return any(isinstance(node, Definition) and node.name == name for node in cls.node.body)


def _seeker(function: FunctionInfo, cls: ClassInfo | None) -> Seeker:
    return Seeker(cls.module if cls is not None else function.module, cls)


def _brings_marks(node: ast.expr) -> bool:
    """Whether a parameter set may bring a mark that makes somebody run the test."""
    given = [part.value for part in parts_of(node) if isinstance(part, ast.keyword) and part.arg == "marks"]
    each = [item for value in given for item in (value.elts if isinstance(value, (ast.List, ast.Tuple)) else [value])]
    return not all(_is_harmless(item.func if isinstance(item, ast.Call) else item) for item in each)


def _is_harmless(mark: ast.expr) -> bool:
    """Whether a mark, as written, has nothing to do with who runs a test."""
    return is_mark(mark) and isinstance(mark, ast.Attribute) and mark.attr in _HARMLESS_MARKS


class Runner:
    """Judges the async tests of one project."""

    def __init__(self, world: World, fixtures: Fixtures, project: Project) -> None:
        self._world = world
        self._fixtures = fixtures
        self._project = project

    def verdict(self, function: FunctionInfo, cls: ClassInfo | None) -> Verdict:
        """Who runs this async test."""
        node = function.node
        assert not isinstance(node, ast.Lambda)
        if cls is not None:
            case = in_testcase(self._world, cls)
            if case and shape(self._world, function) is Shape.AS_WRITTEN:
                return Verdict(reason=Reason.TESTCASE)
            if case is not False:
                return UNSURE
            if is_isolated(self._world, cls):
                return Verdict(by="unittest", why=f"{cls.node.name} is an IsolatedAsyncioTestCase")
        marks = marks_of(self._world, function, cls)
        running, mode = self._by_marks(marks), self._by_mode()
        if running.by is not None and (running.by, mode.by) != ("anyio", "pytest-asyncio"):
            return running
        if mode.by is not None:
            return mode
        if self.asks_backend(function, cls, marks):
            return Verdict(by="anyio", why="its fixtures ask for anyio_backend")
        if self._unsure(function, cls, marks):
            return UNSURE
        return running if running.reason is not None else Verdict(reason=Reason.NO_MARKER)

    def _by_marks(self, marks: list[Mark]) -> Verdict:
        denied = UNSURE
        for mark in marks:
            package = _RUNNING_MARKS.get(mark.name or "")
            if package is None:
                continue
            plugin = self._project.plugin(package)
            if plugin is True:
                return Verdict(by=package, marker=mark.name or "", why=f"the {mark.name} mark")
            if plugin is None:
                return Verdict(
                    by=package, marker=mark.name or "", why=f"the {mark.name} mark, if {package} is installed"
                )
            blocked = self._project.blocked(package)
            denied = Verdict(reason=Reason.PLUGIN_BLOCKED if blocked else Reason.PLUGIN_ABSENT, marker=mark.name or "")
        return denied

    def _by_mode(self) -> Verdict:
        config = self._project.config
        if config.asyncio_mode == "auto" and self._project.plugin("pytest-asyncio") is not False:
            return Verdict(by="pytest-asyncio", why="asyncio_mode is auto")
        if config.anyio_mode == "auto" and self._project.plugin("anyio") is not False:
            return Verdict(by="anyio", why="anyio_mode is auto")
        return UNSURE

    def asks_backend(self, function: FunctionInfo, cls: ClassInfo | None, marks: list[Mark]) -> bool:
        """Whether the test or one of its fixtures asks for `anyio_backend`: then anyio runs the async ones."""
        return self.brings_backend(self.wanted(function, cls, marks), _seeker(function, cls))

    def brings_backend(self, names: list[str], seeker: Seeker) -> bool:
        """Whether fixtures of these names, or those that run unasked, ask for `anyio_backend`."""
        if self._project.plugin("anyio") is False:
            return False
        return not BACKENDS.isdisjoint(self._fixtures.closure(names, seeker))

    def may_use_anyio(self, function: FunctionInfo, cls: ClassInfo | None) -> bool:
        """Whether anyio may run the async fixtures of a test, be it async or not."""
        marks = marks_of(self._world, function, cls)
        marked = any(mark.name == "anyio" for mark in marks)
        return marked or self.asks_backend(function, cls, marks) or self._unsure(function, cls, marks)

    def wanted(self, function: FunctionInfo, cls: ClassInfo | None, marks: list[Mark]) -> list[str]:
        """The fixtures a test asks for, by parameters and `usefixtures`."""
        node = function.node
        assert not isinstance(node, ast.Lambda)
        names = requested(node, cls is not None)
        for mark in marks:
            if mark.name == "usefixtures":
                names += [
                    item.value
                    for item in mark.arguments
                    if isinstance(item, ast.Constant) and isinstance(item.value, str)
                ]
        return names

    def needed(self, function: FunctionInfo, cls: ClassInfo | None) -> dict[str, Fixture | None]:
        """All fixtures that a test gets, by name; None where not found."""
        wanted = self.wanted(function, cls, marks_of(self._world, function, cls))
        return self._fixtures.closure(wanted, _seeker(function, cls))

    def _unsure(self, function: FunctionInfo, cls: ClassInfo | None, marks: list[Mark]) -> bool:
        config = self._project.config
        if config.asyncio_mode is None or config.anyio_mode is None:
            return True
        if any(mark.name is None or mark.name in _FOREIGN_MARKS for mark in marks):
            return True
        if self._marked_by_parameter(function, cls, marks):
            return True
        if shape(self._world, function) is not Shape.AS_WRITTEN or altered(self._world, function, cls):
            return True
        return self._project.runs_async_otherwise(function.module)

    def _marked_by_parameter(self, function: FunctionInfo, cls: ClassInfo | None, marks: list[Mark]) -> bool:
        """Whether a parameter set brings marks of its own: `pytest.param(…, marks=…)`."""
        if any(mark.name == "parametrize" and _brings_marks(mark.node) for mark in marks):
            return True
        needed = self._fixtures.closure(self.wanted(function, cls, marks), _seeker(function, cls))
        return any(
            fixture is not None and fixture.parametrised and _brings_marks(fixture.decorator)
            for fixture in needed.values()
        )

    def handles(self, fixture: Fixture, test: Verdict | None) -> bool | None:
        """Whether somebody runs this async fixture, for a test with this verdict (None: for a plain test)."""
        config = self._project.config
        if fixture.flavour == "pytest_asyncio":
            return True
        if not fixture.certain or shape(self._world, fixture.function) is not Shape.AS_WRITTEN:
            return None
        if fixture.flavour != "pytest" or config.asyncio_mode is None or config.anyio_mode is None:
            return None
        if config.asyncio_mode == "auto" and self._project.plugin("pytest-asyncio") is not False:
            return True
        if test is not None and test.by == "anyio":
            return True
        if test is not None and test.by is None and test.reason is None:
            return None
        return None if self._project.runs_async_otherwise(fixture.module) else False
