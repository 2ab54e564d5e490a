"""Fixtures as pytest sees them: which one a name means here, and what it hands out."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from awaitest.engine.annotations import declared
from awaitest.engine.parametrize import requested_by
from awaitest.engine.reader import parameters
from awaitest.engine.syntax import generates
from awaitest.engine.values import (
    UNKNOWN,
    AsyncIterator,
    ClassInfo,
    FunctionInfo,
    FunctionValue,
    Instance,
    Kind,
    Value,
    join,
    known,
    plain,
)
from awaitest.engine.values import Iterator as PlainIterator
from awaitest.engine.walk import Walk
from awaitest.engine.world import Definition, World, statements_binding
from awaitest.project.resolve import Found
from awaitest.source.nodes import parts_of, spelt

if TYPE_CHECKING:
    from awaitest.project.modules import Module
    from awaitest.project.workspace import Project

_DEEPEST = 12
_HOOK = "pytest_generate_tests"
_ITERATION = ("__iter__", "__next__", "__aiter__", "__anext__")


@dataclass(frozen=True, slots=True, eq=False)
class Fixture:
    """One fixture definition."""

    name: str
    function: FunctionInfo
    decorator: ast.expr
    flavour: str
    """The package whose decorator made it: "pytest" or "pytest_asyncio"."""
    scope: str
    loop_scope: str | None
    autouse: bool
    parametrised: bool
    certain: bool = True
    """Whether no other branch of its module gives the name to something else."""

    @property
    def node(self) -> ast.FunctionDef | ast.AsyncFunctionDef:
        assert not isinstance(self.function.node, ast.Lambda)
        return self.function.node

    @property
    def module(self) -> Module:
        return self.function.module

    @property
    def is_async(self) -> bool:
        return self.function.is_async

    @property
    def requests(self) -> list[str]:
        """Names of the fixtures it asks for."""
        return requested(self.node, self.function.owner is not None)


@dataclass(frozen=True, slots=True)
class Seeker:
    """Who asks for a fixture: a test or fixture in a module, perhaps in a class."""

    module: Module
    cls: ClassInfo | None = None


class Fixtures:
    """All fixtures of one project."""

    def __init__(self, world: World, project: Project) -> None:
        self._world = world
        self._project = project
        self._of_module: dict[int, dict[str, Fixture]] = {}
        self._of_class: dict[int, dict[str, Fixture]] = {}
        self._values: dict[tuple[int, int, int], Value] = {}
        self._active: set[int] = set()
        self._chains: dict[int, list[dict[str, Fixture]]] = {}
        self._hooked: dict[int, dict[str, bool]] = {}

    # -- finding -----------------------------------------------------------------------------------------------------

    def made_by(
        self, module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef, owner: ClassInfo | None = None
    ) -> Fixture | None:
        """The fixture a definition makes, or None."""
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if not isinstance(called, (ast.Name, ast.Attribute)):
                continue
            flavour = self._flavour(module, called)
            if flavour is not None:
                return _fixture(self._world.function_info(module, node, owner), decorator, flavour)
        return None

    def _flavour(self, module: Module, called: ast.Name | ast.Attribute) -> str | None:
        last = called.attr if isinstance(called, ast.Attribute) else called.id
        if last in {"staticmethod", "property", "asynccontextmanager", "contextmanager"} or "mark" in spelt(
            called
        ).split("."):
            return None
        for kind in self._world.reader.expression(module, called):
            if isinstance(kind, FunctionValue) and kind.function.name in {"fixture", "yield_fixture"}:
                package = kind.function.module.name.partition(".")[0].lstrip("_")
                if package in {"pytest", "pytest_asyncio", "pytest_trio"}:
                    return package
        return None

    def of_module(self, module: Module) -> dict[str, Fixture]:
        """Fixtures that a module defines or imports, by fixture name."""
        known_ones = self._of_module.get(id(module))
        if known_ones is None:
            known_ones = self._of_module[id(module)] = {}
            known_ones.update(self._collect(module))
        return known_ones

    def _collect(self, module: Module) -> dict[str, Fixture]:
        found: dict[str, Fixture] = {}
        for star in module.star_imports:
            origin = self._world.resolver.star_module(module, star)
            if origin is not None and origin.origin == "project":
                found.update(self.of_module(origin))
        for name in module.bound:
            fixture = self._bound_to(module, name)
            if fixture is not None:
                found[fixture.name] = fixture
        return found

    def _bound_to(self, module: Module, name: str) -> Fixture | None:
        """The fixture that a name of a module stands for; the first of several where branches part."""
        if not module.may_be_function(name):
            return None
        held = module.held(name)
        if len(held) > 1:
            made = (self.made_by(module, node) for node in held if isinstance(node, Definition))
            fixture = next((fixture for fixture in made if fixture is not None), None)
            return replace(fixture, certain=False) if fixture is not None else None
        found = self._world.resolver.lookup(module, name)
        if not isinstance(found, Found) or not isinstance(found.node, Definition):
            return None
        fixture = self.made_by(found.module, found.node)
        if fixture is not None and fixture.name == fixture.function.name != name:
            return replace(fixture, name=name)
        return fixture

    def of_class(self, cls: ClassInfo) -> dict[str, Fixture]:
        """Fixtures among the methods of a class and its bases."""
        known_ones = self._of_class.get(id(cls.node))
        if known_ones is None:
            known_ones = self._of_class[id(cls.node)] = {}
            for owner in reversed(self._world.mro(cls)[0]):
                for node in owner.node.body:
                    fixture = self.made_by(owner.module, node, owner) if isinstance(node, Definition) else None
                    if fixture is not None:
                        known_ones[fixture.name] = fixture
        return known_ones

    def chain(self, seeker: Seeker) -> list[dict[str, Fixture]]:
        """Layers of visible fixtures, nearest first."""
        outer = self._chains.get(id(seeker.module))
        if outer is None:
            outer = [self.of_module(module) for module in self._project.surroundings(seeker.module)]
            self._chains[id(seeker.module)] = outer
        if seeker.cls is None:
            return outer
        return [*(self.of_class(cls) for cls in (seeker.cls, *self._world.enclosing(seeker.cls))), *outer]

    def find(self, name: str, seeker: Seeker, beyond: Fixture | None = None) -> Fixture | None:
        """The nearest fixture of a name; the next one up where `beyond` itself asks for its own name."""
        passed = beyond is None
        for layer in self.chain(seeker):
            fixture = layer.get(name)
            if fixture is None:
                continue
            if passed:
                return fixture
            passed = beyond is not None and fixture.node is beyond.node
        return None

    def of_plugins(self, name: str) -> Fixture | None:
        """The fixture of a name that installed plugins bring, seen where no other is; None where several do."""
        modules = self._project.plugins_mentioning(name)
        found = [fixture for module in modules if (fixture := self.of_module(module).get(name)) is not None]
        return found[0] if len(found) == 1 else None

    def _given_by_hook(self, name: str, seeker: Seeker, passed_on: bool = False) -> bool:
        """Whether a `pytest_generate_tests` in sight may put values in the place of a fixture, or pass them on to it."""
        outer = self._hooked.get(id(seeker.module))
        if outer is None:
            modules = self._project.surroundings(seeker.module)
            outer = self._hooked[id(seeker.module)] = _named_by(
                hook for module in modules for hook in module.bound.get(_HOOK, ())
            )
        own = _named_by(statements_binding(seeker.cls.node.body, _HOOK)) if seeker.cls is not None else {}
        return any(named.get(name, False) or (passed_on and name in named) for named in (outer, own))

    def autouse(self, seeker: Seeker) -> Iterator[Fixture]:
        """Every visible fixture that runs unasked."""
        seen: set[str] = set()
        for layer in self.chain(seeker):
            for name, fixture in layer.items():
                if name not in seen:
                    seen.add(name)
                    if fixture.autouse:
                        yield fixture

    def closure(self, names: list[str], seeker: Seeker) -> dict[str, Fixture | None]:
        """All fixtures a test needs, asked for directly or by other fixtures, by name; None where not found."""
        found: dict[str, Fixture | None] = {}
        queue: list[tuple[str, Fixture | None]] = [(name, None) for name in (*self._project.config.usefixtures, *names)]
        queue += [(fixture.name, None) for fixture in self.autouse(seeker)]
        while queue:
            name, beyond = queue.pop(0)
            if name in found and beyond is None:
                continue
            fixture = self.find(name, seeker, beyond)
            if beyond is None or name not in found:
                found[name] = fixture
            if fixture is not None and fixture is not beyond:
                queue += [
                    (wanted, fixture if wanted == fixture.name else None)
                    for wanted in fixture.requests
                    if wanted != "request"
                ]
        return found

    # -- values ------------------------------------------------------------------------------------------------------

    def value(self, fixture: Fixture, seeker: Seeker) -> Value:
        """What the fixture hands to whoever asks for it."""
        if not fixture.certain:
            return UNKNOWN
        cls = seeker.cls
        key = (id(fixture.node), id(seeker.module), id(cls.node) if cls is not None else 0)
        if key not in self._values:
            if id(fixture.node) in self._active or len(self._active) >= _DEEPEST:
                return UNKNOWN
            self._active.add(id(fixture.node))
            try:
                self._values[key] = self._handed_out(fixture, seeker)
            finally:
                self._active.discard(id(fixture.node))
        return self._values[key]

    def _handed_out(self, fixture: Fixture, seeker: Seeker) -> Value:
        node, function = fixture.node, fixture.function
        names = parameters(self._world, function)
        names |= self.values_for(fixture.requests, seeker, fixture)
        if seeker.cls is not None and function.owner is not None:
            names["self"] = frozenset({Instance(seeker.cls)})
        walk = Walk(self._world, function.module, node, names)
        walk.run()
        results = walk.yielded if generates(node) else walk.given
        value = join(*results) if results else UNKNOWN
        if known(value):
            return value
        promised = declared(self._world, function.module, node.returns)
        if generates(node):
            return join(*map(self._item, promised))
        return promised

    def _item(self, kind: Kind) -> Value:
        """What a generator fixture yields that declares this: many declare the item itself."""
        if isinstance(kind, (AsyncIterator, PlainIterator)):
            return kind.item
        is_item = isinstance(kind, Instance) and all(self._world.has(kind.cls, it) is False for it in _ITERATION)
        return frozenset({kind}) if is_item else UNKNOWN

    def values_for(self, names: list[str], seeker: Seeker, asking: Fixture | None = None) -> dict[str, Value]:
        """The values of the fixtures of these names; names without a known fixture are left out."""
        found: dict[str, Value] = {}
        for name in names:
            if name == "request":
                given = asking is None or self._given_by_hook(asking.name, seeker, passed_on=True)
                found[name] = UNKNOWN if asking is None or given else requested_by(self._world, asking)
                continue
            if self._given_by_hook(name, seeker):
                found[name] = UNKNOWN
                continue
            beyond = asking if asking is not None and asking.name == name else None
            fixture = self.find(name, seeker, beyond) or self.of_plugins(name)
            if fixture is None:
                continue
            value = self.value(fixture, seeker)
            if known(value):
                found[name] = value
        return found

    def arguments(self, function: FunctionInfo, cls: ClassInfo | None) -> dict[str, Value]:
        """What pytest passes to a fixture method or set-up method of a class."""
        node = function.node
        if isinstance(node, ast.Lambda):
            return {}
        fixture = self.made_by(function.module, node, function.owner)
        if fixture is None:
            return {}
        module = cls.module if cls is not None else function.module
        return self.values_for(fixture.requests, Seeker(module, cls), fixture)


def _named_by(hooks: Iterable[object]) -> dict[str, bool]:
    """The names in the strings of functions, and whether these do more than ask for a fixture or pass values on to it."""
    parts = [part for hook in hooks if isinstance(hook, Definition) for part in parts_of(hook)]
    harmless = {id(_asked_or_passed_on(part)) for part in parts}
    named: dict[str, bool] = {}
    for part in parts:
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            for name in map(str.strip, part.value.split(",")):
                named[name] = named.get(name, False) or id(part) not in harmless
    return named


def _asked_or_passed_on(part: ast.AST) -> ast.expr | None:
    """The names in `"x" in metafunc.fixturenames` and `metafunc.parametrize("x", …, indirect=True)`."""
    match part:
        case ast.Compare(left=names, ops=[ast.In() | ast.NotIn()]):
            return names
        case ast.Call(func=ast.Attribute(attr="parametrize"), args=[names, *_], keywords=keywords):
            is_all = any(it.arg == "indirect" and spelt(it.value) == "True" for it in keywords)
            return names if is_all else None
    return None


def requested(node: ast.FunctionDef | ast.AsyncFunctionDef, in_class: bool) -> list[str]:
    """Parameter names pytest fills: no defaults, no `self`, none that `mock.patch` fills."""
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    without_default = positional[: len(positional) - len(arguments.defaults)]
    names = [item.arg for item in without_default]
    names += [
        item.arg for item, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None
    ]
    if in_class and names and not any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list):
        names = names[1:]
    return names[sum(map(_fills, node.decorator_list)) :]


def _fills(decorator: ast.expr) -> bool:
    """Whether a decorator is a `patch` that hands its mock to the function."""
    if not isinstance(decorator, ast.Call):
        return False
    *owner, name = spelt(decorator.func).split(".")
    given = len(decorator.args) + sum(item.arg == "new" for item in decorator.keywords)
    if name == "object" and owner[-1:] == ["patch"]:
        return given < 3
    return name == "patch" and given < 2


def _fixture(function: FunctionInfo, decorator: ast.expr, flavour: str) -> Fixture:
    keywords = {item.arg: item.value for item in decorator.keywords} if isinstance(decorator, ast.Call) else {}

    def text(key: str) -> str | None:
        node = keywords.get(key)
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None

    autouse = keywords.get("autouse")
    scope = keywords.get("scope")
    return Fixture(
        name=text("name") or function.name,
        function=function,
        decorator=decorator,
        flavour=flavour,
        scope=text("scope") or ("function" if scope is None else "?"),
        loop_scope=text("loop_scope") or ("?" if "loop_scope" in keywords else None),
        autouse=autouse is not None and not (isinstance(autouse, ast.Constant) and autouse.value is False),
        parametrised="params" in keywords,
    )


PARAMETRISED = plain("?")
