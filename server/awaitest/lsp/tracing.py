"""A test is run, in the project's own interpreter, because somebody asked for it; what it did goes to the client."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from awaitest.engine.steps import Row
from awaitest.lsp.commands import run_at
from awaitest.lsp.convert import to_path, to_uri
from awaitest.lsp.session import Session, field
from awaitest.project.environment import interpreter
from awaitest.trace import markdown
from awaitest.trace.predicting import predict
from awaitest.trace.reading import read
from awaitest.trace.running import Asked, run
from awaitest.trace.telling import left_over, loops, place, requests, sentence, took
from awaitest.trace.traced import Trace, TracedTest

if TYPE_CHECKING:
    from awaitest.lsp.server import Server

COMMAND = "awaitest.server.trace"
NO_PYTHON = (
    "No environment with pytest is known for this file: make one beside its configuration (`.venv`), "
    "or name one in pyproject.toml: `python = …` in `[tool.awaitest]`."
)
_BAD = ("failed", "error", "not finished")


def register(server: Server) -> None:
    """Answer the command of the client. Nothing is run in a workspace that is not trusted."""
    session = server.session

    @server.command(COMMAND)
    async def trace(question: Any) -> dict[str, Any] | None:
        path = to_path(field(question, "uri"))
        if path is None or field(session.options, "trusted") is False:
            return None
        line = int(field(field(question, "position"), "line") or 0)
        prepared = await session.ask(lambda _: _prepared(session, path, line), path)
        if prepared is None:
            return None
        asked, title, told = prepared
        if asked is None:
            return {"title": title, "rows": [], "message": NO_PYTHON}
        return await _traced(asked, title, told)


def _prepared(session: Session, path: Path, line: int) -> tuple[Asked | None, str, list[Row]] | None:
    found = run_at(session, path, line)
    if found is None:
        return None
    title, told = found
    project = session.live.workspace.project_of(path)
    python = interpreter(session.live.files, project.environment)
    asked = None if python is None else Asked(python, project.config.rootdir, (f"{path}::{title}",))
    return asked, title, told


async def _traced(asked: Asked, title: str, told: list[Row]) -> dict[str, Any]:
    wanted = True
    try:
        finished = await asyncio.to_thread(run, asked, lambda: wanted)
    except asyncio.CancelledError:
        wanted = False
        raise
    except OSError as error:
        return {"title": title, "rows": [], "message": f"{asked.python} cannot be started: {error.strerror}"}
    trace = read(finished)
    for test in trace.tests:
        predict(test, told)
    shown = next((test for test in trace.tests if test.outcome in _BAD), next(iter(trace.tests), None))
    if shown is None:
        return {"title": title, "rows": [], "message": trace.output[-4000:] or "pytest found no such test"}
    return _answer(shown, trace)


def _answer(test: TracedTest, trace: Trace) -> dict[str, Any]:
    """What the panel shows: texts, and places that it can light."""
    others = [it for it in trace.tests if it is not test]
    told = [f"{it.id}: {it.outcome}" for it in others]
    stopped = ["stopped after a minute"] if trace.stopped == "timeout" else []
    return {
        "title": test.id.rpartition("/")[2],
        "outcome": test.outcome,
        "message": test.message,
        "notes": [f"Python {trace.python}, pytest {trace.pytest}", *stopped, *told, *left_over(test), *loops(test)],
        "rows": [
            {**asdict(row), "place": place(test, row), "time": took(row), "uri": _uri(row.path)} for row in test.rows
        ],
        "requests": [
            {"title": " · ".join(filter(None, line)), "more": it}
            for line, it in zip(requests(test), test.requests, strict=True)
        ],
        "left": [
            {"uri": _uri(it.path), "line": it.line, "code": it.what, "message": sentence(one, it)}
            for one in trace.tests
            for it in one.left
            if it.line
        ],
        "markdown": "\n".join(markdown.document(test)) + "\n",
    }


def _uri(path: str) -> str:
    return to_uri(Path(path)) if path else ""
