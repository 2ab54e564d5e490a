"""The server: one client, one session, the features that are registered for it."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import Coroutine, Generator
from concurrent.futures import Future
from functools import partial
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol

from awaitest import __version__
from awaitest.greeting import Greeting
from awaitest.live import SURROUNDINGS
from awaitest.lsp import actions, aids, commands, diagnostics, survey, texts, tracing
from awaitest.lsp.session import Session
from awaitest.lsp.wire import Direct, Wire

logger = logging.getLogger(__name__)


_OBJECTS = 20_000
"""New ones between two searches of the garbage collector: opening a long file makes trees, and hardly garbage."""


class _Protocol(LanguageServerProtocol):
    """Commands that a client cancels end: pygls marks the request only, not the coroutine that answers it."""

    def _run_generator(
        self, future: Future[Any] | None, *, gen: Generator[Any, Any, Any], result_future: Future[Any]
    ) -> None:
        known = set(self._request_futures)
        super()._run_generator(future, gen=gen, result_future=result_future)
        for begun in self._request_futures.keys() - known:
            work = self._request_futures[begun]
            result_future.add_done_callback(partial(_cancel_too, work))


def _cancel_too(work: Future[Any], request: Future[Any]) -> None:
    if request.cancelled():
        work.cancel()


class Server(LanguageServer):
    """awaitest behind the language server protocol."""

    def __init__(self) -> None:
        super().__init__("awaitest", __version__, protocol_cls=_Protocol)
        self.session = Session()
        self.wire = Wire(self.protocol)
        self.results = diagnostics.Results(self.session)
        self.survey = survey.Survey()
        self._tasks: set[asyncio.Task[None]] = set()
        for part in (texts, diagnostics, survey, actions, aids, commands, tracing):
            part.register(self)
        _register(self)

    def directly(self, method: str, handler: Direct, options: object = None) -> None:
        """Have messages that come with each keystroke handled without a detour, see `Wire`. To pygls it is a feature that the
        server has."""
        self.feature(method, options)(handler)
        self.wire.direct[method] = handler

    @property
    def pulls(self) -> bool:
        """Whether the client asks for diagnostics itself."""
        text = self.session.capabilities.text_document
        return text is not None and text.diagnostic is not None

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something done that no request waits for."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            logger.error("a background task failed", exc_info=problem)

    async def refresh(self) -> None:
        """Have the client ask again for what it shows."""
        workspace = self.session.capabilities.workspace
        if workspace is None:
            return
        if workspace.diagnostics is not None and workspace.diagnostics.refresh_support:
            await self.workspace_diagnostic_refresh_async(None)
        if workspace.inlay_hint is not None and workspace.inlay_hint.refresh_support:
            await self.workspace_inlay_hint_refresh_async(None)
        if workspace.code_lens is not None and workspace.code_lens.refresh_support:
            await self.workspace_code_lens_refresh_async(None)

    def report_server_error(self, error: Exception, source: object) -> None:
        """Errors go to the log, not in the user's face; that a text has changed meanwhile is none."""
        if getattr(error, "code", None) == types.LSPErrorCodes.ServerCancelled.value:
            return
        logger.error("%s: %s", getattr(source, "__name__", source), error)


def _register(server: Server) -> None:
    session = server.session

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        session.begin(params, server.workspace.position_encoding or "utf-16")
        if not server.pulls:
            for method in (types.TEXT_DOCUMENT_DIAGNOSTIC, types.WORKSPACE_DIAGNOSTIC):
                server.protocol.fm.features.pop(method, None)
                server.wire.direct.pop(method, None)

    @server.feature(types.INITIALIZED)
    async def initialized(_params: types.InitializedParams) -> None:
        await _watch(server)
        await texts.configure(server, None)

    @server.feature(types.SHUTDOWN)
    def shutdown(_params: None) -> None:
        session.end()


async def _watch(server: Server) -> None:
    """Ask to be told of files that matter, and of settings."""
    workspace = server.session.capabilities.workspace
    registrations = []
    if workspace is not None and (files := workspace.did_change_watched_files) and files.dynamic_registration:
        globs = ["**/*.py", *(f"**/{name}" for name in sorted(SURROUNDINGS))]
        options = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher(glob) for glob in globs])
        method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        registrations.append(types.Registration("awaitest-files", method, options))
    if workspace is not None and (it := workspace.did_change_configuration) and it.dynamic_registration:
        options_ = types.DidChangeConfigurationRegistrationOptions("awaitest")
        registrations.append(
            types.Registration("awaitest-settings", types.WORKSPACE_DID_CHANGE_CONFIGURATION, options_)
        )
    if registrations:
        await server.client_register_capability_async(types.RegistrationParams(registrations))


def serve(greeting: Greeting) -> int:
    """Go on from the first message. Whatever prints goes to standard error."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    gc.set_threshold(_OBJECTS)
    gc.freeze()  # what was imported stays
    sys.stdout = sys.stderr
    server = Server()
    try:
        server.wire.serve(greeting)
    except (BrokenPipeError, KeyboardInterrupt, SystemExit):
        logger.info("the client has gone")
    finally:
        server.session.end()
    return 0
