"""Walks everything in a file: tests, fixtures, helpers, nested functions and the module's top level."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaitest.engine.expecting import called_name
from awaitest.engine.fixtures import Fixtures, requested
from awaitest.engine.parametrize import passed_on, set_by_marks
from awaitest.engine.patches import patching
from awaitest.engine.reader import SilentReader, parameters
from awaitest.engine.run import FIXTURE, HELPER, MODULE, NESTED, TEST, Run
from awaitest.engine.runner import Runner
from awaitest.engine.sheet import Sheet
from awaitest.engine.steps import Called, Received
from awaitest.engine.values import UNKNOWN, ClassInfo, FunctionValue, Instance, Value
from awaitest.engine.walk import Walk
from awaitest.engine.world import Definition, World, statements_binding
from awaitest.source.document import Document
from awaitest.source.nodes import of_kind

if TYPE_CHECKING:
    from awaitest.project.modules import Module
    from awaitest.project.workspace import Project
    from awaitest.source.document import Segment

    _Place = tuple[ClassInfo | None, ast.FunctionDef | ast.AsyncFunctionDef]


_RENEWED_AFTER = 200
"""Modules that were dropped: what others know of them by their values is never asked for again, but stays."""


class Engine:
    """The engine over one project."""

    def __init__(self, project: Project, reader: SilentReader | None = None) -> None:
        """`reader`: one that knows modules of the project already."""
        self.project = project
        self._reader = reader or SilentReader(World(project.resolver))
        self.world = self._reader.world
        self.fixtures = self._reader.fixtures = Fixtures(self.world, project)
        self.runner = Runner(self.world, self.fixtures, project)
        self._replaced: dict[int, frozenset[str]] = {}
        self.watched = False
        """Whether runs keep the state after each step."""

    def without(self, module: Module) -> Engine:
        """The engine once a module is gone that no other asked for: what was concluded of the others stays."""
        of_tests = module.path is not None and self.project.config.collects_file(module.path)
        if self.world.dropped >= _RENEWED_AFTER or (self._reader.rests_on_fixtures and not of_tests):
            return Engine(self.project)
        self.world.drop(module)
        return Engine(self.project, self._reader)

    def runs(self, module: Module) -> list[Run]:
        """Every function of a file, walked, in the order of the text; the top level last."""
        return self.sheet(module).runs

    def sheet(self, module: Module) -> Sheet:
        """The walked functions of a file."""
        document = module.document or Document("")
        found: dict[Segment | None, list[Run]] = {
            segment: self.inside(module, segment) for segment in document.segments
        }
        found[None] = list(self._top_level(module))
        return Sheet(document, found)

    def watch(self, module: Module, segment: Segment) -> list[Run]:
        """The functions of one segment, walked with the state kept after each step."""
        self.watched = True
        try:
            inside = self.inside(module, segment)
        finally:
            self.watched = False
        return Sheet(module.document or Document(""), {segment: inside}).runs

    def inside(self, module: Module, segment: Segment) -> list[Run]:
        """The functions that stand in a segment, walked."""
        document = module.document or Document("")
        if segment.owner is None:
            found = [place for statement in segment.statements for place in self._definitions(module, statement, None)]
        else:
            whole = segment.owner.statements
            cls = self.world.class_info(module, whole[0]) if whole and isinstance(whole[0], ast.ClassDef) else None
            found = [place for member in segment.body for place in self._definitions(module, member, cls)]
        return [
            run
            for cls, node in found
            if document.segment_of(node) is segment
            for run in self._run(module, node, cls, segment)
        ]

    def _definitions(self, module: Module, node: ast.stmt, cls: ClassInfo | None) -> Iterator[_Place]:
        """A function, or the methods of a class and of the classes in it."""
        if isinstance(node, Definition):
            yield cls, node
        elif isinstance(node, ast.ClassDef):
            inner = self.world.class_info(module, node)
            for member in node.body:
                yield from self._definitions(module, member, inner)

    def _run(
        self, module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef, cls: ClassInfo | None, segment: Segment
    ) -> Iterator[Run]:
        function = self.world.function_info(module, node, cls)
        fixture = self.fixtures.made_by(module, node, cls)
        kind = FIXTURE if fixture is not None else TEST if self.is_test(module, node, cls) else HELPER
        run = Run(self, module, kind, function, cls, segment)
        run.fixture = fixture
        names = parameters(self.world, function)
        if cls is not None and "self" in names:
            names["self"] = frozenset({Instance(cls)})
        received: list[Received] = []
        if kind is not HELPER:
            wanted = requested(node, cls is not None)
            given = self.fixtures.values_for(wanted, run.seeker, fixture)
            set_by_mark = set_by_marks(self.world, run.marks, wanted)
            names |= given | set_by_mark | self._passed_on(run, wanted)
            for name in wanted:
                if name in set_by_mark:
                    continue
                source = self.fixtures.find(
                    name, run.seeker, fixture if fixture is not None and fixture.name == name else None
                )
                if source is not None:
                    received.append(Received(node=_parameter(node, name), name=name, fixture=source, value=names[name]))
        yield from self._walk(run, node, names, received)

    def _passed_on(self, run: Run, wanted: list[str]) -> dict[str, Value]:
        """The fixtures that get from marks what their decorators give them otherwise."""
        names = {
            name: self.fixtures.find(name, run.seeker) for name in passed_on(self.world, run.marks) if name in wanted
        }
        return {name: UNKNOWN for name, fixture in names.items() if fixture is not None and fixture.parametrised}

    def _walk(
        self, run: Run, node: ast.FunctionDef | ast.AsyncFunctionDef, names: dict[str, Value], received: list[Received]
    ) -> Iterator[Run]:
        assert run.function is not None
        walk = Walk(
            self.world, run.module, node, names, run.function.closure,
            is_test=run.kind == TEST, returns=node.returns, is_async=run.is_async,
        )  # fmt: skip
        walk.watched = self.watched
        walk.patched = self._patched(run)
        walk.expected += any(mark.name == "xfail" for mark in run.marks) or _called_to_fail(run)
        walk.run()
        run.snapshots = walk.snapshots
        run.tracked = [name for name in walk.bind_order if not name.startswith("self.")]
        run.steps = [*received, *walk.steps]
        run.begin()
        yield run
        yield from self._nested(run, walk)

    def _patched(self, run: Run) -> frozenset[str]:
        """What the function replaces, or its fixtures, class, module and conftests do for it."""
        own = patching(self.world, run.module, run.node)
        if run.parent is not None:
            return self._patched(run.parent) | own if run.parent.function is not None else own
        found = [own, self._patched_around(run.module)]
        if run.kind != HELPER and run.function is not None:
            wanted = [*self.runner.wanted(run.function, run.cls, run.marks), *_asked_later(run.node)]
            for fixture in filter(None, self.fixtures.closure(wanted, run.seeker).values()):
                found.append(patching(self.world, fixture.function.module, fixture.node))
        if run.cls is not None:
            nodes = [*run.cls.node.decorator_list, *(node for node in run.cls.node.body if _sets_up(node))]
            found += [patching(self.world, run.module, node) for node in nodes]
        return frozenset().union(*found)

    def _patched_around(self, module: Module) -> frozenset[str]:
        """What a module and its conftests replace at their top level, in functions that set them up and in hooks."""
        if id(module) not in self._replaced:
            nodes = [
                (other, node)
                for other in self.project.surroundings(module)
                if other.document is not None
                for node in other.body
                if _is_run_first(node)
            ]
            self._replaced[id(module)] = frozenset().union(*(patching(self.world, it, node) for it, node in nodes))
        return self._replaced[id(module)]

    def _nested(self, run: Run, walk: Walk) -> Iterator[Run]:
        for function in walk.nested:
            node = function.node
            if not isinstance(node, ast.Lambda):
                inner = Run(self, run.module, NESTED, function, None, run.segment, run)
                yield from self._walk(inner, node, parameters(self.world, function), [])

    def _top_level(self, module: Module) -> Iterator[Run]:
        body = [node for node in module.body if not isinstance(node, (Definition, ast.ClassDef))]
        run = Run(self, module, MODULE, None, None, None)
        walk = Walk(self.world, module, ast.Module(body, []), {})
        walk.bound_names = frozenset()
        walk.run()
        run.steps = walk.steps
        run.begin()
        yield run
        yield from self._nested(run, walk)

    def is_test(self, module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef, cls: ClassInfo | None) -> bool:
        """Whether pytest collects this function."""
        config = self.project.config
        if module.path is None or not config.collects_file(module.path):
            return False
        if cls is None:
            return config.collects_function(node.name)
        if any(base.package == "unittest" for base in self.world.mro(cls)[0]):
            return node.name.startswith("test")
        made = [
            base
            for base in self.world.mro(cls)[0]
            if base.package != "unittest" and statements_binding(base.node.body, "__init__")
        ]
        named = all(config.collects_class(nested.node.name) for nested in (cls, *self.world.enclosing(cls)))
        return named and not made and config.collects_function(node.name)


def _asked_later(node: ast.AST) -> list[str]:
    """The fixtures that a function asks for by their names while it runs."""
    calls = (call for call in of_kind(node, ast.Call) if called_name(call) == "getfixturevalue")
    names = (it.value for call in calls for it in call.args if isinstance(it, ast.Constant))
    return [it for it in names if isinstance(it, str)]


def _is_run_first(node: ast.stmt) -> bool:
    """Whether a statement of a module or conftest runs before tests, or a function in it does."""
    if isinstance(node, Definition):
        return node.name.startswith(("setup_", "setUpModule", "pytest_"))
    return not isinstance(node, ast.ClassDef)


def _sets_up(node: ast.stmt) -> bool:
    return isinstance(node, Definition) and node.name.lower().startswith(("setup", "asyncsetup", "setup_"))


def _parameter(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> ast.AST:
    arguments = node.args
    return next(
        (item for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs) if item.arg == name), node
    )


def _called_to_fail(run: Run) -> bool:
    """Whether the function around a nested one calls it where an error is expected."""
    calls = (step for step in run.parent.steps if isinstance(step, Called) and step.expected) if run.parent else ()
    return any(
        isinstance(kind, FunctionValue) and kind.function is run.function for step in calls for kind in step.target
    )
