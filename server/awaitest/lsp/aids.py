"""What helps to read and to write: hovers, inlay hints, lenses, completions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lsprotocol import types

from awaitest.assist.completion import Completion, completions
from awaitest.assist.hover import hover
from awaitest.assist.inlay import hints
from awaitest.assist.lens import lenses, traces
from awaitest.lsp.convert import to_path
from awaitest.lsp.session import field

if TYPE_CHECKING:
    from awaitest.lsp.server import Server

EXPLAIN, TRACE = "awaitest.explainTest", "awaitest.traceTest"
Result = TypeVar("Result")


def register(server: Server) -> None:
    """Answer what editors ask while somebody reads or types."""
    session = server.session

    async def about(uri: str, answer: Callable[[Path], Result], nothing: Result) -> Result:
        path = to_path(uri)
        if path is None or session.version(path) is None or not session.settings(path).enable:
            return nothing
        return await session.ask(lambda _: answer(path) if session.live.walks(path) else nothing, path)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def on_hover(params: types.HoverParams) -> types.Hover | None:
        def answer(path: Path) -> types.Hover | None:
            lines = session.lines(path)
            place = session.columns.position(lines, params.position)
            told = hover(session.live.watched(path, place.line), place)
            if told is None:
                return None
            text = session.capabilities.text_document
            formats = text.hover.content_format if text is not None and text.hover is not None else None
            return types.Hover(_markup(told.markdown, formats), session.columns.range(lines, told.span))

        return await about(params.text_document.uri, answer, None)

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    async def on_hints(params: types.InlayHintParams) -> list[types.InlayHint]:
        def answer(path: Path) -> list[types.InlayHint]:
            lines = session.lines(path)
            if not session.settings(path).fixture_types:
                return []
            first, last = params.range.start.line, params.range.end.line
            return [
                types.InlayHint(
                    session.columns.to_client(lines, it.position),
                    it.label,
                    types.InlayHintKind.Type,
                    tooltip=it.tooltip,
                )
                for it in hints(session.live.sheet(path).runs)
                if first <= it.position.line <= last
            ]

        return await about(params.text_document.uri, answer, [])

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    async def on_lenses(params: types.CodeLensParams) -> list[types.CodeLens]:
        uri = params.text_document.uri

        def answer(path: Path) -> list[types.CodeLens]:
            lines = session.lines(path)
            settings, runs = session.settings(path), session.live.sheet(path).runs
            shown = [(EXPLAIN, it) for it in lenses(runs)] if settings.runner else []
            if settings.trace and field(session.options, "trusted") is True:
                shown += [(TRACE, it) for it in traces(runs)]
            found = []
            for name, it in shown:
                where = session.columns.range(lines, it.span)
                start = {"line": where.start.line, "character": where.start.character}
                command = types.Command(title=it.title, command=name, arguments=[uri, start])
                found.append(types.CodeLens(where, command=command))
            return found

        return await about(uri, answer, [])

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions())
    async def on_completion(params: types.CompletionParams) -> list[types.CompletionItem]:
        def answer(path: Path) -> list[types.CompletionItem]:
            if not _completion_item(session.capabilities).snippet_support:
                return []
            lines = session.lines(path)
            place = session.columns.position(lines, params.position)
            project = session.live.workspace.project_of(path)
            found = completions(session.live.checker.engine(project), project.module(path), place)
            return [_item(server, path, it) for it in found]

        return await about(params.text_document.uri, answer, [])


def _item(server: Server, path: Path, it: Completion) -> types.CompletionItem:
    lines, columns = server.session.lines(path), server.session.columns
    return types.CompletionItem(
        label=it.prefix,
        kind=types.CompletionItemKind.Snippet,
        label_details=types.CompletionItemLabelDetails(description=it.title),
        detail=f"{it.title} (fits this project)",
        documentation=_markup(it.description, _completion_item(server.session.capabilities).documentation_format),
        sort_text=f"0{it.prefix}",
        filter_text=it.prefix,
        insert_text=it.body,
        insert_text_format=types.InsertTextFormat.Snippet,
        insert_text_mode=types.InsertTextMode.AdjustIndentation,
        additional_text_edits=[types.TextEdit(columns.range(lines, edit.span), edit.text) for edit in it.edits] or None,
    )


def _markup(markdown: str, formats: Sequence[types.MarkupKind] | None) -> types.MarkupContent:
    kind = types.MarkupKind.Markdown if types.MarkupKind.Markdown in (formats or ()) else types.MarkupKind.PlainText
    return types.MarkupContent(kind, markdown)


def _completion_item(capabilities: types.ClientCapabilities) -> types.ClientCompletionItemOptions:
    text = capabilities.text_document
    completion = text.completion if text is not None else None
    item = completion.completion_item if completion is not None else None
    return item or types.ClientCompletionItemOptions()
