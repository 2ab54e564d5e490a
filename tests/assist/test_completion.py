"""What is offered where, and how it fits: exact texts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.assist.snippets import APP, complete, end_of, inserted

from awaitest.source.text import Position

TESTS = "atest aparam aclass aconcurrent astream awebsocket aerror araises amock"
IN_CLASS = "atest aparam aconcurrent astream awebsocket aerror araises amock"
FIXTURES = "aoverride aclient alifespan aauth adb"
METHOD = "class TestA:\n    def test_b(self):\n        pass\n\n    "

OFFERED = {
    "empty file": ("", f"{TESTS} {FIXTURES}"),
    "beginning of a word": ("a", f"{TESTS} {FIXTURES}"),
    "more of it": ("apa", "aparam"),
    "another word": ("de", ""),
    "below code": ("x = 1\n\n\na", f"{TESTS} {FIXTURES}"),
    "below broken code": ("x = (1,\ndef f(): pass\na", f"{TESTS} {FIXTURES}"),
    "behind code": ("x = a", ""),
    "behind a semicolon": ("x = 1; a", ""),
    "comment": ("# a", ""),
    "string": ('"""\na', ""),
    "bracket": ("x = [\na", ""),
    "continued line": ("x = \\\na", ""),
    "function": ("def f():\n    a", ""),
    "if": ("if True:\n    a", ""),
    "class": ("class TestA:\n    a", IN_CLASS),
    "class, tabs": ("class TestA:\n\ta", IN_CLASS),
    "class, empty line": ("class TestA:\n    ", IN_CLASS),
    "class, below a method": (METHOD, IN_CLASS),
    "class, another column": (METHOD[:-1], ""),
    "class, long head": ("class TestA(\n    object,\n):\n    a", IN_CLASS),
    "class, nested": ("class TestA:\n    class TestB:\n        a", IN_CLASS),
    "class, in a method": (f"{METHOD}    a", ""),
    "class, left behind": ("class TestA: pass\nx = 1\n    a", ""),
    "class of no tests": ("class Helper:\n    a", ""),
    "class that pytest skips": ("class TestA:\n    def __init__(self): ...\n\n    a", ""),
    "class of unittest": ("import unittest\n\nclass TestA(unittest.TestCase):\n    a", ""),
    "async class of unittest": ("from unittest import *\n\nclass TestA(IsolatedAsyncioTestCase):\n    a", ""),
    "class of unknown base": ("from x import Base\n\nclass TestA(Base):\n    a", ""),
    "class under a mark": ("import pytest\n\n@pytest.mark.asyncio\nclass TestA:\n    a", IN_CLASS.replace("awebsocket ", "")),
    "module under a mark": ("import pytest\npytestmark = [pytest.mark.asyncio]\n\n\nawe", ""),
    "name that means something else": ("from starlette.testclient import TestClient\nfrom m import AsyncClient\n\na", "aoverride adb"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "prefixes"), OFFERED.values(), ids=OFFERED.keys())
def test_offered_where_a_test_can_start(text: str, prefixes: str) -> None:
    offered = complete({**APP, "tests/test_new.py": text}, "tests/test_new.py", end_of(text))
    assert [each.prefix for each in offered] == prefixes.split()


FILES = {
    "tests/test_new.py": ("", f"{TESTS} {FIXTURES}"),
    "tests/conftest.py": ("", FIXTURES),
    "conftest.py": ("", FIXTURES),
    "tests/helpers.py": ("", FIXTURES),
    "api/conftest.py": ("python_files = *.py", FIXTURES),
    "app/models.py": ("", ""),
    "tests/check_new.py": ("python_files = check_*.py", f"{TESTS} {FIXTURES}"),
    "tests/test_other.py": ("python_files = check_*.py", FIXTURES),
    "tests/test_named.py": ("python_functions = check", FIXTURES),
    "tests/test_classes.py": ("python_classes = Check", f"{TESTS} {FIXTURES}".replace("aclass ", "")),
    "tests/test_anyio.py": ("anyio_mode = auto", f"{TESTS} {FIXTURES} abackend"),
}


@pytest.mark.parametrize(("path", "option", "prefixes"), [(path, *rest) for path, rest in FILES.items()])
def test_offered_in_files_of_tests(path: str, option: str, prefixes: str) -> None:
    files = {**APP, path: "", "pytest.ini": f"[pytest]\n{option}\n"}
    assert [each.prefix for each in complete(files, path, Position(0, 0))] == prefixes.split()


@dataclass(frozen=True)
class Fit:
    """A file with the cursor at its end, the files around it, and the text after `prefix` was chosen."""

    expected: str
    text: str = ""
    around: dict[str, str] = field(default_factory=dict)
    prefix: str = "araises"
    headers: dict[str, str] = field(default_factory=dict)
    app: bool = True


def indented(text: str) -> str:
    return re.sub(r"^(?=.)", "    ", text, flags=re.MULTILINE)


def raises(
    client: str, marks: str = "@pytest.mark.asyncio\n", head: str = "", call: str = "client", parameters: str = ""
) -> str:
    """The snippet of a raised exception, as most cases expect it."""
    body = f'    with pytest.raises(ValueError):\n        await {call}.get("/fail")'
    body = f"    {client}\n{indented(body)}" if client else body
    return f"{head}{marks}async def test_exception({parameters}) -> None:\n{body}"


OWN = 'transport = ASGITransport(app=app)\n    async with AsyncClient(transport=transport, base_url="http://test") as client:'
HEAD = "import pytest\nfrom httpx import ASGITransport, AsyncClient\n\nfrom app.main import app\n\n\n"
LENT = "import pytest\nfrom httpx import AsyncClient\n\n\n"
GIVES = """\
import pytest_asyncio
from LIBRARY import ASGITransport, AsyncClient
from app.main import app

@pytest_asyncio.fixture
async def NAME() -> None:
    async with AsyncClient(transport=ASGITransport(app=app)) as client:
        yield client
"""


def gives(*names: str, library: str = "httpx") -> str:
    """A conftest.py with client fixtures."""
    head, _, fixture = GIVES.replace("LIBRARY", library).partition("@")
    return head + "\n\n".join("@" + fixture.replace("NAME", name) for name in names)


AUTO = "[pytest]\nasyncio_mode = auto\n"
BESIDE = "tests/test_beside.py"
CONF = "tests/conftest.py"
NOT_SHIPPED = (
    "docs/main.py",
    "sandbox/main.py",
    "tests/apps/main.py",
    "test_site.py",
    "build/main.py",
    ".cache/main.py",
)
FITS = {
    "strict mode": Fit(raises(OWN, head=HEAD)),
    "auto mode": Fit(raises(OWN, "", HEAD), around={"pytest.ini": AUTO}),
    "anyio alone": Fit(raises(OWN, "@pytest.mark.anyio\n", HEAD), headers={"without": "pytest-asyncio"}),
    "anyio as beside": Fit(raises(OWN, "@pytest.mark.anyio\n", HEAD), around={BESIDE: "pytestmark = pytest.mark.anyio\n"}),
    "anyio as below": Fit(raises(OWN, "@pytest.mark.anyio\n", HEAD), around={"tests/api/test_b.py": "@pytest.mark.anyio\n"}),
    "anyio by its backend": Fit(
        raises(OWN, "@pytest.mark.anyio\n", HEAD),
        around={CONF: "import pytest\n\n@pytest.fixture\ndef anyio_backend() -> str:\n    return 'asyncio'\n"},
    ),
    "marked by a hook": Fit(
        raises(OWN, "", HEAD), around={CONF: "def pytest_collection_modifyitems(items) -> None:\n    mark(items, 'asyncio')\n"}
    ),
    "httpx2 alone": Fit(raises(OWN, head=HEAD.replace("httpx", "httpx2")), headers={"without": "httpx"}),
    "httpx2 as beside": Fit(raises(OWN, head=HEAD.replace("httpx", "httpx2")), around={BESIDE: "import httpx2\n"}),
    "httpx2 in this file": Fit(
        raises(OWN, head="import pytest\nfrom httpx2 import ASGITransport, AsyncClient, Response\n\nfrom app.main import app\n\nR = Response\n\n\n"),
        "from httpx2 import Response\n\nR = Response\n\n\n",
        {BESIDE: "import httpx\n"},
    ),
    "client of a fixture": Fit(raises("", head=LENT, parameters="client: AsyncClient"), around={CONF: gives("client")}),
    "client of httpx2": Fit(
        raises("", head=LENT.replace("httpx", "httpx2"), parameters="client: AsyncClient"),
        around={CONF: gives("client", library="httpx2"), BESIDE: "import httpx\nfrom httpx import Response\n"},
    ),
    "client of a fixture, in a class": Fit(
        LENT + "class TestA:\n" + indented(raises("", parameters="self, client: AsyncClient")), "class TestA:\n    ", {CONF: gives("client")}
    ),
    "client by another name": Fit(
        raises("", head=LENT, call="ac", parameters="ac: AsyncClient"), around={CONF: gives("admin_client", "ac")}
    ),
    "client that the file asks for": Fit(
        raises("", head="import pytest\nfrom httpx import AsyncClient\n\n\ndef test_a(admin) -> None: ...\n\n\n", call="admin", parameters="admin: AsyncClient"),
        "def test_a(admin) -> None: ...\n\n\n",
        {CONF: gives("ac", "admin")},
    ),
    "client that nobody would await": Fit(
        raises(OWN, head=HEAD), around={CONF: gives("client").replace("pytest_asyncio", "pytest")}
    ),
    "app of another name": Fit(
        raises(OWN.replace("=app", "=service"), head=HEAD.replace("app.main import app", "shop.asgi import service")),
        around={"shop/__init__.py": "", "shop/asgi.py": "from fastapi import FastAPI\n\nservice = FastAPI()\n"},
        app=False,
    ),
    "app below src": Fit(
        raises(OWN, head=HEAD.replace("app.main", "shop.main")),
        around={"src/shop/__init__.py": "", "src/shop/main.py": "import fastapi\n\napp = fastapi.FastAPI()\n"},
        app=False,
    ),
    "app in a folder without __init__": Fit(
        raises(OWN, head=HEAD.replace("app.main", "shop.main")),
        around={"shop/main.py": "import fastapi\n\napp = fastapi.FastAPI()\n"},
        app=False,
    ),
    "app from a factory, as beside": Fit(
        raises(OWN, head=HEAD.replace("app.main", "shop.run")),
        around={
            "shop/run.py": "from shop.make import make\n\napp = make()\n",
            "shop/make.py": "from fastapi import FastAPI\n\ndef make():\n    return FastAPI()\n",
            BESIDE: "from shop.run import (\n    app,\n)\n",
        },
        app=False,
    ),
    "several apps": Fit(
        raises(OWN, head=HEAD.replace("app.main", "shop")),
        around={"shop.py": "from fastapi import FastAPI\n\nadmin = FastAPI()\napp = FastAPI()\nother = FastAPI()\n"},
        app=False,
    ),
    "several apps at hand": Fit(
        raises(OWN, head="import pytest\nfrom httpx import ASGITransport, AsyncClient\n\nfrom shop import admin, app, other\n\n\n"),
        "from shop import admin, app, other\n\n\n",
        {"shop.py": "from fastapi import FastAPI\n\nadmin = FastAPI()\napp = FastAPI()\nother = FastAPI()\n"},
        app=False,
    ),
    "apps that nobody ships": Fit(
        raises(OWN, head="import pytest\nfrom httpx import ASGITransport, AsyncClient\n\n\n"),
        around=dict.fromkeys(NOT_SHIPPED, "import fastapi\n\napp = fastapi.FastAPI()\n") | {"sandbox/pyvenv.cfg": ""},
        app=False,
    ),
    "app of a fixture": Fit(
        raises(OWN, head="import pytest\nfrom fastapi import FastAPI\nfrom httpx import ASGITransport, AsyncClient\n\n\n", parameters="app: FastAPI"),
        around={CONF: "import pytest\nfrom fastapi import FastAPI\n\n@pytest.fixture\ndef app() -> FastAPI:\n    return FastAPI()\n"},
    ),
    "app at hand": Fit(
        raises(OWN.replace("=app", "=site"), head="import pytest\nfrom httpx import ASGITransport, AsyncClient\n\nfrom app.main import app as site\n\n\n"),
        "from app.main import app as site\n\n\n",
    ),
    "qualified": Fit(
        raises(OWN.replace("ASGI", "httpx.ASGI").replace("AsyncC", "httpx.AsyncC"), head="import httpx\nimport pytest\n\nfrom app.main import app\n\n\n"),
        "import httpx\n\n\n",
    ),
    "without annotations": Fit(
        raises(OWN, head=HEAD + "def test_a(): ...\n\n\n").replace("exception() -> None", "exception()"), "def test_a(): ...\n\n\n"
    ),
    "imports that are there": Fit(raises(OWN, head=HEAD), HEAD),
    "imports below a docstring": Fit(raises(OWN, head=f'"""Doc."""\n\n{HEAD}'), '"""Doc."""\n\n\n'),
    "in a class": Fit(HEAD + "class TestA:\n" + indented(raises(OWN, parameters="self")), "class TestA:\n    "),
    "indented by tabs": Fit(
        (HEAD + "class TestA:\n    x = 1\n\n" + indented(raises(OWN, parameters="self"))).replace("    ", "\t"), "class TestA:\n\tx = 1\n\n\t"
    ),
    "fixture": Fit(
        f"from collections.abc import AsyncIterator\n\n{HEAD.replace('pytest', 'pytest_asyncio')}"
        f"@pytest_asyncio.fixture\nasync def client() -> AsyncIterator[AsyncClient]:\n    {OWN}\n        yield client",
        prefix="aclient",
    ),
    "fixture of an app that is a fixture": Fit(
        "import pytest\nfrom fastapi import FastAPI\n\nfrom app.dependencies import get_service\n\n\n@pytest.fixture\n"
        "def override(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:\n"
        "    monkeypatch.setitem(app.dependency_overrides, get_service, lambda: None)",
        around={CONF: "import pytest\nfrom app.main import app as made\n\n@pytest.fixture\ndef app() -> object:\n    return made\n"},
        prefix="aoverride",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS.keys())
def test_fits_its_project(fit: Fit) -> None:
    files = {**(APP if fit.app else {}), **fit.around, "tests/test_new.py": fit.text}
    at = end_of(fit.text)
    chosen = next(each for each in complete(files, "tests/test_new.py", at, fit.headers) if each.prefix == fit.prefix)
    assert inserted(fit.text, at, chosen) == fit.expected


DECORATORS = {
    "strict": ({}, {}, "@pytest_asyncio.fixture"),
    "auto": ({"pytest.ini": AUTO}, {}, "@pytest.fixture"),
    "auto, another habit": ({"pytest.ini": AUTO, BESIDE: "@pytest_asyncio.fixture\n"}, {}, "@pytest_asyncio.fixture"),
    "anyio alone": ({}, {"without": "pytest-asyncio"}, "@pytest.fixture"),
    "anyio in tests below": ({"tests/api/test_a.py": "pytestmark = pytest.mark.anyio\n"}, {}, "@pytest.fixture"),
}


@pytest.mark.parametrize(("around", "headers", "decorator"), DECORATORS.values(), ids=DECORATORS.keys())
def test_async_fixtures_get_the_decorator_that_works(
    around: dict[str, str], headers: dict[str, str], decorator: str
) -> None:
    offered = complete({**APP, **around, CONF: ""}, CONF, Position(0, 0), headers)
    decorated = [each.body.splitlines() for each in offered if "async def" in each.body]
    assert [decorator in lines for lines in decorated] == [True] * 4


def test_what_is_not_found_stays_a_tab_stop() -> None:
    offered = complete({"tests/test_new.py": ""}, "tests/test_new.py", Position(0, 0))
    bodies = {each.prefix: each.body for each in offered}
    assert "transport = ASGITransport(app=${2:app})" in bodies["atest"]
    assert "(${4:app}.dependency_overrides, ${2:get_service}, " in bodies["aoverride"]
    assert "async with ${2:engine}.connect()" in bodies["adb"]
    assert not any(re.search(r"^(from|import) app", body, re.MULTILINE) for body in bodies.values())
    assert offered[0].description.endswith("Not found in this project: `app`. Put in your own and import it.")


TOLD = {
    "strict": ({}, "`@pytest.mark.asyncio` makes pytest-asyncio run it."),
    "auto": ({"pytest.ini": AUTO}, "Needs no mark: asyncio_mode is auto."),
    "client": ({CONF: gives("client")}, "The fixture `client` gives the client."),
}


@pytest.mark.parametrize(("around", "told"), TOLD.values(), ids=TOLD.keys())
def test_says_why_it_looks_so(around: dict[str, str], told: str) -> None:
    offered = complete({**APP, **around, "tests/test_new.py": "atest"}, "tests/test_new.py", Position(0, 5))
    assert [each.description.split("\n\n")[-1] for each in offered] == [told]


def test_imports_keep_line_endings_and_stay_away_from_the_place() -> None:
    text = "import pytest\r\n\r\n\r\nX = pytest\r\n\r\n\r\natest"
    (chosen,) = complete({**APP, "tests/test_new.py": text}, "tests/test_new.py", Position(6, 5))
    (edit,) = chosen.edits
    assert edit.text == "from httpx import ASGITransport, AsyncClient\r\n\r\nfrom app.main import app\r\n"
    assert edit.span.start == edit.span.end == Position(1, 0)


LINES = st.sampled_from(
    [
        "", "a", "    a", "\ta", "\f a", "\ufeffa", "é", "\x00", "\ud800", "\\", "@", "x = '''", '"""', "):", "def f(", "    pass",
        "class TestA:", "  class TestB(", "async def test_a():", "if True:", "import httpx", "from httpx import (", "pytestmark = mark.anyio",
    ]
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(LINES, max_size=8), st.sampled_from(["\n", "\r\n", "\r"]), st.integers(0, 9), st.integers(0, 9))
def test_hostile_text_never_raises(lines: list[str], newline: str, line: int, column: int) -> None:
    text, at = newline.join(lines), Position(line, column)
    for each in complete({**APP, "tests/test_new.py": text}, "tests/test_new.py", at):
        assert all(edit.span.end <= Position(line, 0) or edit.span.start.line > line for edit in each.edits)


SHOP = """\
from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import create_async_engine

def prices(): ...

database = create_async_engine("sqlite+aiosqlite://")
site = FastAPI(dependencies=[Depends(prices)])
"""


def test_nothing_of_the_default_project_is_left_in_another() -> None:
    files = {
        "shop/__init__.py": "",
        "shop/asgi.py": SHOP,
        "tests/test_new.py": "",
        "pytest.ini": "[pytest]\nanyio_mode = auto\n",
    }
    offered = complete(files, "tests/test_new.py", Position(0, 0), {"without": "httpx, pytest-asyncio"})
    default = re.compile(r"pytest_asyncio|mark\.a|\bhttpx\b|(?<!manager\.)\bapp\b(?!=)|\bengine\b|get_service|\$[1]\b")
    assert {each.prefix: default.findall(each.body) for each in offered if default.search(each.body)} == {}
    assert len(offered) == 15
