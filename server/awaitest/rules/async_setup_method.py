"""Reports an async set-up or tear-down that is never awaited.

Finds `async def` functions that pytest or unittest call by their name around tests: `setup_method`, `teardown_class`,
`setup_function`, `setUp`, `tearDown` and the like.

Why: They are called like plain functions. Each call gives a coroutine that nobody awaits, so that the tests run on
state that was never set up, with no more than a warning. Plugins for async tests change nothing about it.

Bad:
    import pytest

    @pytest.mark.asyncio
    class TestUsers:
        async def setup_method(self):
            self.users = ["alice"]

        async def test_users(self):
            assert self.users == ["alice"]

Good:
    import pytest
    import pytest_asyncio

    @pytest.mark.asyncio
    class TestUsers:
        @pytest_asyncio.fixture(autouse=True)
        async def _setup(self):
            self.users = ["alice"]

        async def test_users(self):
            assert self.users == ["alice"]

Ignore: When something of your own awaits what these functions give, in a way that cannot be seen from the source.

Fix: Sometimes safe. In a pytest class `setup_method` and `teardown_method` become fixtures that every test of the class
uses, beside functions `setup_function` and `teardown_function` do; in `IsolatedAsyncioTestCase`, `setUp` and `tearDown`
become `asyncSetUp` and `asyncTearDown`. `setup_module` and `teardown_module` become fixtures of the module, which run on
a loop of their own: that is unsafe.
"""

from __future__ import annotations

from collections.abc import Iterator

from awaitest.engine.alterations import replaced
from awaitest.engine.decorators import Shape, shape
from awaitest.engine.diagnostic import Severity
from awaitest.engine.repair import fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import HELPER, TEST, Run
from awaitest.engine.runner import is_isolated
from awaitest.engine.setups import asynchronous_case, autouse_fixture
from awaitest.engine.steps import Collected

RULE = Rule("AWT206", "async-setup-method", Severity.ERROR)

_CASE = frozenset({"setUp", "tearDown", "setUpClass", "tearDownClass"})
_CLASS = frozenset({"setup_method", "teardown_method", "setup_class", "teardown_class"})
_FUNCTIONS = frozenset({"setup_function", "teardown_function"})
_MODULE = frozenset({"setup_module", "teardown_module", "setUpModule", "tearDownModule"})


def check(step: Collected, run: Run) -> Iterator[Finding]:
    """An async function that is called by its name around the tests of this file."""
    if run.kind != HELPER or not run.is_async or run.function is None:
        return
    tests = [test for test in run.sheet.runs if test.kind == TEST and _surrounds(run, test)]
    if not tests or shape(run.engine.world, run.function) is not Shape.AS_WRITTEN:
        return
    if run.engine.project.runs_async_otherwise(run.module):
        return
    if any(replaced(run.engine.world, run.function, test.cls) for test in tests):
        return
    name = run.node.name
    caller = "unittest" if name in _CASE else "pytest"
    message = f"{caller} calls `{name}` and never awaits it, so its body does not run. "
    if name not in _CASE:
        message += "Use an autouse async fixture."
        yield Finding(
            run.name_span,
            message,
            lambda: fix(
                run, f"Make `{name}` an autouse fixture", autouse_fixture(run, tests), safe=name not in _MODULE
            ),
        )
    elif name in {"setUp", "tearDown"}:
        right = f"async{name[0].upper()}{name[1:]}"
        message += f"Name it `{right}`, in an `IsolatedAsyncioTestCase`."
        yield Finding(
            run.name_span,
            message,
            lambda: fix(run, f"Name it `{right}`", asynchronous_case(run, right), safe=True),
        )
    else:
        yield Finding(run.name_span, message + "Make it a plain method that runs what it needs itself.")


def _surrounds(run: Run, test: Run) -> bool:
    """Whether the function is called around a test."""
    world, name = run.engine.world, run.node.name
    if run.cls is None:
        return name in _MODULE or (name in _FUNCTIONS and test.cls is None)
    if test.cls is None or name not in _CASE | _CLASS:
        return False
    isolated = is_isolated(world, test.cls)
    case = any(base.package == "unittest" for base in world.mro(test.cls)[0])
    defined = world.member(test.cls, name)
    if defined is None or not any(node is run.node for node in defined.nodes) or len(defined.nodes) > 1:
        return False
    return world.mro(test.cls)[1] and (name in _CASE if case else name in _CLASS and not isolated)
