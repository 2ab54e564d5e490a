"""What is left behind, runs that fail or never end, and strict runs."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest
from tests.trace.conftest import APP, IMPORTS, Traced, run_strictly

from awaitest.trace.reading import read
from awaitest.trace.running import Asked, Finished, run
from awaitest.trace.traced import Trace, TracedTest

FIRST = IMPORTS.count("\n") + 1
MAKE = 'AsyncClient(transport=ASGITransport(app=app), base_url="http://test")'
WORK = "async def work():\n    await asyncio.sleep(5)\n\n\nasync def fail():\n    raise ValueError('x')\n\n\n"
LEFT = {
    "a coroutine": ("    work()\n", ("coroutine", "work()", 1)),
    "a coroutine that is kept": ("    fail.kept = work()\n", ("coroutine", "work()", 1)),
    "a coroutine of a library": ("    asyncio.sleep(1)\n", ("coroutine", "sleep()", 1)),
    "a client": (f"    client = {MAKE}\n    await client.get('/hello')\n", ("client", "AsyncClient", 1)),
    "a stream": (
        (
            f"    async with {MAKE} as client:\n"
            "        await client.send(client.build_request('GET', '/hello'), stream=True)\n"
        ),
        ("stream", "Response", 2),
    ),
    "a task": ("    task = asyncio.create_task(work())\n", ("task", "work()", 1)),
    "a lost exception": (
        "    asyncio.create_task(fail())\n    await asyncio.sleep(0.01)\n",
        ("exception", "fail", 1),
    ),
    "an override": ("    app.dependency_overrides[work] = fail\n", ("override", "work", 0)),
}
CLEAN = {
    "everything awaited": "    await asyncio.wait_for(asyncio.sleep(0), 1)\n    task = asyncio.create_task(asyncio.sleep(0))\n    await task\n",
    "a task cancelled": "    task = asyncio.create_task(work())\n    task.cancel()\n    await asyncio.gather(task, return_exceptions=True)\n",
    "an exception retrieved": "    task = asyncio.create_task(fail())\n    with pytest.raises(ValueError):\n        await task\n",
    "a client closed": f"    client = {MAKE}\n    await client.get('/hello')\n    await client.aclose()\n",
    "a coroutine closed": "    coroutine = work()\n    coroutine.close()\n",
    "an override taken back": "    app.dependency_overrides[fail] = work\n    del app.dependency_overrides[fail]\n",
    "threads": "    assert await asyncio.to_thread(lambda: 1) == 1\n",
}


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[TracedTest, int]]:
    """All of them as tests of one file, by name, each with the line before its body."""
    project = tmp_path_factory.mktemp("together")
    (project / "app.py").write_text(APP)
    (project / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    bodies = {name: body for name, (body, _) in LEFT.items()} | CLEAN
    text, lines = IMPORTS + WORK, {}
    for number, (name, body) in enumerate(bodies.items()):
        text += f"async def test_{number}():\n"
        lines[name] = text.count("\n")
        text += f"{body}\n\n"
    (project / "test_it.py").write_text(text)
    tests = read(run(Asked(Path(sys.executable), project, (str(project / "test_it.py"),)))).tests
    return {name: (test, line) for (name, line), test in zip(lines.items(), tests, strict=True)}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_left_behind(name: str, together: dict[str, tuple[TracedTest, int]]) -> None:
    test, before = together[name]
    assert [(it.what, it.name, max(0, it.line - before)) for it in test.left] == [LEFT[name][1]]
    assert (test.outcome, {it.via for it in test.left}) == ("passed", {0})


@pytest.mark.parametrize("name", CLEAN)
def test_nothing_is_left_behind(name: str, together: dict[str, tuple[TracedTest, int]]) -> None:
    test, _ = together[name]
    assert (test.left, test.outcome) == ([], "passed")


def test_what_a_helper_leaves_names_the_line_of_the_test(traced: Traced) -> None:
    text = f"async def test_it():\n    client = make()\n    await client.get('/hello')\n\n\ndef make():\n    return {MAKE}\n"
    (test,) = traced(text).tests
    assert [(it.line - FIRST, it.via - FIRST) for it in test.left] == [(6, 1)]


def test_a_fixture_that_cleans_up_leaves_nothing(traced: Traced) -> None:
    text = f"""\
@pytest.fixture
async def client():
    client = {MAKE}
    task = asyncio.create_task(asyncio.sleep(9))
    pending = asyncio.sleep(0)
    yield client
    await client.aclose()
    await pending
    task.cancel()


@pytest.fixture(scope="session")
def shared():
    return {MAKE}


async def test_it(client, shared):
    assert (await client.get("/hello")).status_code == 200


async def test_other(shared):
    pass
"""
    first, last = traced(text).tests
    assert first.left == []
    assert [it.what for it in last.left] == ["client"]


def stopped(traced: Traced, text: str) -> Trace:
    """A run that is stopped once its test has begun, however long a busy machine takes to get there."""
    runs = (traced(text, timeout=seconds) for seconds in (4, 16, 64))
    return next(trace for trace in runs if trace.tests and len(trace.tests[0].rows) > 3)


def test_a_hang_keeps_its_table(traced: Traced) -> None:
    trace = stopped(traced, "async def test_it():\n    value = 1\n    await asyncio.Event().wait()\n")
    (test,) = trace.tests
    assert (trace.stopped, trace.exit_code) == ("timeout", 2)
    assert any(row.action == "set `value`" for row in test.rows)
    assert any(row.line == FIRST + 2 for row in test.rows)
    assert test.outcome in ("failed", "not finished")


def test_a_test_that_blocks_everything_is_killed(traced: Traced) -> None:
    text = (
        "import signal, time\n\n\nasync def test_it():\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "    while True:\n        time.sleep(0.1)\n"
    )
    trace = stopped(traced, text)
    assert (trace.stopped, trace.exit_code) == ("timeout", 2)
    (test,) = trace.tests
    assert test.rows[-2].result == "still at it when the run was stopped"


def test_a_run_can_be_cancelled(project: Path) -> None:
    (project / "test_it.py").write_text(f"{IMPORTS}async def test_it():\n    await asyncio.sleep(60)\n")
    asked = Asked(Path(sys.executable), project, (str(project / "test_it.py"),))
    until = time.monotonic() + 3
    assert run(asked, lambda: time.monotonic() < until).stopped == "cancelled"


def test_a_file_that_cannot_be_read_says_where(traced: Traced) -> None:
    trace = traced("def test_it():\n    await x\n")
    assert trace.exit_code == 2
    (test,) = trace.tests
    assert (test.outcome, test.rows[0].line - FIRST) == ("error", 1)


def test_what_pytest_does_not_know_has_no_table(traced: Traced) -> None:
    trace = traced("def test_it(): ...\n", "::test_other")
    assert (trace.tests, trace.exit_code) == ([], 4)
    assert "test_other" in trace.output


def test_events_cut_in_half_are_no_harm() -> None:
    lines = [
        '{"kind": "test", "id": "a::b", "path": "a", "line": 1, "function": "b"}',
        '{"kind": "st',
        "[]",
        '{"kind": 1}',
    ]
    (test,) = read(Finished(lines, 1, "")).tests
    assert test.outcome == "not finished"


STRICT = f"""\
async def work():
    await asyncio.sleep(5)


async def test_coroutine():
    work()


async def test_client():
    client = {MAKE}
    await client.get("/hello")


async def test_task():
    task = asyncio.create_task(work())


async def test_kept():
    test_kept.it = work()


async def test_clean():
    await asyncio.sleep(0)


def test_plain():
    assert 1


clients = AsyncClient(base_url="http://test")
"""


def test_a_strict_run_fails_who_leaves_something(project: Path) -> None:
    done = run_strictly(project, STRICT, "-rA")
    ends = {
        line.split(" ")[1].split("::")[1]: line.split(" ")[0]
        for line in done.stdout.splitlines()
        if "test_it.py::" in line
    }
    assert done.returncode == 1
    assert {name for name, end in ends.items() if end != "PASSED"} == {
        "test_coroutine",
        "test_client",
        "test_task",
        "test_kept",
    }
    for line, text in (
        (5, "`work()` is never awaited"),
        (9, "this `AsyncClient` is never closed"),
        (14, "the task of `work()` is left running when the test ends"),
        (18, "`work()` is never awaited"),
    ):
        assert f"test_it.py:{FIRST + line}: {text}" in done.stdout


LATE = """\
@pytest.fixture
def late():
    yield
    work()


def test_torn_down(late):
    pass


def test_next():
    pass
"""


def test_a_coroutine_of_a_tear_down_fails_a_strict_run(project: Path) -> None:
    done = run_strictly(project, WORK + LATE)
    assert "ERROR test_it.py::test_torn_down" in done.stdout
    assert f"test_it.py:{FIRST + WORK.count(chr(10)) + 3}: `work()` is never awaited" in done.stdout
    assert "2 passed, 1 error" in done.stdout


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        pytest.param(
            "from fastapi import FastAPI\nERRORS = []\nclass Half(FastAPI):\n    def __init__(self):\n        raise ValueError\n"
            "def test_half():\n    with pytest.raises(ValueError) as caught:\n        Half()\n    ERRORS.append(caught.value)\n"
            "def test_next():\n    client = AsyncClient()\n",
            "2 passed, 1 error",
            id="an app that was made half-way",
        ),
        pytest.param(
            "class Api(AsyncClient):\n    async def __aexit__(self, kind=None, error=None, place=None):\n"
            "        await super().__aexit__(exc_type=kind, exc_value=error, traceback=place)\n"
            "async def test_api():\n    async with Api():\n        pass\n",
            "1 passed",
            id="a client that is left by keywords",
        ),
        pytest.param(
            "async def work():\n    pass\n@pytest.mark.xfail(strict=True)\nasync def test_repaired():\n    work()\n",
            "1 failed, 1 xfailed",
            id="a test that fails since it passes",
        ),
    ],
)
def test_a_strict_run_ends_as_it_should(project: Path, text: str, ends: str) -> None:
    assert ends in run_strictly(project, text).stdout


def test_a_fixture_that_fails_says_with_what(traced: Traced) -> None:
    (test,) = traced(
        "@pytest.fixture\ndef broken():\n    raise ValueError('no')\ndef test_it(broken):\n    pass\n"
    ).tests
    assert "raises ValueError('no')" in [row.result for row in test.rows]


def test_the_row_at_which_a_run_is_stopped_is_the_failed_one(traced: Traced) -> None:
    (test,) = stopped(traced, "async def test_it():\n    x = 1\n    await asyncio.Event().wait()\n").tests
    assert test.outcome == "not finished"
    assert [row.line - FIRST for row in test.rows if row.failed] == [2]


STEP = {
    "kind": "step", "path": "t.py", "line": 2, "statement": "Assign", "function": "test_it", "depth": 0, "role": "",
    "awaits": False, "own": 0.0, "waited": 0.0, "raised": None, "changed": {}, "gone": [], "check": {}, "task": "", "loop": "",
}  # fmt: skip


def test_an_example_of_hypothesis_holds_nothing_of_the_one_before() -> None:
    events = [
        {"kind": "test", "id": "t.py::test_it", "path": "t.py", "line": 1, "function": "test_it"},
        {"kind": "started", "held": {"x": "1"}},
        {**STEP, "changed": {"y": "2"}},
        {"kind": "started", "held": {"x": "3"}},
        {**STEP, "changed": {"z": "4"}},
        {"kind": "report", "phase": "call", "outcome": "passed", "message": "", "path": "", "line": 0},
    ]
    (test,) = read(Finished([json.dumps(it) for it in events], 0, "")).tests
    assert [tuple(row.variables.values()) for row in test.rows] == [
        ("1", "none", "none"),
        ("1", "2", "none"),
        ("3", "none", "none"),
        ("3", "none", "4"),
        ("3", "none", "4"),
    ]


@pytest.mark.parametrize("outcome", ["failed", "rerun"])
def test_a_test_that_is_run_again_has_failed_at_its_row(outcome: str) -> None:
    step = {**STEP, "statement": "Assert", "raised": "AssertionError()", "check": {"outcome": "fails"}}
    events = [
        {"kind": "test", "id": "t.py::test_it", "path": "t.py", "line": 1, "function": "test_it"},
        step,
        {"kind": "report", "phase": "call", "outcome": outcome, "message": "", "path": "t.py", "line": 2},
        {"kind": "end"},
    ]
    (test,) = read(Finished([json.dumps(it) for it in events], 1, "")).tests
    assert test.outcome == outcome
    assert [row.line for row in test.rows if row.failed] == [2]
    assert test.rows[-1].action.startswith("the test fails")


def test_hypothesis(traced: Traced) -> None:
    text = (
        "from hypothesis import given, settings, strategies\n\n\n"
        "@given(strategies.just(7))\n"
        "@settings(max_examples=1, deadline=None, database=None)\n"
        "async def test_it(x):\n"
        "    y = x\n"
        "    task = asyncio.create_task(work())\n"
        "    assert y == 7\n"
    )
    (test,) = traced(WORK + text).tests
    assert (test.outcome, [row.depth for row in test.rows]) == ("passed", [0] * len(test.rows))
    assert [row.action.partition(" ")[0] for row in test.rows].count("start") == 1
    assert test.rows[-1].variables["y"] == "7"
    assert [(it.what, it.name) for it in test.left] == [("task", "work()")]
