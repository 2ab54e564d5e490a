"""What becomes of a task that a test starts: whether something waits for it, and how to make the test wait."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitest.engine.diagnostic import Fix
from awaitest.engine.facts import REQUESTS
from awaitest.engine.repair import body_of, fix, insert, path_to, statement_of
from awaitest.engine.steps import Called, Entered
from awaitest.engine.syntax import own_nodes
from awaitest.engine.uses import uses
from awaitest.engine.values import Collection, Coroutine, FunctionValue, Instance, Value, coroutines, every
from awaitest.engine.wrapping import free_name
from awaitest.source.edits import indent_of, line_insert
from awaitest.source.nodes import parts_of
from awaitest.source.text import Edit, Position, Span

if TYPE_CHECKING:
    from awaitest.engine.run import Run

STARTING = frozenset({"asyncio.create_task", "asyncio.ensure_future", "asyncio.AbstractEventLoop.create_task"})
"""Functions that start a task."""

_LEAVING = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def waits_after(run: Run, node: ast.AST) -> bool | None:
    """Whether a function waits after a place at all; None where it may wait for what was started there.

    Waiting for the answer to a request, or for a client to close, is waiting for the app alone.
    """
    around = path_to(run.node, node)
    inside = {id(part) for part in around}
    again = {
        id(part) for loop in around if isinstance(loop, (ast.For, ast.AsyncFor, ast.While)) for part in parts_of(loop)
    }
    end = run.span(node).end
    waits = False
    for part in own_nodes(run.node):
        if not isinstance(part, (ast.Await, ast.AsyncWith, ast.AsyncFor)) and not getattr(part, "is_async", 0):
            continue
        after = id(part) in inside | again or (isinstance(part, (ast.expr, ast.stmt)) and run.span(part).start >= end)
        if not after and not isinstance(part, ast.comprehension):
            continue
        if not _for_app(run, part):
            return None
        waits = waits or id(part) not in inside
    return waits


def _for_app(run: Run, part: ast.AST) -> bool:
    if isinstance(part, ast.Await):
        return any(_is_request(step.target) for step in _calls(run, part.value))
    if isinstance(part, ast.AsyncWith):
        entered = [step.value for step in run.steps if isinstance(step, Entered) and step.statement is part]
        return bool(entered) and all(_is_client(run, value) for value in entered)
    return False


def _calls(run: Run, node: ast.AST) -> list[Called]:
    return [step for step in run.steps if isinstance(step, Called) and step.node is node]


def _is_client(run: Run, value: Value) -> bool:
    return bool(value) and all(
        isinstance(kind, Instance) and run.engine.world.derives(kind.cls, "AsyncClient", "httpx", "httpx2")
        for kind in value
    )


def _is_request(target: Value) -> bool:
    return bool(target) and all(
        isinstance(kind, FunctionValue)
        and kind.function.name in REQUESTS
        and kind.function.module.name.partition(".")[0] in {"httpx", "httpx2"}
        for kind in target
    )


def ends(run: Run, step: Called) -> bool:
    """Whether a task certainly runs a request, or a function of the project without a loop that waits."""
    started = step.arguments[0] if step.arguments else frozenset()
    made = [
        call.target
        for kind in started
        for call in _calls(run, kind.site.node if isinstance(kind, Coroutine) else step.node)
    ]
    return bool(made) and all(_is_request(target) or _is_finite(target) for target in made)


def _is_finite(target: Value) -> bool:
    return bool(target) and all(
        isinstance(kind, FunctionValue)
        and kind.function.module.origin == "project"
        and not any(isinstance(part, (ast.While, ast.AsyncFor)) for part in parts_of(kind.function.node))
        for kind in target
    )


def await_later(run: Run, call: ast.AST) -> Fix | None:
    """Keep the task that a statement starts, and await it at the end of the statement's block."""
    statement = statement_of(run.node, call)
    block = body_of(run.node, statement) if statement is not None else None
    around = path_to(run.node, call)
    if statement is None or block is None or isinstance(block[-1], _LEAVING):
        return None
    holders = around[around.index(statement) + 1 :]
    if not all(isinstance(part, (ast.With, ast.AsyncWith, ast.AsyncFunctionDef)) for part in holders):
        return None
    place, last = run.span(statement).start, run.span(block[-1]).end
    line = run.document.lines[place.line]
    alone = run.span(holders[0]).start.line < place.line and run.span(call).end == run.span(statement).end
    ended = run.document.lines[last.line][last.column :].strip()
    if not alone or (ended and not ended.startswith("#")):
        return None
    kept = statement.targets[0] if isinstance(statement, ast.Assign) else None
    name = kept.id if isinstance(kept, ast.Name) else free_name(run, "task")
    edits = [line_insert(run.document, last.line + 1, f"{indent_of(line)}await {name}")]
    if isinstance(statement, ast.Expr):
        edits.insert(0, insert(place, f"{name} = "))
    elif kept is None:
        return None
    return fix(run, "Keep the task and await it at the end", edits, safe=False)


def called_edits(run: Run, node: ast.expr, value: Value) -> list[Edit] | None:
    """Call a function that needs no arguments."""
    wants = any(needs_arguments(kind) for kind in value if isinstance(kind, FunctionValue))
    return None if wants or not isinstance(node, (ast.Name, ast.Attribute)) else [insert(run.span(node).end, "()")]


def called_with_edits(run: Run, arguments: list[ast.expr], value: Value) -> list[Edit] | None:
    """Call the first of the arguments with the others, in the place of all; the last edit closes the call."""
    function, *others = arguments
    if not others:
        return called_edits(run, function, value)
    end = run.span(others[-1]).end
    opening = Edit(Span(run.span(function).end, run.span(others[0]).start), "(")
    return [opening, insert(end, ")")] if isinstance(function, (ast.Name, ast.Attribute)) else None


def needs_arguments(kind: FunctionValue) -> bool:
    """Whether a function cannot be called without arguments."""
    arguments = kind.function.node.args
    positional = [*arguments.posonlyargs, *arguments.args][kind.receiver is not None :]
    return len(positional) > len(arguments.defaults) or None in arguments.kw_defaults


def separated_edits(run: Run, call: ast.expr) -> list[Edit] | None:
    """`f(a, b)` becomes `f, a, b`, what a caller of `f` wants to get."""
    if not isinstance(call, ast.Call) or call.keywords or any(isinstance(it, ast.GeneratorExp) for it in call.args):
        return None
    opening, end = run.span(call.func).end, run.span(call).end
    behind = run.document.lines[opening.line][opening.column :]
    if not behind.startswith("("):
        return None
    closing = Span(Position(end.line, end.column - 1), end)
    if not call.args:
        return None if "#" in behind and closing.start.line != opening.line else [Edit(Span(opening, end), "")]
    comma = "," if not behind[1:].strip() or behind[1] in " \t" else ", "
    return [Edit(Span(opening, Position(opening.line, opening.column + 1)), comma), Edit(closing, "")]


def started_edits(run: Run, step: Called) -> list[Edit] | None:
    """Start the coroutines that a collection in the call holds, or that a name used by it alone is bound to."""
    waiting, given = step.node.func, step.arguments[0]
    made = [kind.site.node for kind in coroutines(given)]
    displays = [next(iter(path_to(run.node, node)), None) for node in made]
    if not isinstance(waiting, ast.Attribute) or any(isinstance(kind, Coroutine) for kind in given):
        return None
    for display in displays:
        places = uses(run, display) if isinstance(display, _DISPLAYS) else None
        if places is None or any(use.parent is not step.node for use in places):
            return None
    start = f"{run.source(waiting.value)}.create_task("
    return [edit for node in made for edit in (insert(run.span(node).start, start), insert(run.span(node).end, ")"))]


_DISPLAYS = (ast.List, ast.Tuple, ast.Set, ast.ListComp, ast.SetComp)


def holds_coroutines(value: Value) -> bool:
    """Whether a value certainly is a coroutine, or a collection with one in it."""
    held = [item for kind in value if isinstance(kind, Collection) for item in kind.items or (kind.element,)]
    return every(value, Coroutine) or (every(value, Collection) and any(every(item, Coroutine) for item in held))
