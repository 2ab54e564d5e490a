"""The first answer goes out before the server is there: it is what the server itself would answer."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import Any

import pytest
from lsprotocol import types
from pygls.protocol import default_converter
from scripts.generate import greeting
from tests.lsp.editor import SERVER, neovim, vscode

from awaitest.greeting import answer, begin, frame

CLIENTS = {
    "vscode": vscode(),
    "vscode, utf-8 first": vscode(encodings=("utf-8", "utf-16")),
    "an encoding of its own": vscode(encodings=("utf-64", "utf-32")),
    "none that is known": vscode(encodings=("utf-64",)),
    "waits for diagnostics": vscode(pulls=False),
    "neovim": neovim(),
    "says nothing": types.ClientCapabilities(),
}


def request(params: object, number: object = 1) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": "initialize", "params": params}).encode()


@pytest.mark.parametrize("capabilities", CLIENTS.values(), ids=CLIENTS)
def test_the_answer_is_the_servers_own(capabilities: types.ClientCapabilities) -> None:
    body = answer(request(default_converter().unstructure(types.InitializeParams(capabilities)), "one"))
    own = greeting(capabilities)
    sync = own["capabilities"]["textDocumentSync"]
    own["capabilities"]["textDocumentSync"] = {
        name: it for name, it in sync.items() if not name.startswith("willSave") or it
    }
    assert body is not None
    assert json.loads(body) == {"jsonrpc": "2.0", "id": "one", "result": own}


@pytest.mark.parametrize(
    "capabilities",
    [
        None,
        [],
        {"general": 3},
        {"general": {"positionEncodings": "utf-8"}},
        {"general": {"positionEncodings": [{}, None]}},
    ],
    ids=str,
)
def test_a_client_that_says_nonsense_of_itself_is_greeted_as_one_that_says_nothing(capabilities: object) -> None:
    assert answer(request({"capabilities": capabilities})) == answer(request({"capabilities": {}}))


@pytest.mark.parametrize(
    "first",
    [
        b"{",
        b"[" * 100_000,
        b"[]",
        b'{"method": "initialize"}',
        request([]),
        request({}, None),
        b'{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}',
    ],
    ids=lambda it: it[:40].decode(),
)
def test_another_first_message_is_left_to_the_server(first: bytes) -> None:
    target = io.BytesIO()
    it = begin(iter([first, b"next"]), target)
    assert (list(it.bodies), it.answered, target.getvalue()) == ([first, b"next"], False, b"")


def test_a_client_that_goes_before_it_says_anything() -> None:
    it = begin(iter(()), io.BytesIO())
    assert (list(it.bodies), it.answered) == ([], False)


def conversation(*sent: dict[str, Any]) -> list[dict[str, Any]]:
    """What a server says until it ends."""
    data = b"".join(frame(json.dumps({"jsonrpc": "2.0", **it}).encode()) for it in sent)
    done = subprocess.run(SERVER, input=data, capture_output=True, timeout=60, check=False)
    parts = done.stdout.split(b"Content-Length: ")[1:]
    return [json.loads(part.partition(b"\r\n\r\n")[2]) for part in parts]


SHUTDOWN, EXIT = {"id": 2, "method": "shutdown"}, {"method": "exit"}


def test_there_is_one_answer() -> None:
    initialize = {"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": None, "capabilities": {}}}
    answers = conversation(initialize, SHUTDOWN, EXIT)
    assert [(it["id"], "result" in it) for it in answers] == [(1, True), (2, True)]


def test_a_client_that_cannot_be_understood_gets_one_answer() -> None:
    hostile = {"id": 1, "method": "initialize", "params": {"capabilities": {"workspace": 3}, "workspaceFolders": 7}}
    assert [it["id"] for it in conversation(hostile, SHUTDOWN, EXIT)] == [1, 2]


def test_the_answer_waits_for_no_library() -> None:
    code = "import sys, awaitest.greeting; print(*sorted({'asyncio', 'attrs', 'lsprotocol', 'pygls', 'typing_extensions'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []
