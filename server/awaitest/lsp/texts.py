"""What the client tells of texts, files, settings and folders; and what then must be shown anew."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from awaitest.assist.settings import SECTION, EditorSettings
from awaitest.live import SURROUNDINGS
from awaitest.lsp import diagnostics
from awaitest.lsp.convert import to_path, to_uri
from awaitest.lsp.session import Change, field

if TYPE_CHECKING:
    from awaitest.lsp.server import Server

logger = logging.getLogger(__name__)
CHANGED = "awaitest/changed"
ENVIRONMENTS = "awaitest/environments"


def register(server: Server) -> None:
    """Take part in the life of texts."""
    session = server.session

    def opened(params: Any, _: object) -> None:
        document = params["textDocument"]
        uri, text, path = document["uri"], _text(document), to_path(document["uri"])
        if path is not None:
            session.opened(path, uri, int(document["version"]))
            follow(server, session.tell(lambda: session.live.open(path, text)), path)

    def changed(params: Any, _: object) -> None:
        document = params["textDocument"]
        path = to_path(document["uri"])
        if path is not None and session.version(path) is not None:
            sent = [_change(it) for it in params["contentChanges"]]
            session.opened(path, document["uri"], int(document["version"]))
            follow(server, session.tell(lambda: session.live.edit(path, session.changes(path, sent))), path)

    def closed(params: Any, _: object) -> None:
        uri = params["textDocument"]["uri"]
        path = to_path(uri)
        if path is not None and session.version(path) is not None:
            session.closed(path)
            if not server.pulls:
                diagnostics.clear(server, uri)
            follow(server, session.tell(lambda: {*session.live.close(path), path}))

    server.directly(types.TEXT_DOCUMENT_DID_OPEN, opened)
    server.directly(types.TEXT_DOCUMENT_DID_CHANGE, changed)
    server.directly(types.TEXT_DOCUMENT_DID_CLOSE, closed)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def touched(params: types.DidChangeWatchedFilesParams) -> None:
        paths = [path for path in (to_path(change.uri) for change in params.changes) if path is not None]
        paths = [path for path in paths if session.version(path) is None or path.name in SURROUNDINGS]
        if paths:
            follow(server, session.tell(lambda: {*session.live.changed(paths), *paths}))
            if any(path.name in SURROUNDINGS for path in paths):
                server.protocol.notify(CHANGED, {})

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def configured(params: types.DidChangeConfigurationParams) -> None:
        await configure(server, params.settings)

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def moved(params: types.DidChangeWorkspaceFoldersParams) -> None:
        gone = {to_path(folder.uri) for folder in params.event.removed}
        added = [path for path in (to_path(folder.uri) for folder in params.event.added) if path is not None]
        session.folders = [path for path in session.folders if path not in gone] + added
        await configure(server, None)

    @server.feature(ENVIRONMENTS)
    def chosen(params: Any) -> None:
        _reconsidered(server, lambda: session.choose(field(params, "environments")))


async def configure(server: Server, sent: object) -> None:
    """Ask for the settings of each folder, or take those that were sent, and check everything anew."""
    session, settings = server.session, {}
    workspace = session.capabilities.workspace
    if workspace is not None and workspace.configuration:
        scopes: list[Path | None] = [None, *session.folders]
        items = [types.ConfigurationItem(to_uri(it) if it is not None else None, SECTION) for it in scopes]
        answers = await server.workspace_configuration_async(types.ConfigurationParams(items))
        settings = {scope: EditorSettings.read(answer) for scope, answer in zip(scopes, answers, strict=False)}
    elif isinstance(sent, dict):
        settings = {None: EditorSettings.read(sent.get(SECTION, sent))}
    else:
        settings = {None: EditorSettings.read(field(session.options, "settings"))}
    _reconsidered(server, lambda: session.configure(settings))


def _reconsidered(server: Server, change: Callable[[], None]) -> None:
    def task() -> set[Path]:
        change()
        return server.session.live.reconsider()

    follow(server, server.session.tell(task), everything=True)
    server.protocol.notify(CHANGED, {})


def follow(server: Server, done: Future[set[Path]], path: Path | None = None, *, everything: bool = False) -> None:
    """Once a task is done, have what it outdated shown anew; `path` is the file that was edited, if one was."""

    def finished(done: Future[set[Path]]) -> None:
        if done.cancelled():
            return
        if (problem := done.exception()) is not None:
            logger.error("%s cannot be followed", path, exc_info=problem)
            return
        outdated = done.result()
        others = [other for other in server.session.open_paths() if other in outdated]
        if not server.pulls:
            for other in [*([path] if path is not None else []), *others]:
                diagnostics.push(server, other)
        if outdated or everything:
            server.wire.soon(lambda: _renew(server, None if everything else outdated, bool(others)))

    done.add_done_callback(finished)


def _renew(server: Server, outdated: set[Path] | None, some_open: bool) -> None:
    server.survey.mark(outdated)
    if server.pulls and (some_open or outdated is None):
        server.spawn(server.refresh())


def _text(document: Any) -> str:
    text = document["text"]
    if not isinstance(text, str):
        raise TypeError("a text must be a string")
    return text


def _change(sent: Any) -> Change:
    place = sent.get("range")
    if place is None:
        return None, _text(sent)
    start, end = place["start"], place["end"]
    numbers = int(start["line"]), int(start["character"]), int(end["line"]), int(end["character"])
    if min(numbers) < 0:
        raise ValueError("a place must not be negative")
    return numbers, _text(sent)
