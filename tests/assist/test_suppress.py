"""Comments that silence: after each the diagnostic is gone and all others stay."""

from __future__ import annotations

import pytest
from tests.assist.casebook import TEST_FILE, checker
from tests.rules.harness import ROOT, compile_error

from awaitest.assist.suppress import in_file, on_line
from awaitest.engine.diagnostic import Diagnostic, Fix
from awaitest.source.document import Document
from awaitest.source.text import apply

AUTO = {"asyncio_mode": "auto"}
ON_LINE = {
    "plain": (
        'async def test_a(client: "httpx.AsyncClient"):\n    client.get("/")\n    client.get("/")\n\n\nimport httpx\n',
        'async def test_a(client: "httpx.AsyncClient"):\n    client.get("/")  # awaitest: ignore[missing-await]\n    client.get("/")\n\n\nimport httpx\n',
    ),
    "behind a comment, without a line ending": (
        "async def load(): ...\nasync def test_a():\n    load()  # first  ",
        "async def load(): ...\nasync def test_a():\n    load()  # first  # awaitest: ignore[missing-await]",
    ),
    "another rule is named already": (
        "async def load(): ...\nasync def test_a():\n    load()  # awaitest: ignore[unclosed-client] because",
        "async def load(): ...\nasync def test_a():\n    load()  # awaitest: ignore[unclosed-client, missing-await] because",
    ),
    "in the other spelling": (
        "async def load(): ...\nasync def test_a():\n    load()  #awaitest:ignore: unclosed-client\n",
        "async def load(): ...\nasync def test_a():\n    load()  #awaitest:ignore: missing-await, unclosed-client\n",
    ),
    "the comment of another tool": (
        "async def load(): ...\nasync def test_a():\n    load()  # noqa: E501\n",
        "async def load(): ...\nasync def test_a():\n    load()  # noqa: E501  # awaitest: ignore[missing-await]\n",
    ),
    "a string looks like a comment": (
        'async def load(a): ...\nasync def test_a():\n    load("# awaitest: ignore[other]")\n',
        'async def load(a): ...\nasync def test_a():\n    load("# awaitest: ignore[other]")  # awaitest: ignore[missing-await]\n',
    ),
    "several lines": (
        "async def load(*a): ...\nasync def test_a():\n    load(\n        1,\n    )\n",
        "async def load(*a): ...\nasync def test_a():\n    load(  # awaitest: ignore[missing-await]\n        1,\n    )\n",
    ),
    "the last of several lines has a comment": (
        "async def load(*a): ...\nasync def test_a():\n    load(\n        1,\n    )  # awaitest: ignore[x]\n",
        "async def load(*a): ...\nasync def test_a():\n    load(\n        1,\n    )  # awaitest: ignore[x, missing-await]\n",
    ),
    "the first line ends in a string": (
        'async def load(*a): ...\nasync def test_a():\n    load("""\n    # text\n    """)\n',
        'async def load(*a): ...\nasync def test_a():\n    load("""\n    # text\n    """)  # awaitest: ignore[missing-await]\n',
    ),
    "the first line goes on behind a backslash": (
        "async def load(*a): ...\nasync def test_a():\n    load \\\n        (1)\n",
        "async def load(*a): ...\nasync def test_a():\n    load \\\n        (1)  # awaitest: ignore[missing-await]\n",
    ),
    "wide characters and CRLF": (
        'async def load(*a): ...\r\nasync def test_a():\r\n    "🧪"; load("é")\r\n',
        'async def load(*a): ...\r\nasync def test_a():\r\n    "🧪"; load("é")  # awaitest: ignore[missing-await]\r\n',
    ),
    "the syntax": (
        "def test_a(:\n    pass\n",
        "def test_a(:  # awaitest: ignore[invalid-syntax]\n    pass\n",
    ),
}
NO_LINE = {
    "inside of a string": 'async def load(*a): ...\nasync def test_a():\n    f"""{load()}\n    """\n',
    "both ends go on": 'async def load(*a): ...\nasync def test_a():\n    load("""\n    """) \\\n        .x\n',
}
IN_FILE = {
    "nothing before": (
        "async def load(): ...\nasync def test_a():\n    load()\n    load()\n",
        "# awaitest: ignore-file[missing-await]\nasync def load(): ...\nasync def test_a():\n    load()\n    load()\n",
    ),
    "a byte order mark": (
        "\ufeffasync def load(): ...\nasync def test_a():\n    load()\n",
        "\ufeff# awaitest: ignore-file[missing-await]\nasync def load(): ...\nasync def test_a():\n    load()\n",
    ),
    "shebang, encoding, licence": (
        '#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n# MIT\n\n"""Tests."""\nasync def load(): ...\nasync def test_a():\n    load()\n',
        '#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n# MIT\n# awaitest: ignore-file[missing-await]\n\n"""Tests."""\nasync def load(): ...\nasync def test_a():\n    load()\n',
    ),
    "another rule is named already": (
        "async def load(): ...\nasync def test_a():\n    load()\n# awaitest: ignore-file[unclosed-client]\n",
        "async def load(): ...\nasync def test_a():\n    load()\n# awaitest: ignore-file[unclosed-client, missing-await]\n",
    ),
    "a string looks like a comment": (
        'TEXT = """\n# awaitest: ignore-file[x]\n"""\nasync def load(): ...\nasync def test_a():\n    load()\n',
        '# awaitest: ignore-file[missing-await]\nTEXT = """\n# awaitest: ignore-file[x]\n"""\nasync def load(): ...\nasync def test_a():\n    load()\n',
    ),
    "CRLF": (
        "async def load(): ...\r\nasync def test_a():\r\n    load()\r\n",
        "# awaitest: ignore-file[missing-await]\r\nasync def load(): ...\r\nasync def test_a():\r\n    load()\r\n",
    ),
}


def found(text: str) -> list[Diagnostic]:
    return checker({TEST_FILE: text}, AUTO).check(ROOT / TEST_FILE)


def edited(text: str, fix: Fix | None) -> str:
    assert fix is not None
    assert [it.path for it in fix.edits] == [ROOT / TEST_FILE]
    return apply(Document(text).lines, [it.edit for it in fix.edits])


def names(diagnostics: list[Diagnostic]) -> list[str]:
    return [diagnostic.name for diagnostic in diagnostics]


@pytest.mark.parametrize(("text", "after"), ON_LINE.values(), ids=ON_LINE)
def test_on_line(text: str, after: str) -> None:
    before = found(text)
    fix = on_line(Document(text), before[0])
    assert fix is not None
    assert fix.title == f"Ignore {before[0].name} on this line"
    assert edited(text, fix) == after
    assert names(found(after)) == names(before[1:])
    assert compile_error(after) == compile_error(text)


@pytest.mark.parametrize("text", NO_LINE.values(), ids=NO_LINE)
def test_no_line_takes_a_comment(text: str) -> None:
    before = found(text)
    assert names(before) == ["missing-await"]
    assert on_line(Document(text), before[0]) is None


@pytest.mark.parametrize(("text", "after"), IN_FILE.values(), ids=IN_FILE)
def test_in_file(text: str, after: str) -> None:
    before = found(text)
    fix = in_file(Document(text), before[0])
    assert fix.title == "Ignore missing-await in this file"
    assert edited(text, fix) == after
    assert found(after) == []
    assert compile_error(after.removeprefix("\ufeff")) == ""


def test_one_rule_of_two_on_a_line() -> None:
    text = "import httpx\nasync def load(): ...\nasync def test_a():\n    x = httpx.AsyncClient(); await x.get('/'); load()\n"
    before = found(text)
    assert names(before) == ["unclosed-client", "missing-await"]
    for diagnostic, other in zip(before, reversed(before), strict=True):
        after = edited(text, on_line(Document(text), diagnostic))
        assert names(found(after)) == [other.name]
