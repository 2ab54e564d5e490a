"""Which tests get a fixture: they ask for it themselves, through other fixtures, or inherit from who does."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaitest.engine.fixtures import Fixture, Seeker
from awaitest.engine.marks import marks_of
from awaitest.engine.values import ClassInfo, FunctionInfo
from awaitest.engine.world import Definition, World
from awaitest.source.nodes import parts_of

if TYPE_CHECKING:
    from awaitest.engine.analysis import Engine
    from awaitest.engine.run import Run
    from awaitest.project.modules import Module

Test = tuple[FunctionInfo, ClassInfo | None]


class Getters:
    """The search for all that gets a fixture."""

    def __init__(self, run: Run, fixture: Fixture) -> None:
        run.asks_others = True
        path, root = fixture.module.path, run.engine.project.config.rootdir
        self._engine = run.engine
        self._home = fixture.module
        self._folder = path.parent if path is not None and path.name == "conftest.py" else root
        self.fixtures = {id(fixture.node): fixture}
        """The fixture, and those that were found to ask for it."""
        self._words = {fixture.name: None}

    def tests(self) -> Iterator[Test | None]:
        """The tests; None for what cannot be named."""
        done: set[str] = set()
        while word := next((it for it in self._words if it not in done), None):
            done.add(word)
            for module in (self._home, *self._engine.project.modules_mentioning(word.encode(), self._folder)):
                for function, cls in _functions(self._engine.world, module, module.body):
                    yield from self._met(function, cls)
        if any(it.autouse for it in self.fixtures.values()):
            yield None

    def any(self) -> bool:
        """Whether a test or another fixture gets the fixture, or may."""
        return any(True for _ in self.tests()) or len(self.fixtures) > 1

    def _met(self, function: FunctionInfo, cls: ClassInfo | None) -> Iterator[Test | None]:
        """A function: a test that gets the fixture, or one that hands it on."""
        node, engine = function.node, self._engine
        assert not isinstance(node, ast.Lambda)
        module = cls.module if cls is not None else function.module
        fixture = engine.fixtures.made_by(function.module, node, function.owner)
        is_test = fixture is None and engine.is_test(module, node, cls)
        marks = marks_of(engine.world, function, cls) if is_test else []
        named = {part.value for part in parts_of(node) if isinstance(part, ast.Constant)}
        asked = named.union(engine.runner.wanted(function, cls, marks))
        if not any(self._is_meant(name, Seeker(module, cls), fixture) for name in self._words if name in asked):
            return
        if function.owner is not None:
            self._words[function.owner.node.name] = None
        if fixture is not None:
            self.fixtures[id(fixture.node)] = fixture
            self._words[fixture.name] = None
        elif is_test:
            yield function, cls
        elif not named.isdisjoint(self._words):
            yield None

    def _is_meant(self, name: str, seeker: Seeker, asking: Fixture | None) -> bool:
        """Whether a name may mean one of the fixtures here."""
        found = self._engine.fixtures.find(name, seeker, asking if asking is not None and asking.name == name else None)
        return found is None or id(found.node) in self.fixtures


def gotten(engine: Engine, tests: Iterable[Test | None]) -> frozenset[int] | None:
    """The definitions, by id, of all fixtures that tests get; None where one of them may get others too."""
    found: set[int] = set()
    for test in tests:
        fixtures = engine.runner.needed(*test).values() if test is not None else ()
        nodes = [test[0].node if test is not None else None, *(it.node for it in fixtures if it is not None)]
        if any(node is None or _asks_while_running(node) for node in nodes):
            return None
        found |= set(map(id, nodes))
    return frozenset(found)


def _asks_while_running(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Attribute) and part.attr == "getfixturevalue" for part in parts_of(node))


def _functions(world: World, module: Module, body: list[ast.stmt]) -> Iterator[tuple[FunctionInfo, ClassInfo | None]]:
    """The functions of a module, and the methods that its classes have or inherit."""
    for statement in body:
        if isinstance(statement, Definition):
            yield world.function_info(module, statement), None
        elif isinstance(statement, ast.ClassDef):
            cls = world.class_info(module, statement)
            for owner in world.mro(cls)[0]:
                methods = (node for node in owner.node.body if isinstance(node, Definition))
                yield from ((world.function_info(owner.module, node, owner), cls) for node in methods)
            yield from _functions(world, module, [it for it in statement.body if isinstance(it, ast.ClassDef)])
