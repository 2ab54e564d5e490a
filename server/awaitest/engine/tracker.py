"""Follows coroutines and clients through one run: who holds them, and what became of them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from awaitest.engine.facts import BORROWING
from awaitest.engine.state import CLOSED, NEW, OPEN, USED, State
from awaitest.engine.steps import FAILING, ClientUsed, Created, Misuse, Misused, Step
from awaitest.engine.syntax import INSPECTED, free_names, present_names, read_through
from awaitest.engine.values import (
    NONE,
    UNKNOWN,
    ClassInfo,
    Collection,
    Coroutine,
    Instance,
    Kind,
    Site,
    Value,
    containers,
    coroutines,
    every,
    join,
    may_be,
    opened,
    sites,
)

if TYPE_CHECKING:
    from awaitest.engine.world import World
    from awaitest.project.modules import Module

ANY_LIFE = frozenset({NEW, OPEN, USED, CLOSED})


class Tracker:
    """The state of one run, the steps so far and the things followed in it."""

    def __init__(
        self, world: World, module: Module, names: dict[str, Value], closure: Mapping[str, Value] | None
    ) -> None:
        self.world = world
        self.module = module
        self.state = State(dict(names))
        self.closure = closure
        self.steps: list[Step] = []
        self.body: list[ast.stmt] = []
        """The statements of the function; none for an expression by itself."""
        self.expected = 0
        self.trying = 0
        """Blocks around that wait for an error of any kind, which plain code may raise."""
        self.is_async = False
        self.bound_names: frozenset[str] = frozenset()
        self.captured: dict[str, frozenset[str]] = {}
        """Names that nested functions take along, each with the attributes they read; none where they do more with it."""
        self.taken: dict[str, Value] = {}
        """All that these names have held since."""
        self.with_blocks: list[ast.AsyncWith] = []
        self.given: list[Value] = []
        self.yielded: list[Value] = []
        self._sites: dict[int, Site] = {}
        self.local_classes: list[ClassInfo] = []
        self.shared_names: frozenset[str] = frozenset()
        """Names that nested functions assign too."""
        self.patched: frozenset[str] = frozenset()
        self._clients: dict[int, Site] = {}
        self._bound: dict[str, None] = dict.fromkeys(names)
        self.deferred: list[Misused] = []
        self.doubted: set[int] = set()
        """Nodes that use something that may, or may not, be a coroutine."""

    def note(self, step: Step) -> None:
        self.steps.append(step)

    def escape(self, value: Value, changed: bool = False) -> None:
        """The value leaves our sight: what becomes of it is unknown. `changed`: a container that gets another content."""
        for site in sites(value):
            site.escaped = True
            if NEW in self.state.life(site):
                self.state.lives[site] = ANY_LIFE
        if may_be(value, Collection) and (boxes := containers(value)):
            for name, held in self.state.names.items():
                if may_be(held, Collection):
                    self.state.names[name] = opened(held, boxes, changed)

    def blur(self, clients: Iterable[Site]) -> None:
        """Each of these may be another of them: what becomes of one is unknown."""
        for site in clients:
            site.many = site.escaped = True
            self.state.lives[site] = ANY_LIFE

    def misuse(self, value: Value, node: ast.AST, how: Misuse, detail: str = "", later: bool = False) -> bool:
        """Note that every coroutine in the value is used as if it were its result; whether the value is one for certain.

        `later`: the use alone proves nothing, only that nobody awaits the coroutine afterwards does.
        """
        if not may_be(value, Coroutine):
            return False
        if not every(value, Coroutine):
            self.escape(value)
            self.doubted.add(id(node))
            return False
        for kind in value:
            assert isinstance(kind, Coroutine)
            step = Misused(node=node, coroutine=kind, how=how, detail=detail, expected=self.expected > 0)
            if later or (kind.site.inspected and how in FAILING):
                self.deferred.append(step)
            elif (
                not kind.site.inspected and not kind.site.awaited and (not kind.site.escaped or self._holds(node, kind))
            ):
                self.note(step)
        return True

    def _holds(self, node: ast.AST, kind: Coroutine) -> bool:
        """Whether something is read of the very name that a coroutine was assigned to when it was made: whoever else may know
        the coroutine and await it, the name still holds it."""
        read = node.value if isinstance(node, ast.Attribute | ast.Subscript) else None
        name = read.id if isinstance(read, ast.Name) else ""
        return name in kind.site.assigned and self.state.names.get(name) == frozenset[Kind]({kind})

    def inspect(self, value: Value) -> None:
        """Note that somebody knows, for every coroutine in the value, that it is one: that nobody awaits it may be meant."""
        for kind in coroutines(value):
            kind.site.inspected = True

    def site(self, node: ast.AST, label: str) -> Site:
        """The site of this node: one for all times the walk comes by."""
        known = self._sites.get(id(node))
        if known is None:
            known = self._sites[id(node)] = Site(
                node, self.module, label, through=frozenset({label.rpartition(".")[2]})
            )
        return known

    def client_site(self, node: ast.Call, label: str) -> Site:
        """The site of a client made by this call."""
        known = self._clients.get(id(node))
        if known is None:
            known = self._clients[id(node)] = Site(node, self.module, label)
        elif sum(known in sites(value) for value in self.state.names.values()) > 1:
            self.blur([known])
        self.note(Created(node=node, site=known, expected=self.expected > 0))
        self.state.lives[known] = ANY_LIFE if known.many else frozenset({NEW})
        return known

    @property
    def bind_order(self) -> list[str]:
        """Names bound so far, first binding first."""
        return list(self._bound)

    def bind(self, name: str, value: Value) -> None:
        self._bound.setdefault(name)
        if name in self.shared_names:
            self.escape(value)
            value = UNKNOWN
        self.state.names[name] = value
        for site in sites(value):
            site.named.add(name)
        if name in self.captured:
            self.taken[name] = join(self.taken.get(name, value), value)
            self._take_along(value, self.captured[name])

    def assume(self, test: ast.expr, outcome: bool) -> dict[str, Value]:
        """Forget that a name holds None where the outcome of a test excludes it; what these names held before."""
        before = {name: self.state.names[name] for name in present_names(test, outcome) if name in self.state.names}
        self.state.names |= {name: _without_none(value) for name, value in before.items()}
        return before

    def recall(self, before: dict[str, Value]) -> None:
        """Undo `assume`, but for names that were bound anew since."""
        for name, value in before.items():
            if self.state.names.get(name) == _without_none(value):
                self.state.names[name] = value

    def capture(self, node: ast.AST) -> None:
        """A nested function or lambda takes names of ours along."""
        for name in free_names(node):
            read = read_through(node, name)
            known = self.captured.get(name, read)
            self.captured[name] = read | known if read and known else frozenset()
            if name in self.state.names:
                value = self.state.names[name]
                self.taken[name] = join(self.taken.get(name, value), value)
                self._take_along(value, self.captured[name])

    def _take_along(self, value: Value, read: frozenset[str]) -> None:
        """A nested function, whenever it runs, reads these attributes; a client stays ours where it only sends requests."""
        for kind in value:
            site = kind.site if isinstance(kind, Instance) else None
            if isinstance(kind, Coroutine) and read and read.isdisjoint(INSPECTED):
                continue
            if site is None or not read or not read <= BORROWING:
                self.escape(frozenset({kind}))
            else:
                site.lent = True
                if NEW in self.state.life(site):
                    self.state.lives[site] |= {USED}

    def handed(self, value: Value) -> Value:
        """The value as its receiver knows it: made elsewhere, in the state it has now."""
        return frozenset(self._handed(kind) for kind in value)

    def yield_out(self, value: Value) -> None:
        """A generator hands the value to whoever drives it, who may await the coroutines in it."""
        self.yielded.append(self.handed(value))
        self.escape(frozenset(coroutines(value)))

    def adopt(self, node: ast.AST, label: str, value: Value) -> Value:
        """A new client that a call hands over belongs, from now on, to the caller; one of a library may be kept there."""
        return frozenset(self._adopted(node, label, kind) for kind in value)

    def _adopted(self, node: ast.AST, label: str, kind: Kind) -> Kind:
        site = kind.site if isinstance(kind, Instance) else None
        new = site is not None and site.inherited == frozenset({NEW}) and site.module.origin == "project"
        if not new or not isinstance(kind, Instance) or not isinstance(node, ast.Call):
            return kind
        return replace(kind, site=self.client_site(node, label))

    def _handed(self, kind: Kind) -> Kind:
        if isinstance(kind, Coroutine):
            site = kind.site
            return Coroutine(Site(site.node, site.module, site.label, site.result, through=site.through))
        if not isinstance(kind, Instance) or kind.site is None:
            return kind
        life = self.state.life(kind.site) or kind.site.inherited
        site = Site(kind.site.node, kind.site.module, kind.site.label, escaped=True, inherited=life)
        return replace(kind, site=site)

    def client_used(self, node: ast.AST, site: Site, action: str, after: str | None) -> None:
        """A followed client is entered, sends a request or is closed."""
        life = self.state.life(site)
        certain = next(iter(life)) if len(life) == 1 else None
        self.note(ClientUsed(node=node, site=site, action=action, certain=certain, expected=self.expected > 0))
        if after is not None and not site.many and site in self.state.lives and CLOSED not in life:
            self.state.lives[site] = frozenset({after})


class Live(Mapping[str, Value]):
    """The names of a walk as they are at the moment of asking, or were since a nested function took them along: what that one sees."""

    def __init__(self, evaluator: Tracker) -> None:
        self._evaluator = evaluator

    def __getitem__(self, name: str) -> Value:
        names = self._evaluator.state.names
        if name in names and name in self._evaluator.taken:
            return self._evaluator.taken[name]
        if name in names:
            return names[name]
        closure = self._evaluator.closure
        if closure is not None and name in closure:
            return closure[name]
        if name in self._evaluator.bound_names:
            return UNKNOWN
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        closure = self._evaluator.closure
        return (
            name in self._evaluator.state.names
            or name in self._evaluator.bound_names
            or (closure is not None and name in closure)
        )

    def __iter__(self) -> Iterable[str]:  # type: ignore[override]
        return iter(self._evaluator.state.names)

    def __len__(self) -> int:
        return len(self._evaluator.state.names)


def _without_none(value: Value) -> Value:
    return (value - NONE) or UNKNOWN
