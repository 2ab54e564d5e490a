"""Which fixture a name means, and what it hands out: the tables say what `x` holds in a test."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from awaitest.engine.analysis import Engine
from awaitest.engine.fixtures import Seeker, requested
from awaitest.engine.marks import marks_of
from awaitest.engine.parametrize import set_by_marks
from awaitest.engine.run import TEST, Run
from awaitest.engine.words import describe
from awaitest.project.files import OverlayFiles
from awaitest.project.modules import Module
from awaitest.project.workspace import Workspace

ROOT = Path("/memory")
SITE = ".venv/lib/python3.12/site-packages"
HEAD = "import pytest, pytest_asyncio\nfrom httpx import AsyncClient\nfrom contextlib import asynccontextmanager\n"
INSTALLED = {
    ".venv/pyvenv.cfg": "version = 3.12.1\n",
    f"{SITE}/pytest-9.2.0.dist-info/METADATA": "",
    f"{SITE}/pytest_asyncio-1.5.0.dist-info/METADATA": "",
}


def fixture(name: str, gives: str, *parameters: str, options: str = "") -> str:
    return f"@pytest.fixture{options}\ndef {name}({', '.join(parameters)}): return {gives}\n"


def plugin(text: str, name: str = "plugin") -> dict[str, str]:
    """A plugin that is installed and registered under its own name."""
    return {
        f"{SITE}/{name}-1.0.dist-info/entry_points.txt": f"[pytest11]\n{name} = {name}\n",
        f"{SITE}/{name}.py": HEAD + text,
    }


def engine_of(files: dict[str, str]) -> tuple[Engine, Module]:
    """The engine over a project, and `tests/test_it.py`."""
    texts = {"pytest.ini": "[pytest]\nasyncio_mode = auto\n", "tests/__init__.py": "", **INSTALLED, **files}
    workspace = Workspace(OverlayFiles({ROOT / name: text for name, text in texts.items()}))
    path = ROOT / "tests/test_it.py"
    project = workspace.project_of(path)
    return Engine(project), project.module(path)


def run_of(files: dict[str, str]) -> Run:
    """The last test of `tests/test_it.py`, which prints `x`."""
    engine, module = engine_of(files)
    engine.watched = True
    return [run for run in engine.runs(module) if run.kind == TEST][-1]


def value_of_x(run: Run) -> str:
    names, _ = run.snapshots[id(run.steps[-1])]
    return describe(names["x"])


ONE, TWO = fixture("x", "1"), fixture("x", "2")
ASKS = "def test_it(x): print(x)\n"
METHOD = "class TestIt:\n{}    def test_it(self, x): print(x)\n"
IN_CLASS = "    @pytest.fixture\n    def x(self{}): return {}\n"

LOOKUP: dict[str, tuple[dict[str, str], str]] = {
    "nowhere": ({"tests/test_it.py": HEAD + ASKS}, "unknown"),
    "module": ({"tests/test_it.py": HEAD + ONE + ASKS}, "1"),
    "later in the module": ({"tests/test_it.py": HEAD + ASKS + ONE}, "1"),
    "the last one of a module": ({"tests/test_it.py": HEAD + ONE + TWO + ASKS}, "2"),
    "conftest": ({"tests/conftest.py": HEAD + ONE, "tests/test_it.py": ASKS}, "1"),
    "the nearest conftest": ({"conftest.py": HEAD + ONE, "tests/conftest.py": HEAD + TWO, "tests/test_it.py": ASKS}, "2"),
    "an outer conftest": ({"conftest.py": HEAD + ONE, "tests/conftest.py": HEAD, "tests/test_it.py": ASKS}, "1"),
    "not the conftest of a neighbour": ({"tests/api/conftest.py": HEAD + ONE, "tests/test_it.py": ASKS}, "unknown"),
    "not a conftest above the configuration": (
        {"pytest.ini": "", "tests/pytest.ini": "", "conftest.py": HEAD + ONE, "tests/test_it.py": ASKS},
        "unknown",
    ),
    "module before conftest": ({"tests/conftest.py": HEAD + ONE, "tests/test_it.py": HEAD + TWO + ASKS}, "2"),
    "class before module": ({"tests/test_it.py": HEAD + ONE + METHOD.format(IN_CLASS.format("", 2))}, "2"),
    "not the class for a function": ({"tests/test_it.py": HEAD + ONE + METHOD.format(IN_CLASS.format("", 2)) + ASKS}, "1"),
    "an enclosing class": (
        {"tests/test_it.py": HEAD + "class TestOuter:\n" + IN_CLASS.format("", 2) + "    class TestIt:\n        def test_it(self, x): print(x)\n"},
        "2",
    ),
    "a base class": (
        {"tests/base.py": HEAD + "class Base:\n" + IN_CLASS.format("", 2), "tests/test_it.py": "from tests.base import Base\nclass TestIt(Base):\n    def test_it(self, x): print(x)\n"},
        "2",
    ),
    "a static method": ({"tests/test_it.py": HEAD + METHOD.format("    @staticmethod\n    @pytest.fixture\n    def x(): return 2\n")}, "2"),
    "a name of its own": ({"tests/test_it.py": HEAD + fixture("make", "1", options="(name='x')") + ASKS}, "1"),
    "not the name of the function then": ({"tests/test_it.py": HEAD + fixture("x", "1", options="(name='y')") + ASKS}, "unknown"),
    "imported": ({"tests/fx.py": HEAD + ONE, "tests/test_it.py": "from tests.fx import x\n" + ASKS}, "1"),
    "imported under another name": ({"tests/fx.py": HEAD + fixture("y", "1"), "tests/test_it.py": "from tests.fx import y as x\n" + ASKS}, "1"),
    "not what is imported under another name": (
        {"tests/conftest.py": HEAD + ONE, "tests/fx.py": HEAD + TWO, "tests/test_it.py": "from tests.fx import x as y\n" + ASKS},
        "1",
    ),
    "imported into the conftest": ({"tests/fx.py": HEAD + ONE, "tests/conftest.py": "from .fx import x\n", "tests/test_it.py": ASKS}, "1"),
    "by a star": ({"tests/fx.py": HEAD + ONE, "tests/test_it.py": "from tests.fx import *\n" + ASKS}, "1"),
    "by stars of stars": ({"tests/fx.py": HEAD + ONE, "tests/all.py": "from .fx import *\n", "tests/conftest.py": "from tests.all import *\n", "tests/test_it.py": ASKS}, "1"),
    "own before star": ({"tests/fx.py": HEAD + ONE, "tests/test_it.py": HEAD + "from tests.fx import *\n" + TWO + ASKS}, "2"),
    "pytest_plugins of the conftest": ({"fx.py": HEAD + ONE, "tests/conftest.py": "pytest_plugins = ['fx']\n", "tests/test_it.py": ASKS}, "1"),
    "pytest_plugins as one string": ({"fx.py": HEAD + ONE, "tests/conftest.py": "pytest_plugins = 'other,fx'\n", "tests/test_it.py": ASKS}, "1"),
    "conftest before pytest_plugins": ({"fx.py": HEAD + ONE, "tests/conftest.py": HEAD + "pytest_plugins = ('fx',)\n" + TWO, "tests/test_it.py": ASKS}, "2"),
    "-p": ({"pytest.ini": "[pytest]\naddopts = -p fx\n", "fx.py": HEAD + ONE, "tests/test_it.py": ASKS}, "1"),
    "installed plugin": ({**plugin(ONE), "tests/test_it.py": ASKS}, "1"),
    "conftest before installed plugin": ({**plugin(ONE), "tests/conftest.py": HEAD + TWO, "tests/test_it.py": ASKS}, "2"),
    "installed plugin, switched off": ({**plugin(ONE), "pytest.ini": "[pytest]\naddopts = -p no:plugin\n", "tests/test_it.py": ASKS}, "unknown"),
    "two installed plugins": ({**plugin(ONE), **plugin(TWO, "other"), "tests/test_it.py": ASKS}, "unknown"),
    "installed, but no plugin": ({f"{SITE}/fx.py": HEAD + ONE, "tests/test_it.py": ASKS}, "unknown"),
    "not a plain function": ({"tests/conftest.py": HEAD + "def x(): return 1\n", "tests/test_it.py": ASKS}, "unknown"),
    "not a fixture of a branch": ({"tests/test_it.py": HEAD + "if y:\n    @pytest.fixture\n    def x(): return 1\nelse:\n    @pytest.fixture\n    def x(): return 2\n" + ASKS}, "unknown"),
    "nor the outer one of a branch": (
        {"tests/conftest.py": HEAD + ONE, "tests/test_it.py": HEAD + "if y:\n    @pytest.fixture\n    async def x(): ...\nelse:\n    @pytest.fixture\n    def x(): ...\n" + ASKS},
        "unknown",
    ),
    "a decorator by another name": ({"tests/test_it.py": "from pytest import fixture as fx\n@fx\ndef x(): return 1\n" + ASKS}, "1"),
}  # fmt: skip

GIVES: dict[str, tuple[str, str]] = {
    "what it returns": ("@pytest.fixture\ndef x(): return AsyncClient()\n", "AsyncClient"),
    "what it yields": ("@pytest.fixture\ndef x():\n    yield AsyncClient()\n    return\n", "AsyncClient"),
    "what an async one yields": ("@pytest_asyncio.fixture\nasync def x():\n    async with AsyncClient() as client:\n        yield client\n", "AsyncClient"),
    "what an async one returns": ("@pytest_asyncio.fixture\nasync def x(): return AsyncClient()\n", "AsyncClient"),
    "either": ("@pytest.fixture\ndef x(flag):\n    if flag: return 1\n    return 'a'\n", "'a' or 1"),
    "a promise where the body tells nothing": ("@pytest.fixture\ndef x() -> AsyncClient: return make()\n", "AsyncClient"),
    "a promised item": ("from collections.abc import AsyncIterator\n@pytest.fixture\nasync def x() -> AsyncIterator[AsyncClient]: yield make()\n", "AsyncClient"),
    "the body against the promise": ("@pytest.fixture\ndef x() -> AsyncClient: return 1\n", "1"),
    "what another gives": (fixture("y", "AsyncClient()") + fixture("x", "y", "y"), "AsyncClient"),
    "through a chain": (fixture("a", "1") + fixture("b", "a", "a") + fixture("c", "b", "b") + fixture("x", "c", "c"), "1"),
    "what a subclass of its own is": ("class Api(AsyncClient): ...\n" + fixture("x", "Api()"), "Api"),
    "a factory": ("@pytest.fixture\ndef x():\n    async def make(): return AsyncClient()\n    return make\n", "function make"),
    "a helper that is entered": (
        "@asynccontextmanager\nasync def opened():\n    async with AsyncClient() as client:\n        yield client\n@pytest_asyncio.fixture\nasync def x():\n    async with opened() as client:\n        yield client\n",
        "AsyncClient",
    ),
    "a helper that is not": ("@asynccontextmanager\nasync def opened(): yield 1\n" + fixture("x", "opened()"), "asynchronous context manager"),
    "what a request tells": (fixture("x", "request.param", "request", options="(params=[1])"), "unknown"),
    "a circle": (fixture("x", "y", "y") + fixture("y", "x", "x"), "unknown"),
    "itself": (fixture("x", "x", "x"), "unknown"),
    "no coroutine to pass on": ("async def fetch(): return 1\n@pytest.fixture\ndef x(): return fetch()\n", "coroutine of fetch()"),
}  # fmt: skip

PASSED_ON: dict[str, tuple[dict[str, str], str]] = {
    "an override that asks for what it hides": (
        {"conftest.py": HEAD + fixture("x", "AsyncClient()"), "tests/conftest.py": HEAD + fixture("x", "x", "x"), "tests/test_it.py": ASKS},
        "AsyncClient",
    ),
    "three of one name": (
        {"conftest.py": HEAD + ONE, "tests/conftest.py": HEAD + fixture("x", "x", "x"), "tests/test_it.py": HEAD + fixture("x", "x", "x") + ASKS},
        "1",
    ),
    "a class that asks for what it hides": (
        {"tests/conftest.py": HEAD + ONE, "tests/test_it.py": HEAD + METHOD.format(IN_CLASS.format(", x", "x"))},
        "1",
    ),
    "an override of a plugin's": ({**plugin(ONE), "tests/conftest.py": HEAD + fixture("x", "x", "x"), "tests/test_it.py": ASKS}, "1"),
    "a plugin's that asks for one of the project": ({**plugin(fixture("x", "y", "y")), "tests/conftest.py": HEAD + fixture("y", "1"), "tests/test_it.py": ASKS}, "1"),
    "a hook that asks for it and passes values on to it": (
        {"tests/conftest.py": HEAD + ONE + "def pytest_generate_tests(metafunc):\n    if 'x' in metafunc.fixturenames:\n        metafunc.parametrize('x', [2], indirect=True)\n", "tests/test_it.py": ASKS},
        "1",
    ),
    "what a hook passes on": (
        {"tests/test_it.py": HEAD + "@pytest.fixture(params=[1])\ndef x(request): return request.param\ndef pytest_generate_tests(metafunc): metafunc.parametrize('x', [2], indirect=True)\n" + ASKS},
        "unknown",
    ),
    "an outer one that asks for an override": (
        {"conftest.py": HEAD + fixture("y", "1") + fixture("x", "y", "y"), "tests/conftest.py": HEAD + fixture("y", "2"), "tests/test_it.py": ASKS},
        "2",
    ),
}  # fmt: skip

REPLACED = {
    "a hook that passes one on and puts another in place": (
        {"tests/conftest.py": HEAD + ONE + "def pytest_generate_tests(metafunc):\n    metafunc.parametrize('x', [1], indirect=True)\n    metafunc.parametrize('x', [1], indirect=['y'])\n"},
        ASKS,
    ),
    "a hook in the conftest": ({"tests/conftest.py": HEAD + ONE + "def pytest_generate_tests(metafunc): metafunc.parametrize('x', [2])\n"}, ASKS),
    "a hook in the module": ({}, HEAD + ONE + "def pytest_generate_tests(metafunc): metafunc.parametrize('y, x', [2])\n" + ASKS),
    "a hook in the class": ({}, HEAD + ONE + METHOD.format("    def pytest_generate_tests(self, metafunc): metafunc.parametrize('x', [2])\n")),
    "a mock": ({}, HEAD + "from unittest.mock import patch\n" + ONE + "@patch('app.x')\n" + ASKS),
    "a mock of an attribute": ({}, HEAD + "from unittest import mock\n" + ONE + "@mock.patch.object(app, 'x', autospec=True)\n" + ASKS),
    "a default": ({}, HEAD + ONE + "def test_it(x=y): print(x)\n"),
}  # fmt: skip


@pytest.mark.parametrize("title", LOOKUP)
def test_lookup(title: str) -> None:
    files, expected = LOOKUP[title]
    assert value_of_x(run_of(files)) == expected


@pytest.mark.parametrize("title", GIVES)
def test_gives(title: str) -> None:
    text, expected = GIVES[title]
    assert value_of_x(run_of({"tests/test_it.py": HEAD + text + ASKS})) == expected


@pytest.mark.parametrize("title", PASSED_ON)
def test_passed_on(title: str) -> None:
    files, expected = PASSED_ON[title]
    assert value_of_x(run_of(files)) == expected


@pytest.mark.parametrize("title", REPLACED)
def test_what_stands_in_for_a_fixture_is_unknown(title: str) -> None:
    files, text = REPLACED[title]
    assert value_of_x(run_of({**files, "tests/test_it.py": text})) == "unknown"


@pytest.mark.parametrize(
    ("decorators", "expected"),
    [
        ("", ["self", "a", "b", "c"]),
        ("@patch('m.x')", ["a", "b", "c"]),
        ("@patch('m.x', new=1)", ["self", "a", "b", "c"]),
        ("@patch('m.x', 1)", ["self", "a", "b", "c"]),
        ("@patch('m.x')\n@mock.patch.object(m, 'y')", ["b", "c"]),
        ("@patch.object(m, 'y', 1)", ["self", "a", "b", "c"]),
        ("@patch.dict('os.environ', {})", ["self", "a", "b", "c"]),
        ("@unittest.mock.patch('m.x', new_callable=Fake)", ["a", "b", "c"]),
    ],
)
def test_requested(decorators: str, expected: list[str]) -> None:
    (node,) = ast.parse(f"{decorators}\ndef test_it(self, a, /, b, d=1, *rest, c, e=2, **more): ...\n").body
    assert isinstance(node, ast.FunctionDef)
    assert requested(node, in_class=False) == expected
    assert requested(node, in_class=True) == expected[1:]


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        ("'x', [1, 2]", {"x": "1 or 2"}),
        ("'x, y', [(1, 'a'), (2, 'b')]", {"x": "1 or 2", "y": "'a' or 'b'"}),
        ("['x', 'y'], [[1, 'a']]", {"x": "1", "y": "'a'"}),
        ("('x',), [1]", {"x": "1"}),
        ("argnames='x', argvalues=[1]", {"x": "1"}),
        ("'x', [pytest.param(1, id='one'), 2]", {"x": "1 or 2"}),
        ("'x, y', [pytest.param(1, 'a', marks=[])]", {"x": "1", "y": "'a'"}),
        ("'x, y', [pytest.param(*ROW)]", {"x": "unknown", "y": "unknown"}),
        ("'x', [row(1)]", {"x": "unknown"}),
        ("'x', [*ROWS, 1]", {"x": "unknown"}),
        ("'x', ROWS", {"x": "unknown"}),
        ("'x', []", {"x": "unknown"}),
        ("'x, y', [1, 2]", {"x": "unknown", "y": "unknown"}),
        ("NAME, [1]", {"x": "1"}),
        ("OTHER, [1]", {"x": "unknown", "y": "unknown"}),
        ("*BOTH", {"x": "unknown", "y": "unknown"}),
        ("'x', [1], True", {}),
        ("'x', [1], indirect=True", {}),
        ("'x', [1], indirect=False", {"x": "1"}),
        ("'x, y', [(1, 2)], indirect=['x']", {"y": "2"}),
        ("'x, y', [(1, 2)], indirect=SOME", {"x": "unknown", "y": "unknown"}),
    ],
)
def test_what_marks_set(mark: str, expected: dict[str, str]) -> None:
    text = f"import pytest\nNAME = 'x'\nrow = pytest.param\nrow = row\n@pytest.mark.parametrize({mark})\ndef test_it(x, y): print(x)\n"
    run = run_of({"tests/test_it.py": text})
    found = set_by_marks(run.engine.world, run.marks, ["x", "y"])
    assert {name: describe(value) for name, value in found.items()} == expected


def test_a_mark_is_read_in_its_own_module() -> None:
    base = "import pytest\nVALUE = 1\n@pytest.mark.parametrize('x', [VALUE])\nclass Base: ...\n"
    test = "from tests.base import Base\nVALUE = 'no'\nclass TestIt(Base):\n    def test_it(self, x): print(x)\n"
    engine, module = engine_of({"tests/base.py": base, "tests/test_it.py": test})
    (cls,) = engine.world.classes_of(module)
    (method,) = cls.node.body
    assert isinstance(method, ast.FunctionDef)
    marks = marks_of(engine.world, engine.world.function_info(module, method, cls), cls)
    assert {name: describe(it) for name, it in set_by_marks(engine.world, marks, ["x"]).items()} == {"x": "1"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def test_it(x): print(x)\n", {"x", "y"}),
        (fixture("z", "1", options="(autouse=True)") + "def test_it(x): print(x)\n", {"x", "y", "z"}),
        (fixture("z", "1", options="(autouse=False)") + "def test_it(x): print(x)\n", {"x", "y"}),
        ("class TestA:\n    @pytest.fixture(autouse=True)\n    def z(self): ...\n    def test_it(self, x): print(x)\n", {"x", "y", "z"}),
        ("def test_it(x, gone): print(x)\n", {"x", "y", "gone"}),
    ],
)  # fmt: skip
def test_closure(text: str, expected: set[str]) -> None:
    conftest = HEAD + fixture("x", "y", "y") + fixture("y", "1")
    run = run_of({"tests/conftest.py": conftest, "tests/test_it.py": HEAD + text})
    fixtures = run.engine.fixtures
    names = requested(run.node, run.cls is not None)
    found = fixtures.closure(names, Seeker(run.module, run.cls))
    assert set(found) == expected
    assert {name for name, it in found.items() if it is None} == expected & {"gone"}
