"""Code actions: repair this, repair all of its kind, silence it, rewrite the test; their edits are made when one is chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from awaitest.assist import suppress
from awaitest.assist.refactor import refactorings
from awaitest.check import Told
from awaitest.engine.diagnostic import Fix
from awaitest.lsp.convert import to_diagnostic, to_path
from awaitest.lsp.repairs import repaired
from awaitest.lsp.session import Proceed, field, superseded
from awaitest.registry import SYNTAX_CODE
from awaitest.source.text import Span

if TYPE_CHECKING:
    from awaitest.lsp.server import Server

FIX_ALL = "source.fixAll.awaitest"
KINDS = [types.CodeActionKind.QuickFix, types.CodeActionKind.Refactor, FIX_ALL]


@dataclass(frozen=True, slots=True)
class Offer:
    """One action: `key` finds it again when its edit is wanted."""

    title: str
    kind: str
    key: str
    told: Told | None = None
    fix: Fix | None = None
    preferred: bool = False


def register(server: Server) -> None:
    """Offer actions, resolve them."""
    session = server.session

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=KINDS, resolve_provider=True)
    )
    async def offer(params: types.CodeActionParams) -> list[types.CodeAction]:
        path = to_path(params.text_document.uri)
        if path is None or session.version(path) is None:
            return []
        wanted = params.context.only
        return await session.ask(lambda proceed: _actions(server, path, params.range, wanted, proceed), path)

    @server.feature(types.CODE_ACTION_RESOLVE)
    async def resolve(action: types.CodeAction) -> types.CodeAction:
        data: dict[str, Any] = action.data if isinstance(action.data, dict) else {}
        path = to_path(str(data.get("uri")))
        if path is None or session.version(path) != data.get("version"):
            raise superseded()
        action.edit = await session.ask(lambda proceed: _resolved(server, path, data, proceed), path)
        return action


def _actions(
    server: Server, path: Path, at: types.Range, only: Sequence[str] | None, proceed: Proceed
) -> list[types.CodeAction]:
    session = server.session
    if not session.settings(path).enable or not session.live.checks(path):
        return []
    lines, span = session.lines(path), session.columns.span(session.lines(path), at)
    lazily = _resolves_edits(session.capabilities)
    version, page = session.version(path), server.results.pages.address(field(session.options, "rulePages"))
    actions = []
    for it in _offers(server, path, span, only, proceed):
        action = types.CodeAction(
            title=it.title,
            kind=it.kind,
            diagnostics=[to_diagnostic(it.told, lines, session.columns, page(it.told.code))] if it.told else None,
            is_preferred=it.preferred or None,
            data={"uri": session.uri(path), "version": version, "key": it.key, "range": _plain(at)},
        )
        if not lazily:
            action.edit = _edit(server, path, it, proceed)
        actions.append(action)
    return actions


def _offers(server: Server, path: Path, span: Span, only: Sequence[str] | None, proceed: Proceed) -> Iterator[Offer]:
    live = server.session.live
    told = live.check(path, proceed)
    if _asked(only, types.CodeActionKind.QuickFix):
        here = [it for it in told if _touches(it.span, span)]
        for position, it in enumerate(here):
            yield from _of_one(it, position, told)
        if live.walks(path):
            yield from _silencing(server, path, here)
    if live.walks(path) and _asked(only, types.CodeActionKind.Refactor):
        for position, each in enumerate(refactorings(live.sheet(path).runs, span)):
            if _asked(only, each.kind):
                yield Offer(_title(each.fix), each.kind, f"refactor:{position}", fix=each.fix)
    if _asked(only, FIX_ALL) and told:
        yield Offer("Fix everything that awaitest can safely fix", FIX_ALL, "all:")


def _of_one(it: Told, position: int, all_told: list[Told]) -> Iterator[Offer]:
    fix = it.repair() if it.repair is not None else None
    if fix is None:
        return
    yield Offer(_title(fix), types.CodeActionKind.QuickFix, f"fix:{position}", it, fix, preferred=fix.safe)
    same = [other for other in all_told if other.code == it.code]
    if fix.safe and len(same) > 1:
        title = f"Fix all safe `{it.name}` in this file"
        yield Offer(title, types.CodeActionKind.QuickFix, f"all:{it.code}", it)


def _silencing(server: Server, path: Path, here: Sequence[Told]) -> Iterator[Offer]:
    document = server.session.live.document(path)
    seen: set[str] = set()
    for position, it in enumerate(here):
        if document is None or it.code == SYNTAX_CODE or it.name in seen:
            continue
        seen.add(it.name)
        diagnostic = it.diagnostic(with_fix=False)
        for key, fix in (
            (f"line:{position}", suppress.on_line(document, diagnostic)),
            (f"file:{position}", suppress.in_file(document, diagnostic)),
        ):
            if fix is not None:
                yield Offer(fix.title, types.CodeActionKind.QuickFix, key, it, fix)


def _resolved(server: Server, path: Path, data: dict[str, Any], proceed: Proceed) -> types.WorkspaceEdit | None:
    """The edit of an action that was offered: it is found again, the text being the same."""
    key, sent = str(data.get("key")), data.get("range")
    if key.startswith("all:"):
        return _edit(server, path, Offer("", FIX_ALL, key), proceed)
    start, end = sent["start"], sent["end"]  # type: ignore[index]
    at = types.Range(types.Position(**start), types.Position(**end))
    span = server.session.columns.span(server.session.lines(path), at)
    found = (it for it in _offers(server, path, span, None, proceed) if it.key == key)
    offer = next(found, None)
    return _edit(server, path, offer, proceed) if offer is not None else None


def _edit(server: Server, path: Path, offer: Offer, proceed: Proceed) -> types.WorkspaceEdit | None:
    if offer.fix is not None:
        return server.session.edits().of([offer.fix])
    code = offer.key.removeprefix("all:")
    return server.session.edits().of(repaired(server.session, [path], code, proceed))


def _title(fix: Fix) -> str:
    return fix.title if fix.safe else f"{fix.title} (may change the test)"


def _asked(only: Sequence[str] | None, kind: str) -> bool:
    """Whether a kind is among those asked for: it, one above it, or one below it."""
    if only is None:
        return True
    return any(kind == it or kind.startswith(f"{it}.") or it.startswith(f"{kind}.") for it in only)


def _touches(one: Span, other: Span) -> bool:
    return one.start <= other.end and other.start <= one.end


def _plain(at: types.Range) -> dict[str, dict[str, int]]:
    return {
        "start": {"line": at.start.line, "character": at.start.character},
        "end": {"line": at.end.line, "character": at.end.character},
    }


def _resolves_edits(capabilities: types.ClientCapabilities) -> bool:
    text = capabilities.text_document
    support = text.code_action.resolve_support if text is not None and text.code_action is not None else None
    return support is not None and "edit" in support.properties
