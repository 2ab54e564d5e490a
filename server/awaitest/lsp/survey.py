"""Diagnostics of the tests that are not open: found in the background, streamed into one held request."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from awaitest.lsp.convert import to_uri

if TYPE_CHECKING:
    from awaitest.lsp.server import Server

_BATCH = 20
"""Files told at once."""

Told = dict[str, Any]
"""The report on one file, as it is sent."""


class Survey:
    """Which files are to be looked at. None stands for all tests of all folders."""

    def __init__(self) -> None:
        self._pending: set[Path] | None = None
        self._news = asyncio.Event()
        self._news.set()

    def mark(self, paths: set[Path] | None) -> None:
        """These files must be looked at; with None all."""
        if paths is None or self._pending is None:
            self._pending = None
        else:
            self._pending |= paths
        if paths is None or paths:
            self._news.set()

    async def next(self) -> set[Path] | None:
        """Wait for files to look at."""
        await self._news.wait()
        self._news.clear()
        taken, self._pending = self._pending, set()
        return taken


def register(server: Server) -> None:
    """Answer the request for the whole workspace by holding it."""
    session = server.session

    @server.feature(types.WORKSPACE_DIAGNOSTIC)
    async def pull(params: types.WorkspaceDiagnosticParams) -> dict[str, list[Told]]:
        known = {it.uri: it.value for it in params.previous_result_ids}
        server.survey.mark(None)
        token = params.partial_result_token
        while True:
            wanted = await server.survey.next()
            paths = await _tests(server) if wanted is None else sorted(wanted)
            gone = [uri for uri in known if wanted is None and uri not in {session.uri(path) for path in paths}]
            items = [_nothing(uri) for uri in gone]
            progress = await _Progress.over(server, len(paths) if wanted is None else 0)
            for position, path in enumerate(paths):
                if progress.cancelled:
                    break
                items += await _look(server, path, known)
                progress.at(position)
                if token is not None and len(items) >= _BATCH:
                    _stream(server, token, items)
                    items = []
            progress.done()
            if token is None:
                return {"items": items}
            if items:
                _stream(server, token, items)


async def _tests(server: Server) -> list[Path]:
    session = server.session
    found = [await session.ask(lambda _, folder=folder: session.live.tests(folder)) for folder in session.folders]  # type: ignore[misc]
    return list(dict.fromkeys(path for paths in found for path in paths))


async def _look(server: Server, path: Path, known: dict[str, str]) -> list[Told]:
    """The report on one file, none where it is open or nothing changed."""
    session = server.session
    if session.version(path) is not None or path.suffix != ".py":
        return []
    number, items = await session.ask(lambda _: server.results.of_closed(path))
    uri = to_uri(path)
    before = known.get(uri)
    known[uri] = number
    if before == number or (before is None and not items):
        return []
    return [
        {"kind": "full", "uri": uri, "version": None, "resultId": number, "items": [json.loads(it) for it in items]}
    ]


def _nothing(uri: str) -> Told:
    return {"kind": "full", "uri": uri, "version": None, "items": []}


def _stream(server: Server, token: types.ProgressToken, items: list[Told]) -> None:
    server.wire.notify(types.PROGRESS, json.dumps({"token": token, "value": {"items": items}}))


class _Progress:
    """What the client shows of a long survey; silent for short ones."""

    LONG = 50

    def __init__(self, server: Server, token: str | None, total: int) -> None:
        self._progress, self._token, self._total = server.work_done_progress, token, total

    @classmethod
    async def over(cls, server: Server, total: int) -> _Progress:
        window = server.session.capabilities.window
        if total < cls.LONG or window is None or not window.work_done_progress:
            return cls(server, None, total)
        token = str(uuid.uuid4())
        await server.work_done_progress.create_async(token)
        begin = types.WorkDoneProgressBegin(title="awaitest: looking at the tests", percentage=0, cancellable=True)
        server.work_done_progress.begin(token, begin)
        return cls(server, token, total)

    @property
    def cancelled(self) -> bool:
        return self._token is not None and self._progress.tokens[self._token].cancelled()

    def at(self, position: int) -> None:
        if self._token is not None and position % 10 == 0:
            report = types.WorkDoneProgressReport(
                message=f"{position} of {self._total}", percentage=100 * position // self._total
            )
            self._progress.report(self._token, report)

    def done(self) -> None:
        if self._token is not None:
            self._progress.end(self._token, types.WorkDoneProgressEnd())
