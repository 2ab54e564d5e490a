"""Edits that several rules' fixes share. Each function gives the edits, or None where it cannot be done by edits alone."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from awaitest.engine import members
from awaitest.engine.diagnostic import FileEdit, Fix
from awaitest.engine.marks import decorators
from awaitest.engine.run import FIXTURE, MODULE, NESTED, TEST
from awaitest.engine.steps import Called
from awaitest.engine.style import marker_edits
from awaitest.engine.takers import is_meant_for
from awaitest.engine.values import Coroutine, FunctionValue, Instance, Plain, every, join
from awaitest.engine.world import Definition
from awaitest.source.edits import Import, remove_import, replace_import, uses_of
from awaitest.source.nodes import children, parts_of
from awaitest.source.text import Edit, Position, Span, conflict

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_AWAIT = re.compile(r"await[ \t\f]*")
_OPENED = re.compile(r"(?:^|[^\w])\($")
_TIGHTER = (ast.Attribute, ast.Subscript, ast.Await)


def fix(run: Run, title: str, edits: Iterable[Edit] | None, *, safe: bool) -> Fix | None:
    """A fix in the run's own file; None where there is nothing to edit or edits would collide."""
    chosen = merged(edits or ())
    if not chosen or conflict(chosen):
        return None
    return Fix(title, tuple(FileEdit(run.path, edit) for edit in chosen), safe)


def insert(place: Position, text: str) -> Edit:
    return Edit(Span(place, place), text)


def merged(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """Insertions at the same place become one, in the order given."""
    inserted: dict[Position, str] = {}
    others: list[Edit] = []
    for edit in dict.fromkeys(edits):
        if edit.span.start == edit.span.end:
            inserted[edit.span.start] = inserted.get(edit.span.start, "") + edit.text
        else:
            others.append(edit)
    return (*(insert(place, text) for place, text in inserted.items()), *others)


def parents(root: ast.AST) -> dict[int, ast.AST]:
    """The parent of every node below `root`, by id."""
    return {id(child): parent for parent in parts_of(root) for child in children(parent)}


def path_to(root: ast.AST, node: ast.AST) -> list[ast.AST]:
    """The ancestors of a node, nearest first."""
    above = parents(root)
    found: list[ast.AST] = []
    current = above.get(id(node))
    while current is not None:
        found.append(current)
        current = above.get(id(current))
    return found


def await_edits(run: Run, call: ast.AST) -> list[Edit] | None:
    """Put `await` before an expression, in parentheses where something hangs on it."""
    if run.kind == MODULE or not run.mine(call):
        return None
    chain = path_to(run.node, call)
    if not chain or any(isinstance(part, ast.Lambda) for part in chain) or _in_generator(chain, call):
        return None
    span, parent = run.span(call), chain[0]
    outer = _await_around(run, call, chain)
    if outer is not None:
        return [insert(outer.start, "("), insert(span.end, ")")]
    hangs = isinstance(parent, _TIGHTER) or (isinstance(parent, ast.Call) and parent.func is call)
    if hangs:
        return [insert(span.start, "(await "), insert(span.end, ")")]
    return [insert(span.start, "await ")]


def _await_around(run: Run, call: ast.AST, chain: list[ast.AST]) -> Span | None:
    """Where `await f().g()` or `await f().x` stands, if it was meant as `(await f()).g()` or `(await f()).x`: nothing to be awaited."""
    read = chain[0]
    called = len(chain) > 2 and getattr(chain[1], "func", None) is read
    outer = chain[1 + called] if len(chain) > 1 else None
    if not isinstance(read, ast.Attribute) or not isinstance(outer, ast.Await) or outer.value is not chain[called]:
        return None
    made = [step.result for step in run.steps if isinstance(step, Called) and step.node is call]
    results = join(*(kind.site.result() for value in made for kind in value if isinstance(kind, Coroutine)))
    found = members.attribute(run.engine.world, results, read.attr)
    span, place = run.span(outer), run.span(call).start
    directly = run.document.lines[place.line][span.start.column : place.column].strip() == "await"
    plain = (
        all(isinstance(kind, FunctionValue) and not kind.function.is_async for kind in found)
        if called
        else every(found, Plain)
    )
    return span if made and plain and directly and span.start.line == place.line else None


def await_fix(run: Run, node: ast.AST, title: str) -> Fix | None:
    """The fix that awaits an expression, in whichever function of this file it stands; unsafe where that must become async."""
    owner = run.owner_of(node)
    edits = await_edits(owner, node)
    around = async_edits(owner) if edits is not None else None
    if edits is None or around is None:
        return None
    if not around:
        return fix(run, title, edits, safe=True)
    return fix(run, f"{title} and make `{owner.node.name}` async", [*edits, *around], safe=False)


def _in_generator(chain: list[ast.AST], call: ast.AST) -> bool:
    """An `await` inside a generator expression would make it asynchronous, which its consumer does not expect."""
    child = call
    for part in chain:
        if isinstance(part, Definition):
            return False
        if isinstance(part, ast.GeneratorExp):
            return child is not part.generators[0]
        if isinstance(part, ast.comprehension) and isinstance(child, ast.expr) and child is part.iter:
            owner = chain[chain.index(part) + 1] if chain.index(part) + 1 < len(chain) else None
            if isinstance(owner, ast.GeneratorExp) and owner.generators[0] is part:
                return False
        child = part
    return False


def async_edits(run: Run, mark: str | None = None) -> list[Edit] | None:
    """Make the function `async def`; a test gets this mark or the suite's own, a fixture the decorator, that makes somebody run it."""
    if run.is_async:
        return []
    if run.kind not in (TEST, FIXTURE, NESTED):
        return None
    if run.cls is not None and _is_testcase(run):
        isolated = run.engine.world.derives(run.cls, "IsolatedAsyncioTestCase", "unittest")
        return [insert(run.span(run.node).start, "async ")] if isolated else None
    if _has_plain_yield_from(run.node):
        return None
    edits = [insert(run.span(run.node).start, "async ")]
    if run.kind == TEST:
        marked = marker_edits(run, mark)
        return None if marked is None else marked + edits
    if run.kind == FIXTURE:
        decorated = fixture_edits(run)
        return None if decorated is None else edits + decorated
    return edits


def _is_testcase(run: Run) -> bool:
    assert run.cls is not None
    return any(base.package == "unittest" for base in run.engine.world.mro(run.cls)[0])


def _has_plain_yield_from(node: ast.AST) -> bool:
    return any(isinstance(part, ast.YieldFrom) for part in parts_of(node))


def fixture_edits(run: Run) -> list[Edit] | None:
    """Let the plugin at work here run an async fixture: `@pytest_asyncio.fixture` where strict mode asks for it."""
    fixture = run.fixture
    if fixture is None:
        return None
    project = run.engine.project
    if run.engine.runner.handles(fixture, None) is not False or is_meant_for(run, fixture):
        return []
    if project.plugin("pytest-asyncio") is not True:
        return None
    called = fixture.decorator.func if isinstance(fixture.decorator, ast.Call) else fixture.decorator
    old = Import("pytest", called.id) if isinstance(called, ast.Name) else Import("pytest")
    edits = [Edit(run.span(called), "pytest_asyncio.fixture")]
    return edits + replace_import(run.document, old, Import("pytest_asyncio"), replaced=1)


def uses_anyio(run: Run) -> bool:
    """Whether this suite runs its tests with anyio: an `anyio_backend` fixture of its own is in sight."""
    found = run.engine.fixtures.find("anyio_backend", run.seeker)
    return found is not None and found.module.origin == "project"


def body_of(root: ast.AST, statement: ast.stmt) -> list[ast.stmt] | None:
    """The block a statement stands in."""
    for body in blocks(root):
        if any(item is statement for item in body):
            return body
    return None


def blocks(root: ast.AST) -> Iterator[list[ast.stmt]]:
    """Every statement list below a node."""
    for part in parts_of(root):
        for field in ("body", "orelse", "finalbody"):
            body = getattr(part, field, None)
            if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                yield body


def statement_of(root: ast.AST, node: ast.AST) -> ast.stmt | None:
    """The statement an expression belongs to."""
    if isinstance(node, ast.stmt):
        return node
    return next((part for part in path_to(root, node) if isinstance(part, ast.stmt)), None)


def mentions(node: ast.AST, name: str) -> bool:
    """Whether a name occurs below a node."""
    return any(isinstance(part, ast.Name) and part.id == name for part in parts_of(node))


def added_argument(run: Run, call: ast.Call, text: str) -> list[Edit] | None:
    """Add a keyword argument behind the last keyword, on a line of its own where that one has one."""
    if not call.keywords:
        return None
    span, lines = run.span(call.keywords[-1]), run.document.lines
    start, end = span.start, span.end
    before, after = lines[start.line][: start.column], lines[end.line][end.column :].strip()
    comma = after.startswith(",")
    rest = after.removeprefix(",").strip()
    if before.strip() or (rest and not rest.startswith("#")):
        return [insert(end, f", {text}")]
    below = insert(Position(end.line + 1, 0), f"{before}{text}{',' if comma else ''}{run.document.newline}")
    return [below] if comma else [insert(end, ","), below]


def dropped_await(run: Run, node: ast.Await) -> list[Edit]:
    """Remove an `await`, and the parentheses that only it needed."""
    span = run.span(node)
    before, after = span.start, span.end
    line = run.document.lines[before.line]
    keyword = _AWAIT.match(line, before.column)
    assert keyword is not None
    behind = Position(before.line, keyword.end())
    hugged = (
        before.line == after.line
        and _OPENED.search(line[: before.column]) is not None
        and line[after.column : after.column + 1] == ")"
        and isinstance(next(iter(path_to(run.node, node)), None), _TIGHTER)
    )
    if not hugged:
        return [Edit(Span(before, behind), "")]
    opening = Position(before.line, before.column - 1)
    return [Edit(Span(opening, behind), ""), Edit(Span(after, Position(after.line, after.column + 1)), "")]


def plain_test_edits(run: Run, dropped: ast.Await) -> list[Edit]:
    """Make a test of a synchronous client a plain `def` again, where `dropped` was all that was asynchronous about it."""
    if run.kind != TEST or not run.is_async or not _is_testclient_call(run, dropped):
        return []
    others = (part for part in parts_of(run.node) if part is not dropped)
    if any(isinstance(part, _ASYNC_SYNTAX) or getattr(part, "is_async", 0) for part in others if part is not run.node):
        return []
    if any(received.fixture.is_async for received in run.received()):
        return []
    return plain_edits(run)


_ASYNC_SYNTAX = (ast.Await, ast.AsyncWith, ast.AsyncFor, ast.AsyncFunctionDef)


def _is_testclient_call(run: Run, node: ast.Await) -> bool:
    calls = (step for step in run.steps if isinstance(step, Called) and step.node is node.value)
    bound = (kind.receiver or () for step in calls for kind in step.target if isinstance(kind, FunctionValue))
    receivers = [kind.cls for value in bound for kind in value if isinstance(kind, Instance)]
    return any(run.engine.world.derives(cls, "TestClient", "starlette", "fastapi") for cls in receivers)


def plain_edits(run: Run) -> list[Edit]:
    """Turn `async def` into `def` and drop the function's own asyncio and anyio marks."""
    start = run.span(run.node).start
    name = run.name_span().start
    head = run.document.lines[start.line][start.column : name.column]
    keyword = (
        Position(start.line, start.column + head.index("def")) if start.line == name.line and "def" in head else name
    )
    edits = [Edit(Span(start, keyword), "")] if keyword != name else []
    return edits + dropped_marks(
        run, [mark.node for mark in run.marks if mark.where == "function" and mark.name in {"asyncio", "anyio"}]
    )


def dropped_marks(run: Run, marks: Sequence[ast.expr | ast.stmt]) -> list[Edit]:
    """Remove the lines of decorators or of a `pytestmark`, and the import of pytest where nothing else uses it."""
    marks = [_as_written(run, mark) for mark in marks]
    edits = [remove_lines(run, mark) for mark in marks]
    names = Counter(part.id for mark in marks for part in parts_of(mark) if isinstance(part, ast.Name))
    for name, imported in (("pytest", None), ("mark", "mark")):
        if names[name] and uses_of(run.document, name) == names[name]:
            removed = remove_import(run.document, "pytest", imported, names[name])
            edits += [removed] if removed is not None else []
    return edits


def _as_written(run: Run, node: ast.expr | ast.stmt) -> ast.expr | ast.stmt:
    """The decorator by which a function has a mark: that may be the name of one that others have too."""
    for decorator in () if run.function is None else run.node.decorator_list:
        if any(mark.node is node for mark in decorators(run.engine.world, run.module, [decorator], "function")):
            return decorator
    return node


def remove_lines(run: Run, node: ast.AST) -> Edit:
    """Remove the whole lines a decorator or statement stands on."""
    span = run.span(node)
    return Edit(Span(Position(span.start.line, 0), Position(span.end.line + 1, 0)), "")
