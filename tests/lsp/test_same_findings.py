"""The editor and the command line say the same of every zoo case."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.zoo_cases import find_zoo
from lsprotocol import types
from tests.lsp.editor import Editor, editor

ZOO = find_zoo()
ROOT = Path(__file__).parents[2]
LEVELS = {"error": 1, "warning": 2, "hint": 4}
Said = set[tuple[str, str, int, int, int, str]]

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.skipif(ZOO is None, reason="no zoo: neither ../shared/zoo beside the clone nor AWAITEST_ZOO"),
]


def by_command_line(zoo: Path) -> Said:
    command = [
        sys.executable,
        "-m",
        "awaitest",
        "check",
        "--python",
        sys.prefix,
        "--output-format",
        "json",
        "--no-cache",
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "server")}
    done = subprocess.run([*command, str(zoo)], capture_output=True, text=True, cwd=zoo, env=environment)
    assert done.returncode == 1, done.stderr
    return {
        (
            it["filename"],
            it["code"],
            LEVELS[it["severity"]],
            it["location"]["row"],
            it["location"]["column"],
            it["message"],
        )
        for it in json.loads(done.stdout)
    }


async def by_editor(it: Editor, path: Path) -> Said:
    uri = it.open(path)
    report = await it.pull(uri)
    assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
    places = it.places(uri, report.items)
    it.close(uri)
    return {
        (str(path), code, int(item.severity or 0), line, column, item.message)
        for item, (code, line, column) in zip(report.items, places, strict=True)
    }


async def test_the_editor_says_what_the_command_line_says() -> None:
    assert ZOO is not None
    zoo = ZOO.resolve()
    expected = by_command_line(zoo)
    paths = sorted({Path(name) for name, *_ in expected} | set(zoo.rglob("test_*.py")) | set(zoo.rglob("conftest.py")))
    async with editor(zoo) as it:
        found = [said for path in paths for said in await by_editor(it, path)]
    assert len(expected) > 40
    assert set(found) == expected
