"""What editors offer: repairs, silencing, rewriting, reading aids and commands."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from tests.lsp.editor import editor
from tests.lsp.test_server import CLIENT, TEST

pytestmark = pytest.mark.asyncio

TWO = """\
import pytest


@pytest.mark.asyncio
async def test_one(client):
    response = client.get("/one")
    assert response.status_code == 200


async def test_two(client):
    response = client.get("/two")
    assert response.status_code == 200
"""
REPAIRED = TWO.replace("client.get", "await client.get").replace(
    "async def test_two", "@pytest.mark.asyncio\nasync def test_two"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conftest.py").write_text(CLIENT)
    (tmp_path / "test_two.py").write_text(TWO)
    return tmp_path


async def test_a_line_offers_its_fix_its_kind_and_silence(project: Path) -> None:
    async with editor(project) as it:
        uri = it.open(project / "test_two.py")
        found = await it.actions(uri, 6)
        assert list(found) == [
            "Await `client.get(…)`",
            "Fix all safe `missing-await` in this file",
            "Ignore missing-await on this line",
            "Ignore missing-await in this file",
            "Fix everything that awaitest can safely fix",
        ]
        assert [action.edit for action in found.values()] == [None] * 5
        fix = found["Await `client.get(…)`"]
        assert (fix.kind, fix.is_preferred) == (types.CodeActionKind.QuickFix, True)
        assert [item.code for item in fix.diagnostics or ()] == ["AWT101"]
        after = {title: it.after(await it.resolved(action))[uri] for title, action in found.items()}
    assert after == {
        "Await `client.get(…)`": TWO.replace("client.get", "await client.get", 1),
        "Fix all safe `missing-await` in this file": TWO.replace("client.get", "await client.get"),
        "Ignore missing-await on this line": TWO.replace('"/one")', '"/one")  # awaitest: ignore[missing-await]'),
        "Ignore missing-await in this file": f"# awaitest: ignore-file[missing-await]\n{TWO}",
        "Fix everything that awaitest can safely fix": REPAIRED,
    }


@pytest.mark.parametrize("kind", ["source", "source.fixAll", "source.fixAll.awaitest"])
async def test_fix_all_on_save(project: Path, kind: str) -> None:
    async with editor(project) as it:
        uri = it.open(project / "test_two.py")
        (action,) = (await it.actions(uri, 1, only=[kind])).values()
        assert action.kind == "source.fixAll.awaitest"
        assert it.after(await it.resolved(action)) == {uri: REPAIRED}
        it.replace(uri, TWO, REPAIRED)
        assert await it.actions(uri, 1, only=[kind]) == {}


async def test_an_unsafe_fix_says_so(project: Path) -> None:
    text = "def test_plain(client):\n    response = client.get('/')\n    assert response.status_code == 200\n"
    async with editor(project) as it:
        uri = it.open(project / "test_plain.py", text)
        found = await it.actions(uri, 2)
        (title,) = [title for title in found if title.endswith("(may change the test)")]
        assert found[title].is_preferred is None
        edit = await it.resolved(found[title])
        assert "async def test_plain(client):\n    response = await client.get('/')" in it.after(edit)[uri]
        assert list(edit.change_annotations or {}) == ["awaitest.unsafe"]


async def test_the_edit_of_an_action_for_an_older_text_is_refused(project: Path) -> None:
    async with editor(project) as it:
        uri = it.open(project / "test_two.py")
        action = (await it.actions(uri, 6))["Await `client.get(…)`"]
        it.replace(uri, "import pytest", "\nimport pytest")
        with pytest.raises(JsonRpcException):
            await it.resolved(action)


async def test_a_configuration_file_is_checked_and_repaired(project: Path) -> None:
    text = "[pytest]\nasyncio_mod = auto\nasyncio_default_fixture_loop_scope = function\n"
    async with editor(project) as it:
        uri = it.open(project / "pytest.ini", text)
        assert await it.problems(uri) == [("AWT231", 2, 1)]
        fix = (await it.actions(uri, 2))["Write `asyncio_mode`"]
        assert it.after(await it.resolved(fix)) == {uri: text.replace("asyncio_mod ", "asyncio_mode ")}
        it.replace(uri, "asyncio_mod ", "asyncio_mode ")
        assert await it.problems(uri) == []
        place = types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(1, 3))
        assert await it.client.text_document_hover_async(place) is None


async def test_a_parameter_can_be_annotated(project: Path) -> None:
    async with editor(project) as it:
        uri = it.open(project / "test_two.py")
        found = await it.actions(uri, 5, 20, only=["refactor"])
        (action,) = [action for title, action in found.items() if "AsyncClient" in title]
        after = it.after(await it.resolved(action))[uri]
    assert "async def test_one(client: AsyncClient):" in after
    assert "from httpx import AsyncClient\n" in after


async def test_a_hover_tells_the_step(project: Path) -> None:
    async with editor(project) as it:
        uri = it.open(project / "test_two.py")
        place = types.Position(5, 24)
        hover = await it.client.text_document_hover_async(types.HoverParams(types.TextDocumentIdentifier(uri), place))
        assert hover is not None
        assert isinstance(hover.contents, types.MarkupContent)
        assert "await" in hover.contents.value
        nowhere = types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(2, 0))
        assert await it.client.text_document_hover_async(nowhere) is None


async def test_a_lens_tells_who_runs_a_test(project: Path) -> None:
    async with editor(project, settings={"codeLens": {"runner": True}}) as it:
        uri = it.open(project / "test_two.py")
        while not it.status_changes:
            await it.pull(uri)
        lenses = await it.client.text_document_code_lens_async(types.CodeLensParams(types.TextDocumentIdentifier(uri)))
        commands = [lens.command for lens in lenses or ()]
        assert [command.title for command in commands if command] == [
            "pytest-asyncio · function loop",
            "nobody runs this test",
        ]
        assert {command.command for command in commands if command} == {"awaitest.explainTest"}


async def test_snippets_fit_the_project(project: Path) -> None:
    async with editor(project) as it:
        uri = it.open(project / "test_two.py", f"{TWO}\n\natest")
        line = TWO.count("\n") + 2
        params = types.CompletionParams(types.TextDocumentIdentifier(uri), types.Position(line, 5))
        items = await it.client.text_document_completion_async(params)
        assert isinstance(items, list | tuple)
        (item,) = [item for item in items if item.label == "atest"]
        assert item.insert_text_format is types.InsertTextFormat.Snippet
        body = str(item.insert_text)
    assert "@pytest.mark.asyncio" in body
    assert "(client)" in body
    assert "response = await client." in body


async def test_a_test_is_explained_step_by_step(project: Path) -> None:
    async with editor(project) as it:
        uri = it.open(project / "test_two.py")
        question = {"uri": uri, "position": {"line": 6, "character": 0}}
        params = types.ExecuteCommandParams("awaitest.server.explain", [question])
        told = await it.client.workspace_execute_command_async(params)
    assert told is not None
    assert told["title"] == "test_one"
    assert [row["awaited"] for row in told["rows"]] == ["yes", "missing", "–"]
    assert told["rows"][0]["variables"]["client"] == "AsyncClient"
    assert told["markdown"].startswith("## test_one\n")


async def test_a_test_is_traced(project: Path) -> None:
    async with editor(project, options={"trusted": True}) as it:
        uri = it.open(project / "test_two.py")
        lenses = await it.client.text_document_code_lens_async(types.CodeLensParams(types.TextDocumentIdentifier(uri)))
        commands = [lens.command for lens in lenses or () if lens.command]
        assert [(it.title, it.command) for it in commands] == 2 * [("Trace", "awaitest.traceTest")]
        question = {"uri": uri, "position": {"line": 6, "character": 0}}
        params = types.ExecuteCommandParams("awaitest.server.trace", [question])
        told = await it.client.workspace_execute_command_async(params)
    assert told is not None
    assert told["title"] == "test_two.py::test_one"
    assert told["outcome"] == "failed"
    assert "never" in [row["awaited"] for row in told["rows"]]
    assert {(left["uri"], left["code"]) for left in told["left"]} >= {(uri, "coroutine")}
    assert told["markdown"].startswith("## test\\_two.py::test\\_one\n")


HANGS = """\
import asyncio, os

import pytest


@pytest.mark.asyncio
async def test_hangs():
    with open("process", "w") as file:
        file.write(str(os.getpid()))
    await asyncio.sleep(1000)
"""


async def test_a_trace_that_is_cancelled_ends_its_process(project: Path) -> None:
    (project / "test_hangs.py").write_text(HANGS)
    async with editor(project, options={"trusted": True}) as it:
        question = {"uri": it.open(project / "test_hangs.py"), "position": {"line": 6, "character": 0}}
        params = types.ExecuteCommandParams("awaitest.server.trace", [question])
        asked = it.client.protocol.send_request_async(types.WORKSPACE_EXECUTE_COMMAND, params, msg_id="run")
        told = asyncio.ensure_future(asked)
        noted = project / "process"
        while not (noted.exists() and noted.read_text()):
            await asyncio.sleep(0.1)
        it.client.cancel_request(types.CancelParams("run"))
        with pytest.raises(JsonRpcException):
            await told
        until = time.monotonic() + 30  # long before the time that any run is given
        while _is_alive(int(noted.read_text())):
            assert time.monotonic() < until
            await asyncio.sleep(0.1)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


async def test_nothing_is_run_in_a_workspace_that_is_not_trusted(project: Path) -> None:
    (project / "conftest.py").write_text(f"{CLIENT}\nopen('run', 'w').close()\n")
    async with editor(project, options={"trusted": False}) as it:
        uri = it.open(project / "test_two.py")
        lenses = await it.client.text_document_code_lens_async(types.CodeLensParams(types.TextDocumentIdentifier(uri)))
        assert not lenses
        question = {"uri": uri, "position": {"line": 6, "character": 0}}
        params = types.ExecuteCommandParams("awaitest.server.trace", [question])
        assert await it.client.workspace_execute_command_async(params) is None
    assert not (project / "run").exists()


async def test_the_status_tells_how_tests_run_here(project: Path) -> None:
    async with editor(project) as it:
        uri = it.open(project / "test_two.py")
        told = await it.client.protocol.send_request_async("awaitest/status", {"uri": uri})
        assert told.mode == "strict"
        assert told.runner.startswith("pytest-asyncio ")
        assert told.configuration == str(project / "pytest.ini")
        assert told.python == f"{sys.version_info.major}.{sys.version_info.minor}"
        (project / "pytest.ini").write_text("[pytest\n")
        it.touch(project / "pytest.ini")
        told = await it.client.protocol.send_request_async("awaitest/status", {"uri": uri})
        assert [(problem.path, problem.line) for problem in told.problems] == [(str(project / "pytest.ini"), 1)]


async def test_everything_in_the_workspace_is_fixed_by_one_edit(project: Path) -> None:
    (project / "test_hello.py").write_text(TEST)
    async with editor(project) as it:
        uri = it.open(project / "test_two.py")
        params = types.ExecuteCommandParams("awaitest.server.fixAll", [])
        told = await it.client.workspace_execute_command_async(params)
        (edit,) = it.applied
        after = it.after(edit)
    assert told is not None
    assert told["edits"] > 1
    assert after == {
        uri: REPAIRED,
        (project / "test_hello.py").as_uri(): TEST.replace("client.get", "await client.get"),
    }
