"""Edits that add or drop the `async` of loops and comprehensions."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from awaitest.engine.repair import await_edits, insert, path_to
from awaitest.engine.run import MODULE
from awaitest.engine.steps import Called, Iterated
from awaitest.engine.values import (
    AsyncIterator,
    Collection,
    Coroutine,
    FunctionInfo,
    FunctionValue,
    Instance,
    Kind,
    Plain,
    Site,
    every,
    join,
)
from awaitest.engine.world import decorated_with
from awaitest.source.text import Edit, Position, Span

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_COLLECTING = {"list": ("[", "]"), "set": ("{", "}"), "tuple": ("tuple([", "])"), "sorted": ("sorted([", "])")}
_CONSUMING = frozenset(
    {"list", "set", "tuple", "sorted", "frozenset", "dict", "sum", "any", "all", "min", "max", "join"}
)
_INNER = (ast.Lambda, ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)
_KEYWORD = re.compile(r"(async\s+)?\bfor[\s(]*$")
_ITERABLE_DATA = frozenset({"str", "bytes", "dict", "JSON", "range", "frozenset"})


def add_async(run: Run, step: Iterated) -> list[Edit] | None:
    """Make a plain loop, comprehension or `list(…)` asynchronous."""
    if run.kind == MODULE:
        return None
    chain = path_to(run.node, step.iterable)
    if isinstance(step.node, ast.Call):
        return None if _hides(chain) else _collected(run, step.node, step.iterable)
    if _hides(chain[2:]):
        return None
    if isinstance(chain[1], ast.GeneratorExp):
        return _consumed(run, step, chain[1], chain[2])
    return _keyword(run, step, adding=True)


def drop_async(run: Run, step: Iterated) -> list[Edit] | None:
    """Make an asynchronous loop a plain one, where its iterable can be looped over."""
    iterable = all(not isinstance(kind, Plain) or kind.name in _ITERABLE_DATA for kind in step.value)
    if run.kind == MODULE or not iterable:
        return None
    chain = path_to(run.node, step.iterable)
    hidden = isinstance(chain[1], ast.GeneratorExp) or _hides(chain[2:])
    return None if hidden else _keyword(run, step, adding=False)


def await_iterable(run: Run, step: Iterated) -> list[Edit] | None:
    """Await the coroutine that is looped over; drop the `async` where it gives a plain collection."""
    result = join(*(kind.site.result() for kind in step.value if isinstance(kind, Coroutine)))
    looped = bool(result) and all(_is_async_iterable(run, kind) for kind in result)
    awaited = await_edits(run, step.iterable) if looped or every(result, Collection) else None
    if awaited is None or looped:
        return awaited
    dropped = drop_async(run, step)
    return None if dropped is None else [*dropped, *awaited]


def _is_async_iterable(run: Run, kind: Kind) -> bool:
    if isinstance(kind, Instance):
        return run.engine.world.has(kind.cls, "__aiter__") is True
    return isinstance(kind, AsyncIterator)


def is_stub(run: Run, site: Site) -> bool:
    """Whether a coroutine comes from a method that only declares what others implement, perhaps as a generator."""
    called = (step for step in run.steps if isinstance(step, Called) and step.node is site.node)
    functions = (kind.function for step in called for kind in step.target if isinstance(kind, FunctionValue))
    return any(_only_declares(function) for function in functions)


def _only_declares(function: FunctionInfo) -> bool:
    node = function.node
    if isinstance(node, ast.Lambda):
        return False
    written = function.module.origin == "project"
    return decorated_with(node, "abstractmethod") or (written and all(_says_nothing(part) for part in node.body))


def _says_nothing(node: ast.stmt) -> bool:
    return isinstance(node, (ast.Pass, ast.Raise)) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def _hides(chain: list[ast.AST]) -> bool:
    """Whether a loop stands where `async` would change more than the loop, or where Python 3.10 does not take it."""
    return any(isinstance(part, _INNER) for part in chain)


def _consumed(run: Run, step: Iterated, generator: ast.GeneratorExp, call: ast.AST) -> list[Edit] | None:
    """A generator expression that a call consumes at once becomes a list."""
    keyword = _keyword(run, step, adding=True)
    if keyword is None or not isinstance(call, ast.Call) or call.args != [generator] or call.keywords:
        return None
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    if name not in _CONSUMING:
        return None
    whole, inner = run.span(call), run.span(generator)
    first, last = Position(inner.start.line, inner.start.column + 1), Position(inner.end.line, inner.end.column - 1)
    if name == "list":
        return [Edit(Span(whole.start, first), "["), *keyword, Edit(Span(last, whole.end), "]")]
    return [insert(first, "["), *keyword, insert(last, "]")]


def _collected(run: Run, call: ast.Call, iterable: ast.expr) -> list[Edit] | None:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name not in _COLLECTING or len(call.args) != 1:
        return None
    inner, outer = run.span(iterable), run.span(call)
    opening, closing = _COLLECTING[name]
    if call.keywords:
        return [insert(inner.start, "[item async for item in "), insert(inner.end, "]")]
    return [
        Edit(Span(outer.start, inner.start), f"{opening}item async for item in "),
        Edit(Span(inner.end, outer.end), closing),
    ]


def _keyword(run: Run, step: Iterated, adding: bool) -> list[Edit] | None:
    if not isinstance(step.node, (ast.For, ast.AsyncFor, ast.comprehension)):
        return None
    place = run.span(step.node.target).start
    before = run.document.lines[place.line][: place.column]
    found = _KEYWORD.search(before)
    if found is None or (found[1] is not None) is adding:
        return None
    start = Position(place.line, found.start())
    return [insert(start, "async ")] if adding else [Edit(Span(start, Position(place.line, found.end(1))), "")]
