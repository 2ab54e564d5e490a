"""On which loop pytest-asyncio runs a test or a fixture, and what a fixture leaves waiting on its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from packaging.version import Version

from awaitest.engine.facts import REQUESTS
from awaitest.engine.marks import asyncio_mark
from awaitest.engine.repair import added_argument, insert
from awaitest.engine.run import FIXTURE, TEST
from awaitest.engine.steps import Awaited, Called, Gave, Step
from awaitest.engine.style import mark_edits
from awaitest.engine.tasks import STARTING
from awaitest.engine.uses import library_callee
from awaitest.engine.values import Awaitable, FunctionInfo, FunctionValue, Instance, Value, every, may_be
from awaitest.project.config import LOOP_SCOPES
from awaitest.source.nodes import parts_of, spelt
from awaitest.source.text import Edit

if TYPE_CHECKING:
    from awaitest.engine.fixtures import Fixture
    from awaitest.engine.run import Run
    from awaitest.project.workspace import Project

_SINCE = Version("1.0")
_DEEPEST = 3
_READS = {f"asyncio.StreamReader.{name}" for name in ("read", "readline", "readexactly", "readuntil")}
_EXITS = {"asyncio.Process.wait", "asyncio.Process.communicate"}
_SETTLING = frozenset({"set_result", "set_exception", "cancel"})
_KEEPING = frozenset({"append", "add", "setdefault", "extend", "update"})
_PUTS = {"asyncio.Queue.put", "asyncio.Queue.put_nowait"}


@dataclass(frozen=True, slots=True)
class Stuck:
    """An `await` for something that only another loop could bring about."""

    fixture: Fixture
    loop: str
    what: str


def _has_loops(project: Project) -> bool:
    """Whether pytest-asyncio is there, in a version whose fixtures have loops of their own."""
    version = project.environment.version("pytest-asyncio")
    return version is not None and version >= _SINCE and project.plugin("pytest-asyncio") is True


def is_taken(fixture: Fixture, run: Run) -> bool:
    """Whether pytest-asyncio certainly runs the fixture, on a loop that the fixture chooses."""
    project = run.engine.project
    if not _has_loops(project):
        return False
    if fixture.flavour == "pytest_asyncio":
        return True
    alone = project.plugin("anyio") is False or not project.uses_anyio(run.path)
    return fixture.is_async and project.config.asyncio_mode == "auto" and alone and fixture.loop_scope is None


def fixture_loop(fixture: Fixture, run: Run) -> str | None:
    """The scope of the loop that a fixture runs on; None where it cannot be told."""
    default = run.engine.project.config.asyncio_default_fixture_loop_scope
    default = fixture.scope if default in {None, "fixture-scope"} else default
    loop = fixture.loop_scope or default
    return loop if is_taken(fixture, run) and loop in LOOP_SCOPES else None


def own_loop(run: Run) -> str | None:
    """The scope of the loop that an async test or fixture runs on; None where it cannot be told."""
    if run.kind == FIXTURE and run.fixture is not None:
        return fixture_loop(run.fixture, run)
    project = run.engine.project
    if run.kind != TEST or not run.is_async or run.verdict.by != "pytest-asyncio" or not _has_loops(project):
        return None
    mark = asyncio_mark(run.marks)
    given = (mark.keywords.get("loop_scope") or mark.keywords.get("scope")) if mark is not None else None
    if mark is not None and (mark.name is None or mark.arguments):
        return None
    if given is None:
        return project.config.asyncio_default_test_loop_scope
    return given.value if isinstance(given, ast.Constant) and given.value in LOOP_SCOPES else None


def stuck(run: Run) -> Stuck | None:
    """The first thing that an async test or fixture waits for, though it belongs to the loop of a fixture, which stands still."""
    own = own_loop(run)
    loops = {step.name: (step.fixture, fixture_loop(step.fixture, run)) for step in run.received()}
    apart = {name: (fixture, loop) for name, (fixture, loop) in loops.items() if loop is not None and loop != own}
    if own is None or not apart:
        return None
    aliases = {part: name for part, name in _aliases(run) if name in apart}
    for step in run.steps:
        if isinstance(step, (Called, Awaited)) and not step.expected:
            node = step.node.func if isinstance(step, Called) else step.node.value
            root = _root(node)
            name = aliases.get(root, root)
            if name in apart and _needs_loop(run, step, apart[name][0]):
                fixture, loop = apart[name]
                return None if _starts(run) else Stuck(fixture, loop, spelt(node))
    return None


def _needs_loop(run: Run, step: Called | Awaited, fixture: Fixture) -> bool:
    if isinstance(step, Awaited):
        plain = isinstance(step.node.value, (ast.Name, ast.Attribute))
        made = _walked(run, fixture)
        settled = _settles(run.steps[: run.steps.index(step)]) or (made is not None and _settles(_before_giving(made)))
        return plain and every(step.operand, Awaitable) and _gives_at_once(made) and not settled
    callee = library_callee(step.target)
    if callee in _READS:
        return True
    if callee in _EXITS:
        return _gives_at_once(_walked(run, fixture))
    if callee == "asyncio.Queue.join":
        return _put_before(run, step) and _starts(_walked(run, fixture))
    return callee is not None and callee.startswith("aiohttp.ClientSession.") and callee.split(".")[-1] in REQUESTS


def _before_giving(fixture: Run) -> list[Step]:
    """What a fixture does before it hands something out."""
    return list(takewhile(lambda step: not isinstance(step, Gave), fixture.steps))


def _settles(steps: list[Step]) -> bool:
    """Whether a future may be done after these steps: somebody sets what it gives, or code that may do so gets it."""
    for step in steps:
        if not isinstance(step, Called):
            continue
        if any(isinstance(part, ast.Attribute) and part.attr in _SETTLING for part in parts_of(step.node)):
            return True
        handed = any(may_be(value, Awaitable) for value in step.arguments)
        if handed and library_callee(step.target) is None and spelt(step.node.func).rpartition(".")[2] not in _KEEPING:
            return True
    return False


def _put_before(run: Run, join: Called) -> bool:
    """Whether the function put something into the queue that it joins."""
    queue = ast.dump(join.node.func.value) if isinstance(join.node.func, ast.Attribute) else ""
    puts = (it for it in run.steps[: run.steps.index(join)] if isinstance(it, Called))
    return any(
        library_callee(it.target) in _PUTS
        and isinstance(it.node.func, ast.Attribute)
        and ast.dump(it.node.func.value) == queue
        for it in puts
    )


def _walked(run: Run, fixture: Fixture) -> Run | None:
    """The fixture's own run, wherever it stands."""
    document = fixture.module.document
    runs = run.engine.inside(fixture.module, document.segment_of(fixture.node)) if document is not None else []
    return next((it for it in runs if it.node is fixture.node), None)


def _gives_at_once(fixture: Run | None) -> bool:
    """Whether a fixture waits for nothing else, once it has made what it hands out: nothing of it can be over yet."""
    awaited = [it for it in fixture.steps if isinstance(it, (Awaited, Gave))] if fixture is not None else []
    first = next((at for at, it in enumerate(awaited) if isinstance(it, Gave)), 0)
    waits = [it for it in awaited[:first] if isinstance(it, Awaited)]
    making = {"asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"}
    called = (
        {id(it.node): library_callee(it.target) for it in fixture.steps if isinstance(it, Called)} if fixture else {}
    )
    return bool(awaited) and all(called.get(id(it.node.value)) in making for it in waits)


def _starts(run: Run | None) -> bool:
    """Whether a function starts a task, itself or through functions of the project that it calls."""
    called = [step.target for step in run.steps if isinstance(step, Called)] if run is not None else []
    return any(run is not None and _start(run, target, 0) for target in called)


def _start(run: Run, target: Value, depth: int) -> bool:
    if library_callee(target) in STARTING | {"asyncio.gather", "asyncio.TaskGroup.create_task"}:
        return True
    functions = [kind.function for kind in target if isinstance(kind, FunctionValue)]
    return depth < _DEEPEST and any(
        _start(run, callee, depth + 1)
        for function in functions
        if function.module.origin == "project"
        for callee in _callees(run, function)
    )


def _callees(run: Run, function: FunctionInfo) -> Iterator[Value]:
    """What a function calls, as far as its module tells; methods of its own object too."""
    for part in parts_of(function.node):
        if not isinstance(part, ast.Call):
            continue
        match part.func:
            case ast.Attribute(value=ast.Name(id="self"), attr=name) if function.owner is not None:
                method = run.engine.world.member(function.owner, name)
                node = method.nodes[-1] if method is not None else None
                if method is not None and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    owned = run.engine.world.function_info(method.owner.module, node, method.owner)
                    yield frozenset({FunctionValue(owned, frozenset({Instance(function.owner)}))})
            case _:
                yield run.engine.world.reader.expression(function.module, part.func)


def _aliases(run: Run) -> Iterator[tuple[str, str]]:
    """Names that a function unpacks from another: `reader, writer = streams`."""
    for part in parts_of(run.node):
        match part:
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Name(id=name)):
                yield from ((target.id, name) for target in targets if isinstance(target, ast.Name))


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def loop_scope_edits(run: Run, scope: str) -> list[Edit] | None:
    """Edits that make pytest-asyncio run a test on the loop of a scope: its own mark says so, or a new one does."""
    mark = asyncio_mark(run.marks)
    text = f'loop_scope="{scope}"'
    if mark is None or mark.node not in run.node.decorator_list:
        return mark_edits(run, run.node, f"asyncio({text})")
    if not isinstance(mark.node, ast.Call):
        return [insert(run.span(mark.node).end, f"({text})")]
    given = mark.keywords.get("loop_scope")
    return added_argument(run, mark.node, text) if given is None else [Edit(run.span(given), f'"{scope}"')]
