"""Edits that put the statements which use a client into its `async with`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaitest.engine.repair import async_edits, body_of, insert, mentions, path_to, statement_of
from awaitest.engine.run import NESTED
from awaitest.engine.syntax import SCOPES, bound_names, free_names
from awaitest.engine.values import Site
from awaitest.source.document import Document
from awaitest.source.edits import indent_edits, indent_of, indent_unit
from awaitest.source.nodes import parts_of
from awaitest.source.text import Edit, Position, Span, apply

if TYPE_CHECKING:
    from awaitest.engine.run import Run

Block = list[ast.stmt]

_SIMPLE = (ast.Expr, ast.Assign, ast.AnnAssign, ast.Return, ast.Assert, ast.With, ast.AsyncWith)
_SOMETIMES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.IfExp, ast.BoolOp)
"""Expressions whose parts run never, or more than once."""


def wrap_assigned(run: Run, site: Site, *, kept: bool = False) -> list[Edit] | None:
    """`client = X` becomes `async with X as client:` around everything in its block that uses the client; `kept`: or what is made
    of it and not awaited at once."""
    found = assigned(run, site)
    if found is None:
        return None
    block, index, name, value = found
    last = _extent(run, block, index, site.named, kept=kept)
    if last == index or not wrappable(run, block, index, last):
        return None
    return [*headed(run, block, index, value, f" as {name}:"), *_indented(run, block, index, last)]


def wrap_until_closed(run: Run, site: Site, closing: ast.AST) -> list[Edit] | None:
    """`client = X` … `await client.aclose()`, or what should be that, becomes one `async with X as client:`."""
    found = assigned(run, site)
    closed = statement_of(run.node, closing)
    if found is None or closed is None:
        return None
    block, index, name, value = found
    end = next((place for place, statement in enumerate(block) if statement is closed), 0)
    alone = isinstance(closed, ast.Expr) and closing in (closed.value, getattr(closed.value, "value", None))
    if end - 1 <= index or not alone or not wrappable(run, block, index, end):
        return None
    head = headed(run, block, index, value, f" as {name}:")
    return [*head, *_indented(run, block, index, end - 1), *_without(run, block, end)]


def _without(run: Run, block: Block, index: int) -> list[Edit]:
    """Drop the last statement of a block that becomes deeper, and indent what stands between it and the one before."""
    before, span = run.span(block[index - 1]).end, run.span(block[index])
    if before.line == span.start.line:
        return [Edit(Span(before, span.end), "")]
    unit, line = indent_unit(run.document), run.document.lines[span.end.line]
    comment = len(line) - len(line[span.end.column :].lstrip())
    if line[comment : comment + 1] == "#":
        kept = indent_edits(run.document, before.line + 1, span.start.line, unit)
        return [*kept, Edit(Span(span.start, Position(span.end.line, comment)), "")]
    between = indent_edits(run.document, before.line + 1, span.start.line - 1, unit)
    return [*between, Edit(Span.of(span.start.line, 0, span.end.line + 1, 0), "")]


def wrap_inline(run: Run, site: Site) -> list[Edit] | None:
    """`… X.get() …` becomes `async with X as client:` around `… client.get() …`."""
    chain = path_to(run.node, site.node)
    statement = next((part for part in chain if isinstance(part, ast.stmt)), None)
    if statement is None or not isinstance(statement, _SIMPLE) or not isinstance(chain[0], ast.Attribute):
        return None
    inside = chain[: chain.index(statement)]
    block = body_of(run.node, statement)
    if block is None or any(isinstance(part, _SOMETIMES) for part in inside):
        return None
    index = block.index(statement)
    before = _before(run, block, index)
    if before is None or not wrappable(run, block, index, index):
        return None
    document, span, whole = run.document, run.span(site.node), run.span(statement)
    indent, unit, name = indent_of(document.lines[whole.start.line]), indent_unit(document), free_name(run, "client")
    head = f"{before.text}async with {run.source(site.node)} as {name}:{document.newline}{indent}{unit}"
    indented = indent_edits(document, whole.start.line + 1, whole.end.line, unit)
    kept = [edit for edit in indented if not span.start.line < edit.span.start.line <= span.end.line]
    if span.start == whole.start:
        return [Edit(Span(before.span.start, span.end), head + name), *kept]
    return [Edit(before.span, head), Edit(span, name), *kept]


def pull_in(run: Run, around: ast.AsyncWith, use: ast.AST, names: set[str]) -> list[Edit] | None:
    """Move the statements behind an `async with` into it, up to the last that uses one of the names."""
    moved = _behind(run, around, use, names)
    lines, whole, start = run.document.lines, run.span(around), run.span(around.body[0]).start
    if moved is None or start.line == whole.start.line or any(isinstance(part, ast.Return) for part in around.body):
        return None
    return indent_edits(
        run.document, *moved, indent_of(lines[start.line]).removeprefix(indent_of(lines[whole.start.line]))
    )


def pull_into_try(run: Run, around: ast.Try, use: ast.AST, names: set[str]) -> list[Edit] | None:
    """Move the statements behind a `try` with nothing but a `finally` to its end, up to the last that uses one of the names."""
    moved = _behind(run, around, use, names)
    document, body = run.document, run.span(around.body[-1])
    if moved is None or around.handlers or around.orelse or body.start.line == run.span(around).start.line:
        return None
    behind, last = moved
    first = next(line for line in range(behind, last + 1) if document.lines[line].strip())
    indented = Document(apply(document.lines, indent_edits(document, first, last, indent_unit(document)))).lines
    text = "".join(indented[first : last + 1]).rstrip("\r\n") + document.newline
    return [insert(Position(body.end.line + 1, 0), text), Edit(Span.of(behind, 0, last + 1, 0), "")]


def _behind(run: Run, around: ast.stmt, use: ast.AST, names: set[str]) -> tuple[int, int] | None:
    """First and last line of the statements that follow one up to the last that uses a name, if that is all who does."""
    block = body_of(run.node, around)
    if block is None:
        return None
    index = block.index(around)
    last = _extent(run, block, index, names)
    moved = {id(part) for statement in block[index + 1 : last + 1] for part in parts_of(statement)}
    if id(use) not in moved or not wrappable(run, block, index, last):
        return None
    return run.span(around).end.line + 1, run.span(block[last]).end.line


def async_around(run: Run) -> list[Edit] | None:
    """What makes the function async, where that is right for all who call it: see `async_edits`."""
    if run.is_async:
        return []
    shared = run.fixture is not None and run.fixture.scope != "function"
    return None if run.kind == NESTED or shared or runs_loop(run.node) else async_edits(run)


def runs_loop(function: ast.AST) -> bool:
    """Whether a function runs coroutines itself, which it cannot do any more once it is async."""
    calls = (part.func for part in parts_of(function) if isinstance(part, ast.Call))
    return any(
        isinstance(called, ast.Attribute) and called.attr in {"run", "run_until_complete", "call"} for called in calls
    )


def free_name(run: Run, wanted: str) -> str:
    """`wanted`, or with a number behind it where the function uses that name."""
    taken = names_in(run.node)
    numbered = (f"{wanted}_{number}" for number in range(2, len(taken) + 3))
    return wanted if wanted not in taken else next(name for name in numbered if name not in taken)


def names_in(function: ast.AST) -> set[str]:
    return {part.id for part in parts_of(function) if isinstance(part, ast.Name)} | {
        part.arg for part in parts_of(function) if isinstance(part, ast.arg)
    }


def assigned(run: Run, site: Site) -> tuple[Block, int, str, ast.expr] | None:
    """Where a client gets its name: block, index, name and the expression that gives it."""
    statement = statement_of(run.node, site.node)
    if isinstance(statement, ast.Assign):
        target = statement.targets[0] if len(statement.targets) == 1 else None
    else:
        target = statement.target if isinstance(statement, ast.AnnAssign) else None
    if not isinstance(target, ast.Name) or not isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return None
    value = statement.value
    made = value.value if isinstance(value, ast.Await) else value
    block = body_of(run.node, statement)
    if value is None or made is not site.node or block is None or run.span(value).end != run.span(statement).end:
        return None
    return block, block.index(statement), target.id, value


def _extent(run: Run, block: Block, index: int, names: set[str], *, kept: bool = False) -> int:
    """The last statement from `index` on that uses one of the names; `index` where they are used beyond the block too."""
    last, bound_again = index, None
    holding = set(names)
    for place in range(index + 1, len(block)):
        used = any(mentions(block[place], name) for name in holding)
        if any(_binds(block[place], name) for name in names) and not any(_loads(block[place], names)):
            bound_again = place
            break
        if used:
            last = place
            holding |= _keepers(block[place], holding) if kept else set()
            if holding != names or _in_scope(block[place], names):
                holding |= bound_names((block[place],))
    end = run.span(block[last]).end
    limit = run.span(block[bound_again]).start if bound_again is not None else run.span(run.node).end
    beyond = any(end < run.span(part).start < limit for part in _loads(run.node, holding))
    return index if beyond else last


def _keepers(statement: ast.stmt, names: set[str]) -> set[str]:
    """The names that hold, after a statement, something that was made of one of these and not awaited."""
    awaited = {id(part) for it in parts_of(statement) if _waits(it) for part in parts_of(it)}

    def uses(node: ast.AST) -> bool:
        return any(isinstance(it, ast.Name) and it.id in names and id(it) not in awaited for it in parts_of(node))

    match statement:
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value) | ast.AugAssign(value=value):
            return set(bound_names((statement,))) if uses(value) else set()
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)), args=given)):
            return {name} if any(map(uses, given)) else set()
    return set()


def _waits(node: ast.AST) -> bool:
    """Whether an expression is only done when what it asks for has come."""
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp)):
        return any(part.is_async for part in node.generators)
    return isinstance(node, ast.Await)


def _in_scope(node: ast.AST, names: set[str]) -> bool:
    """Whether a function in a statement takes one of the names along: it may use it wherever the function is called."""
    return any(isinstance(part, SCOPES) and not names.isdisjoint(free_names(part)) for part in parts_of(node))


def _binds(node: ast.AST, name: str) -> bool:
    return any(
        isinstance(part, ast.Name) and part.id == name and not isinstance(part.ctx, ast.Load) for part in parts_of(node)
    )


def _loads(node: ast.AST, names: set[str]) -> Iterator[ast.Name]:
    for part in parts_of(node):
        if isinstance(part, ast.Name) and part.id in names and isinstance(part.ctx, ast.Load):
            yield part


def wrappable(run: Run, block: Block, first: int, last: int) -> bool:
    """Whether the statements from `first` to `last` can go into a block: nothing else stands on their lines but in front."""
    lines, end = run.document.lines, run.span(block[last]).end
    after = lines[end.line][end.column :].strip()
    start = _before(run, block, first)
    apart = first == last or run.span(block[first]).end.line < run.span(block[first + 1]).start.line
    return start is not None and apart and (not after or after.startswith("#"))


def _before(run: Run, block: Block, index: int) -> Edit | None:
    """What gives a statement a line of its own: it has one, or follows another behind a semicolon."""
    start = run.span(block[index]).start
    line = run.document.lines[start.line]
    if not line[: start.column].strip():
        return insert(start, "")
    previous = run.span(block[index - 1]).end if index else None
    if previous is None or previous.line != start.line:
        return None
    return Edit(Span(previous, start), run.document.newline + indent_of(line))


def headed(run: Run, block: Block, index: int, value: ast.expr, tail: str) -> list[Edit]:
    """`async with value` in place of what stands before the value, and `tail` behind it."""
    before = _before(run, block, index)
    assert before is not None
    span = run.span(value)
    return [Edit(Span(before.span.start, span.start), f"{before.text}async with "), insert(span.end, tail)]


def _indented(run: Run, block: Block, index: int, last: int) -> list[Edit]:
    first = run.span(block[index]).end.line + 1
    return indent_edits(run.document, first, run.span(block[last]).end.line, indent_unit(run.document))
