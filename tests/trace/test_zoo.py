"""The zoo at run time: who leaves something fails a strict run, and the trace names the line of the mistake."""

from __future__ import annotations

import json
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from awaitest.trace.reading import read
from awaitest.trace.running import Asked, run
from awaitest.trace.traced import Trace

ZOO = Path(__file__).parents[3] / "shared" / "zoo"
CASES = sorted(path.parent.name for path in ZOO.glob("*/expect.json"))
SHOWS_ELSEWHERE = {
    "a84-magicmock-for-coroutine": "the mock fails where the code under test awaits it",
    "a86-asyncmock-sync-child": "the mock's coroutine is made by the code under test",
    "a77-await-in-nested-def": "pytest dies of the conftest before any plugin hears of it",
    "c07-fixture-return-in-with": "the client fails where the test uses it",
    "c16-no-base-url": "the request fails where the test sends it",
    "c25-lifespan-not-run": "the app fails where the test sends a request",
    "c26-testclient-without-with": "the app fails where the test sends a request",
    "c28-overrides-never-cleared": "an override is a leftover without a line",
    "c30-raise-app-exceptions": "the app's exception is raised where the test sends the request",
    "c42-httpx2-return-in-with": "the client fails where the test uses it",
    "c45-httpx2-mixed-transport": "the client fails where the test uses it",
    "m03-pytestmark-in-conftest": "pytest fails the test, not the mark that has no effect",
    "m06-parametrized-unmarked": "pytest's place of a test is its first decorator",
    "m11-async-fixture-plain-decorator": "pytest fails the test that asks for the fixture",
    "m21-loop-scope-hang": "the two loops are told; the table stops where the test hangs",
    "m24-anyio-session-fixture": "pytest refuses the fixture before it runs; its message names the line",
    "m12-coroutine-fixture-plain-decorator": "pytest fails the test that asks for the fixture",
}
SHOWS_NEVER = {
    "c23-testclient-in-async-test": "blocks its loop for a moment and passes",
    "m16-sync-test-with-marker": "passes; the marker does nothing",
    "m25b-asyncio-and-anyio-no-backend": "passes on asyncio",
    "m28-marker-scope-kwarg": "passes; the argument is deprecated",
    "m31-nested-test-never-runs": "never runs",
    "m35-async-generator-test": "pytest-asyncio counts it as expected to fail",
    "m33-anyio-unpinned-backend": "depends on whether trio is installed",
}
LEAVES = ("coroutine", "client", "task", "exception")

pytestmark = pytest.mark.skipif(not CASES, reason="the zoo is not here")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Trace]]:
    """Every case, traced and strict at once; those that hang are stopped."""
    folder = tmp_path_factory.mktemp("zoo")

    def one(name: str) -> tuple[Path, Trace]:
        copy = folder / name
        shutil.copytree(ZOO / name, copy, copy_function=shutil.copyfile)
        copy.chmod(0o755)
        for path in copy.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        return copy, read(run(Asked(Path(sys.executable), copy, (str(copy),), timeout=15)))

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(os.cpu_count()) as pool:
        patch.setenv("PYTEST_ADDOPTS", "--awaitest-strict -p no:cacheprovider -W ignore")
        return dict(zip(CASES, pool.map(one, CASES), strict=True))


def _expected(name: str) -> dict[str, Any]:
    expected: dict[str, Any] = json.loads((ZOO / name / "expect.json").read_text(encoding="utf-8"))
    return expected


@pytest.mark.parametrize("name", CASES)
def test_a_strict_run(name: str, runs: dict[str, tuple[Path, Trace]]) -> None:
    _, trace = runs[name]
    left = [it for test in trace.tests for it in test.left if it.what in LEAVES]
    if _expected(name)["clean"]:
        assert (trace.exit_code, left) == (0, [])
    elif left:
        assert trace.exit_code != 0


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("ok")])
def test_the_line_of_the_mistake_is_named(name: str, runs: dict[str, tuple[Path, Trace]]) -> None:
    copy, trace = runs[name]
    expected = _expected(name)
    named = {(row.path, row.line) for test in trace.tests for row in test.rows if row.failed or row.awaited == "never"}
    named |= {(it.path, it.line) for test in trace.tests for it in test.left}
    named |= {(test.path, it.via) for test in trace.tests for it in test.left}
    assert ((str(copy / expected["file"]), expected["line"]) in named) is not (
        name in SHOWS_ELSEWHERE or name in SHOWS_NEVER
    )
