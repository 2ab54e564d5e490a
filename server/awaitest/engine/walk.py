"""Walks a function statement by statement, the way Python runs it, and yields the steps."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import TYPE_CHECKING

from awaitest.engine import members
from awaitest.engine.annotations import declared
from awaitest.engine.calls import entered_by, followed
from awaitest.engine.control import ControlFlow
from awaitest.engine.expecting import EXPECTING, called_name, expects, expects_warning
from awaitest.engine.state import CLOSED, OPEN, State, meet
from awaitest.engine.steps import (
    FAILING,
    Checked,
    Closing,
    Created,
    Discarded,
    Ended,
    Entered,
    Gave,
    Left,
    Misuse,
    Misused,
    Step,
)
from awaitest.engine.syntax import own_names, shared_names
from awaitest.engine.tracker import Live
from awaitest.engine.values import (
    NONE,
    UNKNOWN,
    ClassValue,
    Collection,
    Coroutine,
    FunctionInfo,
    FunctionValue,
    Instance,
    ModuleValue,
    Plain,
    Site,
    Value,
    coroutines,
    every,
    join,
    known,
    may_be,
)

if TYPE_CHECKING:
    from awaitest.engine.world import World
    from awaitest.project.modules import Module


class Walk(ControlFlow):
    """One run through a function body, or through a module's top level."""

    def __init__(
        self,
        world: World,
        module: Module,
        code: ast.FunctionDef | ast.AsyncFunctionDef | ast.Module,
        names: dict[str, Value],
        closure: Mapping[str, Value] | None = None,
        *,
        is_test: bool = False,
        returns: ast.expr | None = None,
        is_async: bool = False,
    ) -> None:
        super().__init__(world, module, names, closure)
        self.body = code.body
        self.is_test = is_test
        self.is_async = is_async
        self.declared = declared(world, module, returns)
        self.bound_names = own_names(code)
        self.shared_names = shared_names(code)
        self.nested: list[FunctionInfo] = []
        self.annotations: dict[str, ast.expr] = {}
        self.closings: list[Closing] = []
        self.exits: list[State] = []
        self._warned = 0
        for value in names.values():
            for site in followed(value):
                if site.inherited:
                    self.state.lives[site] = site.inherited

    def run(self) -> None:
        """Walk the body once."""
        self.block(self.body)
        if self.state.alive:
            self.exits.append(self.state)
            self.given.append(NONE)
        self._finish()

    def _finish(self) -> None:
        final = meet(*self.exits) if self.exits else self.state
        told = {step.coroutine.site for step in self.steps if isinstance(step, Misused)}
        for step in self.deferred:
            site = step.coroutine.site
            meant = site.inspected and step.how not in FAILING
            if not site.awaited and not site.escaped and not meant and site not in told:
                told.add(site)
                self.note(step)
        for site in list(self._sites.values()):
            value = frozenset({Coroutine(site)})
            kept = site.named and any(site in {k.site for k in coroutines(v)} for v in final.names.values())
            used = site.awaited or site.escaped or site.inspected
            if kept and not used and site not in told:
                self.misuse(value, site.node, Misuse.UNUSED, next(iter(site.named)))
        clients = tuple(dict.fromkeys(step.site for step in self.steps if isinstance(step, Created)))
        self.note(
            Ended(node=self.body[-1] if self.body else ast.Pass(), clients=clients, closings=tuple(self.closings))
        )

    # -- statements --------------------------------------------------------------------------------------------------

    def _do_Expr(self, node: ast.Expr) -> None:
        value = self.eval(node.value)
        self.note(Discarded(node=node.value, value=value, expected=self.expected + self._warned > 0))
        if isinstance(node.value, (ast.Name, ast.Constant, ast.Yield, ast.YieldFrom)):
            return
        dropped = frozenset(coroutines(value)) if not self._warned else frozenset()
        if dropped and not self.misuse(
            value if every(value, Coroutine) else _in_display(node.value, value, dropped), node.value, Misuse.DROPPED
        ):
            self.escape(value)

    def _do_Assign(self, node: ast.Assign) -> None:
        value = self.eval(node.value)
        if len(node.targets) > 1 and not all(isinstance(target, ast.Name) for target in node.targets):
            self.escape(value)
        for target in node.targets:
            self.bind_target(target, self._as_declared(target, value))
            if isinstance(target, ast.Name):
                for kind in value:
                    if isinstance(kind, Coroutine) and kind.site.node is node.value:
                        kind.site.assigned.add(target.id)

    def _do_AnnAssign(self, node: ast.AnnAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.annotations[node.target.id] = node.annotation
        if node.value is None:
            return
        value = self.eval(node.value)
        if not known(value):
            value = declared(self.world, self.module, node.annotation)
        self.bind_target(node.target, value)

    def _as_declared(self, target: ast.expr, value: Value) -> Value:
        """A value that a name takes; what was declared of the name where nothing else is known."""
        if known(value) or not isinstance(target, ast.Name) or target.id not in self.annotations:
            return value
        return declared(self.world, self.module, self.annotations[target.id])

    def _do_AugAssign(self, node: ast.AugAssign) -> None:
        value = self.eval(node.value)
        if not isinstance(node.op, ast.Add) or every(value, Coroutine):
            self.misuse(value, node, Misuse.OPERAND)
        self.escape(value)
        if isinstance(node.target, ast.Name):
            self.escape(self.state.names.get(node.target.id, UNKNOWN), changed=True)
            self.state.names[node.target.id] = UNKNOWN
        else:
            self.bind_target(node.target, UNKNOWN)

    def _do_Return(self, node: ast.Return) -> None:
        value = self.eval(node.value) if node.value is not None else NONE
        self.note(Gave(node=node, value=value, inside=tuple(self.with_blocks), is_yield=False))
        if every(value, Coroutine) and (self.is_test or self._contradicts()):
            self.misuse(value, node, Misuse.RETURNED)
        self.given.append(self.handed(value))
        self._keep_for_caller(value)
        self.exits.append(self.state.copy())
        self.state.alive = False

    def _keep_for_caller(self, value: Value) -> None:
        for kind in value:
            if not (isinstance(kind, Instance) and kind.site is not None):
                self.escape(frozenset({kind}))

    def _contradicts(self) -> bool:
        return (
            self.is_async
            and known(self.declared)
            and every(self.declared, Plain, Collection, Instance)
            and all(
                not isinstance(kind, Instance) or self.world.has(kind.cls, "__await__") is False
                for kind in self.declared
            )
        )

    def _do_Raise(self, node: ast.Raise) -> None:
        for part in (node.exc, node.cause):
            if part is not None:
                self.escape(self.eval(part))
        self.state.alive = False

    def _do_Assert(self, node: ast.Assert) -> None:
        told = self.told(node.test)
        self.narrow(node.test, asserted=True)
        value = self.condition(node.test)
        self.assume(node.test, True)
        self.state.names |= told
        self.note(Checked(node=node, value=value, expected=self.expected > 0))
        if node.msg is not None:
            self.eval(node.msg)

    def _do_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.state.names.pop(target.id, None)

    def _do_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        for name in node.names:
            self.state.names[name] = UNKNOWN

    _do_Nonlocal = _do_Global

    def _do_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            name = alias.name if alias.asname else alias.name.partition(".")[0]
            loaded = self.world.resolver.load(name, self.module)
            self.state.names[alias.asname or name] = frozenset({ModuleValue(loaded)}) if loaded is not None else UNKNOWN

    def _do_ImportFrom(self, node: ast.ImportFrom) -> None:
        origin = self.world.resolver.absolute(self.module, node)
        loaded = self.world.resolver.load(origin, self.module) if origin else None
        for alias in node.names:
            value = (
                UNKNOWN
                if loaded is None
                else members.attribute(self.world, frozenset({ModuleValue(loaded)}), alias.name)
            )
            self.state.names[alias.asname or alias.name] = value

    def _do_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.escape(self.eval(default))
        for decorator in node.decorator_list:
            self.escape(self.eval(decorator))
        self.capture(node)
        function = self._nested_function(node)
        self.bind(node.name, frozenset({FunctionValue(function)}))

    _do_AsyncFunctionDef = _do_FunctionDef

    def _nested_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> FunctionInfo:
        known_one = next((function for function in self.nested if function.node is node), None)
        if known_one is None:
            known_one = FunctionInfo(self.module, node, closure=Live(self))
            self.nested.append(known_one)
        return known_one

    def _do_ClassDef(self, node: ast.ClassDef) -> None:
        self.capture(node)
        cls = self.world.class_info(self.module, node)
        if cls not in self.local_classes:
            self.local_classes.append(cls)
            for method in node.body:
                if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    self.nested.append(FunctionInfo(self.module, method, cls, Live(self)))
        self.bind(node.name, frozenset({ClassValue(cls)}) if not node.decorator_list else UNKNOWN)

    # -- with --------------------------------------------------------------------------------------------------------

    def _do_With(self, node: ast.With | ast.AsyncWith) -> None:
        is_async = isinstance(node, ast.AsyncWith)
        entered: list[Instance] = []
        expecting = 0
        for item in node.items:
            value = self.eval(item.context_expr)
            step = Entered(node=item.context_expr, statement=node, item=item, value=value, expected=self.expected > 0)
            self.note(step)
            if may_be(value, Coroutine):
                self.misuse(value, item.context_expr, Misuse.ENTERED)
            expecting += not is_async and expects(self, item.context_expr)
            if is_async:
                if len(followed(value)) > 1:
                    self.blur(followed(value))
                for kind in value:
                    if isinstance(kind, Instance) and kind.site is not None:
                        self.client_used(item.context_expr, kind.site, "enter", OPEN)
                        kind.site.closed = True
                        entered.append(kind)
            else:
                self.escape(value)
            if item.optional_vars is not None:
                self.bind_target(item.optional_vars, join(*(entered_by(self, kind, is_async) for kind in value)))
            if self.watched:
                self.snapshots[id(step)] = (dict(self.state.names), dict(self.state.lives))
        warned = any(expects_warning(item.context_expr) for item in node.items)
        trying = any(called_name(item.context_expr) in EXPECTING for item in node.items)
        self.trying += trying
        self.expected += expecting
        self._warned += warned
        if isinstance(node, ast.AsyncWith):
            self.with_blocks.append(node)
        self.block(node.body)
        self._warned -= warned
        if isinstance(node, ast.AsyncWith):
            self.with_blocks.pop()
        self.expected -= expecting
        self.trying -= trying
        if expecting or trying:
            self.state.alive = True
        for kind in entered:
            assert kind.site is not None
            if not kind.site.many:
                self.state.lives[kind.site] = frozenset({CLOSED})
            self.note(Left(node=node, value=frozenset({kind}), is_async=True))

    _do_AsyncWith = _do_With

    def note(self, step: Step) -> None:
        super().note(step)
        if self.watched:
            self.snapshots[id(step)] = (dict(self.state.names), dict(self.state.lives))

    def client_used(self, node: ast.AST, site: Site, action: str, after: str | None) -> None:
        super().client_used(node, site, action, after)
        if action == "close":
            guaranteed = self.in_finally > 0 or bool(self.yielded)
            self.closings.append(Closing(site, node, guaranteed))


def _in_display(node: ast.expr, value: Value, dropped: frozenset[Coroutine]) -> Value:
    """A list of coroutines as a statement of its own drops them all."""
    if isinstance(node, (ast.ListComp, ast.List, ast.Tuple, ast.Set, ast.SetComp)) and every(value, Collection):
        return frozenset(dropped)
    return value
