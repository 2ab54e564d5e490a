"""Whatever is typed, in whichever file: what is said of open files is what a fresh check of the same texts says."""

from __future__ import annotations

import ast
import gc
import random
import sys
from pathlib import Path

import pytest

from awaitest.check import Checker
from awaitest.engine.walk import Walk
from awaitest.live import Live, SupersededError
from awaitest.project.files import DiskFiles, OverlayFiles
from awaitest.project.workspace import Workspace
from awaitest.source.text import Span

SHOP = Path(__file__).parents[2] / "demo" / "shop"
DATA = Path(__file__).parents[1] / "engine" / "data"
Said = list[tuple[str, Span, str, str]]


TESTS = SHOP / "tests"
CART, CONFTEST, HELPERS, SUITE = (
    TESTS / name for name in ("test_cart.py", "conftest.py", "helpers.py", "test_suite.py")
)


def shop() -> dict[Path, str]:
    """Four files of one project; the last is new and only in the editor."""
    suite = (DATA / "mistakes.txt").read_text().splitlines(keepends=True)[:60]
    return {path: path.read_text() for path in (CART, CONFTEST, HELPERS)} | {SUITE: "".join(suite)}


def opened(texts: dict[Path, str]) -> Live:
    live = Live(DiskFiles(), environments={SHOP: Path(sys.prefix)})
    for path, text in texts.items():
        live.open(path, text)
    return live


def said(live: Live, path: Path) -> Said:
    return [(it.code, it.span, it.message, it.severity.value) for it in live.check(path)]


def fresh(live: Live, texts: dict[Path, str]) -> dict[Path, Said]:
    now = {path: document.text for path in texts if (document := live.document(path)) is not None}
    checker = Checker(Workspace(OverlayFiles(now, DiskFiles()), python=Path(sys.prefix)))
    return {path: [(it.code, it.span, it.message, it.severity.value) for it in checker.check(path)] for path in now}


SNIPPETS = [
    "", "\n", "x", " ", "await ", "async ", "(", ")", '"""', "#", "    ", "client", ".json()", "assert True\n",
    "    response = client.get('/')\n", "async def test_more(client):\n    client.get('/')\n", "@pytest.mark.asyncio\n",
    "@pytest.mark.anyio\n", "    await client.aclose()\n", "class TestA:\n", "    def test_x(self): pass\n",
    "@pytest.fixture\n", "def helper(): return 1\n", "import httpx\n", "from httpx import AsyncClient\n", "return",
    "@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n", "import nest_asyncio\n",
    "def pytest_pyfunc_call(pyfuncitem):\n    import asyncio\n",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_after_any_edits_what_is_said_is_what_a_fresh_check_says(seed: int) -> None:
    chance = random.Random(seed)
    texts = shop()
    live = opened(texts)
    for step in range(1, 21):
        path = chance.choice(sorted(texts))
        document = live.document(path)
        assert document is not None
        line = chance.randrange(len(document.lines) or 1)
        text = document.lines[line] if document.lines else ""
        first = chance.randrange(len(text) or 1)
        last = min(len(text), first + chance.choice([0, 0, 0, 1, 3]))
        span = chance.choice(
            [Span.of(line, first, line, last), Span.of(line, 0, line, 0), Span.of(line, 0, line + 1, 0)]
        )
        live.edit(path, [(span, chance.choice(SNIPPETS))])
        for other in chance.sample(sorted(texts), 2):
            live.check(other)
        if step % 10 == 0:
            expected = fresh(live, texts)
            assert {path: said(live, path) for path in texts} == expected


def line_of(live: Live, path: Path, text: str) -> int:
    document = live.document(path)
    assert document is not None
    return next(number for number, line in enumerate(document.lines) if text in line)


def insert(live: Live, path: Path, before: str, text: str) -> set[Path]:
    line = line_of(live, path, before)
    return live.edit(path, [(Span.of(line, 0, line, 0), text)])


def test_an_edit_inside_a_test_walks_that_test_alone() -> None:
    live = opened(shop())
    live.check(SUITE)
    before = live.sheet(SUITE).runs
    assert insert(live, SUITE, "async def test_2", "    assert True\n") == set()
    after = live.sheet(SUITE).runs
    assert [new.node.name for old, new in zip(before, after, strict=True) if old is not new] == ["test_1"]


@pytest.mark.parametrize(
    ("path", "before", "text", "outdated"),
    [
        (CONFTEST, "import", "X = 1\n", {CART, HELPERS, SUITE}),
        (HELPERS, "import", "X = 1\n", {CART, SUITE}),
        (CART, "import", "X = 1\n", {SUITE}),
        (SUITE, "async def test_2", "X = 1\n", set()),
    ],
)
def test_an_edit_elsewhere_outdates_what_rests_on_the_file(
    path: Path, before: str, text: str, outdated: set[Path]
) -> None:
    live = opened(shop())
    for other in shop():
        live.check(other)
    assert insert(live, path, before, text) == outdated


def test_a_fixture_that_changes_in_the_conftest_changes_what_is_said_of_its_tests(tmp_path: Path) -> None:
    conftest, test = tmp_path / "conftest.py", tmp_path / "test_a.py"
    live = Live(environments={tmp_path: Path(sys.prefix)})
    live.open(conftest, "import pytest, httpx\n@pytest.fixture\ndef client():\n    return httpx.Client()\n")
    live.open(test, "def test_a(client):\n    response = client.get('/')\n    assert response.status_code == 200\n")
    assert live.check(test) == []
    assert live.edit(conftest, [(Span.of(3, 17, 3, 23), "AsyncClient")]) == {test}
    assert [told.code for told in live.check(test)] == ["AWT101"]
    assert live.close(conftest) == {test}
    assert live.check(test) == []


HANDED = {
    "a name": ("helpers.py", "from helpers import client\n", "client", "client = httpx.Client()"),
    "a part of a package": ("shop/api.py", "import shop.api\n", "shop.api.client", "client = httpx.Client()"),
    "a part that its package brings": ("shop/api.py", "import shop\n", "shop.api.client", "client = httpx.Client()"),
    "a plugin": (
        "plugin.py", "pytest_plugins = ['plugin']\n", None,
        "import pytest\n@pytest.fixture\ndef client():\n    return httpx.Client()",
    ),
    "the conftest": (
        "conftest.py", "", None, "import pytest\n@pytest.fixture\ndef client():\n    return httpx.Client()",
    ),
    "the conftest, by a class of its own": (
        "conftest.py", "from base import Base\n", "self.client",
        "import pytest\n@pytest.fixture\ndef client():\n    return httpx.Client()",
    ),
    "the conftest, by its name": ("conftest.py", "from conftest import client\n", "client", "client = httpx.Client()"),
    "a function of another": (
        "maker.py", "from through import made\n", "made()", "def make():\n    return httpx.Client()",
    ),
}  # fmt: skip
OTHERS = {
    "shop/__init__.py": "from . import api\n",
    "through.py": "import maker\n\n\ndef made():\n    return maker.make()\n",
    "base.py": "import pytest\n\n\nclass Base:\n    @pytest.fixture(autouse=True)\n    def kept(self, client):\n"
    "        self.client = client\n",
}


@pytest.mark.parametrize("way", HANDED)
def test_what_another_file_hands_out_counts_after_each_edit_of_either(tmp_path: Path, way: str) -> None:
    name, importing, client, made = HANDED[way]
    for other, text in OTHERS.items():
        (tmp_path / other).parent.mkdir(exist_ok=True)
        (tmp_path / other).write_text(text)
    source, test = tmp_path / name, tmp_path / "test_a.py"
    head, argument = ("class TestA(Base):\n", "self") if client == "self.client" else ("class TestA:\n", "self, client")
    argument = argument if client in (None, "self.client") else "self"
    called = f"        response = {client or 'client'}.get('/')\n        assert response.status_code == 200\n"
    live = Live(environments={tmp_path: Path(sys.prefix)})
    live.open(source, f"import httpx\n{made}\n")
    live.open(test, f"{importing}{head}    def test_a(self):\n        pass\n    def test_b({argument}):\n{called}")
    line = next(at for at, text in enumerate(made.split("\n"), 1) if "httpx.Client" in text)
    column = made.split("\n")[line - 1].index("Client()")
    assert live.check(test) == []
    for turn in range(3):
        live.edit(source, [(Span.of(line, column, line, column), "Async")])
        assert [told.code for told in live.check(test) if told.code == "AWT101"] == ["AWT101"]
        live.edit(test, [(Span.of(0, 0, 0, 0), f"X = {turn}\n")])
        assert [told.code for told in live.check(test) if told.code == "AWT101"] == ["AWT101"]
        live.edit(source, [(Span.of(line, column, line, column + 5), "")])
        assert live.check(test) == []


def test_an_edit_of_a_helper_leaves_what_is_known_of_other_files(monkeypatch: pytest.MonkeyPatch) -> None:
    walked: list[str] = []
    walk = Walk.run

    def run(self: Walk) -> None:
        walked.append(self.module.name)
        walk(self)

    live = opened(shop())
    for path in (HELPERS, SUITE, CART):
        live.check(path)
    monkeypatch.setattr(Walk, "run", run)
    insert(live, CART, "import", "def helper():\n    return 1\n")
    live.check(CART)
    assert set(walked) <= {"tests.test_cart", "tests.conftest"}


def test_a_neighbour_that_brings_anyio_changes_what_is_said_of_a_fixture(tmp_path: Path) -> None:
    fixture, neighbour = tmp_path / "test_fixture.py", tmp_path / "test_neighbour.py"
    text = "import pytest\n\n\n@pytest.fixture\nasync def late():\n    return 1\n\n\ndef test_late(late):\n    assert late\n"
    live = Live(environments={tmp_path: Path(sys.prefix)})
    live.open(fixture, text)
    live.open(neighbour, "import pytest\n")
    assert [(code, span.start.line) for code, span, *_ in said(live, fixture)] == [("AWT204", 3)]
    live.check(neighbour)
    asking = "from test_fixture import late\n@pytest.mark.anyio\nasync def test_b(late):\n    assert late\n"
    assert live.edit(neighbour, [(Span.of(1, 0, 1, 0), asking)]) == {fixture}
    assert [(code, span.start.line) for code, span, *_ in said(live, fixture)] == [("AWT205", 8)]


def test_what_a_test_of_anyio_asks_for_changes_what_is_said_of_another(tmp_path: Path) -> None:
    path = tmp_path / "test_a.py"
    text = "import pytest\n\n\n@pytest.fixture\nasync def late():\n    return 1\n\n\ndef test_late(late):\n    assert late\n"
    text += "\n\n@pytest.mark.anyio\nasync def test_b(late):\n    assert True\n"
    live = Live(environments={tmp_path: Path(sys.prefix)})
    live.open(path, text)
    assert [told.code for told in live.check(path)] == ["AWT205"]
    live.edit(path, [(Span.of(13, 17, 13, 21), "")])
    assert [told.code for told in live.check(path)] == ["AWT204"]


def test_the_configuration_on_the_disk_decides_anew(tmp_path: Path) -> None:
    config, test = tmp_path / "pytest.ini", tmp_path / "test_a.py"
    config.write_text("[pytest]\n")
    live = Live(environments={tmp_path: Path(sys.prefix)})
    live.open(test, "async def test_a():\n    pass\n")
    assert [told.code for told in live.check(test)] == ["AWT201"]
    config.write_text("[pytest]\nasyncio_mode = auto\n")
    assert live.changed([config]) == {test}
    assert live.check(test) == []


def test_a_check_stops_when_it_is_not_wanted_any_more() -> None:
    live = opened(shop())
    asked = iter([True, True, False])
    with pytest.raises(SupersededError):
        live.check(CART, lambda: next(asked))
    assert said(live, CART) == fresh(live, shop())[CART]


def test_fixes_are_made_for_the_text_as_it_stands() -> None:
    live = opened(shop())
    first = next(told.repair for told in live.check(SUITE) if told.code == "AWT101")
    assert first is not None
    before = first()
    live.edit(SUITE, [(Span.of(0, 0, 0, 0), "\n\n")])
    told = next(told for told in live.check(SUITE) if told.code == "AWT101")
    after = told.repair() if told.repair is not None else None
    assert before is not None
    assert after is not None
    moved = [edit.edit.span.start.line - 2 for edit in after.edits]
    assert moved == [edit.edit.span.start.line for edit in before.edits]


CASE = """\
import unittest

from httpx import AsyncClient


class TestCase(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.client = AsyncClient()

    async def test_first(self):
        self.number = 1
        response = self.client.get("/")
        assert response.status_code == self.number

    async def test_second(self):
        self.client.post("/")
"""


@pytest.mark.parametrize(
    ("line", "before", "after"),
    [
        (7, "self.client", "with self.client"),
        (7, "AsyncClient()", "object()"),
        (10, "self.number", "self.client"),
        (11, "self.client.get", "self.client.aclose"),
    ],
)
def test_what_one_method_does_with_self_changes_what_is_said_of_others(line: int, before: str, after: str) -> None:
    live = opened({SUITE: CASE})
    assert len(said(live, SUITE)) > 1
    start = CASE.splitlines()[line].index(before)
    live.edit(SUITE, [(Span.of(line, start, line, start + len(before)), after)])
    assert said(live, SUITE) == fresh(live, {SUITE: ""})[SUITE]


def test_a_module_that_comes_beside_the_tests_of_a_project_without_configuration_is_read(tmp_path: Path) -> None:
    module, test = tmp_path / "rates.py", tmp_path / "tests" / "test_rates.py"
    live = Live(environments={tmp_path: Path(sys.prefix)})
    live.open(
        test, "import pytest\nimport rates\n\n\n@pytest.mark.asyncio\nasync def test_rate():\n    rates.fetch()\n"
    )
    assert live.check(test) == []
    assert live.open(module, "async def fetch():\n    return 1\n") == {test}
    assert [code for code, *_ in said(live, test)] == ["AWT101"]


def test_versions_of_a_test_that_are_gone_take_no_memory() -> None:
    live = opened({CART: CART.read_text()})
    line = line_of(live, CART, "assert")
    alive = []
    for _ in range(2):
        for turn in range(40):
            live.edit(CART, [(Span.of(line, 0, line, turn % 2), "" if turn % 2 else " ")])
            live.check(CART)
        gc.collect()
        alive.append(sum(isinstance(it, ast.FunctionDef | ast.AsyncFunctionDef) for it in gc.get_objects()))
    assert alive[0] == alive[1]
