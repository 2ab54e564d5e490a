"""Names followed to their definitions, in projects that lie in memory and in the environment the tests run in."""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from awaitest.project.cache import SkeletonCache
from awaitest.project.files import DiskFiles, OverlayFiles
from awaitest.project.library import Library
from awaitest.project.modules import Module
from awaitest.project.resolve import Found, FoundModule, Resolver

ROOT, SITE, MORE = Path("/project"), Path("/env/site-packages"), Path("/env/more")
INSTALLED = Path(sysconfig.get_path("purelib"))


def resolver(texts: Mapping[str, str], roots: tuple[Path, ...] = (ROOT,), **options: Path) -> Resolver:
    files = OverlayFiles({Path("/") / path: dedent(text) for path, text in texts.items()})
    return Resolver(files, roots, Library(files, (SITE, MORE)), options)


def shown(found: Found | FoundModule | None) -> str | None:
    """`module:definition`, `module` for a module."""
    if found is None:
        return None
    if isinstance(found, FoundModule):
        return found.module.name
    node = found.node
    prefix = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    return f"{found.module.name}:{prefix}{getattr(node, 'name', None) or ast.unparse(node)}"


TEST = "project/tests/test_a.py"
LOOKUPS: dict[str, tuple[dict[str, str], str | None]] = {
    "defined here": ({TEST: "async def x(): ..."}, "test_a:async x"),
    "class here": ({TEST: "class x: ..."}, "test_a:x"),
    "assigned here": ({TEST: "x = f(1)"}, "test_a:f(1)"),
    "annotated here": ({TEST: "x: T = f(1)"}, "test_a:f(1)"),
    "alias here": ({TEST: "def y(): ...\nx = y"}, "test_a:y"),
    "alias of an alias": ({TEST: "class y: ...\nz = y\nx = z"}, "test_a:y"),
    "unknown": ({TEST: "from nowhere import x"}, None),
    "unbound": ({TEST: ""}, None),
    "from the root": ({TEST: "from app import x", "project/app.py": "def x(): ..."}, "app:x"),
    "from src": ({TEST: "from app import x", "project/src/app.py": "def x(): ..."}, "app:x"),
    "from a package": (
        {TEST: "from a.b import x", "project/a/__init__.py": "", "project/a/b.py": "class x: ..."},
        "a.b:x",
    ),
    "renamed": ({TEST: "from app import y as x", "project/app.py": "def y(): ..."}, "app:y"),
    "re-exported": (
        {TEST: "from a import x", "project/a/__init__.py": "from .b import x", "project/a/b.py": "async def x(): ..."},
        "a.b:async x",
    ),
    "relative, one up": (
        {
            "project/t/__init__.py": "",
            "project/t/u/__init__.py": "",
            "project/t/u/test_a.py": "from ..h import x",
            "project/t/h.py": "def x(): ...",
        },
        "t.h:x",
    ),
    "relative, too far": ({TEST: "from ...h import x", "h.py": "def x(): ..."}, None),
    "relative, in a package above no root": (
        {
            "elsewhere/t/__init__.py": "",
            "elsewhere/t/test_a.py": "from .h import x",
            "elsewhere/t/h.py": "def x(): ...",
        },
        "t.h:x",
    ),
    "module": ({TEST: "import app as x", "project/app.py": ""}, "app"),
    "module of a package": ({TEST: "import a.b as x", "project/a/__init__.py": "", "project/a/b.py": ""}, "a.b"),
    "package of a module": ({TEST: "import x.b", "project/x/__init__.py": "", "project/x/b.py": ""}, "x"),
    "submodule": ({TEST: "from a import x", "project/a/__init__.py": "", "project/a/x.py": ""}, "a.x"),
    "a name before a submodule": (
        {TEST: "from a import x", "project/a/__init__.py": "def x(): ...", "project/a/x.py": ""},
        "a:x",
    ),
    "submodule imported by its package": (
        {TEST: "from a import x", "project/a/__init__.py": "from . import x", "project/a/x.py": ""},
        "a.x",
    ),
    "alias through a module": ({TEST: "import app\nx = app.y", "project/app.py": "class y: ..."}, "app:y"),
    "alias through modules": (
        {TEST: "import a\nx = a.b.y", "project/a/__init__.py": "", "project/a/b.py": "class y: ..."},
        "a.b:y",
    ),
    "alias of something unknown": ({TEST: "x = y.z"}, "test_a:y.z"),
    "star": ({TEST: "from app import *", "project/app.py": "def x(): ..."}, "app:x"),
    "star that exports": ({TEST: "from app import *", "project/app.py": "__all__ = ['x']\ndef x(): ..."}, "app:x"),
    "star that does not export": ({TEST: "from app import *", "project/app.py": "__all__ = ['y']\ndef x(): ..."}, None),
    "the last star": (
        {TEST: "from a import *\nfrom b import *", "project/a.py": "def x(): ...", "project/b.py": "class x: ..."},
        "b:x",
    ),
    "star through star": (
        {TEST: "from a import *", "project/a.py": "from b import *", "project/b.py": "def x(): ..."},
        "b:x",
    ),
    "circular import": (
        {TEST: "from a import x", "project/a.py": "from b import x", "project/b.py": "from a import x"},
        None,
    ),
    "circular import with an end": (
        {
            TEST: "from a import x",
            "project/a.py": "from b import x\ndef y(): ...",
            "project/b.py": "from a import y as x",
        },
        "a:y",
    ),
    "imports itself": ({TEST: "from test_a import x"}, None),
    "circular alias": ({TEST: "x = y\ny = x"}, "test_a:x"),
    "circular stars": (
        {TEST: "from a import *", "project/a.py": "from b import *", "project/b.py": "from a import *"},
        None,
    ),
    "beside the test": ({TEST: "from helpers import x", "project/tests/helpers.py": "def x(): ..."}, "helpers:x"),
    "beside the test, before the root": (
        {TEST: "from h import x", "project/tests/h.py": "def x(): ...", "project/h.py": "class y: ..."},
        "h:x",
    ),
    "above the packages of the test": (
        {
            "project/t/u/__init__.py": "",
            "project/t/u/test_a.py": "from h import x",
            "project/t/h.py": "def x(): ...",
            "project/t/u/h.py": "class x: ...",
        },
        "h:x",
    ),
    "the conftest beside": (
        {TEST: "from conftest import x", "project/tests/conftest.py": "def x(): ...", "project/conftest.py": ""},
        "conftest:x",
    ),
    "the standard library before the project": (
        {TEST: "from asyncio import sleep as x", "project/asyncio.py": "def sleep(): ..."},
        "asyncio:async sleep",
    ),
    "the project before the installed": (
        {TEST: "from p import x", "project/p.py": "class x: ...", "env/site-packages/p.py": "def x(): ..."},
        "p:x",
    ),
    "installed": ({TEST: "from p import x", "env/site-packages/p.py": "async def x(): ..."}, "p:async x"),
    "installed, source before declarations": (
        {
            TEST: "from p import x",
            "env/site-packages/p.py": "async def x(): ...",
            "env/site-packages/p.pyi": "def x(): ...",
        },
        "p:async x",
    ),
    "installed, compiled": ({TEST: "from p import x", "env/site-packages/p.pyi": "async def x(): ..."}, "p:async x"),
    "installed, declared by a package of its own": (
        {TEST: "from p.q import x", "env/site-packages/p-stubs/q.pyi": "async def x(): ..."},
        "p.q:async x",
    ),
    "namespace of the project": ({TEST: "from n.a import x", "project/n/a.py": "def x(): ..."}, "a:x"),
    "namespace over two roots": (
        {
            TEST: "from n.b import x",
            "env/site-packages/n/a.py": "",
            "env/more/n/b.py": "def x(): ...",
        },
        "n.b:x",
    ),
    "namespace as a module": ({TEST: "import n\nx = n.b.y", "env/more/n/b.py": "def y(): ..."}, "n.b:y"),
    "our own stub": ({TEST: "from httpx import AsyncClient as x"}, "httpx:AsyncClient"),
    "our own stub, through another": (
        {TEST: "from fastapi.testclient import TestClient as x"},
        "starlette.testclient:TestClient",
    ),
    "the standard library": ({TEST: "from email.message import EmailMessage as x"}, "email.message:EmailMessage"),
    "guarded import, there": (
        {
            TEST: "try:\n    from a import x\nexcept ImportError:\n    def x(): ...",
            "project/a.py": "async def x(): ...",
        },
        "a:async x",
    ),
    "guarded import, not there": (
        {TEST: "try:\n    from a import x\nexcept ImportError:\n    from b import x", "project/b.py": "class x: ..."},
        "b:x",
    ),
    "guarded import, a stand-in": ({TEST: "try:\n    from a import x\nexcept ImportError:\n    def x(): ..."}, None),
    "None instead": ({TEST: "if y:\n    x = None\nelse:\n    from a import x", "project/a.py": "class x: ..."}, "a:x"),
    "branches that disagree": ({TEST: "if y:\n    def x(): ...\nelse:\n    async def x(): ..."}, None),
    "branches declared alike": (
        {TEST: "if y:\n    async def x(): return 1\nelse:\n    async def x(): return 2"},
        "test_a:async x",
    ),
    "overloads": ({TEST: "@overload\ndef x(a): ...\nasync def x(a, b): ..."}, "test_a:async x"),
    "the target of a loop": ({TEST: "x = f()\nfor x in y: pass"}, None),
    "a piece of something": ({TEST: "x, y = f()"}, None),
    "added to": ({TEST: "x = f()\nx += g()"}, None),
}


@pytest.mark.parametrize("name", LOOKUPS)
def test_lookup(name: str) -> None:
    texts, expected = LOOKUPS[name]
    found = resolver(texts)
    (test,) = [Path("/") / path for path in texts if path.endswith("test_a.py")]
    assert shown(found.lookup(found.load_path(test), "x")) == expected


@pytest.mark.parametrize(
    ("path", "texts", "expected"),
    [
        ("project/tests/test_a.py", {}, ("test_a", False)),
        ("project/t/test_a.py", {"project/t/__init__.py": ""}, ("t.test_a", False)),
        ("project/t/u/test_a.py", {"project/t/__init__.py": "", "project/t/u/__init__.py": ""}, ("t.u.test_a", False)),
        ("project/t/u/test_a.py", {"project/t/__init__.py": ""}, ("test_a", False)),
        ("project/t/__init__.py", {}, ("t", True)),
    ],
)
def test_name_of_a_file(path: str, texts: dict[str, str], expected: tuple[str, bool]) -> None:
    assert resolver({path: "", **texts}).name_of(Path("/") / path) == expected


@pytest.mark.parametrize("name", ["", ".", "a.", "a..b", "a b", "../a", "a/b", "a\0b", "1a"])
def test_what_is_no_name_is_no_module(name: str) -> None:
    assert resolver({"project/a.py": ""}).load(name) is None


def test_two_conftests_stay_apart() -> None:
    found = resolver(
        {
            "project/a/test_a.py": "from conftest import x",
            "project/a/conftest.py": "def x(): ...",
            "project/b/test_b.py": "from conftest import x",
            "project/b/conftest.py": "class x: ...",
        }
    )
    results = [found.lookup(found.load_path(ROOT / path), "x") for path in ("a/test_a.py", "b/test_b.py")]
    assert [type(item.node) for item in results if isinstance(item, Found)] == [ast.FunctionDef, ast.ClassDef]


def test_linked_package() -> None:
    found = resolver({TEST: "from app.main import x", "code/app/main.py": "def x(): ..."}, app=Path("/code/app"))
    assert shown(found.lookup(found.load_path(Path("/") / TEST), "x")) == "main:x"


def test_many_circular_stars_end_soon() -> None:
    names = [f"m{number}" for number in range(12)]
    stars = "\n".join(f"from {name} import *" for name in names)
    found = resolver({TEST: stars, **{f"project/{name}.py": stars for name in names}})
    assert found.lookup(found.load_path(Path("/") / TEST), "x") is None


def test_a_long_chain_ends() -> None:
    chain = {f"project/m{number}.py": f"from m{number + 1} import x" for number in range(100)}
    found = resolver({TEST: "from m0 import x", **chain, "project/m100.py": "def x(): ..."})
    assert found.lookup(found.load_path(Path("/") / TEST), "x") is None


@pytest.mark.parametrize(
    "content",
    [b"x = 1\0", b"\xff\xfe", b"# coding: nonsense\n", b"x = '\xe4'", b"(" * 5000, b"x" * 21_000_000, b"f = ("],
    ids=["NUL", "UTF-16", "unknown encoding", "wrong encoding", "nesting", "too large", "broken"],
)
def test_hostile_modules_bind_nothing(tmp_path: Path, content: bytes) -> None:
    for folder in ("project", "site"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"in_{folder}.py").write_bytes(content)
    found = Resolver(DiskFiles(), [tmp_path / "project"], Library(DiskFiles(), [tmp_path / "site"]))
    for name in ("in_project", "in_site"):
        module = found.load(name)
        assert module is not None
        assert found.lookup(module, "f") is None


@pytest.fixture
def edited() -> tuple[dict[Path, str], Resolver]:
    texts = {ROOT / "test_a.py": "from app import x", ROOT / "app.py": "def x(): ..."}

    class Live(OverlayFiles):
        def __init__(self) -> None:
            super().__init__({})

        def read(self, path: Path) -> bytes | None:
            return texts[path].encode() if path in texts else None

        def is_file(self, path: Path) -> bool:
            return path in texts

    files = Live()
    return texts, Resolver(files, [ROOT], Library(files))


def test_a_changed_file_is_read_again(edited: tuple[dict[Path, str], Resolver]) -> None:
    texts, found = edited
    test = found.load_path(ROOT / "test_a.py")
    assert shown(found.lookup(test, "x")) == "app:x"
    texts[ROOT / "app.py"] = "async def x(): ..."
    assert shown(found.lookup(test, "x")) == "app:x"
    found.invalidate(ROOT / "app.py")
    assert shown(found.lookup(test, "x")) == "app:async x"
    assert found.load_path(ROOT / "test_a.py") is test


def test_files_that_come_and_go(edited: tuple[dict[Path, str], Resolver]) -> None:
    texts, found = edited
    test = found.load_path(ROOT / "test_a.py")
    texts_of_app = texts.pop(ROOT / "app.py")
    assert found.lookup(test, "x") is None
    texts[ROOT / "app.py"] = texts_of_app
    found.invalidate(ROOT / "app.py")
    assert shown(found.lookup(test, "x")) == "app:x"
    del texts[ROOT / "app.py"]
    found.invalidate(ROOT / "app.py")
    assert found.lookup(test, "x") is None


# -- the environment the tests run in ----------------------------------------------------------------------------------

REAL = {
    "httpx:AsyncClient": "httpx._client:AsyncClient",
    "httpx:ASGITransport": "httpx._transports.asgi:ASGITransport",
    "httpx:get": "httpx._api:get",
    "fastapi:FastAPI": "fastapi.applications:FastAPI",
    "fastapi.testclient:TestClient": "starlette.testclient:TestClient",
    "starlette.applications:Starlette": "starlette.applications:Starlette",
    "anyio:sleep": "anyio._core._eventloop:async sleep",
    "anyio:Event": "anyio._core._synchronization:Event",
    "anyio:to_thread": "anyio.to_thread",
    "asgi_lifespan:LifespanManager": "asgi_lifespan._manager:LifespanManager",
    "pytest:fixture": "_pytest.fixtures:fixture",
    "pytest:MonkeyPatch": "_pytest.monkeypatch:MonkeyPatch",
    "pytest_asyncio:fixture": "pytest_asyncio.plugin:fixture",
    "asyncio:sleep": "asyncio:async sleep",
    "contextlib:asynccontextmanager": "contextlib:asynccontextmanager",
    "unittest.mock:AsyncMock": "unittest.mock:AsyncMock",
    "unittest:IsolatedAsyncioTestCase": "unittest:IsolatedAsyncioTestCase",
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Resolver:
    cache = SkeletonCache(tmp_path_factory.mktemp("cache"))
    return Resolver(DiskFiles(), [], Library(DiskFiles(), [INSTALLED], cache))


@pytest.mark.parametrize("name", REAL)
def test_lookup_in_this_environment(environment: Resolver, name: str) -> None:
    where, _, what = name.partition(":")
    pytest.importorskip(where)
    module = environment.load(where)
    assert module is not None
    assert shown(environment.lookup(module, what)) == REAL[name]


@pytest.mark.parametrize("package", ["httpx", "httpx2"])
def test_methods_of_the_installed_client(environment: Resolver, package: str) -> None:
    pytest.importorskip(package)
    module = environment.load(package)
    assert isinstance(module, Module)
    found = environment.lookup(module, "AsyncClient")
    assert isinstance(found, Found)
    assert isinstance(found.node, ast.ClassDef)
    methods = {item.name: item for item in found.node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert isinstance(methods["get"], ast.AsyncFunctionDef)
    assert isinstance(methods["aclose"], ast.AsyncFunctionDef)
    assert [ast.unparse(item) for item in methods["stream"].decorator_list] == ["asynccontextmanager"]


def test_a_warm_cache_gives_the_same(tmp_path: Path) -> None:
    pytest.importorskip("httpx")
    shapes = []
    for _ in range(2):
        library = Library(DiskFiles(), [INSTALLED], SkeletonCache(tmp_path))
        module = library.load("httpx._models")
        assert module is not None
        shapes.append([ast.dump(node) for node in module.body])
    assert shapes[0] == shapes[1] != []
