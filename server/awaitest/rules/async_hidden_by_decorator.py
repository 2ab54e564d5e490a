"""Reports a decorator that makes a plain function of an async test.

Finds decorators of the project on async tests whose wrapper is a plain `def` that calls the test and does not await it.

Why: pytest and its plugins see the wrapper. The markers are no use to it, and the coroutine of the test is never
awaited: the test fails, or passes without having run where the wrapper returns nothing.

Bad:
    import functools

    import pytest

    def logged(test):
        @functools.wraps(test)
        def wrapper(*args, **kwargs):
            print("begins")
            test(*args, **kwargs)
        return wrapper

    @pytest.mark.asyncio
    @logged
    async def test_answer():
        assert 6 * 7 == 42

Good:
    import functools

    import pytest

    def logged(test):
        @functools.wraps(test)
        async def wrapper(*args, **kwargs):
            print("begins")
            await test(*args, **kwargs)
        return wrapper

    @pytest.mark.asyncio
    @logged
    async def test_answer():
        assert 6 * 7 == 42

Ignore: When a plugin of your own awaits what tests return.

Fix: Unsafe. Makes the wrapper async and awaits the test in it. Offered where the decorator stands in the same file and
only async functions wear it there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.decorators import PlainWrapper, Shape, effect_of, evaluate, plain_wrapper
from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.repair import fix, insert
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import TEST, Run
from awaitest.engine.runner import in_testcase
from awaitest.engine.steps import Collected
from awaitest.engine.values import FunctionInfo, FunctionValue
from awaitest.engine.words import short
from awaitest.engine.world import Definition
from awaitest.source.nodes import spelt

RULE = Rule("AWT218", "async-hidden-by-decorator", Severity.ERROR)


def check(step: Collected, run: Run) -> Iterator[Finding]:
    """An async test whose decorator hides that it is one."""
    if run.kind != TEST or not run.is_async or run.function is None:
        return
    if run.engine.project.runs_async_otherwise(run.module):
        return
    if run.cls is not None and in_testcase(run.engine.world, run.cls) is not False:
        return
    decorator, wrapper = _outermost(run, run.function)
    if decorator is None or wrapper is None or not run.mine(decorator):
        return
    outcome = "it fails" if wrapper.returns else "it passes without running"
    message = f"`@{short(decorator)}` makes a plain function of `{run.node.name}`: nobody awaits it, so {outcome}. "
    message += "Make the wrapper async."
    yield Finding(decorator, message, lambda: _fix(run, decorator, wrapper))


def _outermost(run: Run, function: FunctionInfo) -> tuple[ast.expr | None, PlainWrapper | None]:
    """The decorator that pytest sees, if it wraps, below those that change nothing."""
    for decorator in run.node.decorator_list:
        if effect_of(run.engine.world, function, decorator) is not Shape.AS_WRITTEN:
            return decorator, _wrapper(run, function, decorator)
    return None, None


def _wrapper(run: Run, function: FunctionInfo, decorator: ast.expr) -> PlainWrapper | None:
    called = isinstance(decorator, ast.Call)
    value = evaluate(run.engine.world, function, decorator.func if isinstance(decorator, ast.Call) else decorator)
    kind = next(iter(value)) if len(value) == 1 else None
    if not isinstance(kind, FunctionValue) or not isinstance(kind.function.node, Definition):
        return None
    if kind.function.module.origin != "project" or kind.function.node.decorator_list:
        return None
    return plain_wrapper(kind.function.node, called)


def _fix(run: Run, decorator: ast.expr, wrapper: PlainWrapper) -> Fix | None:
    worn = spelt(decorator)
    plain = (it for it in run.sheet.runs if it.function is not None and not it.is_async)
    if not run.mine(wrapper.node) or any(worn == spelt(node) for it in plain for node in it.node.decorator_list):
        return None
    places = [run.span(wrapper.node).start, *(run.span(call).start for call in wrapper.calls)]
    edits = [insert(place, "async " if number == 0 else "await ") for number, place in enumerate(places)]
    return fix(run, "Make the wrapper async", edits, safe=False)
