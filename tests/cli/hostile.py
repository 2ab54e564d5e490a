"""Hostile files: what is in them, and what the command line says of each."""

from __future__ import annotations

TEST = b"""\
import pytest
from httpx import AsyncClient
@pytest.mark.asyncio
async def test_a():
    async with AsyncClient() as client:
        client.get("/")
"""
FIXED = TEST.replace(b"client.get", b"await client.get")
FOUND = "test_a.py:6 AWT101"
ELSEWHERE = "test_b.py:6 AWT101"
"""What is found in the file beside the hostile one, always."""

UTF_16 = "test_a.py:1: the file is written in UTF-16, which Python does not read; save it as UTF-8"
TEXTS: dict[str, tuple[bytes, list[str]]] = {
    "empty": (b"", []),
    "a byte order mark alone": (b"\xef\xbb\xbf", []),
    "a byte order mark": (b"\xef\xbb\xbf" + TEST, [FOUND]),
    "NUL in a string": (TEST + b"x = '\0'\n", [FOUND, "test_a.py:7 AWT000"]),
    "NUL in the test itself": (TEST.replace(b'"/"', b'"\0"'), ["test_a.py:6 AWT000"]),
    "a surrogate, escaped": (TEST.replace(b"/", b"\\ud800"), [FOUND]),
    "a surrogate, as bytes": (TEST + b"'\xed\xa0\x80'\n", ["test_a.py:7: this line is not valid utf-8: byte 0xed"]),
    "latin-1, declared": (b"# coding: latin-1\n" + TEST + b"# \xe9\n", ["test_a.py:7 AWT101"]),
    "latin-1, not declared": (TEST + b"# \xe9\n", ["test_a.py:7: this line is not valid utf-8: byte 0xe9"]),
    "UTF-16": (TEST.decode().encode("utf-16"), [UTF_16]),
    "UTF-16 without a mark": (TEST.decode().encode("utf-16-le"), [UTF_16]),
    "an unknown encoding": (
        b"# coding: klingon\n" + TEST,
        ["test_a.py:1: the declared encoding klingon is unknown or is no text encoding"],
    ),
    "an encoding that is none of text": (
        b"# coding: rot13\n" + TEST,
        ["test_a.py:1: the declared encoding rot13 is unknown or is no text encoding"],
    ),
    "every byte there is": (bytes(range(256)), ["test_a.py:3: this line is not valid utf-8: byte 0x80"]),
    "CRLF": (TEST.replace(b"\n", b"\r\n"), [FOUND]),
    "CR": (TEST.replace(b"\n", b"\r"), [FOUND]),
    "form feeds": (TEST.replace(b"@", b"\x0c\n@").replace(b"        c", b"\x0c        c"), ["test_a.py:7 AWT101"]),
    "tabs": (TEST.replace(b"    ", b"\t"), [FOUND]),
    "tabs and spaces at odds": (TEST.replace(b"        ", b"\t"), ["test_a.py:6 AWT000"]),
    "separators that end no line": (TEST + "x = '\x0b\x1c\x85\u2028'\n1 +\n".encode(), [FOUND, "test_a.py:8 AWT000"]),
    "an escape that is none": (TEST + b"x = '\\N{nope}'\n", [FOUND, "test_a.py:7 AWT000"]),
    "a number of 10,000 digits": (TEST + b"x = " + b"9" * 10_000 + b"\n", [FOUND, "test_a.py:7 AWT000"]),
    "Python 2": (TEST + b"print 'x'\n", [FOUND, "test_a.py:7 AWT000"]),
    "an end in the middle of a line": (TEST + b"\\", [FOUND, "test_a.py:7 AWT000"]),
    "a call half typed": (TEST + b"def f(\n", [FOUND, "test_a.py:7 AWT000"]),
    "a string half typed": (TEST + b"def f():\n    g('/\n    g()\n", [FOUND, "test_a.py:8 AWT000"]),
    "a docstring half typed": (TEST + b'def f():\n    """\n    g()\n', [FOUND, "test_a.py:8 AWT000"]),
    "an attribute half typed": (TEST + b"    client.\n", [FOUND, "test_a.py:7 AWT000"]),
    "a decorator half typed": (TEST + b"@pytest.\ndef f(): ...\n", [FOUND, "test_a.py:7 AWT000"]),
    "an import half typed": (TEST + b"from httpx import \n", [FOUND, "test_a.py:7 AWT000"]),
    "a block half typed": (TEST + b"    async with AsyncClient() as\n", [FOUND, "test_a.py:7 AWT000"]),
    "an else of nothing": (TEST + b"else:\n    pass\n", [FOUND, "test_a.py:7 AWT000"]),
    "2,000 brackets": (TEST + b"x = " + b"[" * 2000 + b"]" * 2000 + b"\n", [FOUND, "test_a.py:7 AWT000"]),
    "2,000 open brackets": (TEST + b"x = " + b"[" * 2000 + b"\n", [FOUND, "test_a.py:7 AWT000"]),
    "190 brackets, which Python reads": (TEST + b"    x = " + b"[" * 190 + b"]" * 190 + b"\n", [FOUND]),
    "lists that double": (TEST + b"    x = [client.get]\n" + b"    x = [x, [x]]\n" * 60, [FOUND]),
    "90 classes in one another": (TEST + b"".join(b" " * i + b"class A:\n" for i in range(90)) + b" " * 90 + b"x = 1\n", [FOUND]),
    "18 loops in one another": (TEST + b"".join(b" " * i + b"for x in y:\n" for i in range(4, 22)) + b" " * 22 + b"z = [client.get]\n", [FOUND]),
    "60 functions in one another": (TEST + b"".join(b" " * i + b"def f():\n" for i in range(60)) + b" " * 60 + b"x = 1\n", [FOUND]),
    "calls that fork": (TEST + b"".join(b"def f%d(): return [f%d(), f%d()]\n" % (i, i + 1, i + 1) for i in range(40)) + b"f0()\n", [FOUND]),
    "300 branches": (TEST + b"".join(b"    if x%d: y%d = client\n" % (i, i) for i in range(300)), [FOUND]),
    "300 handlers": (TEST + b"    try: x\n" + b"".join(b"    except E%d: y = client\n" % i for i in range(300)), [FOUND]),
    "a sum of 900": (TEST + b"x = " + b" + ".join([b"y"] * 900) + b"\n", [FOUND, "test_a.py:7 AWT000"]),
    "100 elifs": (TEST + b"    if x: y\n" + b"    elif x: y\n" * 100, [FOUND]),
    "1,000 elifs": (TEST + b"    if x: y\n" + b"    elif x: y\n" * 1000, ["test_a.py: code is nested too deeply to be checked"]),
    "300 calls in a chain": (TEST + b"x" + b".y()" * 300 + b"\n", [FOUND, "test_a.py:7 AWT000"]),
    "a sum of 9,000": (TEST + b"x = " + b" + ".join([b"y"] * 9000) + b"\n", [FOUND, "test_a.py:7 AWT000"]),
    "20,000 lines": (TEST + b"x = 1\n" * 20_000, [FOUND]),
    "10 MB": (TEST + b"x = '" + b"y" * 10_000_000 + b"'\n", [FOUND]),
    "more than 20 MB": (TEST + b"x = '" + b"y" * 20_000_000 + b"'\n", ["test_a.py: is larger than 20 MB"]),
}  # fmt: skip
"""What `test_a.py` holds, and what is said of it: `file:line code`, or the complaint where it cannot be checked."""

HEAD = "import pytest\nfrom httpx import AsyncClient\n"
CIRCLES = {
    "a module that imports itself": {"test_a.py": "from test_a import client, test_a\nimport test_a as a\na.a.client.get\n"},
    "two modules": {"test_a.py": "from other import make\nmake().get()\n", "other.py": "from test_a import make\n"},
    "a star of itself": {"test_a.py": "from test_a import *\nmake().get()\n"},
    "stars of each other": {
        "test_a.py": "from m0 import *\nmake().get()\n",
        **{f"m{i}.py": "".join(f"from m{j} import *\n" for j in range(30)) for i in range(30)},
    },
    "a conftest and its test": {"conftest.py": "from test_a import *\n", "test_a.py": "from conftest import *\n"},
    "plugins": {
        "conftest.py": "pytest_plugins = ['conftest', 'plugin']\n",
        "plugin.py": "pytest_plugins = ['plugin', 'conftest', 'test_a']\n",
        "test_a.py": "def test_a(client): client.get\n",
    },
    "a fixture that asks for itself": {"test_a.py": HEAD + "@pytest.fixture\ndef a(a): return a\ndef test_a(a): a.b\n"},
    "fixtures that ask for each other": {
        "conftest.py": HEAD + "@pytest.fixture(autouse=True)\ndef a(b): return b\n@pytest.fixture\ndef b(a): return a\n",
        "test_a.py": "def test_a(a, b): a.c\n",
    },
    "300 fixtures in a row": {
        "conftest.py": HEAD + "".join(f"@pytest.fixture\ndef f{i}(f{i + 1}): return f{i + 1}\n" for i in range(300)),
        "test_a.py": "def test_a(f0): f0.c\n",
    },
    "a class that is its own base": {"test_a.py": "class A(A): ...\nclass TestA(A):\n    def test_a(self): self.b.c()\n"},
    "bases of each other": {"test_a.py": "class A(B): ...\nclass B(A): ...\nA().b.c()\nB().b\n"},
    "300 bases in a row": {
        "test_a.py": "class A0: ...\n" + "".join(f"class A{i + 1}(A{i}): ...\n" for i in range(300)) + "A300().b()\n"
    },
    "bases that fork": {
        "test_a.py": "class A0: ...\nclass B0: ...\n"
        + "".join(f"class A{i + 1}(A{i}, B{i}): ...\nclass B{i + 1}(A{i}, B{i}): ...\n" for i in range(25))
        + "A25().b()\n"
    },
    "annotations": {"test_a.py": "A = B\nB = A\ndef f(a: A, b: 'b', c: 'C[C]', d: '''(''') -> 'A': return a\nf().b.c()\n"},
    "decorators": {"test_a.py": "@f\n@g\ndef f(x): return f\n@f\ndef g(x): return g\nf().a\n"},
    "attributes": {"test_a.py": "class A:\n    x = y\n    y = x\n    @property\n    def p(self): return self.p\nA().p.q\nA().x.y\n"},
    "coroutines": {"test_a.py": "async def f(): return await g()\nasync def g(): return await f()\nasync def h(): (await f()).x\n"},
    "marks": {"test_a.py": "import pytest\npytestmark = mark\nmark = pytestmark\n@mark\ndef test_a(): ...\n"},
}  # fmt: skip
"""Files that lead back to themselves, or too far; there is nothing to say about them."""

NEWER = {
    "except*": ((3, 11), "def new():\n    try: x\n    except* OSError: y\n    try: x\n    except* KeyError: y\n"),
    "type parameters of a function": ((3, 12), "def new[T](x: T) -> T: return x\n"),
    "type parameters of a class": ((3, 12), "class new[T]: ...\n"),
    "quotes in an f-string": ((3, 12), "def new(): return f'{'a'}'\n"),
    "a default of a type parameter": ((3, 13), "def new[T = int](x: T) -> T: return x\n"),
    "a template": ((3, 14), "def new(): return t'{x}'\n"),
    "handlers without parentheses": ((3, 14), "def new():\n    try: x\n    except OSError, KeyError: y\n"),
}
"""The Python that reads it, and a definition of `new`."""
