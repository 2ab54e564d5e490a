"""What a run tells, step by step, with real values."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.trace.conftest import IMPORTS, Traced

from awaitest.trace.traced import TracedTest

FIRST = IMPORTS.count("\n") + 1
LESSON = """\
async def test_hello():
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as ac:
        response = await ac.get("/hello")
    assert response.status_code == 200
"""


def told(test: TracedTest) -> list[tuple[int, str, str, str, str]]:
    return [(row.line - FIRST, row.action, row.awaited, row.result, row.assertion) for row in test.rows]


def test_the_lesson_has_its_seven_steps(traced: Traced) -> None:
    (test,) = traced(LESSON).tests
    assert test.outcome == "passed"
    assert [(row.action, row.awaited, row.result, row.assertion) for row in test.rows] == [
        ("define endpoint `hello` for GET /hello", "–", "–", "–"),
        ("start test `test_hello`", "–", "–", "–"),
        ("create AsyncClient, enter `async with`", "yes", "AsyncClient instance, open", "–"),
        ("GET /hello with `ac`", "yes", "Response 200", "–"),
        ("leave `async with`: close AsyncClient", "yes", "closed", "–"),
        ("check", "–", "–", "`assert response.status_code == 200` holds: 200 == 200"),
        ("the test passes", "–", "–", "–"),
    ]
    assert [Path(row.path).name for row in test.rows] == ["app.py"] + 6 * ["test_it.py"]
    assert [row.step for row in test.rows] == [1, 2, 3, 4, 5, 6, 7]


def test_the_lesson_has_its_three_variables(traced: Traced) -> None:
    (test,) = traced(LESSON).tests
    held = {name: [row.variables[name] for row in test.rows[1:6]] for name in test.rows[0].variables}
    instance = "AsyncClient instance"
    assert held == {
        "app": 5 * ["FastAPI instance"],
        "ac": ["none", f"{instance}, open", f"{instance}, open", f"{instance}, closed", f"{instance}, closed"],
        "response": ["none", "none", "Response 200", "Response 200", "Response 200"],
    }


def test_a_missing_await_shows_where_it_is_made_and_where_it_hurts(traced: Traced) -> None:
    (test,) = traced(LESSON.replace("await ", "")).tests
    get, check = test.rows[2], test.rows[4]
    assert (get.awaited, get.result) == ("never", "coroutine AsyncClient.get(), not awaited")
    assert (check.failed, check.result) == (
        True, "raises AttributeError(\"'coroutine' object has no attribute 'status_code'\")",
    )  # fmt: skip
    assert [(it.what, it.name, it.line - FIRST) for it in test.left] == [("coroutine", "AsyncClient.get()", 2)]
    assert test.outcome == "failed"


STATEMENTS = """\
async def one(x):
    await asyncio.sleep(0.02)
    return x


async def test_it():
    total = 0
    for i in range(2):
        total += await one(i)
    while total < 2:
        total += 1
    try:
        1 / 0
    except ZeroDivisionError as error:
        caught = error
    with pytest.raises(
        ValueError,
    ):
        raise ValueError("x")
    names = [
        await one(name)
        for name in "ab"
    ]
    later = one(3)
    assert await later == 3, "a message"
    assert names and total
"""


def test_every_kind_of_statement(traced: Traced) -> None:
    (test,) = traced(STATEMENTS).tests
    assert told(test) == [
        (5, "start test `test_it`", "–", "–", "–"),
        (6, "set `total`", "–", "0", "–"),
        (7, "next `i` of `range(2)`", "–", "0", "–"),
        (8, "call `one(…)`", "yes", "–", "–"),
        (7, "next `i` of `range(2)`", "–", "1", "–"),
        (8, "call `one(…)`", "yes", "1", "–"),
        (7, "`for` is done", "–", "–", "–"),
        (9, "decide `total < 2`", "–", "–", "–"),
        (10, "set `total`", "–", "2", "–"),
        *([] if _inverts_loops() else [(9, "decide `total < 2`", "–", "–", "–")]),
        (12, "evaluate `1 / 0`", "–", "raises ZeroDivisionError('division by zero')", "–"),
        (14, "set `caught`", "–", "ZeroDivisionError('division by zero')", "–"),
        (15, "enter `with pytest.raises(ValueError)`", "–", "–", "–"),
        (18, "`raise ValueError('x')`", "–", "raises ValueError('x')", "–"),
        (15, "leave `with`", "–", "–", "–"),
        (19, "set `names`", "yes", "['a', 'b']", "–"),
        (23, "call `one(…)`", "later", "coroutine one(), not awaited", "–"),
        (24, "check", "yes", "–", "`assert await later == 3` holds: 3 == 3"),
        (25, "check", "–", "–", "`assert names and total` holds: 2"),
        (5, "the test passes", "–", "–", "–"),
    ]
    calls = [row for row in test.rows if row.action == "call `one(…)`"]
    assert all(row.waited > 0.01 > row.own for row in calls[:2])
    assert {row.loop for row in calls} == {"loop 1"}
    assert all(row.task for row in calls)


LEFT = """\
async def fail():
    await asyncio.sleep(0)
    raise ValueError("x")


async def test_it():
    async with asyncio.Lock():
        await fail()
"""


def test_a_block_is_left_by_an_exception(traced: Traced) -> None:
    (test,) = traced(LEFT).tests
    assert [(row.action, row.awaited, row.failed) for row in test.rows] == [
        ("start test `test_it`", "–", False),
        ("create asyncio.Lock, enter `async with`", "yes", False),
        ("call `fail(…)`", "yes", True),
        ("leave `async with`", "yes", False),
        ("the test fails", "–", False),
    ]


def _inverts_loops() -> bool:
    """Whether Python's compiler puts the condition of a loop at its end, as part of the last statement."""
    import sys

    return (3, 12) <= sys.version_info < (3, 14)


FIXTURES = """\
@pytest.fixture(scope="module")
def token():
    return "secret"


@pytest.fixture
async def client(token):
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        yield client


async def read(client):
    response = await client.get("/hello", headers={"Authorization": "Bearer x", "X-Other": "y"})
    return response.json()


async def test_read(client):
    assert await read(client) == {"message": "hello"}
"""


def test_fixtures_are_set_up_and_torn_down(traced: Traced) -> None:
    (test,) = traced(FIXTURES).tests
    assert [(row.action, row.result) for row in test.rows[1:]] == [
        ("fixture `token` fills `token`", "'secret'"),
        ("fixture `client` fills `client`", "AsyncClient instance, open"),
        ("start test `test_read`", "–"),
        ("check", "Response 200"),
        ("tear down fixture `client`", "–"),
        ("tear down fixture `token`", "–"),
        ("the test passes", "–"),
    ]
    assert test.loops == {"fixture client": "loop 1", "test": "loop 1"}
    held = [row.variables["client"] for row in test.rows[3:6]]
    assert held == 2 * ["AsyncClient instance, open"] + ["AsyncClient instance, closed"]


def test_helpers_on_demand(traced: Traced) -> None:
    (test,) = traced(FIXTURES, helpers=True).tests
    steps = [(row.depth, row.action) for row in test.rows]
    assert (1, "GET /hello with `client`") in steps
    assert (0, "create AsyncClient, enter `async with`") in steps


def test_requests_are_paired_and_their_secrets_kept(traced: Traced) -> None:
    (test,) = traced(FIXTURES).tests
    (sent,) = test.requests
    assert (sent["method"], sent["url"], sent["status"], sent["route"], sent["endpoint"]) == (
        "GET", "http://test/hello", 200, "/hello", "hello",
    )  # fmt: skip
    headers = {name.lower(): value for name, value in sent["sent"]}
    assert (headers["authorization"], headers["x-other"]) == ("[redacted]", "y")
    assert sent["body"] == '{"message":"hello"}'


RUNNERS = {
    "anyio": (
        "@pytest.mark.anyio\nasync def test_it(anyio_backend_name):\n    await asyncio.sleep(0)\n    assert 1\n",
        "[pytest]\n",
        ["test_it.py::test_it[asyncio]", "test_it.py::test_it[trio]"],
    ),
    "strict": ("@pytest.mark.asyncio\nasync def test_it():\n    assert 1\n", "[pytest]\n", ["test_it.py::test_it"]),
    "unittest": (
        (
            "import unittest\n\n\nclass TestIt(unittest.IsolatedAsyncioTestCase):\n"
            "    async def test_it(self):\n        self.value = await asyncio.sleep(0, 3)\n        self.assertEqual(self.value, 3)\n"
        ),
        "[pytest]\n",
        ["test_it.py::TestIt::test_it"],
    ),
    "parameters in a class": (
        "class TestIt:\n    @pytest.mark.parametrize('n', [1, 2])\n    async def test_it(self, n):\n        assert n == 1\n",
        "[pytest]\nasyncio_mode = auto\n",
        ["test_it.py::TestIt::test_it[1]", "test_it.py::TestIt::test_it[2]"],
    ),
}


@pytest.mark.parametrize("name", RUNNERS)
def test_every_runner(name: str, project: Path, traced: Traced) -> None:
    text, configuration, ids = RUNNERS[name]
    (project / "pytest.ini").write_text(configuration)
    tests = traced(text).tests
    assert [test.id for test in tests] == ids
    assert all(any(row.action == "check" for row in test.rows) for test in tests if "trio" not in test.id)


def test_values_of_users_are_never_asked(traced: Traced) -> None:
    text = (
        "class Evil:\n    def __repr__(self):\n        raise SystemExit\n    __str__ = __len__ = __iter__ = __repr__\n\n\n"
        "class Worse(dict):\n    def items(self):\n        raise SystemExit\n\n\n"
        "async def test_it():\n    evil = [Evil(), Worse()]\n    assert evil is evil\n"
    )
    (test,) = traced(text).tests
    assert test.outcome == "passed"
    assert "[Evil instance, Worse instance]" in {row.result for row in test.rows}


def test_a_loop_without_end_is_cut(traced: Traced) -> None:
    (test,) = traced("async def test_it():\n    for i in range(5000):\n        pass\n    assert i\n").tests
    assert test.outcome == "passed"
    assert any(row.action.startswith("more than 2,000 steps") for row in test.rows)
    assert len(test.rows) < 2_100


def test_an_object_whose_class_cannot_be_asked_for_does_not_fail_the_test(traced: Traced) -> None:
    sly = """\
class Sly:
    @property
    def __class__(self):
        raise RuntimeError("outside of a context")


async def test_sly():
    sly = Sly()
    held = [sly]
    assert len(held) == 1
"""
    (test,) = traced(sly).tests
    assert test.outcome == "passed"
    assert test.rows[-1].variables == {"sly": "Sly instance", "held": "[Sly instance]"}
