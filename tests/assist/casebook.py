"""Reads the cases of `data`: texts with a `‸` where the cursor stands, and what is offered there. See `data/README.md`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.rules.harness import ROOT, CaseWorkspace, environment_of

from awaitest.check import Checker
from awaitest.engine.analysis import Engine
from awaitest.engine.run import Run
from awaitest.project.files import OverlayFiles
from awaitest.source.text import Position, Span

DATA = Path(__file__).with_name("data")
TEST_FILE = "tests/test_case.py"
APP = """\
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def read_root() -> dict[str, str]:
    return {"message": "hello"}


@app.post("/items")
def create(item: dict[str, str]) -> dict[str, str]:
    return item
"""
_CASE = re.compile(r"^### (?P<title>.+?)\n(?P<body>.*?)(?=^###? |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_OFFERS = re.compile(r"^offers (\S+), (safe|unsafe): (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Case:
    """One text and its cursor; `offered` lists (kind, safety, title), `after` the test file after the first of them."""

    title: str
    headers: Mapping[str, str]
    files: Mapping[str, str]
    cursor: Position
    offered: tuple[tuple[str, str, str], ...]
    after: str | None

    def crlf(self) -> Case:
        files = {path: text.replace("\n", "\r\n") for path, text in self.files.items()}
        after = self.after.replace("\n", "\r\n") if self.after is not None else None
        return Case(self.title, self.headers, files, self.cursor, self.offered, after)


@cache
def cases(name: str) -> list[Case]:
    """The cases of a file below `data`."""
    text = (DATA / name).read_text("utf-8")
    return [_case(match["title"], match["body"]) for match in _CASE.finditer(text)]


def _case(title: str, body: str) -> Case:
    before, *after = _BLOCK.findall(body)
    after = [re.sub(r"^#! .+\n", "", text, flags=re.MULTILINE) for text in after]
    headers = dict(re.findall(r"^#! ([\w-]+): (.+)$", before, re.MULTILINE))
    before = re.sub(r"^#! .+\n", "", before, flags=re.MULTILINE)
    first, *others = re.split(r"^#- (.+)\n", before, flags=re.MULTILINE)
    place = first.index("‸")
    lines = first[:place].split("\n")
    files = {TEST_FILE: first.replace("‸", ""), **dict(zip(others[::2], others[1::2], strict=True))}
    return Case(
        title, headers, files, Position(len(lines) - 1, len(lines[-1])),
        tuple(_OFFERS.findall(body)), after[0] if after else None,
    )  # fmt: skip


def checker(files: Mapping[str, str], headers: Mapping[str, str]) -> Checker:
    """A checker of a project in memory, with an app and a configuration beside the files."""
    options = "".join(f"{key} = {value}\n" for key, value in headers.items() if "_" in key)
    texts = {"app.py": APP, "pytest.ini": f"[pytest]\n{options}", **files}
    overlay = OverlayFiles({ROOT / path: text for path, text in texts.items()})
    return Checker(CaseWorkspace(overlay, environment_of(headers)))


def runs(files: Mapping[str, str], headers: Mapping[str, str], path: str = TEST_FILE) -> list[Run]:
    """The walked functions of a file, with the state after each step."""
    project = checker(files, headers).workspace.project_of(ROOT / path)
    engine = Engine(project)
    engine.watched = True
    return engine.runs(project.module(ROOT / path))


def at(position: Position) -> Span:
    return Span(position, position)
