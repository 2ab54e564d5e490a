from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.cli.fake import RULES

import awaitest

EXPLAINED = """\
test_a.py::TestHello::test_get

step  line  action                         awaited  result     assertion
----  ----  -----------------------------  -------  ---------  ---------
1     5     create AsyncClient with `app`  –        client
2     6     GET /hello|x                   missing  coroutine

variables after each step

step  line  ac            response
----  ----  ------------  ---------
1     5     client, open
2     6     client, open  coroutine
"""

NARROW = """\
test_a.py::TestHello::test_get

step  line  action  awaite  result  assert
                    d               ion
----  ----  ------  ------  ------  ------
1     5     create  –       client
            AsyncC
            lient
            with
            `app`
2     6     GET     missin  corout
            /hello  g       ine
            |x

variables after each step

step  line  ac
----  ----  ------------
1     5     client, open
2     6     client, open

variables after each step

step  line  response
----  ----  ---------
1     5
2     6     coroutine
"""

MARKDOWN = """\
| step | line | action | awaited | result | assertion |
| --- | --- | --- | --- | --- | --- |
| 1 | 5 | create AsyncClient with `app` | – | client |  |
| 2 | 6 | GET /hello\\|x | missing | coroutine |  |

| step | line | ac | response |
| --- | --- | --- | --- |
| 1 | 5 | client, open |  |
| 2 | 6 | client, open | coroutine |
"""

CONFIG = """\
configuration  pyproject.toml [tool.pytest.ini_options]
rootdir        /project
asyncio_mode   strict (default)
anyio_mode     strict (default)
environment    Python 3.12, known from .venv
versions       pytest 9.2.0, anyio 4.16.0

who runs the tests
  async tests without marker: nobody
    pytest-asyncio is in strict mode.

fixtures
  name    gives              kind             where
  ------  -----------------  ---------------  ---------
  client  AsyncClient, open  async, function  test_a.py

problems
  pytest.ini is shadowed.
"""


@pytest.fixture(autouse=True)
def file(project: Path) -> None:
    (project / "test_a.py").write_text(
        "class TestHello:\n    async def test_get(self): pass\n\ndef test_alone(): pass\n"
    )


@pytest.mark.parametrize(
    ("columns", "options", "expected"),
    [("100", [], EXPLAINED), ("42", [], NARROW), ("100", ["--output-format", "markdown"], MARKDOWN)],
)
def test_explain(run: Run, monkeypatch: pytest.MonkeyPatch, columns: str, options: list[str], expected: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert run("explain", "test_a.py::TestHello::test_get[asyncio-1]", *options) == (0, expected, "")


def test_explain_json(run: Run) -> None:
    _, out, _ = run("explain", "test_a.py::TestHello::test_get", "--output-format", "json")
    assert json.loads(out)[1] == {
        "step": 2,
        "line": 6,
        "action": "GET /hello|x",
        "awaited": "missing",
        "result": "coroutine",
        "assertion": "",
        "variables": {"ac": "client, open", "response": "coroutine"},
    }


@pytest.mark.parametrize(
    ("test", "hint"),
    [
        ("test_alome", "; did you mean test_alone?"),
        ("test_get", "; did you mean TestHello::test_get?"),
        ("TestHello::get", "; did you mean TestHello::test_get?"),
        ("zzz", ""),
    ],
)
def test_explain_an_unknown_test(run: Run, test: str, hint: str) -> None:
    assert run("explain", f"test_a.py::{test}") == (2, "", f"awaitest: test_a.py has no test {test}{hint}\n")


def test_config(run: Run) -> None:
    assert run("config", "test_a.py") == (0, CONFIG, "")


def test_config_json(run: Run) -> None:
    _, out, _ = run("config", "test_a.py", "--output-format", "json")
    assert json.loads(out)["fixtures"][0]["name"] == "client"


@pytest.mark.parametrize("name", ["AWT101", "awt101", "missing-await"])
def test_rule(run: Run, name: str) -> None:
    assert run("rule", name) == (0, "# missing-await\n\nAwait it.\n", "")


def test_rule_json(run: Run) -> None:
    _, out, _ = run("rule", "AWT101", "--output-format", "json")
    assert json.loads(out) == {
        "code": "AWT101",
        "name": "missing-await",
        "severity": "error",
        "summary": "A coroutine that nobody awaits.",
        "fix": "safe",
        "url": "docs/rules/missing-await.md",
        "page": "# missing-await\n\nAwait it.\n",
    }
    _, out, _ = run("rule", "--all", "--output-format", "json")
    assert [rule["code"] for rule in json.loads(out)] == [rule.code for rule in RULES]


@pytest.mark.parametrize("options", [[], ["--all"]])
def test_table_of_rules(run: Run, options: list[str]) -> None:
    code, out, _ = run("rule", *options)
    assert code == 0
    assert out.splitlines()[2:4] == [
        "AWT101  missing-await        error     safe    A coroutine that nobody awaits.",
        "AWT103  missing-async-with   error     safe    A with that needs async.",
    ]


def test_version(run: Run) -> None:
    assert run("--version") == (0, f"awaitest {awaitest.__version__}\n", "")
