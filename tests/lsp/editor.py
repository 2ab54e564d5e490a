"""A client as editors are: it keeps texts, registers what it is asked to, and asks a real server over stdio."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lsprotocol import types
from pytest_lsp import LanguageClient, client_capabilities

from awaitest.lsp.convert import Columns
from awaitest.source.splitter import split_lines
from awaitest.source.text import Edit as TextChange
from awaitest.source.text import Span, apply

LAUNCH = Path(__file__).parents[2] / "server" / "launch.py"
SERVER = [sys.executable, "-I", "-S", "-X", "utf8", str(LAUNCH)]
TIMEOUT = 30


def vscode(*, encodings: Sequence[str] = ("utf-16",), pulls: bool = True) -> types.ClientCapabilities:
    """What VS Code says of itself, as far as the server listens."""
    return types.ClientCapabilities(
        general=types.GeneralClientCapabilities(position_encodings=list(encodings)),
        window=types.WindowClientCapabilities(work_done_progress=True),
        text_document=types.TextDocumentClientCapabilities(
            diagnostic=types.DiagnosticClientCapabilities() if pulls else None,
            code_action=types.CodeActionClientCapabilities(
                resolve_support=types.ClientCodeActionResolveOptions(["edit", "command"])
            ),
            completion=types.CompletionClientCapabilities(
                completion_item=types.ClientCompletionItemOptions(
                    snippet_support=True, documentation_format=[types.MarkupKind.Markdown]
                )
            ),
            hover=types.HoverClientCapabilities(content_format=[types.MarkupKind.Markdown]),
        ),
        workspace=types.WorkspaceClientCapabilities(
            configuration=True,
            apply_edit=True,
            workspace_edit=types.WorkspaceEditClientCapabilities(
                document_changes=True, change_annotation_support=types.ChangeAnnotationsSupportOptions()
            ),
            did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True),
            did_change_configuration=types.DidChangeConfigurationClientCapabilities(dynamic_registration=True),
            diagnostics=types.DiagnosticWorkspaceClientCapabilities(refresh_support=True),
            workspace_folders=True,
        ),
    )


def neovim() -> types.ClientCapabilities:
    return client_capabilities("neovim@0.11.0")


class Editor:
    """One editor with its server."""

    def __init__(self, client: LanguageClient, settings: dict[str, Any]) -> None:
        self.client = client
        self.settings = settings
        self.texts: dict[str, tuple[int, str]] = {}
        self.columns = Columns()
        self.registered: dict[str, types.Registration] = {}
        self.refreshes = asyncio.Queue[None]()
        self.pushed = asyncio.Queue[types.PublishDiagnosticsParams]()
        self.status_changes = 0
        self.streamed = asyncio.Queue[types.WorkspaceDocumentDiagnosticReport]()
        self.applied: list[types.WorkspaceEdit] = []

    def open(self, path: Path, text: str | None = None) -> str:
        uri, text = path.as_uri(), path.read_text(encoding="utf-8") if text is None else text
        self.texts[uri] = 1, text
        item = types.TextDocumentItem(uri, "python", 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def close(self, uri: str) -> None:
        self.texts.pop(uri)
        identifier = types.TextDocumentIdentifier(uri)
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(identifier))

    def replace(self, uri: str, old: str, new: str, version: int | None = None) -> int:
        """Replace the first `old` in a text, told as an incremental change."""
        known, text = self.texts[uri]
        at = text.index(old)
        before = split_lines(text[:at] + "|")
        behind = split_lines(text[: at + len(old)] + "|")
        span = Span.of(len(before) - 1, len(before[-1]) - 1, len(behind) - 1, len(behind[-1]) - 1)
        range_ = self.columns.range(split_lines(text), span)
        self.texts[uri] = version or known + 1, text.replace(old, new, 1)
        identifier = types.VersionedTextDocumentIdentifier(self.texts[uri][0], uri)
        change = types.TextDocumentContentChangePartial(range=range_, text=new)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [change]))
        return self.texts[uri][0]

    async def pull(self, uri: str, previous: str | None = None) -> types.DocumentDiagnosticReport:
        """The report; asks again where the server says so."""
        params = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri), previous_result_id=previous)
        return await asyncio.wait_for(self.client.text_document_diagnostic_async(params), TIMEOUT)

    async def problems(self, uri: str) -> list[tuple[str, int, int]]:
        """Code, line and column, from 1 and in code points, of what is wrong."""
        report = await self.pull(uri)
        assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
        return self.places(uri, report.items)

    def places(self, uri: str, items: Sequence[types.Diagnostic]) -> list[tuple[str, int, int]]:
        lines = split_lines(self.texts[uri][1])
        starts = ((str(it.code), self.columns.position(lines, it.range.start)) for it in items)
        return [(code, place.line + 1, place.column + 1) for code, place in starts]

    async def actions(
        self, uri: str, line: int, column: int | None = None, *, only: Sequence[str] | None = None
    ) -> dict[str, types.CodeAction]:
        """The actions offered at a place, or on a whole line (both from 1), by title."""
        lines = split_lines(self.texts[uri][1])
        first, last = (0, len(lines[line - 1])) if column is None else (column - 1, column - 1)
        range_ = types.Range(types.Position(line - 1, first), types.Position(line - 1, last))
        context = types.CodeActionContext([], only=list(only) if only is not None else None)
        params = types.CodeActionParams(types.TextDocumentIdentifier(uri), range_, context)
        found = await asyncio.wait_for(self.client.text_document_code_action_async(params), TIMEOUT)
        return {it.title: it for it in found or [] if isinstance(it, types.CodeAction)}

    async def resolved(self, action: types.CodeAction) -> types.WorkspaceEdit:
        if action.edit is None:
            action = await asyncio.wait_for(self.client.code_action_resolve_async(action), TIMEOUT)
        assert action.edit is not None
        return action.edit

    def after(self, edit: types.WorkspaceEdit) -> dict[str, str]:
        """The texts that an edit makes, by URI."""
        by_uri: dict[str, Sequence[Any]] = dict(edit.changes or {})
        for change in edit.document_changes or ():
            assert isinstance(change, types.TextDocumentEdit)
            by_uri[change.text_document.uri] = change.edits
        found = {}
        for uri, edits in by_uri.items():
            text = self.texts[uri][1] if uri in self.texts else Path(uri.removeprefix("file://")).read_text()
            lines = split_lines(text)
            made = [TextChange(self.columns.span(lines, it.range), it.new_text) for it in edits]
            found[uri] = apply(lines, made)
        return found

    def touch(self, *paths: Path) -> None:
        """Tell that files changed on the disk."""
        changes = [types.FileEvent(path.as_uri(), types.FileChangeType.Changed) for path in paths]
        self.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams(changes))


@asynccontextmanager
async def editor(
    *folders: Path,
    capabilities: types.ClientCapabilities | None = None,
    settings: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
) -> AsyncIterator[Editor]:
    """An editor with folders open, its server running; the server must end by itself."""
    client = LanguageClient()
    it = Editor(client, settings or {})
    _listen(it)
    await client.start_io(*SERVER, cwd=folders[0])
    asked = client.capabilities = capabilities or vscode()
    result = await client.initialize_async(
        types.InitializeParams(
            capabilities=asked,
            workspace_folders=[types.WorkspaceFolder(folder.as_uri(), folder.name) for folder in folders],
            initialization_options={"environments": [{"uri": f.as_uri(), "path": sys.prefix} for f in folders]}
            | (options or {}),
        )
    )
    encoding = result.capabilities.position_encoding or "utf-16"
    it.columns = Columns(encoding.value if isinstance(encoding, types.PositionEncodingKind) else encoding)
    client.initialized(types.InitializedParams())
    try:
        yield it
        await asyncio.wait_for(client.shutdown_async(None), TIMEOUT)
        client.exit(None)
        assert client._server is not None
        await asyncio.wait_for(client._server.wait(), TIMEOUT)
    finally:
        if client._server is not None and client._server.returncode is None:
            client._server.kill()
        await client.stop()


def _listen(it: Editor) -> None:
    client = it.client

    @client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def register(params: types.RegistrationParams) -> None:
        it.registered.update({each.method: each for each in params.registrations})

    @client.feature(types.WORKSPACE_DIAGNOSTIC_REFRESH)
    def refresh(*_: object) -> None:
        it.refreshes.put_nowait(None)

    @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def publish(params: types.PublishDiagnosticsParams) -> None:
        it.pushed.put_nowait(params)

    @client.feature(types.WORKSPACE_CONFIGURATION)
    def configuration(params: types.ConfigurationParams) -> list[Any]:
        return [it.settings for _ in params.items]

    @client.feature("awaitest/changed")
    def changed(_params: Any) -> None:
        it.status_changes += 1

    @client.feature(types.WORKSPACE_APPLY_EDIT)
    def applied(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
        it.applied.append(params.edit)
        return types.ApplyWorkspaceEditResult(applied=True)

    @client.feature(types.PROGRESS)
    def progress(params: types.ProgressParams) -> None:
        value = params.value
        items = value.get("items", []) if isinstance(value, dict) else getattr(value, "items", [])
        for item in items if isinstance(items, list | tuple) else []:
            it.streamed.put_nowait(item)
