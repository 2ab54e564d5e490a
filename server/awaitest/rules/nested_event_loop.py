"""Reports an event loop that is started inside another one.

Finds `asyncio.run()`, `loop.run_until_complete()`, `Runner.run()` and `anyio.run()` in an `async def`.

Why: An `async def` runs on an event loop already, and a thread can run one at a time: the call raises `RuntimeError`.
The coroutine that it was given never runs.

Bad:
    import asyncio

    import pytest

    async def load() -> int:
        return 1

    @pytest.mark.asyncio
    async def test_load():
        assert asyncio.run(load()) == 1

Good:
    import pytest

    async def load() -> int:
        return 1

    @pytest.mark.asyncio
    async def test_load():
        assert await load() == 1

Ignore: When something patches the event loop so that it can be nested; where the project mentions `nest_asyncio`,
nothing is reported.

Fix: Safe. Awaits the coroutine instead, or calls the function with its arguments and awaits that, and drops the import
that only the call needed. Offered where the call has no other arguments, and not in the block of a `Runner`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.backends import never_on_asyncio
from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.repair import await_edits, fix, insert, path_to
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import Run
from awaitest.engine.steps import Called
from awaitest.engine.tasks import called_with_edits
from awaitest.engine.uses import library_callee
from awaitest.engine.values import Awaitable, Coroutine, Value, every
from awaitest.engine.words import short
from awaitest.source.edits import remove_import
from awaitest.source.text import Edit, Span

RULE = Rule("AWT109", "nested-event-loop", Severity.ERROR)

_RUNNER = "asyncio.Runner.run"
_RUNNING = frozenset({"asyncio.run", _RUNNER, "asyncio.AbstractEventLoop.run_until_complete"})
_CALLING = frozenset({"anyio.run"})
_OPTIONS = frozenset({"backend", "backend_options"})


def check(step: Called, run: Run) -> Iterator[Finding]:
    """An async function starts a loop of its own."""
    callee = library_callee(step.target)
    if not run.is_async or step.expected or callee not in _RUNNING | _CALLING or not run.mine(step.node):
        return
    if _may_nest(run) or (callee in _RUNNING and never_on_asyncio(run)):
        return
    name = short(step.node)
    message = f"`{name}` starts an event loop inside another, which raises RuntimeError. `{run.node.name}` is async: await the coroutine instead."
    yield Finding(step.node, message, lambda: _fix(step, run, callee in _CALLING) if callee != _RUNNER else None)


def _may_nest(run: Run) -> bool:
    """Whether loops of this project can be nested, or the test may run on a loop of another library."""
    project = run.engine.project
    mixed = any(mark.name == "trio" for mark in run.marks)
    return mixed or any(True for _ in project.modules_mentioning(b"nest_asyncio", project.config.rootdir))


def _around(run: Run, call: ast.Call) -> list[Edit] | None:
    parent = path_to(run.node, call)[0]
    return [insert(run.span(call).start, "")] if isinstance(parent, ast.Await) else await_edits(run, call)


def _fix(step: Called, run: Run, calls: bool) -> Fix | None:
    arguments, value, around = step.node.args, step.arguments[:1], _around(run, step.node)
    options = {keyword.arg for keyword in step.node.keywords}
    if not arguments or around is None or not options <= (_OPTIONS if calls else set()):
        return None
    spans, whole = [run.span(argument) for argument in arguments], run.span(step.node)
    call = called_with_edits(run, arguments, value[0]) if calls else [] if _is_awaitable(arguments, value[0]) else None
    if call is None or around[0].span.start != whole.start or _has_comment(run, whole, spans):
        return None
    closing = "".join(edit.text for edit in [*call[-1:], *around[1:]])
    edits = [
        Edit(Span(whole.start, spans[0].start), around[0].text),
        *call[:-1],
        Edit(Span(spans[-1].end, whole.end), closing),
    ]
    root = step.node.func.value if isinstance(step.node.func, ast.Attribute) else None
    if isinstance(root, ast.Name):
        dropped = remove_import(run.document, root.id, None, 1)
        edits += [dropped] if dropped is not None else []
    return fix(run, "Await it", edits, safe=True)


def _is_awaitable(arguments: list[ast.expr], value: Value) -> bool:
    return len(arguments) == 1 and every(value, Coroutine, Awaitable) and isinstance(arguments[0], (ast.Call, ast.Name))


def _has_comment(run: Run, whole: Span, spans: list[Span]) -> bool:
    """Whether a comment stands in what is cut away."""
    places = [whole.start, *(place for span in spans for place in (span.start, span.end)), whole.end]
    cut = (run.document.lines[a.line : b.line] for a, b in zip(places[::2], places[1::2], strict=True))
    return any("#" in line for lines in cut for line in lines)
