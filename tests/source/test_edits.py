"""Exact text after each kind of edit."""

from __future__ import annotations

import pytest

from awaitest.source.document import Document
from awaitest.source.edits import (
    Import,
    add_import,
    indent_edits,
    indent_unit,
    line_insert,
    remove_import,
    replace_import,
    uses_of,
)
from awaitest.source.text import Edit, apply


def after(text: str, *edits: Edit | None) -> str | None:
    """The text after the edits; None where there is none."""
    known = [edit for edit in edits if edit is not None]
    return apply(Document(text).lines, known) if known else None


HTTPX = Import("httpx", "ASGITransport")
PYTEST = Import("pytest")
ADDED = {
    "there": ("import pytest\n", PYTEST, None),
    "there with a submodule": ("import os.path\n", Import("os"), "import os\nimport os.path\n"),
    "there in a try": ("try:\n    import pytest\nexcept E:\n    pass\n", PYTEST, None),
    "there under another name": ("import pytest as pt\n", PYTEST, "import pytest as pt\nimport pytest\n"),
    "only for types": (
        "if TYPE_CHECKING:\n    import pytest\n",
        PYTEST,
        "import pytest\n\nif TYPE_CHECKING:\n    import pytest\n",
    ),
    "empty": ("", PYTEST, "import pytest\n"),
    "before code": ("x = 1\n", PYTEST, "import pytest\n\nx = 1\n"),
    "before a function": ("def f(): pass\n", PYTEST, "import pytest\n\n\ndef f(): pass\n"),
    "docstring": ('"""Doc."""\n\n\ndef f(): pass\n', PYTEST, '"""Doc."""\n\nimport pytest\n\n\ndef f(): pass\n'),
    "docstring only": ('"""Doc."""', PYTEST, '"""Doc."""\n\nimport pytest'),
    "shebang": ("#!/bin/python\nx = 1\n", PYTEST, "#!/bin/python\n\nimport pytest\n\nx = 1\n"),
    "licence": ("# Licence\n\nx = 1\n", PYTEST, "# Licence\n\nimport pytest\n\nx = 1\n"),
    "comment on code": ("# the app\nx = 1\n", PYTEST, "import pytest\n\n# the app\nx = 1\n"),
    "future": ("from __future__ import annotations\n\nx = 1\n", PYTEST, "from __future__ import annotations\n\nimport pytest\n\nx = 1\n"),
    "sorted": ("import anyio\nimport starlette\n", PYTEST, "import anyio\nimport pytest\nimport starlette\n"),
    "import before from": ("from anyio import run\n", PYTEST, "import pytest\nfrom anyio import run\n"),
    "from after import": ("import pytest\n", HTTPX, "import pytest\nfrom httpx import ASGITransport\n"),
    "new section": ("import os\n\nx = 1\n", PYTEST, "import os\n\nimport pytest\n\nx = 1\n"),
    "before a section": ("from .a import b\n", PYTEST, "import pytest\n\nfrom .a import b\n"),
    "between sections": ("import os\nfrom .a import b\n", PYTEST, "import os\n\nimport pytest\n\nfrom .a import b\n"),
    "first of groups": (
        "import httpx\n\nfrom app import main\n",
        PYTEST,
        "import httpx\nimport pytest\n\nfrom app import main\n",
    ),
    "standard library": ("import pytest\n", Import("asyncio"), "import asyncio\n\nimport pytest\n"),
    "comment stays": ("import anyio\n# about z\nimport z\n", PYTEST, "import anyio\nimport pytest\n# about z\nimport z\n"),
    "semicolon": ("import anyio; x = 1\n", PYTEST, "import anyio; x = 1\nimport pytest\n"),
    "without last newline": ("import anyio", PYTEST, "import anyio\nimport pytest"),
    "windows": ("import anyio\r\nx = 1\r\n", PYTEST, "import anyio\r\nimport pytest\r\nx = 1\r\n"),
    "name first": ("from httpx import AsyncClient\n", HTTPX, "from httpx import ASGITransport, AsyncClient\n"),
    "name in between": ("from httpx import Auth, get\n", Import("httpx", "Client"), "from httpx import Auth, Client, get\n"),
    "name last": ("from httpx import Auth  # c\n", Import("httpx", "get"), "from httpx import Auth, get  # c\n"),
    "constant first": ("from m import Auth\n", Import("m", "ZERO"), "from m import ZERO, Auth\n"),
    "digits as numbers": ("from m import a10\n", Import("m", "a9"), "from m import a9, a10\n"),
    "brackets": ("from httpx import (\n    Auth,\n    get,\n)\n", Import("httpx", "Client"), "from httpx import (\n    Auth,\n    Client,\n    get,\n)\n"),
    "brackets, last": ("from httpx import (\n    Auth,  # c\n)\n", Import("httpx", "get"), "from httpx import (\n    Auth,  # c\n    get,\n)\n"),
    "brackets, last, no comma": ("from httpx import (\n    Auth  # c\n)\n", Import("httpx", "get"), "from httpx import (\n    Auth,  # c\n    get\n)\n"),
    "brackets, many in a row": ("from httpx import (\n    Auth, get,\n)\n", Import("httpx", "Client"), "from httpx import (\n    Auth, Client, get,\n)\n"),
    "backslash": ("from httpx import Auth, \\\n    get\n", Import("httpx", "Client"), "from httpx import Auth, \\\n    Client, get\n"),
    "star": ("from httpx import *\n", HTTPX, "from httpx import *\nfrom httpx import ASGITransport\n"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "new", "expected"), ADDED.values(), ids=ADDED.keys())
def test_add_import(text: str, new: Import, expected: str | None) -> None:
    assert after(text, add_import(Document(text), *new)) == expected
    if expected is not None:
        assert add_import(Document(expected), *new) is None


def test_first_party_has_its_own_section() -> None:
    text = "import os\n\nfrom app import main\n"
    edit = add_import(Document(text), "pytest", first_party={"app"})
    assert after(text, edit) == "import os\n\nimport pytest\n\nfrom app import main\n"


REMOVED = {
    "used": ("import pytest\npytest.x\n", PYTEST, None),
    "used in a string annotation": ("import pytest\ndef f(a: 'pytest.X'): pass\n", PYTEST, None),
    "exported": ("import pytest\n__all__ = ['pytest']\n", PYTEST, None),
    "broken elsewhere": ("import pytest\nx = (\n", PYTEST, None),
    "absent": ("import os\n", PYTEST, None),
    "nested": ("if a:\n    import pytest\n", PYTEST, None),
    "line": ("import os\nimport pytest  # c\nx = 1\n", PYTEST, "import os\nx = 1\n"),
    "with its blank line": ("import os\n\nimport pytest\n\nfrom a import b\n", PYTEST, "import os\n\nfrom a import b\n"),
    "first": ("import pytest\n\n\ndef f(): pass\n", PYTEST, "def f(): pass\n"),
    "last line": ("import os\nimport pytest", PYTEST, "import os\n"),
    "alias": ("import pytest as pt\n", PYTEST, ""),
    "one of many": ("import os, pytest, re\n", PYTEST, "import os, re\n"),
    "last of many": ("from httpx import Auth, ASGITransport\n", HTTPX, "from httpx import Auth\n"),
    "row": ("from httpx import (\n    ASGITransport,  # c\n    # d\n    Auth,\n)\n", HTTPX, "from httpx import (\n    # d\n    Auth,\n)\n"),
    "whole bracket": ("from httpx import (\n    ASGITransport,\n)\nx = 1\n", HTTPX, "x = 1\n"),
    "semicolon after": ("import pytest; x = 1\n", PYTEST, "x = 1\n"),
    "semicolon before": ("x = 1; import pytest\n", PYTEST, "x = 1\n"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "old", "expected"), REMOVED.values(), ids=REMOVED.keys())
def test_remove_import(text: str, old: Import, expected: str | None) -> None:
    assert after(text, remove_import(Document(text), *old)) == expected


ASYNCIO = Import("pytest_asyncio")
REPLACED = {
    "alone": ("import pytest\n\n\ndef f(): pass\n", PYTEST, ASYNCIO, "import pytest_asyncio\n\n\ndef f(): pass\n"),
    "in a group": ("import os\n\nimport pytest\n\nx = 1\n", PYTEST, ASYNCIO, "import os\n\nimport pytest_asyncio\n\nx = 1\n"),
    "elsewhere": ("import anyio\nimport trio\n", Import("trio"), Import("aiohttp"), "import aiohttp\nimport anyio\n"),
    "still used": ("import pytest\npytest.x\n", PYTEST, ASYNCIO, "import pytest\nimport pytest_asyncio\npytest.x\n"),
    "there": ("import pytest\nimport pytest_asyncio\n", PYTEST, ASYNCIO, "import pytest_asyncio\n"),
    "name": ("from m import b\n", Import("m", "b"), Import("m", "a"), "from m import a\n"),
    "name to the back": ("from m import a, b, c\n", Import("m", "a"), Import("m", "d"), "from m import b, c, d\n"),
    "name to the front": ("from m import b, c\n", Import("m", "c"), Import("m", "a"), "from m import a, b\n"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "old", "new", "expected"), REPLACED.values(), ids=REPLACED.keys())
def test_replace_import(text: str, old: Import, new: Import, expected: str) -> None:
    assert after(text, *replace_import(Document(text), old, new)) == expected


def test_replaced_uses_do_not_count() -> None:
    text = "import pytest\n\n\n@pytest.fixture\ndef f(): pass\n"
    edits = replace_import(Document(text), PYTEST, ASYNCIO, replaced=1)
    assert after(text, *edits) == text.replace("import pytest\n", "import pytest_asyncio\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import a\na.b\na = 1\ndel a\n", 2),
        ("def f(x: 'a.b', y: 'c.a') -> 'a': pass\n", 2),
        ("class A:\n    def m(self): return a\n    x: a\n", 2),
        ("'a'\nx.a\n", 0),
    ],
)
def test_uses_of(text: str, expected: int) -> None:
    assert uses_of(Document(text), "a") == expected


@pytest.mark.parametrize(
    ("text", "first", "last", "extra", "expected"),
    [
        ("a\nb\n\nc\n", 1, 3, "    ", "a\n    b\n\n    c\n"),
        ("def f():\n\tx = (\n\t\t1,\n\t)\n", 1, 3, "\t", "def f():\n\t\tx = (\n\t\t\t1,\n\t\t)\n"),
        ("def f():\n  x = '''\n  a\n'''\n  y\n", 1, 4, "  ", "def f():\n    x = '''\n  a\n'''\n    y\n"),
        ("x = f'''{a}\n b'''\ny", 1, 2, " ", "x = f'''{a}\n b'''\n y"),
        ("x = 'a\\\n b'\ny\n", 0, 9, " ", " x = 'a\\\n b'\n y\n"),
    ],
)
def test_indent_edits(text: str, first: int, last: int, extra: str, expected: str) -> None:
    assert after(text, *indent_edits(Document(text), first, last, extra)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1\n", "    "),
        ("if a: b\nif a:\n  b\n", "  "),
        ("class A:\n\tdef m(self):\n\t\tx\n", "\t"),
        ("def f():\n   '''d\n   '''\n", "   "),
    ],
)
def test_indent_unit(text: str, expected: str) -> None:
    assert indent_unit(Document(text)) == expected


@pytest.mark.parametrize(
    ("text", "line", "new", "expected"),
    [
        ("a\nb\n", 1, "x\ny", "a\nx\ny\nb\n"),
        ("a\r\nb\r\n", 2, "x\ny\n", "a\r\nb\r\nx\r\ny\r\n"),
        ("a", 1, "x", "a\nx"),
        ("", 0, "x", "x\n"),
        ("\ufeffa\n", 0, "x", "\ufeffx\na\n"),
    ],
)
def test_line_insert(text: str, line: int, new: str, expected: str) -> None:
    assert after(text, line_insert(Document(text), line, new)) == expected
