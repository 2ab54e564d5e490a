"""One VS Code for all tests of this folder, a fresh folder and window for each."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, NoReturn

import pytest
from scripts import workbench as setup
from scripts.workbench import Workbench
from tests.vscode import network
from tests.vscode.network import Network

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from tests.vscode.window import Window

PICTURES = setup.HOME / "artifacts"
LITERAL = {
    "editor.autoClosingBrackets": "never",
    "editor.autoIndent": "none",
    "editor.inlineSuggest.enabled": False,
    "editor.quickSuggestions": {"comments": "off", "other": "off", "strings": "off"},
    "editor.wordBasedSuggestions": "off",
    "awaitest.trace.server": "messages",
    "files.autoSave": "off",
    "security.workspace.trust.enabled": False,
}
PROJECT = """\
[project]
name = "shop"
version = "1.0"
dependencies = ["fastapi", "httpx", "pytest", "pytest-asyncio>=1.0"]

[tool.pytest.ini_options]
asyncio_mode = "strict"
"""
CONFTEST = """\
import pytest_asyncio
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

app = FastAPI()


@pytest_asyncio.fixture
async def client():
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        yield client
"""
BROWSER_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP *.googleapis.com ~NOTFOUND",
]  # fmt: skip

Open = Callable[..., "Window"]


def left_out(reason: str) -> NoReturn:
    """Skips what cannot be tried here, saying why; in continuous integration nothing may be left out."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"left out: {reason}")


@pytest.fixture(scope="module")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    vsix, missing = setup.package(), setup.missing()
    if missing:
        left_out(f"{', '.join(missing)} (python scripts/workbench.py fetch)")
    if vsix is None:
        left_out("the extension (make package)")
    inside = network.ENTER_NEW if network.can_be_had() else []
    home = tmp_path_factory.mktemp("a workbench")
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir(parents=True)
    running = Workbench(home, vsix, inside=inside, options=["--reconnection-grace-time", "5"])
    yield running
    running.stop()
    shutil.copytree(home / "user" / "logs", PICTURES / "logs")


@pytest.fixture(scope="module")
def own_network(workbench: Workbench) -> Network | None:
    """The network in which the browser and the workbench are alone; None where the machine has none to give."""
    return Network(workbench.process.pid) if network.can_be_had() else None


@pytest.fixture(scope="module")
def browser(workbench: Workbench, own_network: Network | None) -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    program = setup.browser()
    assert program
    if own_network:
        program = own_network.wrapped(program, workbench.home / "browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=BROWSER_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_window(workbench: Workbench, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens a project that has one more file, test_shop.py; the window never asked for anything elsewhere."""
    from tests.vscode.window import Window

    windows: list[Window] = []
    folders = (workbench.home / f"{request.node.name} {number}" / "shop" for number in itertools.count())

    def open_one(test: str, *, settings: Mapping[str, object] = {}, files: Mapping[str, str] = {}) -> Window:
        folder = next(folders)
        for name, text in {"pyproject.toml": PROJECT, "conftest.py": CONFTEST, **files, "test_shop.py": test}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            path.chmod(0o755)
        workbench.set({**LITERAL, **settings})
        windows.append(Window(browser, workbench.url, folder, "test_shop.py", PICTURES))
        return windows[-1]

    yield open_one
    for number, window in enumerate(windows):
        if request.node.stash.get(FAILED, False) and not window.page.is_closed():
            window.picture(f"FAILED {request.node.name} {number}")
        window.close()


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report
