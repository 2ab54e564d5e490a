"""Messages as bytes: how they are told apart, and what becomes of those that are none."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.protocol import default_converter
from tests.lsp.editor import SERVER

from awaitest.check import Told
from awaitest.engine.diagnostic import Severity
from awaitest.greeting import messages
from awaitest.lsp.convert import Columns, diagnostic_json, to_diagnostic
from awaitest.lsp.wire import Writer
from awaitest.source.text import Span

ONE, TWO = b'{"one": 1}', b'{"two": "\xc3\xa4"}'


class Chunks(io.RawIOBase):
    """A stream that gives what somebody sent, piece by piece."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)

    def read(self, _size: int = -1) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


def framed(*bodies: bytes) -> bytes:
    return b"".join(b"Content-Length: %d\r\n\r\n%b" % (len(body), body) for body in bodies)


BOTH = framed(ONE, TWO)


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([BOTH], [ONE, TWO]),
        ([BOTH[at : at + 1] for at in range(len(BOTH))], [ONE, TWO]),
        ([BOTH[:30], BOTH[30:]], [ONE, TWO]),
        ([b"Content-Type: x; charset=utf-8\r\ncontent-length:%d\r\n\r\n%b" % (len(ONE), ONE)], [ONE]),
        ([framed(ONE), framed(TWO)[:-1]], [ONE]),
        ([b"Nonsense\r\n\r\n", framed(ONE)], [b"", ONE]),
        ([], []),
    ],
)
def test_bodies_are_told_apart(pieces: list[bytes], expected: list[bytes]) -> None:
    assert list(messages(Chunks(*pieces))) == expected  # type: ignore[arg-type]


def test_a_message_is_sent_with_the_length_of_its_bytes() -> None:
    stream = io.BytesIO()
    Writer(stream).send('{"two": "ä"}')
    assert stream.getvalue() == framed(TWO)


def test_nobody_hears_what_is_sent_to_a_client_that_has_gone() -> None:
    stream = io.BytesIO()
    stream.close()
    Writer(stream).send("{}")


@pytest.mark.parametrize("page", [None, "file:///pages/missing-await.md"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_a_diagnostic_is_the_same_in_both_ways(page: str | None, encoding: str) -> None:
    told = Told("AWT101", "missing-await", Severity.WARNING, 'a "message" –\n', Path("/a"), Span.of(1, 4, 1, 6))
    lines, columns = ["\n", "    😀ä😀\n"], Columns(encoding)
    typed = default_converter().unstructure(to_diagnostic(told, lines, columns, page), types.Diagnostic)
    assert json.loads(diagnostic_json(told, lines, columns, page)) == typed


class Raw:
    """A client that sends bytes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout
        self._received = messages(self._out)  # type: ignore[arg-type]
        self._answers: dict[str, dict[str, Any]] = {}

    def send(self, *sent: object) -> None:
        bodies = [it if isinstance(it, bytes) else json.dumps(it).encode() for it in sent]
        self._in.write(framed(*bodies))
        self._in.flush()

    def answer(self, number: object) -> dict[str, Any]:
        """The answer to a request, in whatever order they come; each can be taken once."""
        while repr(number) not in self._answers:
            message = json.loads(next(self._received))
            if "method" not in message:
                self._answers[repr(message.get("id"))] = message
        return self._answers.pop(repr(number))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Raw]:
    command = [sys.executable, *SERVER[1:]]
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        raw = Raw(process)
        capabilities: dict[str, object] = {"textDocument": {"diagnostic": {}}}
        raw.send(request(0, "initialize", {"processId": None, "rootUri": None, "capabilities": capabilities}))
        assert "capabilities" in raw.answer(0)["result"]
        raw.send(notification("initialized", {}))
        yield raw
        raw.send(request(99, "shutdown", None))
        assert raw.answer(99)["result"] is None
        raw.send(notification("exit", None))
        assert process.wait(20) == 0


def request(number: object, method: str, params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def notification(method: str, params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "method": method, "params": params}


TEXT = "async def go(): pass\n\n\nasync def test_go():\n    go()\n"


def opened(path: Path) -> dict[str, object]:
    document = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": TEXT}
    return notification("textDocument/didOpen", {"textDocument": document})


def pull(number: object, uri: object) -> dict[str, object]:
    return request(number, "textDocument/diagnostic", {"textDocument": {"uri": uri}})


@pytest.mark.parametrize(
    "nonsense",
    [
        b"no JSON",
        b"[1, 2]",
        b"[" * 100_000,
        {"jsonrpc": "2.0"},
        {"method": "textDocument/didChange"},
        notification("textDocument/didChange", None),
        notification("textDocument/didOpen", {"textDocument": {"uri": 3, "version": 1, "text": "x"}}),
        notification("textDocument/didOpen", {"textDocument": {"uri": "file:///x/test_a.py", "version": 1, "text": 3}}),
        notification("textDocument/didChange", {"textDocument": {"uri": "file:///x", "version": 1}}),
        notification("$/cancelRequest", {"id": []}),
        notification("$/unknown", {"a": 1}),
        pull(50, None),
        request([], "textDocument/diagnostic", {}),
    ],
)
def test_nonsense_does_no_harm(client: Raw, nonsense: object, tmp_path: Path) -> None:
    path = tmp_path / "test_it.py"
    client.send(opened(path), nonsense, pull(1, path.as_uri()))
    (found,) = [it for it in client.answer(1)["result"]["items"] if it["code"] == "AWT101"]
    assert found["range"]["start"] == {"line": 4, "character": 4}


def test_what_cannot_be_answered_is_refused(client: Raw) -> None:
    client.send(pull(1, None), request("two", "textDocument/hover", {"textDocument": 3}), request(3, "no/such", {}))
    codes = [client.answer(number)["error"]["code"] for number in (1, "two", 3)]
    assert codes == [-32602, -32602, -32601]


def test_what_is_no_file_has_no_diagnostics(client: Raw) -> None:
    client.send(pull(1, "untitled:Untitled-1"))
    assert client.answer(1)["result"] == {"kind": "full", "items": []}


def test_a_cancelled_question_is_answered_once(client: Raw, tmp_path: Path) -> None:
    path = tmp_path / "test_it.py"
    client.send(
        opened(path), pull(1, path.as_uri()), notification("$/cancelRequest", {"id": 1}), pull(2, path.as_uri())
    )
    first = client.answer(1)
    assert "result" in first or first["error"]["code"] == -32800
    assert client.answer(2)["result"]["kind"] == "full"


def test_none_overtakes_another(client: Raw, tmp_path: Path) -> None:
    path = tmp_path / "test_it.py"
    place = {"textDocument": {"uri": path.as_uri()}, "position": {"line": 4, "character": 5}}
    closed = notification("textDocument/didClose", {"textDocument": {"uri": path.as_uri()}})
    client.send(opened(path), *(request(number, "textDocument/hover", place) for number in range(1, 20)), closed)
    answers = [client.answer(number) for number in range(1, 20)]
    assert all("result" in it or it["error"]["code"] == -32802 for it in answers)
