"""Whose tasks are lost: a fixture's, those of an `asyncio.run()`, and those that are meant to live on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.trace.conftest import IMPORTS, run_strictly

HELPERS = """\
import threading

import pytest_asyncio

shared = pytest_asyncio.fixture(scope="module", loop_scope="module")


async def work():
    await asyncio.sleep(9)


async def fail():
    raise ValueError("x")


async def serve(queue):
    children = []
    while True:
        reply = await queue.get()
        children.append(asyncio.create_task(work()))
        reply.set_result(None)


def start():
    return asyncio.create_task(work())


async def stopped(task):
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


"""
LEFT = "the task of `work()` is left running when the test ends"
BODIES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "a fixture cancels its task": (
        "@pytest.fixture\nasync def fixture():\n    task = start()\n    yield\n    await stopped(task)\n",
        "async def test_it(fixture):\n    pass\n",
        (),
    ),
    "a fixture asks its task to end": (
        "@pytest.fixture\nasync def fixture():\n    task = start()\n    await asyncio.sleep(0)\n    yield\n    task.cancel()\n",
        "async def test_it(fixture):\n    pass\n",
        (),
    ),
    "a fixture waits through another task": (
        "@pytest.fixture\nasync def fixture():\n    task = asyncio.gather(work(), work())\n    await asyncio.sleep(0)\n    yield\n    task.cancel()\n",
        "async def test_it(fixture):\n    pass\n",
        (),
    ),
    "a fixture leaves its task": (
        "@pytest.fixture\nasync def fixture():\n    task = asyncio.create_task(work())  # lost\n    yield\n",
        "async def test_it(fixture):\n    pass\n",
        ("ERROR", LEFT),
    ),
    "a fixture leaves what a helper started": (
        "@pytest.fixture\nasync def fixture():\n    yield asyncio.ensure_future(work())  # lost\n",
        "async def test_it(fixture):\n    pass\n",
        ("ERROR", LEFT),
    ),
    "a fixture starts a task when it is torn down": (
        "@pytest.fixture\nasync def fixture():\n    yield\n    asyncio.create_task(work())  # lost\n",
        "async def test_it(fixture):\n    pass\n",
        ("ERROR", LEFT),
    ),
    "a fixture's task fails unseen": (
        "@pytest.fixture\nasync def fixture():\n    yield asyncio.create_task(fail())  # lost\n    await asyncio.sleep(0)\n",
        "async def test_it(fixture):\n    pass\n",
        ("ERROR", "an exception of `fail` is lost: ValueError('x')"),
    ),
    "a test ends the task of its fixture": (
        "@pytest.fixture\nasync def fixture():\n    return asyncio.create_task(work())\n",
        "async def test_it(fixture):\n    await stopped(fixture)\n",
        (),
    ),
    "a fixture ends the task of its test": (
        "@pytest.fixture\nasync def fixture():\n    tasks = []\n    yield tasks\n    await stopped(tasks[0])\n",
        "async def test_it(fixture):\n    fixture.append(asyncio.create_task(work()))\n",
        (),
    ),
    "a test leaves its task": (
        "",
        "async def test_it():\n    asyncio.create_task(work())  # lost\n",
        ("ERROR", LEFT),
    ),
    "a plain test runs a task to its end": (
        "async def main():\n    await asyncio.create_task(asyncio.sleep(0))\n",
        "def test_it():\n    asyncio.run(main())\n",
        (),
    ),
    "a plain test leaves a task that only begins": (
        "async def main():\n    asyncio.create_task(work())  # lost\n",
        "def test_it():\n    asyncio.run(main())\n",
        ("FAILED", LEFT),
    ),
    "a plain test leaves a task that waits": (
        "async def main():\n    task = asyncio.create_task(work())  # lost\n    await asyncio.sleep(0)\n",
        "def test_it():\n    asyncio.run(main())\n",
        ("FAILED", LEFT),
    ),
    "a plain test cancels its task": (
        "async def main():\n    task = asyncio.create_task(work())\n    await asyncio.sleep(0)\n    task.cancel()\n",
        "def test_it():\n    asyncio.run(main())\n",
        (),
    ),
    "a plain test loses an exception": (
        "async def main():\n    task = asyncio.create_task(fail())  # lost\n    await asyncio.sleep(0)\n",
        "def test_it():\n    asyncio.run(main())\n",
        ("ERROR", "an exception of `fail` is lost: ValueError('x')"),
    ),
    "a plain test forgets a coroutine": (
        "async def main():\n    work()  # lost\n",
        "def test_it():\n    asyncio.run(main())\n",
        ("FAILED", "`work()` is never awaited"),
    ),
    "a plain test forgets a client": (
        "async def main():\n    AsyncClient(transport=ASGITransport(app=app))  # lost\n",
        "def test_it():\n    asyncio.run(main())\n",
        ("ERROR", "this `AsyncClient` is never closed"),
    ),
    "a plain test closes a loop of its own": (
        "async def main():\n    main.task = asyncio.create_task(work())  # lost\n",
        "def test_it():\n    loop = asyncio.new_event_loop()\n    loop.run_until_complete(main())\n    loop.close()\n",
        ("ERROR", LEFT),
    ),
    "another thread's loop is another matter": (
        "async def main():\n    asyncio.create_task(work())\n",
        "def test_it():\n    thread = threading.Thread(target=lambda: asyncio.run(main()))\n    thread.start()\n    thread.join()\n",
        (),
    ),
}
WIDE = """\
@shared
async def server():
    queue = asyncio.Queue()
    task = asyncio.create_task(serve(queue))
    pending = work()
    failing = asyncio.create_task(fail())
    await asyncio.sleep(0)
    yield queue
    pending.close()
    await stopped(failing)
    await stopped(task)
    failing.exception()


@shared
async def started():
    tasks = []

    def begin():
        tasks.append(asyncio.create_task(work()))

    yield begin
    for task in tasks:
        await stopped(task)


@pytest_asyncio.fixture(loop_scope="module")
async def forgetful():
    yield asyncio.create_task(work())  # lost


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_first(server):
    reply = asyncio.get_running_loop().create_future()
    server.put_nowait(reply)
    await reply


async def test_begun(started):
    started()


async def test_forgetful(forgetful):
    pass


async def test_left():
    test_left.task = asyncio.create_task(work())  # lost


async def test_kept(server, started):
    pass
"""
LEFT_BY_A_WIDE_FIXTURE = """\
@shared
async def server():
    yield asyncio.create_task(work())  # lost


class TestIt:
    pytestmark = pytest.mark.asyncio(loop_scope="module")

    async def test_first(self, server):
        pass

    async def test_last(self, server):
        pass
"""


def ends(project: Path, text: str = "") -> tuple[set[str], set[str]]:
    """What a strict run says: `ERROR` or `FAILED` with the test, and each line with its sentence."""
    output = run_strictly(project, text, "-rEf").stdout
    found = re.findall(r"^((?:ERROR|FAILED) \w+\.py::\S+)", output, re.MULTILINE)
    return set(found), set(re.findall(r"^\w+\.py:\d+: .*$", output, re.MULTILINE))


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], set[str]]:
    """One strict run of all bodies, each in a file of its own."""
    project = tmp_path_factory.mktemp("own")
    (project / "app.py").write_text("app = None\n")
    (project / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    for number, (before, test, _) in enumerate(BODIES.values()):
        (project / f"test_{number}.py").write_text(f"{IMPORTS}{HELPERS}{before}\n\n{test}")
    return ends(project)


@pytest.mark.parametrize("name", BODIES)
def test_on_a_loop_of_its_own(name: str, own: tuple[set[str], set[str]]) -> None:
    before, test, expected = BODIES[name]
    file = f"test_{list(BODIES).index(name)}.py"
    found, said = ({it for it in part if file in it} for part in own)
    line = f"{IMPORTS}{HELPERS}{before}\n\n{test}".partition("# lost")[0].count("\n") + 1
    assert found == ({f"{expected[0]} {file}::test_it"} if expected else set())
    assert said == ({f"{file}:{line}: {expected[1]}"} if expected else set())


def test_on_a_loop_that_goes_on(project: Path) -> None:
    """What a fixture of the module starts, and what is started for it, is its own matter until it is torn down."""
    found, said = ends(project, HELPERS + WIDE)
    lines = [number for number, line in enumerate((IMPORTS + HELPERS + WIDE).splitlines(), 1) if "# lost" in line]
    assert found == {"ERROR test_it.py::test_forgetful", "ERROR test_it.py::test_left"}
    assert said == {f"test_it.py:{line}: {LEFT}" for line in lines}


def test_a_wide_fixture_that_leaves_its_task_fails_the_test_that_tears_it_down(project: Path) -> None:
    text = HELPERS + LEFT_BY_A_WIDE_FIXTURE
    line = (IMPORTS + text).partition("# lost")[0].count("\n") + 1
    assert ends(project, text) == ({"ERROR test_it.py::TestIt::test_last"}, {f"test_it.py:{line}: {LEFT}"})
