"""Diagnostics of open files: pulled with result ids, or pushed to clients that cannot pull."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from awaitest.check import Told
from awaitest.live import SupersededError
from awaitest.lsp.convert import diagnostic_json, to_path
from awaitest.lsp.pages import Pages
from awaitest.lsp.session import Proceed, Question, Session, field, superseded

if TYPE_CHECKING:
    from awaitest.lsp.server import Server

logger = logging.getLogger(__name__)
Report = tuple[str, list[str]]
"""An id, and the diagnostics as JSON."""


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
        items = [diagnostic_json(it, lines, columns, page(it.code)) for it in told]
        version = self._session.version(path)
        report, of_version = self._known.get(path, (None, None))
        if report is None or report[1] != items or of_version != version:
            report = str(next(self._ids)), items
            self._known[path] = report, version
        return report


def register(server: Server) -> None:
    """Answer pulls; push where the client does not pull."""
    session, results = server.session, server.results

    def pull(params: Any, number: Any) -> None:
        path, known = to_path(params["textDocument"]["uri"]), params.get("previousResultId")
        if path is None:
            server.wire.answer(number, '{"kind":"full","items":[]}')
            return
        question = session.question(path)
        server.wire.asked(number, question)

        def task() -> None:
            try:
                report = _wanted(results, path, question)
            except SupersededError:
                _refuse(server, number, question)
            except Exception:
                logger.exception("%s cannot be checked", path)
                server.wire.refuse(number, types.ErrorCodes.InternalError.value, f"{path} cannot be checked")
            else:
                server.wire.answer(number, _answer(*report, known))

        session.tell(task)

    server.directly(
        types.TEXT_DOCUMENT_DIAGNOSTIC,
        pull,
        types.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=True, identifier="awaitest"),
    )


def _wanted(results: Results, path: Path, question: Question) -> Report:
    if not question.proceed():
        raise SupersededError
    report = results.of_open(path, question.proceed)
    if not question.proceed():
        raise SupersededError
    return report


def _refuse(server: Server, number: Any, question: Question) -> None:
    if question.wanted:
        again = superseded()
        server.wire.refuse(number, again.code, again.message, again.data)
    else:
        server.wire.refuse(number, types.LSPErrorCodes.RequestCancelled.value, "The request was cancelled")


def _answer(number: str, items: list[str], known: object) -> str:
    if number == known:
        return f'{{"kind":"unchanged","resultId":"{number}"}}'
    return f'{{"kind":"full","resultId":"{number}","items":[{",".join(items)}]}}'


def push(server: Server, path: Path) -> None:
    """Send the diagnostics of an open file, unless its text changes before they are known."""
    session = server.session
    version, question = session.version(path), session.question(path)

    def task() -> None:
        try:
            _, items = _wanted(server.results, path, question)
        except SupersededError:
            return
        except Exception:
            logger.exception("%s cannot be checked", path)
            return
        _publish(server, session.uri(path), items, version)

    if version is not None:
        session.tell(task)


def clear(server: Server, uri: str) -> None:
    """Withdraw what was pushed for a file."""
    _publish(server, uri, [], None)


def _publish(server: Server, uri: str, items: list[str], version: int | None) -> None:
    numbered = f',"version":{version}' if version is not None else ""
    params = f'{{"uri":{json.dumps(uri)}{numbered},"diagnostics":[{",".join(items)}]}}'
    server.wire.notify(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)
