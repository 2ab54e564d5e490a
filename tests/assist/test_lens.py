"""Lenses: who runs a test, on which loop."""

from __future__ import annotations

import pytest
from tests.assist.casebook import TEST_FILE, runs

from awaitest.assist.lens import lenses
from awaitest.source.text import Span

ASYNCIO = "import pytest\n\n\n@pytest.mark.asyncio{}\nasync def test_one(): ...\n"
PLAIN = "async def test_one(): ...\n"
ANYIO = "import pytest\n\n\n@pytest.mark.anyio\nasync def test_one(): ...\n"
BACKEND = "\n\n@pytest.fixture{}\ndef anyio_backend({}):\n    return {}\n"
SCOPE = "asyncio_default_test_loop_scope"

TITLES: dict[str, tuple[str, dict[str, str], str | None]] = {
    "marked": (ASYNCIO.format(""), {}, "pytest-asyncio · function loop"),
    "its own scope": (ASYNCIO.format('(loop_scope="module")'), {}, "pytest-asyncio · module loop"),
    "the old argument": (ASYNCIO.format('(scope="session")'), {}, "pytest-asyncio · session loop"),
    "a scope that is computed": (ASYNCIO.format("(loop_scope=SCOPE)"), {}, "pytest-asyncio"),
    "the scope of the project": (ASYNCIO.format(""), {SCOPE: "session"}, "pytest-asyncio · session loop"),
    "the scope of the module": (
        'import pytest\n\npytestmark = pytest.mark.asyncio(loop_scope="module")\n\n\n' + PLAIN,
        {},
        "pytest-asyncio · module loop",
    ),
    "auto mode": (PLAIN, {"asyncio_mode": "auto"}, "pytest-asyncio · function loop"),
    "nobody": (PLAIN, {}, "nobody runs this test"),
    "the plugin is absent": (ASYNCIO.format(""), {"without": "pytest-asyncio"}, "nobody runs this test"),
    "nothing is known": (ASYNCIO.format(""), {"environment": "unknown"}, None),
    "anyio": (ANYIO, {"without": "trio"}, "anyio · asyncio"),
    "anyio and trio": (ANYIO, {}, "anyio · asyncio and trio"),
    "a backend of the project": (ANYIO + BACKEND.format("", "", '"trio"'), {}, "anyio · trio"),
    "a backend with options": (ANYIO + BACKEND.format("", "", '("asyncio", {"debug": True})'), {}, "anyio · asyncio"),
    "backends as parameters": (
        ANYIO + BACKEND.format('(params=[pytest.param("trio"), "asyncio"])', "request", "request.param"),
        {},
        "anyio · asyncio and trio",
    ),
    "a backend that is computed": (ANYIO + BACKEND.format("", "", "choose()"), {}, "anyio"),
    "backends of one test": (
        ANYIO.replace("async def", '@pytest.mark.parametrize("anyio_backend", ["asyncio"])\nasync def').replace("()", "(anyio_backend)"),
        {},
        "anyio",
    ),
    "a plain test": ("def test_one(): ...\n", {"asyncio_mode": "auto"}, None),
    "a generator": ("async def test_one():\n    yield\n", {"asyncio_mode": "auto"}, None),
    "a helper": ("async def one(): ...\n", {"asyncio_mode": "auto"}, None),
    "a hook decides": (PLAIN + "#- tests/conftest.py\ndef pytest_pyfunc_call(pyfuncitem): ...  # asyncio\n", {}, None),
}  # fmt: skip


@pytest.mark.parametrize(("text", "headers", "title"), TITLES.values(), ids=TITLES)
def test_title(text: str, headers: dict[str, str], title: str | None) -> None:
    test, _, conftest = text.partition("#- tests/conftest.py\n")
    files = {TEST_FILE: test, **({"tests/conftest.py": conftest} if conftest else {})}
    assert [lens.title for lens in lenses(runs(files, headers))] == ([] if title is None else [title])


CLASSES = """\
from unittest import IsolatedAsyncioTestCase, TestCase


class TestOne:
    async def test_a(self): ...

    class TestInner:
        async def test_b(self): ...


class Isolated(IsolatedAsyncioTestCase):
    async def test_c(self): ...


class Plain(TestCase):
    async def test_d(self): ...
"""


def test_classes() -> None:
    found = lenses(runs({TEST_FILE: CLASSES}, {"asyncio_mode": "auto"}))
    assert [(lens.test, lens.title, lens.span) for lens in found] == [
        ("TestOne::test_a", "pytest-asyncio · function loop", Span.of(4, 14, 4, 20)),
        ("TestInner::test_b", "pytest-asyncio · function loop", Span.of(7, 18, 7, 24)),
        ("Isolated::test_c", "unittest · function loop", Span.of(11, 14, 11, 20)),
        ("Plain::test_d", "nobody runs this test", Span.of(15, 14, 15, 20)),
    ]
