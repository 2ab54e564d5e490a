"""Reports an async test method of a plain `unittest.TestCase`.

Finds `async def test_…` in classes that derive from `unittest.TestCase` but not from
`unittest.IsolatedAsyncioTestCase`, also through base classes of the project.

Why: `TestCase` calls the method, gets a coroutine and drops it. The test passes without running a line, with `assert 1
== 2` in it too; a marker or auto mode changes nothing, for plugins leave unittest classes alone.

Bad:
    import unittest

    class UserTests(unittest.TestCase):
        async def test_name(self):
            self.assertEqual("alice", "bob")

Good:
    import unittest

    class UserTests(unittest.IsolatedAsyncioTestCase):
        async def test_name(self):
            self.assertEqual("alice", "alice")

Ignore: When a base class that awaits its tests is made in a way that cannot be seen from the source.

Fix: Safe. Lets the class derive from `IsolatedAsyncioTestCase`. Offered where the class names `TestCase` as its base
itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.repair import fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import TEST, Run
from awaitest.engine.runner import Reason
from awaitest.engine.steps import Collected
from awaitest.source.edits import Import, replace_import
from awaitest.source.text import Edit

RULE = Rule("AWT202", "async-test-in-testcase", Severity.ERROR)


def check(step: Collected, run: Run) -> Iterator[Finding]:
    """An async method that unittest drops."""
    if run.kind != TEST or not run.is_async or run.cls is None or run.verdict.reason is not Reason.TESTCASE:
        return
    message = (
        f"`{run.node.name}` passes without running: `{run.cls.node.name}` is a `unittest.TestCase`, which never awaits its tests. "
        "Derive from `unittest.IsolatedAsyncioTestCase`."
    )
    yield Finding(run.name_span, message, lambda: _fix(run))


def _fix(run: Run) -> Fix | None:
    assert run.cls is not None
    for base in run.cls.node.bases:
        if isinstance(base, ast.Attribute) and base.attr == "TestCase" and isinstance(base.value, ast.Name):
            return _replaced(run, base, f"{base.value.id}.IsolatedAsyncioTestCase", [])
        if isinstance(base, ast.Name) and base.id == "TestCase":
            imported = replace_import(
                run.document, Import("unittest", "TestCase"), Import("unittest", "IsolatedAsyncioTestCase"), replaced=1
            )
            return _replaced(run, base, "IsolatedAsyncioTestCase", imported) if imported else None
    return None


def _replaced(run: Run, base: ast.expr, text: str, imported: list[Edit]) -> Fix | None:
    return fix(run, "Derive from `IsolatedAsyncioTestCase`", [Edit(run.span(base), text), *imported], safe=True)
