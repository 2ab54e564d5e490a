"""How the response of an open stream is used: `async with client.stream(…) as response`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitest.engine.loops import add_async
from awaitest.engine.repair import dropped_await, path_to, statement_of
from awaitest.engine.steps import Called, Iterated
from awaitest.engine.values import Site, Value
from awaitest.engine.wrapping import wrap_assigned
from awaitest.source.edits import indent_of, renamed
from awaitest.source.layout import line_insert
from awaitest.source.nodes import parts_of

if TYPE_CHECKING:
    from awaitest.engine.run import Run
    from awaitest.source.text import Edit

PLAIN_LOOPS = frozenset({"iter_lines", "iter_text", "iter_bytes", "iter_raw"})
_BODY = frozenset({"json", "text", "content"})
_HEAD = frozenset(
    {"status_code", "headers", "reason_phrase", "http_version", "url", "request", "raise_for_status", "cookies"}
    | {"encoding", "is_success", "is_error", "is_redirect", "is_client_error", "is_server_error", "is_informational"}
)
_GUARDS = (ast.With, ast.AsyncWith, ast.Try, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def target_of(run: Run, call: ast.AST) -> Value:
    """What a call calls."""
    return next((step.target for step in run.steps if isinstance(step, Called) and step.node is call), frozenset())


def entered(run: Run, awaited: ast.Await) -> list[Edit] | None:
    """Enter a stream that was awaited, around the statements that use its response."""
    statement = statement_of(run.node, awaited)
    target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
    if not isinstance(target, ast.Name):
        return None
    edits = wrap_assigned(run, Site(awaited.value, run.module, "", named={target.id}))
    return None if edits is None else [*edits, *dropped_await(run, awaited)]


def misread(statement: ast.AsyncWith, response: ast.expr | None) -> ast.Attribute | None:
    """The first use of a streamed response that needs a body nobody read; None where anything else is done with it."""
    if not isinstance(response, ast.Name):
        return None
    parts = [part for line in statement.body for part in parts_of(line)]
    uses = [part for part in parts if isinstance(part, ast.Attribute) and _names(part.value, response.id)]
    if len(uses) != sum(_names(part, response.id) for part in parts) or any(
        use.attr not in PLAIN_LOOPS | _BODY | _HEAD for use in uses
    ):
        return None
    reads = sorted((use for use in uses if use.attr not in _HEAD), key=lambda use: (use.lineno, use.col_offset))
    guarded = reads and any(isinstance(part, _GUARDS) for part in path_to(statement, reads[0])[:-1])
    return reads[0] if reads and not guarded else None


def _names(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def iterated(run: Run, use: ast.Attribute) -> list[Edit] | None:
    """Go over the stream with the asynchronous method."""
    loop = next(
        (
            step
            for step in run.steps
            if isinstance(step, Iterated) and isinstance(step.iterable, ast.Call) and step.iterable.func is use
        ),
        None,
    )
    edits = add_async(run, loop) if loop is not None else None
    return None if edits is None else [*edits, renamed(run.span(use), use.attr, f"a{use.attr}")]


def read_before(run: Run, statement: ast.AsyncWith, use: ast.Attribute) -> list[Edit] | None:
    """Read the body where the block begins."""
    first = run.span(statement.body[0]).start
    indent = run.document.lines[first.line][: first.column]
    if indent.strip() or not isinstance(use.value, ast.Name):
        return None
    return [line_insert(run.document, first.line, f"{indent_of(indent)}await {use.value.id}.aread()\n")]
