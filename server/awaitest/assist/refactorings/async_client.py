"""Make a test of a TestClient one of an AsyncClient."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from awaitest.assist.cursor import run_at
from awaitest.assist.refactorings.client_calls import client_text, is_testclient, making_calls, request_edits
from awaitest.assist.refactorings.imports import with_imports
from awaitest.engine.decorators import Shape, shape
from awaitest.engine.diagnostic import FileEdit, Fix
from awaitest.engine.repair import async_edits, insert, mentions, statement_of
from awaitest.engine.run import TEST
from awaitest.engine.syntax import bound_names, generates
from awaitest.engine.values import Site
from awaitest.engine.wrapping import runs_loop, wrap_assigned, wrappable
from awaitest.source.edits import Import, indent_edits, indent_of, indent_unit, line_insert, uses_of
from awaitest.source.nodes import parts_of
from awaitest.source.text import Edit, Span

if TYPE_CHECKING:
    from awaitest.engine.run import Run


@dataclass
class Change:
    """Edits of code, the imports they need, and how many uses of names they remove."""

    edits: list[Edit] = field(default_factory=list)
    added: list[Import] = field(default_factory=list)
    gone: Counter[str] = field(default_factory=Counter)

    def __iadd__(self, other: Change) -> Change:
        self.edits += other.edits
        self.added += other.added
        self.gone += other.gone
        return self

    def fix(self, run: Run, title: str) -> Fix | None:
        """What runs after the change is asynchronous and takes other paths through the app: never safe."""
        edits = with_imports(run, self.edits, tuple(dict.fromkeys(self.added)), self.gone)
        return None if edits is None else Fix(title, tuple(FileEdit(run.path, edit) for edit in edits), safe=False)


TITLE = "Use AsyncClient in place of TestClient"
NO_LIFESPAN = " (the app's lifespan no longer runs)"


def offer(runs: Sequence[Run], span: Span) -> Fix | None:
    """The client is made in the test, or by the module and used in the test."""
    run = run_at(runs, span.start)
    if run is None or run.kind != TEST:
        return None
    made, shared = making_calls(run), _shared_names(run)
    if len(made) + len(shared) != 1 or any(is_testclient(run, step.value) for step in run.received()):
        return None
    change = replaced(run, made[0]) if made else _of_module(run, shared[0])
    test = test_change(run) if change is not None else None
    if change is None or test is None:
        return None
    change += test
    lost = bool(made) and enters(run, made[0])
    return change.fix(run, TITLE + NO_LIFESPAN * lost)


def test_change(run: Run) -> Change | None:
    """What makes a test async and lets somebody run it; None where that would change more than that."""
    assert run.function is not None
    called = run.cls is None and uses_of(run.document, run.node.name) > 0
    as_written = shape(run.engine.world, run.function) is Shape.AS_WRITTEN
    edits = async_edits(run) if as_written and not called else None
    if edits is None or generates(run.node) or (runs_loop(run.node) and not run.is_async):
        return None
    imported = run.sheet.import_of_pytest
    added = [Import("pytest")] if any("pytest." in edit.text for edit in edits) else []
    return Change([edit for edit in edits if edit != imported], added)


def replaced(run: Run, call: ast.Call, given: ast.AST | None = None) -> Change | None:
    """A function makes its client as an AsyncClient inside `async with`, awaits its requests, and may hand it out at `given`."""
    blocks, assignment = _blocks(run, call), _assignment(run, call)
    edits: list[Edit] | None = None
    target: ast.expr | None = None
    gone = named(call.func)
    if blocks:
        target = blocks[0].items[0].optional_vars
        edits = [insert(run.span(blocks[0]).start, "async ")]
    elif isinstance(assignment, ast.AnnAssign):
        target, gone = assignment.target, gone + named(assignment.annotation)
    elif assignment is not None:
        target = assignment.targets[0]
    if not isinstance(target, ast.Name):
        return None
    if edits is None:
        edits = wrap_assigned(run, Site(call, run.module, "", named={target.id}))
    text, requests = client_text(run, call, run.node), request_edits(run, target.id, given)
    if edits is None or text is None or requests is None or not (requests or given):
        return None
    return Change([*edits, Edit(run.span(call), text[0]), *requests], text[1], gone)


def enters(run: Run, call: ast.Call) -> bool:
    """Whether a `with` enters just this client, which runs the lifespan of its app."""
    return bool(_blocks(run, call))


def named(node: ast.AST) -> Counter[str]:
    """How often names are read below a node."""
    return Counter(part.id for part in parts_of(node) if isinstance(part, ast.Name))


def _blocks(run: Run, call: ast.Call) -> list[ast.With]:
    """The `with` that enters just this client."""
    return [
        node
        for node in parts_of(run.node)
        if isinstance(node, ast.With) and len(node.items) == 1 and node.items[0].context_expr is call
    ]


def _assignment(run: Run, call: ast.Call) -> ast.Assign | ast.AnnAssign | None:
    statement = statement_of(run.node, call)
    return statement if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is call else None


# -- a client of the module --------------------------------------------------------------------------------------------


def _shared_names(run: Run) -> list[str]:
    """Names of the module that hold a TestClient and that the function reads."""
    names = sorted(named(run.node).keys() - _bound_in(run))
    return [name for name in names if is_testclient(run, run.engine.world.name(run.module, name) or frozenset())]


def _of_module(run: Run, name: str) -> Change | None:
    """The test makes the client of the module for itself; the module's own goes where nothing else uses it."""
    statement = _made_at(run, name)
    call = statement.value if statement is not None else None
    if statement is None or not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return None
    if named(call).keys() & _bound_in(run):
        return None
    text, requests = client_text(run, call, run.node), request_edits(run, name)
    wrapped = _wrapped(run, name, text[0]) if text is not None else None
    if text is None or not requests or wrapped is None:
        return None
    change = Change([*wrapped, *requests], text[1])
    unused = uses_of(run.document, name) == named(run.node)[name] and name not in (run.module.all_names or ())
    if unused and run.engine.project.config.collects_file(run.path):
        change += Change([_without(run, statement)], gone=named(call.func))
    return change


def _bound_in(run: Run) -> set[str]:
    """Names that mean something of the function's own."""
    arguments = {part.arg for part in parts_of(run.node) if isinstance(part, ast.arg)}
    return arguments | bound_names(run.node.body)


def _made_at(run: Run, name: str) -> ast.Assign | None:
    """The one statement of the module that gives a name its TestClient."""
    if len(run.module.bound.get(name, ())) != 1:
        return None
    for node in run.document.module():
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and getattr(node.targets[0], "id", None) == name:
            return node
    return None


def _wrapped(run: Run, name: str, text: str) -> list[Edit] | None:
    """`async with` around the statements of a test from the first to the last that uses the client."""
    block, document = run.node.body, run.document
    users = [index for index, statement in enumerate(block) if mentions(statement, name)]
    first, last = run.span(block[users[0]]), run.span(block[users[-1]])
    line = document.lines[first.start.line]
    own_lines = first.start.line > run.span(run.node).start.line and not line[: first.start.column].strip()
    if not own_lines or not wrappable(run, block, users[0], users[-1]):
        return None
    head = line_insert(document, first.start.line, f"{indent_of(line)}async with {text} as {name}:")
    return [head, *indent_edits(document, first.start.line, last.end.line, indent_unit(document))]


def _without(run: Run, statement: ast.stmt) -> Edit:
    """Drop a statement with its lines, and the blank ones that would be too many."""
    lines, span = run.document.lines, run.span(statement)
    first, after = span.start.line, span.end.line + 1
    while first > 0 and after < len(lines) and not lines[first - 1].strip() and not lines[after].strip():
        first -= 1
    return Edit(Span.of(first, 0, after, 0), "")
