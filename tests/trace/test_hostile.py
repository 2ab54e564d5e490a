"""Tests that look for the recorder, or do what could break it: they end as they do without it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.trace.conftest import APP, IMPORTS, Traced, run_strictly

from awaitest.trace.reading import read
from awaitest.trace.running import RECORDER, Asked, run
from awaitest.trace.traced import TracedTest

HEAD = """\
import gc, inspect, io, os, subprocess, sys, threading, time, warnings, weakref
from unittest import mock


class Meta(type):
    def __eq__(cls, other):
        return cls is other  # and so there is no __hash__


class Odd(AsyncClient, metaclass=Meta):
    def __eq__(self, other):
        return True


class Quiet:
    def __getattribute__(self, name):
        raise SystemExit(name)

    def __repr__(self):
        time.sleep(1000)


OLD = [Meta("Kept", (), {})()]


def cycle():
    made = Meta("Cycle", (), {})()
    made.itself = made
    return weakref.ref(made)


gc.disable()
CYCLE = cycle()
gc.enable()
PENDING = asyncio.sleep(0)


"""
BODIES = {
    "values": "    quiet = [Quiet()]\n    assert len(quiet) == 1",
    "classes without a hash": "    async with Odd() as client:\n        pass\n    assert client.is_closed",
    "a mock for what is sent": (
        "    with mock.patch.object(AsyncClient, 'send', mock.AsyncMock(return_value=object())):\n"
        "        assert await AsyncClient.get(AsyncClient(), 'http://x') is not None"
    ),
    "objects": "    assert any(it is OLD for it in gc.get_objects())",
    "old cycles": "    gc.collect()\n    assert CYCLE() is None",
    "an object that goes": "    it = type('It', (), {})()\n    seen = weakref.ref(it)\n    it = None\n    assert seen() is None",
    "environment": (
        "    assert os.environ.get('PYTHONPATH') == 'elsewhere'\n    assert 'PYTHONIOENCODING' not in os.environ\n"
        "    assert not [it for it in [*os.environ, *sys.path] if 'awaitest' in it.lower() and 'trace' in it.lower()]"
    ),
    "processes": (
        '    code = \'import os; print([it for it in os.environ if "AWAITEST" in it], os.environ["PYTHONPATH"])\'\n'
        "    assert subprocess.check_output([sys.executable, '-c', code], text=True) == '[] elsewhere\\n'"
    ),
    "the stack": (
        "    assert inspect.stack()[0].function.startswith('test_')\n"
        "    assert asyncio.current_task().get_coro().__qualname__.startswith('test_')"
    ),
    "output": "    before, sys.stdout = sys.stdout, io.StringIO()\n    await asyncio.sleep(0)\n    sys.stdout = before",
    "a tracer": "    seen = []\n    sys.settrace(lambda *told: seen.append(told))\n    await asyncio.sleep(0)\n    sys.settrace(None)\n    assert seen",
    "filters": "    warnings.resetwarnings()\n    warnings.simplefilter('error')\n    await asyncio.sleep(0)",
    "a loop that must not block": (
        "    def refuse(*_, **__):\n        raise RuntimeError('blocks')\n\n    with mock.patch('builtins.open', refuse), "
        "mock.patch('os.write', refuse), mock.patch('io.open', refuse), mock.patch('tokenize.open', refuse):\n        await asyncio.sleep(0)"
    ),
    "threads": "    thread = threading.Thread(target=lambda: asyncio.run(asyncio.sleep(0)))\n    thread.start()\n    thread.join()",
    "recursion": "    def deeper():\n        deeper()\n\n    with pytest.raises(RecursionError):\n        deeper()",
    "generators": (
        "    def items():\n        try:\n            yield 1\n        finally:\n            raise KeyError\n\n"
        "    made = items()\n    next(made)\n    with pytest.raises(KeyError):\n        made.close()"
    ),
}
ENDS = "async def test_ids(it):\n    assert it\n"


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TracedTest]:
    project = tmp_path_factory.mktemp("a folder — with ünicode") / "tests"
    project.mkdir()
    (project / "app.py").write_text(APP)
    (project.parent / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\npythonpath = tests\n")
    text = IMPORTS + HEAD
    for number, body in enumerate(BODIES.values()):
        text += f"async def test_{number}():\n{body}\n\n\n"
    text += f"@pytest.mark.parametrize('it', [1, 2, 3], ids=['a::b', 'a [b]', 'ü'])\n{ENDS}"
    (project / "test_it.py").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", "elsewhere")
        patch.setenv("PYTEST_ADDOPTS", "-W ignore")
        patch.delenv("PYTHONIOENCODING", raising=False)
        tests = read(run(Asked(Path(sys.executable), project.parent, (str(project / "test_it.py"),)))).tests
    return dict(zip([*BODIES, "a::b", "a [b]", "ü"], tests, strict=True))


@pytest.mark.parametrize("name", [*BODIES, "a::b", "a [b]", "ü"])
def test_ends_as_without_the_recorder(name: str, ends: dict[str, TracedTest]) -> None:
    test = ends[name]
    assert (test.outcome, test.message) == ("passed", "")
    assert [it.name for it in test.left if it.what != "client"] == []
    assert [row.action for row in test.rows if row.failed and "raises" not in row.result] == []


def test_secrets_of_headers_are_told_nowhere(traced: Traced) -> None:
    body = (
        "async def test_it():\n"
        "    headers = {'Authorization': 'Bearer ' + 'abc'.upper(), 'Cookie': 'a=' + 'abc'.upper()}\n"
        "    pairs = [*headers.items()]\n"
        "    async with AsyncClient(transport=ASGITransport(app=app), base_url='http://test') as client:\n"
        "        response = await client.get('/hello', headers=headers, auth=('me', 'abc'.upper()))\n"
        "    assert response.status_code == 0, headers\n"
    )
    trace = traced(body)
    assert trace.tests[0].outcome == "failed"
    assert "[redacted]" in trace.tests[0].message
    assert "ABC" not in repr(trace)


def test_each_coroutine_is_told_of_once(traced: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where they take each other's address, as one is gone before the next is made."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-W ignore")
    (test,) = traced("async def work(): ...\n\n\nasync def test_it():\n    work()\n    work()\n    work()\n").tests
    first = IMPORTS.count("\n") + 5
    assert [it.line for it in test.left] == [first, first + 1, first + 2]


def test_a_test_that_ends_the_process_keeps_its_table(traced: Traced) -> None:
    trace = traced("import os\n\n\nasync def test_it():\n    value = 1\n    os._exit(3)\n")
    (test,) = trace.tests
    assert (trace.exit_code, test.outcome) == (3, "not finished")
    assert [row.action for row in test.rows[1:3]] == ["set `value`", "call `os._exit(…)`"]


def test_helpers_are_those_of_the_test_tree(project: Path) -> None:
    """A folder whose name begins as that of the tests does is another one."""
    for folder, name in (("tests", "near"), ("tests_of_others", "far")):
        (project / folder).mkdir()
        (project / folder / f"{name}.py").write_text(f"def {name}():\n    value = '{name}'\n    return value\n")
    (project / "tests" / "test_near.py").write_text(
        "from far import far\nfrom near import near\n\n\ndef test_it():\n    near()\n    far()\n"
    )
    (project / "pytest.ini").write_text("[pytest]\npythonpath = tests tests_of_others\n")
    asked = Asked(Path(sys.executable), project, (str(project / "tests" / "test_near.py"),), helpers=True)
    (test,) = read(run(asked)).tests
    assert {Path(row.path).name for row in test.rows if row.depth} == {"near.py"}


def test_of_two_recorders_the_first_one_records(project: Path) -> None:
    """An editor hands over its own, and a project may have another version installed beside pytest."""
    shutil.copytree(RECORDER / "awaitest_trace", project / "second_trace")
    (project / "second_trace" / "tracing.py").write_text("raise SystemExit('the second one')\n")
    (project / "test_it.py").write_text("def test_it(): ...\n")
    environment = {**os.environ, "PYTHONPATH": str(RECORDER)}
    plugins = ["-p", "awaitest_trace.plugin", "-p", "second_trace.plugin", "--awaitest-strict"]
    command = [sys.executable, "-m", "pytest", *plugins]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


STRICT = """\
import gc
import sys


async def test_no_tracer():
    assert sys.gettrace() is None


async def test_task():
    task = asyncio.create_task(asyncio.sleep(9))


class TestIt(__import__("unittest").IsolatedAsyncioTestCase):
    async def test_clean(self):
        await asyncio.sleep(0)

    async def test_left(self):
        self.task = asyncio.create_task(asyncio.sleep(9))
"""


def test_a_strict_run_leaves_tracing_to_others(project: Path) -> None:
    """Coverage below Python 3.12 is a trace function; a strict run must not take its place."""
    done = run_strictly(project, STRICT, "-rA")
    told = [line.split(" - ")[0] for line in done.stdout.splitlines() if line.startswith(("PASSED", "ERROR", "FAILED"))]
    assert sorted(told) == [
        "ERROR test_it.py::test_task",
        "FAILED test_it.py::TestIt::test_left",
        "PASSED test_it.py::TestIt::test_clean",
        "PASSED test_it.py::test_no_tracer",
        "PASSED test_it.py::test_task",
    ]
