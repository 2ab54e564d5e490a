"""The packaged extension in a real VS Code in a real browser, used as a person uses it."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect
from scripts.workbench import Workbench
from tests.vscode.conftest import PROJECT, Open, left_out
from tests.vscode.network import Network

MISSING_AWAIT = """\
import pytest


@pytest.mark.asyncio
async def test_read(client):
    response = client.get("/items/1")
    assert response.json() == {"sku": "tea"}
"""
AWAITED = MISSING_AWAIT.replace("client.get", "await client.get")
SYNC = """\
def test_read(client):
    response = await client.get("/items/1")
    assert response.status_code == 200
"""
UNCLOSED = """\
import pytest
from conftest import app
from httpx import ASGITransport, AsyncClient


@pytest.mark.asyncio
async def test_health():
    client = AsyncClient(transport=ASGITransport(app=app), base_url="http://test")
    response = await client.get("/health")
    assert response.status_code == 200
"""


ENDLESS = """\
import asyncio

import pytest


@pytest.mark.asyncio
async def test_waits():
    await asyncio.sleep(600)
"""
OWN_PYTHON = {"pyproject.toml": f'{PROJECT}\n[tool.awaitest]\npython = "{sys.prefix}"\n'}


def test_a_squiggle_comes_and_goes_while_one_types(open_window: Open) -> None:
    window = open_window(AWAITED)
    window.press("Control+End")
    window.type('\n\n@pytest.mark.asyncio\nasync def test_typed(client):\n    response = client.get("/")\n')
    window.type("    assert response.is_success")
    window.squiggles(1)
    window.hover("is not awaited")
    window.picture("hover")
    window.press("Escape")
    for key in ("ArrowUp", "End", *["Control+ArrowLeft"] * 3):
        window.press(key)
    window.squiggles(1)
    window.type("await ")
    window.squiggles(0)


def test_a_missing_await_is_put_in(open_window: Open) -> None:
    window = open_window(MISSING_AWAIT)
    window.squiggles(1)
    window.go_to("client.get")
    entry = window.quick_fix("Await `client.get(…)`")
    window.picture("quick-fix")
    entry.click()
    window.squiggles(0)
    assert window.save() == AWAITED


def test_a_sync_test_becomes_async_with_its_marker_in_one_key(open_window: Open) -> None:
    window = open_window(SYNC)
    window.squiggles(1)
    window.go_to("await")
    window.insist(lambda: window.press("Alt+Shift+."), window.line("async def"))
    window.squiggles(0)
    assert window.save() == f"import pytest\n\n\n@pytest.mark.asyncio\nasync {SYNC}"


def test_an_unclosed_client_is_wrapped_in_async_with(open_window: Open) -> None:
    window = open_window(UNCLOSED)
    window.squiggles(1)
    window.go_to("AsyncClient(transport")
    window.quick_fix("Use `async with`").click()
    window.squiggles(0)
    head, _, body = UNCLOSED.partition("    client = ")
    client, _, rest = body.partition("\n")
    assert window.save() == f"{head}    async with {client} as client:\n    {rest}"


def test_saving_fixes_all_that_is_safe(open_window: Open) -> None:
    settings = {"editor.codeActionsOnSave": {"source.fixAll.awaitest": "explicit"}}
    window = open_window(MISSING_AWAIT + "\n\n" + SYNC.replace("test_read", "test_again"), settings=settings)
    window.squiggles(2)
    window.press("Control+Home")
    window.type("# checked\n")
    window.line("# checked").wait_for()
    window.squiggles(2)
    fixed = AWAITED + "\n\n@pytest.mark.asyncio\nasync " + SYNC.replace("test_read", "test_again")
    window.insist(lambda: window.press("Control+s"), window.line("async def test_again"))
    window.squiggles(0)
    assert window.saved() == f"# checked\n{fixed}"


def test_a_snippet_fits_the_project(open_window: Open) -> None:
    window = open_window(MISSING_AWAIT)
    window.squiggles(1)
    window.press("Control+End")
    window.type("\n\natest")
    window.suggest("atest").first.click()
    window.editor.locator(".snippet-placeholder").first.wait_for()
    window.picture("snippet")
    window.type("typed")
    text = window.save()
    assert "\n\n\n@pytest.mark.asyncio\nasync def test_typed(client" in text, text
    window.squiggles(1)


def test_the_walkthrough_opens(open_window: Open) -> None:
    window = open_window(AWAITED)
    window.command("awaitest: Learn: Async Tests That Really Run")
    window.page.locator(".gettingStartedContainer", has_text="Async tests that really run").wait_for()
    window.page.locator(".gettingStartedContainer .getting-started-step").nth(4).wait_for()
    window.picture("walkthrough")


def test_an_untrusted_workspace_runs_nothing_of_its_own(open_window: Open) -> None:
    decoy = '#!/bin/sh\necho "$0" >> "$(dirname "$0")/../ran"\nexec python3 "$@"\n'
    files = {
        ".vscode/settings.json": '{"awaitest.interpreter": ["${workspaceFolder}/decoy/python"]}',
        ".venv/bin/python": decoy.replace("/../", "/../../"),
        "decoy/python": decoy,
    }
    window = open_window(MISSING_AWAIT, settings={"security.workspace.trust.enabled": True}, files=files)
    window.squiggles(1)
    window.picture("restricted-mode")
    ran = window.folder / "ran"
    assert not ran.exists()
    window.page.locator('[id="status.workspaceTrust"]').click()
    window.page.locator(".workspace-trust-editor .monaco-button", has_text=re.compile(r"^Trust$")).click()
    _wait_until(ran.exists)
    assert "decoy/python" in ran.read_text()


def test_a_killed_server_comes_back(open_window: Open, workbench: Workbench) -> None:
    window = open_window(MISSING_AWAIT)
    window.squiggles(1)
    killed = _servers(workbench)
    assert killed
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    _wait_until(lambda: _servers(workbench) - killed)
    window.go_to("client.get")
    window.type("await ")
    window.squiggles(0)
    for _ in "await ":
        window.press("Backspace")
    window.squiggles(1)


def test_a_test_is_explained_step_by_step(open_window: Open) -> None:
    window = open_window(MISSING_AWAIT)
    window.squiggles(1)
    window.press("Control+b")
    window.go_to("response =")
    window.command("awaitest: Explain This Test")
    window.web_page().locator("table tbody tr").first.wait_for()
    window.picture("table")


def test_a_test_is_traced_from_its_lens(open_window: Open) -> None:
    window = open_window(MISSING_AWAIT, files=OWN_PYTHON)
    window.squiggles(1)
    window.press("Control+b")
    window.lens("Trace")
    page = window.web_page()
    failed = page.locator("tr.failed").first
    failed.wait_for()
    window.lit(1)
    window.picture("trace")
    focus = page.locator("tr:focus td").first
    number = int(re.sub(r"\D", "", failed.locator("td").first.inner_text()))
    for button, step in (("Previous step", -1), ("Previous step", -2), ("Next step", -1), ("Failed step", 0)):
        page.get_by_role("button", name=button).click()
        expect(focus).to_have_text(str(number + step))
        window.lit(1)
    focus.press("ArrowUp")
    expect(focus).to_have_text(str(number - 1))


def test_what_a_run_left_behind_is_marked_until_its_file_is_edited(open_window: Open) -> None:
    window = open_window(MISSING_AWAIT, files=OWN_PYTHON)
    window.squiggles(1)
    window.lens("Trace")
    page = window.web_page()
    page.locator("tr.failed").first.wait_for()
    window.squiggles(2)
    page.get_by_role("button", name="Run again").click()
    page.locator("tr.failed").first.wait_for()
    window.squiggles(2)
    window.line("assert").first.click()
    window.press("End")
    window.type("  # edited")
    window.squiggles(1)


def test_a_request_is_unfolded_and_the_table_copied(open_window: Open) -> None:
    window = open_window(AWAITED, files=OWN_PYTHON)
    window.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    window.lens("Trace")
    page = window.web_page()
    request = page.locator("details", has_text="GET http://test/items/1")
    more = request.locator("pre")
    expect(more).to_be_hidden()
    request.locator("summary").click()
    expect(more).to_contain_text('"status": 404')
    page.get_by_role("button", name="Copy as Markdown").click()
    _wait_until(lambda: window.clipboard().startswith("## test\\_shop.py::test\\_read\n"))
    assert "| GET http://test/items/1 | 404 |" in window.clipboard()


def test_a_run_is_cancelled(open_window: Open) -> None:
    window = open_window(ENDLESS, files=OWN_PYTHON)
    window.lens("Trace")
    told = window.page.locator(".notifications-toasts .notification-list-item", has_text="Running the test")
    _wait_until(lambda: _traced(window.folder))
    told.get_by_role("button", name="Cancel").click()
    expect(told).to_have_count(0)
    _wait_until(lambda: not _traced(window.folder))
    expect(window.page.locator("iframe.webview")).to_have_count(0)


def test_the_time_of_activation_is_kept(open_window: Open) -> None:
    """Told, not asserted: it is the machine's as much as ours."""
    window = open_window(MISSING_AWAIT)
    window.squiggles(1)
    taken = window.activation("awaitest")
    (window.pictures / "activation.txt").write_text(
        f"{taken} ms, as VS Code shows it for the first window\n", encoding="utf-8"
    )
    window.close()


def test_nothing_asks_beyond_this_machine(open_window: Open, own_network: Network | None) -> None:
    window = open_window(MISSING_AWAIT)
    window.squiggles(1)
    assert window.outside == []
    quiet = own_network.attempts() if own_network else None
    window.visit("http://outside.invalid/")
    assert window.outside == ["http://outside.invalid/"]
    if own_network is None:
        left_out("a network of its own (unshare --net): only the browser was watched")
    assert quiet == 0
    assert own_network.attempts() > 0


def _servers(workbench: Workbench) -> set[int]:
    """The processes that are language servers of this workbench."""
    script = str(workbench.home / "extensions")
    return _processes(lambda part: part.startswith(script) and part.endswith("launch.py"))


def _traced(folder: Path) -> set[int]:
    """The processes that run a test of a folder."""
    return _processes(lambda part: part.startswith(f"{folder}{os.sep}") and "::" in part)


def _processes(is_wanted: Callable[[str], bool]) -> set[int]:
    """The processes that have such an argument."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if any(map(is_wanted, command)):
            found.add(int(process.name))
    return found


def _wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
