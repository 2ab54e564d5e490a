"""A language server at the other end of a pipe, and as little of a client as measuring needs."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

PATIENCE = 60.0
"""Seconds."""

_CAPABILITIES = {
    "general": {"positionEncodings": ["utf-16"]},
    "textDocument": {
        "synchronization": {},
        "publishDiagnostics": {"versionSupport": True},
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix", "source.fixAll"]}},
            "dataSupport": True,
            "resolveSupport": {"properties": ["edit"]},
        },
    },
    "workspace": {"configuration": False},
}


def _answers(number: int, message: dict[str, Any]) -> bool:
    return message.get("id") == number and "method" not in message


class Server:
    """One server process. `pull`: whether it is asked for diagnostics, else they are waited for."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, *, pull: bool, options: object = None) -> None:
        self.name, self.pull = name, pull
        self._started = time.perf_counter()
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self._number = 0
        self._versions: dict[str, int] = {}
        capabilities: dict[str, Any] = json.loads(json.dumps(_CAPABILITIES))
        if pull:
            capabilities["textDocument"]["diagnostic"] = {}
        folders = [{"uri": folder.as_uri(), "name": folder.name}]
        params = {
            "processId": os.getpid(), "rootUri": folder.as_uri(), "workspaceFolders": folders,
            "capabilities": capabilities, "initializationOptions": options or {},
        }  # fmt: skip
        self.request("initialize", params)
        self.until_initialize = time.perf_counter() - self._started
        self._send({"method": "initialized", "params": {}})

    # -- messages ----------------------------------------------------------------------------------------------------

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._in.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._in.flush()

    def _receive(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next message that is wanted; requests of the server on the way get an empty answer."""
        while True:
            length = 0
            while header := self._out.readline().strip():
                name, _, value = header.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            if not length:
                raise RuntimeError(f"{self.name} has gone")
            message: dict[str, Any] = json.loads(self._out.read(length))
            if wanted(message):
                return message
            if "id" in message and "method" in message:
                self._send({"id": message["id"], "result": None})

    def request(self, method: str, params: object) -> Any:
        """The result of a request; asked again where the server says so."""
        while True:
            self._number += 1
            number = self._number
            self._send({"id": number, "method": method, "params": params})
            answer = self._receive(partial(_answers, number))
            if "error" not in answer:
                return answer["result"]
            if not (answer["error"].get("data") or {}).get("retriggerRequest"):
                raise RuntimeError(f"{self.name}: {answer['error']}")

    # -- texts -------------------------------------------------------------------------------------------------------

    def open(self, path: Path, text: str) -> tuple[float, int]:
        """Open a file: seconds to its first diagnostics, and how many there are."""
        self._versions[path.as_uri()] = 1
        document = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": text}
        start = time.perf_counter()
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        count = self._diagnostics(path.as_uri(), 1)
        return time.perf_counter() - start, count

    def change(self, path: Path, line: int, column: int, end: int, text: str) -> float:
        """Replace part of a line: seconds to the diagnostics of the new version."""
        uri = path.as_uri()
        self._versions[uri] += 1
        version = self._versions[uri]
        span = {"start": {"line": line, "character": column}, "end": {"line": line, "character": end}}
        params = {"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"range": span, "text": text}]}
        start = time.perf_counter()
        self._send({"method": "textDocument/didChange", "params": params})
        self._diagnostics(uri, version)
        return time.perf_counter() - start

    def actions(self, path: Path, line: int) -> float:
        """Seconds until the code actions of a line are there."""
        span = {"start": {"line": line, "character": 0}, "end": {"line": line, "character": 200}}
        params = {"textDocument": {"uri": path.as_uri()}, "range": span, "context": {"diagnostics": []}}
        start = time.perf_counter()
        self.request("textDocument/codeAction", params)
        return time.perf_counter() - start

    def close(self, path: Path) -> None:
        self._send({"method": "textDocument/didClose", "params": {"textDocument": {"uri": path.as_uri()}}})

    def ask(self, path: Path) -> int:
        """Ask for the diagnostics of an open file: how many there are."""
        return self._diagnostics(path.as_uri(), self._versions[path.as_uri()])

    def _diagnostics(self, uri: str, version: int) -> int:
        if self.pull:
            report = self.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})
            return len(report.get("items", ()))

        def is_it(message: dict[str, Any]) -> bool:
            if message.get("method") != "textDocument/publishDiagnostics":
                return False
            params = message["params"]
            return bool(params["uri"] == uri and params.get("version") in (version, None))

        return len(self._receive(is_it)["params"]["diagnostics"])

    # -- the process -------------------------------------------------------------------------------------------------

    def memory(self) -> float:
        """Megabytes that the process has resident; 0 where the system does not say."""
        status = Path(f"/proc/{self._process.pid}/status")
        if not status.is_file():
            return 0.0
        line = next(it for it in status.read_text().splitlines() if it.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
