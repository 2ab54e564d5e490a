"""Edits that let a fixture yield its client from inside `async with`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from awaitest.engine.repair import body_of, statement_of
from awaitest.engine.steps import Gave
from awaitest.engine.values import Site, sites
from awaitest.engine.world import Definition
from awaitest.engine.wrapping import assigned, free_name, headed, names_in, wrap_assigned, wrappable
from awaitest.source.document import Document
from awaitest.source.edits import add_import, difference, indent_of, indent_unit, remove_import
from awaitest.source.nodes import children
from awaitest.source.text import Edit, Position, Span, apply, conflict

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_GENERATORS = frozenset({"Iterator", "Generator", "Iterable"})


def wrap_given(run: Run, site: Site) -> list[Edit] | None:
    """A fixture that hands out a client yields it from inside `async with`; not yet: making the fixture async."""
    gave = {id(step.node): step for step in run.steps if isinstance(step, Gave) and site in set(sites(step.value))}
    if len(gave) != 1 or len(exits(run.node)) != 1:
        return None
    node = next(iter(gave.values())).node
    value, statement = getattr(node, "value", None), statement_of(run.node, node)
    if value is None or statement is None:
        return None
    if isinstance(value, ast.Name):
        return _yielded_name(run, site, statement)
    called = value.value if isinstance(value, ast.Await) else value
    block = body_of(run.node, statement)
    if called is not site.node or block is None or run.span(statement).end != run.span(value).end:
        return None
    index = block.index(statement)
    if not wrappable(run, block, index, index):
        return None
    name = run.node.name if run.node.name not in names_in(run.node) else free_name(run, "client")
    inner = indent_of(run.document.lines[run.span(statement).start.line]) + indent_unit(run.document)
    return headed(run, block, index, value, f" as {name}:{run.document.newline}{inner}yield {name}")


def _yielded_name(run: Run, site: Site, statement: ast.stmt) -> list[Edit] | None:
    edits = wrap_assigned(run, site)
    found = assigned(run, site)
    if edits is None or found is None or not isinstance(statement, ast.Return):
        return edits
    block = found[0]
    return [*edits, return_to_yield(run, statement)] if block[-1] is statement else None


def return_to_yield(run: Run, statement: ast.Return) -> Edit:
    """`return x` becomes `yield x`."""
    start = run.span(statement).start
    return Edit(Span(start, Position(start.line, start.column + len("return"))), "yield")


def generator_edits(run: Run, edits: list[Edit]) -> list[Edit]:
    """Add to the edits of a fixture that becomes an asynchronous generator what its return annotation needs."""
    returns = run.node.returns
    if returns is None or conflict(edits):
        return edits
    promised: ast.expr = returns
    unused: str | None = None
    if isinstance(returns, ast.Subscript):
        name = getattr(returns.value, "id", getattr(returns.value, "attr", ""))
        if name.startswith("Async"):
            return edits
        if name in _GENERATORS:
            arguments = returns.slice
            promised = arguments.elts[0] if isinstance(arguments, ast.Tuple) and arguments.elts else arguments
            unused = name if isinstance(returns.value, ast.Name) else None
    changes: list[Callable[[Document], Edit | None]] = []
    if "AsyncIterator" not in run.module.bound:
        changes.append(lambda document: add_import(document, "collections.abc", "AsyncIterator"))
    if unused is not None:
        changes += [_dropped_import(origin, unused) for origin in ("collections.abc", "typing")]
    edits = [*edits, Edit(run.span(returns), f"AsyncIterator[{run.source(promised)}]")]
    for change in changes:
        edits = _followed_by(run.document, edits, change)
    return edits


def _dropped_import(module: str, name: str) -> Callable[[Document], Edit | None]:
    return lambda document: remove_import(document, module, name)


def _followed_by(document: Document, edits: list[Edit], change: Callable[[Document], Edit | None]) -> list[Edit]:
    """Edits, and what `change` makes of the text after them."""
    changed = Document(apply(document.lines, edits))
    edit = change(changed)
    if edit is None:
        return edits
    if all(edit.span.end < other.span.start for other in edits):
        return [*edits, edit]
    return [difference(document, apply(changed.lines, [edit]))]


def exits(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.Return | ast.Yield | ast.YieldFrom]:
    """Where the function itself gives something away."""
    found: list[ast.Return | ast.Yield | ast.YieldFrom] = []
    stack: list[ast.AST] = list(function.body)
    while stack:
        part = stack.pop()
        if isinstance(part, (ast.Yield, ast.YieldFrom)) or (isinstance(part, ast.Return) and part.value is not None):
            found.append(part)
        if not isinstance(part, (Definition, ast.Lambda, ast.ClassDef)):
            stack.extend(children(part))
    return found
