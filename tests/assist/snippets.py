"""Snippets as an editor inserts them, and fresh projects to insert them into."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tests.rules.harness import CaseWorkspace, environment_of

from awaitest.assist.completion import Completion, completions
from awaitest.engine.analysis import Engine
from awaitest.project.files import OverlayFiles
from awaitest.source.document import Document
from awaitest.source.edits import indent_of
from awaitest.source.text import Edit, Position, Span, apply

ROOT = Path("/project")
_STOP = re.compile(r"\$(\d+)|\$\{(\d+)\}|\$\{(\d+):([^{}]*)\}|\$\{(\d+)\|([^|]*)\|\}|\\([$}\\])")

APP = {
    "app/__init__.py": "",
    "app/dependencies.py": """\
class Service:
    async def fetch(self) -> str:
        return "real"


def get_service() -> Service:
    return Service()
""",
    "app/main.py": """\
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Request, WebSocket

from app.dependencies import Service, get_service


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, bool]]:
    yield {"started": True}


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def root(service: Annotated[Service, Depends(get_service)]) -> dict[str, str | None]:
    return {"service": await service.fetch()}


@app.get("/started")
async def started(request: Request) -> bool:
    return request.state.started


@app.get("/credentials")
async def credentials(request: Request) -> str:
    return request.headers["Authorization"]


@app.get("/fail")
async def fail() -> None:
    raise ValueError("as asked for")


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
""",
    "app/database.py": """\
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine("sqlite+aiosqlite://")
""",
}
"""An app with everything that the defaults of the snippets ask for."""


def expanded(body: str) -> str:
    """The text of a snippet with all its defaults."""
    defaults = {m[3] or m[5]: m[4] if m[3] else m[6].split(",")[0] for m in _STOP.finditer(body) if m[3] or m[5]}

    def value(match: re.Match[str]) -> str:
        number = next((group for group in match.group(1, 2, 3, 5) if group), None)
        return match[7] if number is None else defaults.get(number, "")

    return _STOP.sub(value, body)


def inserted(text: str, position: Position, completion: Completion) -> str:
    """The text after a completion is chosen, as LSP has it: the word is replaced, lines are indented as the first."""
    lines = Document(text).lines
    line = lines[position.line] if position.line < len(lines) else ""
    indent = indent_of(line[: position.column])
    body = re.sub(r"\n(?=[^\n])", f"\n{indent}", expanded(completion.body))
    word = Edit(Span(Position(position.line, len(indent)), position), body)
    return apply(lines, [word, *completion.edits])


def complete(
    files: Mapping[str, str], path: str, position: Position, headers: Mapping[str, str] | None = None
) -> list[Completion]:
    """What is offered at a place of a project in memory."""
    texts = {ROOT / name: text for name, text in {"pyproject.toml": "", **files}.items()}
    workspace = CaseWorkspace(OverlayFiles(texts), environment_of(headers or {}))
    project = workspace.project_of(ROOT / path)
    return completions(Engine(project), project.module(ROOT / path), position)


def end_of(text: str) -> Position:
    """Where the cursor stands after the text was typed."""
    lines = text.split("\n")
    return Position(len(lines) - 1, len(lines[-1]))
