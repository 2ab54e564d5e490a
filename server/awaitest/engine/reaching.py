"""Whether a request certainly reaches what its handler reads: nothing before refuses it, and its parameters are plainly given."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from awaitest.engine.apps import state_reads
from awaitest.engine.routes import dependencies, dependency, modules_behind
from awaitest.engine.syntax import DECIDING, own_nodes, unconditional
from awaitest.engine.values import BuiltinValue, ClassValue, FunctionInfo, FunctionValue, Kind, Made
from awaitest.source.nodes import last_name, parts_of, spelt

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_DEEPEST = 3
_HARMLESS_OPTIONS = frozenset({"headers", "cookies", "auth", "timeout", "follow_redirects"})
_GIVEN_BY_FASTAPI = frozenset(
    {"Request", "HTTPConnection", "WebSocket", "Response", "BackgroundTasks", "SecurityScopes"}
)
_HARMLESS_MIDDLEWARE = frozenset({"CORSMiddleware", "GZipMiddleware", "SessionMiddleware"})
_DECLARING = frozenset({"FastAPI", "APIRouter", "include_router"})


class Outcome(Enum):
    """What becomes of a request in a function."""

    READS = "it reads what nothing set"
    PASSES = "it goes on"
    MAY_REFUSE = "it may be answered before"


@dataclass(frozen=True, slots=True)
class Way:
    """The way of one request through the functions of an app; `names`: what counts as a read, of the app's state or the request's."""

    run: Run
    call: ast.Call
    names: frozenset[str]
    on_app: bool

    def reads(self, app: Made, handler: FunctionInfo) -> bool:
        """Whether the request certainly comes to a read."""
        if self._is_guarded(app) or not _is_plain(self.call):
            return False
        for decorator in getattr(handler.node, "decorator_list", ()):
            for item in decorator.keywords if isinstance(decorator, ast.Call) else ():
                if item.arg is None or (item.arg == "dependencies" and not self._all_pass(handler, item.value)):
                    return False
        return self._through(handler, _DEEPEST) is Outcome.READS

    def _is_guarded(self, app: Made) -> bool:
        """Whether the app or a router of it asks something of all requests, or middleware may answer them."""
        parts = (part for module in modules_behind(self.run, app) for node in module.body for part in parts_of(node))
        return any(isinstance(part, ast.Call) and _guards(part) for part in parts)

    def _all_pass(self, handler: FunctionInfo, declared: ast.expr) -> bool:
        elements = declared.elts if isinstance(declared, (ast.List, ast.Tuple)) else [None]
        found = [None if it is None else dependency(self.run, handler.module, it) for it in elements]
        return all(it is not None and self._through(it, _DEEPEST) is Outcome.PASSES for it in found)

    def _through(self, function: FunctionInfo, deeper: int) -> Outcome:
        """What becomes of the request in a function that FastAPI calls, with what that depends on."""
        for item in dependencies(self.run, function):
            outcome = self._through(item, deeper - 1) if item is not None and deeper else Outcome.MAY_REFUSE
            if outcome is not Outcome.PASSES:
                return outcome
        if not all(self._is_given(function, item, default) for item, default in _parameters(function)):
            return Outcome.MAY_REFUSE
        return self._inside(function, deeper)

    def _inside(self, function: FunctionInfo, deeper: int) -> Outcome:
        body = function.node.body if not isinstance(function.node, ast.Lambda) else []
        for statement in body:
            reads = state_reads(unconditional(statement), self.names, on_app=self.on_app)
            if not isinstance(statement, DECIDING) and any(True for _ in reads):
                return Outcome.READS
            if self._may_refuse(function, [statement], deeper):
                return Outcome.MAY_REFUSE
        return Outcome.PASSES

    def _may_refuse(self, function: FunctionInfo, body: list[ast.stmt], deeper: int) -> bool:
        """Whether statements of a function may raise, as far as it cannot be seen that they do not."""
        for part in own_nodes(ast.Module(body, [])):
            if isinstance(part, (ast.Raise, ast.Assert)):
                return True
            if isinstance(part, ast.Call):
                called = self.run.engine.world.reader.expression(function.module, part.func, function.closure)
                if not called or not all(self._is_harmless(kind, deeper) for kind in called):
                    return True
        return False

    def _is_harmless(self, kind: Kind, deeper: int) -> bool:
        if not isinstance(kind, FunctionValue) or kind.function.module.origin != "project":
            return isinstance(kind, (FunctionValue, ClassValue, BuiltinValue))
        node = kind.function.node
        return (
            bool(deeper)
            and not isinstance(node, ast.Lambda)
            and not self._may_refuse(kind.function, node.body, deeper - 1)
        )

    def _is_given(self, function: FunctionInfo, parameter: ast.arg, default: ast.expr | None) -> bool:
        """Whether a parameter certainly gets a value that it takes."""
        if dependency(self.run, function.module, default, parameter.annotation) is not None:
            return True
        if default is not None:
            first = default.args[0] if isinstance(default, ast.Call) and default.args else default
            renamed = isinstance(default, ast.Call) and any(item.arg in {"alias", None} for item in default.keywords)
            is_set = isinstance(first, ast.Constant) and first.value is not ...
            return is_set and parameter.arg not in self._query and not (self._query and renamed)
        written = spelt(parameter.annotation).rpartition(".")[2] if parameter.annotation is not None else "str"
        return written in _GIVEN_BY_FASTAPI or self._is_in_path(function, parameter.arg, written)

    @property
    def _query(self) -> frozenset[str]:
        """The names that the request gives behind its path."""
        query = str(getattr(self.call.args[0], "value", "")).partition("?")[2]
        return frozenset(item.partition("=")[0] for item in query.split("&") if item)

    def _is_in_path(self, function: FunctionInfo, name: str, written: str) -> bool:
        """Whether the path of the request gives a parameter of the handler."""
        given = str(getattr(self.call.args[0], "value", "")).partition("?")[0].strip("/").split("/")
        for decorator in getattr(function.node, "decorator_list", ()):
            template = decorator.args[0] if isinstance(decorator, ast.Call) and decorator.args else None
            wanted = str(getattr(template, "value", "")).strip("/").split("/")
            pairs = zip(reversed(wanted), reversed(given), strict=False)
            have = next((have for want, have in pairs if want == f"{{{name}}}"), None)
            if have is not None:
                return written == "str" or (written == "int" and have.isdecimal())
        return False


def _is_plain(call: ast.Call) -> bool:
    """Whether a request brings nothing that an app might not take."""
    path = call.args[0] if len(call.args) == 1 else None
    return (
        isinstance(path, ast.Constant)
        and "%" not in str(path.value)
        and all(keyword.arg in _HARMLESS_OPTIONS for keyword in call.keywords)
    )


def _guards(call: ast.Call) -> bool:
    """Whether a call makes an app or a router ask something of all requests, or adds middleware that may answer."""
    called = last_name(call.func)
    if called in {"add_middleware", "middleware"}:
        first = call.args[0] if call.args else None
        return last_name(first) not in _HARMLESS_MIDDLEWARE
    given = {keyword.arg for keyword in call.keywords}
    return called in _DECLARING and not given.isdisjoint({"dependencies", "middleware", "route_class", None})


def _parameters(function: FunctionInfo) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    """The parameters of a function, each with its default."""
    given = function.node.args
    placed = [*given.posonlyargs, *given.args]
    missing: list[ast.expr | None] = [None] * (len(placed) - len(given.defaults))
    yield from zip(placed, [*missing, *given.defaults], strict=True)
    yield from zip(given.kwonlyargs, given.kw_defaults, strict=True)
