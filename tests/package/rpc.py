"""The language server as a process, spoken to in raw JSON-RPC."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ISOLATED = ("-I", "-S", "-X", "utf8")
PATIENCE = 60
_INITIALIZE = {"processId": None, "rootUri": None, "capabilities": {}, "initializationOptions": {"trusted": False}}


class Ended(NamedTuple):
    """How a server ended: its exit code, the answers by request, and what it wrote to stderr."""

    code: int
    answers: dict[int, Any]
    errors: str


def session(command: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None) -> Ended:
    """Start a server, initialize it, shut it down (request 1, then 2) and let it exit."""
    said = b"".join(
        _frame(message)
        for message in (
            {"id": 1, "method": "initialize", "params": _INITIALIZE},
            {"method": "initialized", "params": {}},
            {"id": 2, "method": "shutdown"},
            {"method": "exit"},
        )
    )
    done = subprocess.run(
        command,
        input=said,
        cwd=cwd,
        env=env,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    messages = _messages(done.stdout)
    answers = {message["id"]: message.get("result") for message in messages if "method" not in message}
    return Ended(done.returncode, answers, done.stderr.decode(errors="replace"))


def _frame(message: Mapping[str, object]) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def _messages(stream: bytes) -> list[dict[str, Any]]:
    """Every message of a stream; raises ValueError where anything else stands in it."""
    found = []
    while stream:
        head, _, rest = stream.partition(b"\r\n\r\n")
        lengths = [line for line in head.split(b"\r\n") if line.startswith(b"Content-Length: ")]
        if len(lengths) != 1:
            raise ValueError(f"not a message: {stream[:80]!r}")
        size = int(lengths[0].removeprefix(b"Content-Length: "))
        found.append(json.loads(rest[:size]))
        stream = rest[size:]
    return found
