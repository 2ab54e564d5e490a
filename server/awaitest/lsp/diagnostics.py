"""Diagnostics of open files: pulled with result ids, or pushed to clients that cannot pull."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from awaitest.check import Told
from awaitest.live import SupersededError
from awaitest.lsp.convert import to_diagnostic, to_path
from awaitest.lsp.pages import Pages
from awaitest.lsp.session import Proceed, Session, field

if TYPE_CHECKING:
    from awaitest.lsp.server import Server

logger = logging.getLogger(__name__)
Report = tuple[str, list[types.Diagnostic]]


class Results:
    """The last diagnostics of each file, with an id that changes when they or the text do: editors move what they show
    along with an edit, and may have lost the end of it. For the engine's thread."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[Path, tuple[Report, int | None]] = {}
        self._ids = itertools.count(1)
        self.pages = Pages()

    def of_open(self, path: Path, proceed: Proceed) -> Report:
        """What is wrong in an open file; raises SupersededError once `proceed()` is false."""
        live = self._session.live
        if live.document(path) is None:
            return self.of_closed(path)
        told = live.check(path, proceed) if self._wanted(path) else []
        return self._numbered(path, told)

    def of_closed(self, path: Path) -> Report:
        """What is wrong in a file on the disk."""
        return self._numbered(path, self._session.live.survey(path) if self._wanted(path) else [])

    def _wanted(self, path: Path) -> bool:
        return self._session.settings(path).enable and self._session.live.checks(path)

    def _numbered(self, path: Path, told: Iterable[Told]) -> Report:
        lines, columns = self._session.lines(path), self._session.columns
        page = self.pages.address(field(self._session.options, "rulePages"))
        items = [to_diagnostic(it, lines, columns, page(it.code)) for it in told]
        version = self._session.version(path)
        report, of_version = self._known.get(path, (None, None))
        if report is None or report[1] != items or of_version != version:
            report = str(next(self._ids)), items
            self._known[path] = report, version
        return report


def register(server: Server) -> None:
    """Answer pulls; push where the client does not pull."""
    session, results = server.session, server.results

    @server.feature(
        types.TEXT_DOCUMENT_DIAGNOSTIC,
        types.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=True, identifier="awaitest"),
    )
    async def pull(params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
        path = to_path(params.text_document.uri)
        if path is None:
            return types.RelatedFullDocumentDiagnosticReport(items=[])
        number, items = await session.ask(lambda proceed: results.of_open(path, proceed), path)
        if number == params.previous_result_id:
            return types.RelatedUnchangedDocumentDiagnosticReport(result_id=number)
        return types.RelatedFullDocumentDiagnosticReport(items=items, result_id=number)


async def push(server: Server, path: Path) -> None:
    """Send the diagnostics of an open file, unless its text changes before they are known."""
    version = server.session.version(path)
    if version is None:
        return
    try:
        _, items = await server.session.ask(lambda proceed: server.results.of_open(path, proceed), path)
    except (JsonRpcException, SupersededError):
        return
    server.text_document_publish_diagnostics(
        types.PublishDiagnosticsParams(uri=server.session.uri(path), diagnostics=items, version=version)
    )


def clear(server: Server, uri: str) -> None:
    """Withdraw what was pushed for a file."""
    server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=uri, diagnostics=[]))
