"""The server as editors meet it: a real process over stdio."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from tests.lsp.editor import TIMEOUT, Editor, editor, neovim, vscode

pytestmark = pytest.mark.asyncio

CLIENT = """\
import pytest_asyncio
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient


@pytest_asyncio.fixture
async def client():
    async with AsyncClient(transport=ASGITransport(app=FastAPI()), base_url="http://test") as ac:
        yield ac
"""
TEST = """\
import pytest


@pytest.mark.asyncio
async def test_hello(client):
    response = client.get("/hello")
    assert response.status_code == 200
"""
MISSING = [("AWT101", 6, 16)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conftest.py").write_text(CLIENT)
    (tmp_path / "test_hello.py").write_text(TEST)
    return tmp_path


def full(report: types.DocumentDiagnosticReport) -> types.RelatedFullDocumentDiagnosticReport:
    assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
    return report


async def test_a_pull_reports_and_a_second_one_says_that_nothing_changed(project: Path) -> None:
    async with editor(project) as it:
        uri = it.open(project / "test_hello.py")
        first = full(await it.pull(uri))
        assert it.places(uri, first.items) == MISSING
        again = await it.pull(uri, first.result_id)
        assert isinstance(again, types.RelatedUnchangedDocumentDiagnosticReport)
        assert again.result_id == first.result_id


async def test_an_edit_has_everything_told_again(project: Path) -> None:
    """An editor that moved a squiggle along with the edit may have cut its end off."""
    async with editor(project) as it:
        uri = it.open(project / "test_hello.py")
        first = full(await it.pull(uri))
        it.replace(uri, 'get("/hello")', "get")
        it.replace(uri, "client.get", 'client.get("/hello")')
        assert full(await it.pull(uri, first.result_id)).items == first.items


async def test_each_diagnostic_leads_to_the_page_of_its_rule(project: Path) -> None:
    async with editor(project) as it:
        (item,) = full(await it.pull(it.open(project / "test_hello.py"))).items
    assert item.source == "awaitest"
    assert item.severity == types.DiagnosticSeverity.Error
    assert item.code_description is not None
    assert item.code_description.href.startswith("file://")
    assert "missing-await" in Path(item.code_description.href.removeprefix("file://")).read_text()


async def test_a_client_with_pages_of_its_own_gets_their_address(project: Path) -> None:
    async with editor(project, options={"rulePages": "awaitest:/awaitest-rules"}) as it:
        (item,) = full(await it.pull(it.open(project / "test_hello.py"))).items
    assert item.code_description == types.CodeDescription("awaitest:/awaitest-rules/AWT101.md")


@pytest.mark.parametrize("encodings", [("utf-16",), ("utf-8", "utf-16"), ("utf-32", "utf-16")])
async def test_columns_count_in_the_units_of_the_client(project: Path, encodings: tuple[str, ...]) -> None:
    text = TEST.replace("    response = client", '    "😀é"; response = client')
    async with editor(project, capabilities=vscode(encodings=encodings)) as it:
        uri = it.open(project / "test_hello.py", text)
        assert await it.problems(uri) == [("AWT101", 6, 22)]
        it.replace(uri, "response = client.get", "response = await client.get")
        assert await it.problems(uri) == []
        it.replace(uri, "await ", "")
        edit = await it.resolved((await it.actions(uri, 6))["Await `client.get(…)`"])
        assert it.after(edit) == {uri: text.replace("client.get", "await client.get")}


async def test_text_after_the_last_line_break_is_kept(project: Path) -> None:
    async with editor(project) as it:
        uri = it.open(project / "test_hello.py", TEST)
        lines = TEST.count("\n")
        version = types.VersionedTextDocumentIdentifier(2, uri)
        end = types.Range(types.Position(lines, 0), types.Position(lines, 0))
        more = "    client.get('/more')\n"
        change = types.TextDocumentContentChangePartial(range=end, text=more)
        it.client.text_document_did_change(types.DidChangeTextDocumentParams(version, [change]))
        it.texts[uri] = 2, TEST + more
        assert await it.problems(uri) == [*MISSING, ("AWT101", lines + 1, 5)]


async def test_a_change_of_the_whole_text_is_taken(project: Path) -> None:
    async with editor(project) as it:
        uri = it.open(project / "test_hello.py", "")
        version = types.VersionedTextDocumentIdentifier(2, uri)
        change = types.TextDocumentContentChangeWholeDocument(text=TEST)
        it.client.text_document_did_change(types.DidChangeTextDocumentParams(version, [change]))
        it.texts[uri] = 2, TEST
        assert await it.problems(uri) == MISSING


async def test_a_client_that_cannot_pull_is_told_with_the_version(project: Path) -> None:
    async with editor(project, capabilities=vscode(pulls=False)) as it:
        assert "textDocument/diagnostic" not in it.registered
        uri = it.open(project / "test_hello.py")
        told = await _pushed(it, uri, 1)
        assert it.places(uri, told.diagnostics) == MISSING
        version = it.replace(uri, "client.get", "await client.get")
        assert not (await _pushed(it, uri, version)).diagnostics
        it.close(uri)
        assert not (await _pushed(it, uri, None)).diagnostics


async def test_only_the_last_of_many_versions_is_told(project: Path) -> None:
    async with editor(project, capabilities=vscode(pulls=False)) as it:
        uri = it.open(project / "test_hello.py")
        for _ in range(30):
            it.replace(uri, "assert", "assert True\n    assert")
        version = it.replace(uri, "client.get", "await client.get")
        told = await _pushed(it, uri, version)
        assert not told.diagnostics
        later = [it.pushed.get_nowait().version for _ in range(it.pushed.qsize())]
        assert set(later) <= {version}


async def _pushed(it: Editor, uri: str, version: int | None) -> types.PublishDiagnosticsParams:
    """What is told of a version, after whatever is told before."""
    while True:
        told = await asyncio.wait_for(it.pushed.get(), TIMEOUT)
        if told.uri == uri and told.version == version:
            return told
        assert version is None or (told.version or 0) < version


async def test_a_question_about_a_text_that_changed_is_to_be_asked_again(project: Path) -> None:
    async with editor(project) as it:
        body = "".join(f"    x{number} = await client.get('/{number}')\n" for number in range(3000))
        uri = it.open(project / "test_hello.py", TEST + body)
        asked = asyncio.ensure_future(it.pull(uri))
        await asyncio.sleep(0.05)
        it.replace(uri, "/hello", "/hallo")
        with pytest.raises(JsonRpcException) as refused:
            await asked
        assert refused.value.code == types.LSPErrorCodes.ServerCancelled.value
        assert await it.problems(uri) == MISSING


async def test_a_cancelled_question_is_answered_at_once(project: Path) -> None:
    async with editor(project) as it:
        body = "".join(f"    x{number} = await client.get('/{number}')\n" for number in range(3000))
        uri = it.open(project / "test_hello.py", TEST + body)
        params = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri))
        request = it.client.protocol.send_request_async(types.TEXT_DOCUMENT_DIAGNOSTIC, params, msg_id="slow")
        asked = asyncio.ensure_future(request)
        await asyncio.sleep(0.05)
        it.client.cancel_request(types.CancelParams("slow"))
        with pytest.raises(JsonRpcException) as refused:
            await asyncio.wait_for(asked, TIMEOUT)
        assert refused.value.code == types.LSPErrorCodes.RequestCancelled.value


async def test_an_edit_of_the_conftest_refreshes_its_tests(project: Path) -> None:
    async with editor(project) as it:
        uri, conftest = it.open(project / "test_hello.py"), it.open(project / "conftest.py")
        report = full(await it.pull(uri))
        await it.pull(conftest)
        _drain(it)
        it.replace(conftest, ", AsyncClient", ", Client as AsyncClient")
        it.replace(conftest, "async with", "with")
        await asyncio.wait_for(it.refreshes.get(), TIMEOUT)
        assert not full(await it.pull(uri, report.result_id)).items


async def test_an_edit_inside_a_test_refreshes_nothing_else(project: Path) -> None:
    (project / "test_other.py").write_text(TEST)
    async with editor(project) as it:
        uri, other = it.open(project / "test_hello.py"), it.open(project / "test_other.py")
        await it.pull(uri)
        report = full(await it.pull(other))
        _drain(it)
        it.replace(uri, "client.get", "await client.get")
        assert await it.problems(uri) == []
        again = await it.pull(other, report.result_id)
        assert isinstance(again, types.RelatedUnchangedDocumentDiagnosticReport)
        assert it.refreshes.empty()


async def test_the_configuration_on_the_disk_flips_the_mode(project: Path) -> None:
    async with editor(project) as it:
        uri = it.open(project / "test_hello.py", TEST.replace("@pytest.mark.asyncio\n", ""))
        assert [code for code, *_ in await it.problems(uri)] == ["AWT201", "AWT101"]
        _drain(it)
        (project / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
        it.touch(project / "pytest.ini")
        await asyncio.wait_for(it.refreshes.get(), TIMEOUT)
        assert [code for code, *_ in await it.problems(uri)] == ["AWT101"]
        assert it.status_changes > 0


async def test_each_folder_has_its_own_truth(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("strict", "auto")]
    for folder in folders:
        folder.mkdir()
        (folder / "pytest.ini").write_text(f"[pytest]\nasyncio_mode = {folder.name}\n")
        (folder / "test_a.py").write_text("async def test_a():\n    pass\n")
    async with editor(*folders) as it:
        found = [await it.problems(it.open(folder / "test_a.py")) for folder in folders]
    assert found == [[("AWT201", 1, 11)], []]


async def test_settings_of_the_editor_hold_over_those_of_the_project(project: Path) -> None:
    settings = {"severity": {"missing-await": "hint"}, "inlayHints": {"fixtureTypes": True}, "ignore": ["AWT2"]}
    text = TEST.replace("@pytest.mark.asyncio\n", "")
    async with editor(project, settings=settings) as it:
        uri = it.open(project / "test_hello.py", text)
        await _configured(it)
        items = full(await it.pull(uri)).items
        assert [(item.code, item.severity) for item in items] == [("AWT101", types.DiagnosticSeverity.Hint)]
        whole = types.Range(types.Position(0, 0), types.Position(99, 0))
        params = types.InlayHintParams(types.TextDocumentIdentifier(uri), whole)
        hints = await it.client.text_document_inlay_hint_async(params)
        assert [hint.label for hint in hints or []] == [": AsyncClient"]
        _drain(it)
        it.settings = {"enable": False}
        it.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(None))
        await asyncio.wait_for(it.refreshes.get(), TIMEOUT)
        assert await it.problems(uri) == []


async def _configured(it: Editor) -> None:
    while not it.status_changes:
        await asyncio.sleep(0.01)


def _drain(it: Editor) -> None:
    while not it.refreshes.empty():
        it.refreshes.get_nowait()


async def test_what_is_no_test_and_no_file_is_left_alone(project: Path) -> None:
    async with editor(project) as it:
        module = it.open(project / "app.py", TEST)
        assert await it.problems(module) == []
        item = types.TextDocumentItem("untitled:Untitled-1", "python", 1, TEST)
        it.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        assert not full(await it.pull("untitled:Untitled-1")).items


async def test_the_workspace_is_told_in_one_held_request(project: Path) -> None:
    (project / "test_clean.py").write_text("def test_a():\n    assert True\n")
    async with editor(project) as it:
        params = types.WorkspaceDiagnosticParams(previous_result_ids=[], partial_result_token="held")
        asked = asyncio.ensure_future(it.client.protocol.send_request_async(types.WORKSPACE_DIAGNOSTIC, params))
        told = await asyncio.wait_for(it.streamed.get(), TIMEOUT)
        assert str(getattr(told, "uri", None) or told["uri"]).endswith("test_hello.py")  # type: ignore[index]
        (project / "test_clean.py").write_text(TEST)
        it.touch(project / "test_clean.py")
        told = await asyncio.wait_for(it.streamed.get(), TIMEOUT)
        assert str(getattr(told, "uri", None) or told["uri"]).endswith("test_clean.py")  # type: ignore[index]
        assert not asked.done()
        asked.cancel()


async def test_neovim_gets_the_same(project: Path) -> None:
    async with editor(project, capabilities=neovim()) as it:
        uri = it.open(project / "test_hello.py")
        assert await it.problems(uri) == MISSING
        edit = await it.resolved((await it.actions(uri, 6))["Await `client.get(…)`"])
        assert it.after(edit) == {uri: TEST.replace("client.get", "await client.get")}
