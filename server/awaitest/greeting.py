"""The first message and its answer. An editor waits for it before it sends anything else, and what the server can do is known
beforehand: the answer goes out while the server is still being imported."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

_ANSWER = os.path.join(os.path.dirname(__file__), "greeting.json")  # noqa: PTH118, PTH120 - pathlib takes as long as the rest
"""The result of `initialize`, written by scripts/generate.py from what the server registers."""

_ENCODINGS = ("utf-8", "utf-16", "utf-32")


class Greeting(NamedTuple):
    """What a server takes over: the bodies of messages from the first one on, where to write, and whether the first has its answer."""

    bodies: Iterator[bytes]
    target: BinaryIO
    answered: bool


def greet() -> Greeting:
    """Wait for the first message on standard input, and answer it where it is a request to initialize."""
    source, target = io.open(0, "rb", buffering=0, closefd=False), sys.stdout.buffer  # noqa: SIM115, UP020 - to the end
    return begin(messages(source), target)


def begin(bodies: Iterator[bytes], target: BinaryIO) -> Greeting:
    """Answer the first of these messages if it asks to initialize; it stays the first of them."""
    for first in bodies:
        result = answer(first)
        if result is not None:
            try:
                target.write(frame(result))
                target.flush()
            except OSError:
                break
        return Greeting(chain([first], bodies), target, result is not None)
    return Greeting(iter(()), target, False)


def answer(body: bytes) -> bytes | None:
    """The answer to a request to initialize; None for anything else."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or message.get("method") != "initialize":
        return None
    number, params = message.get("id"), message.get("params")
    if not isinstance(number, int | str) or not isinstance(params, dict):
        return None
    with open(_ANSWER, encoding="utf-8") as file:  # noqa: PTH123 - see above
        result = json.load(file)
    _fit(result["capabilities"], params.get("capabilities"))
    return json.dumps({"jsonrpc": "2.0", "id": number, "result": result}).encode()


def _fit(ours: dict[str, Any], theirs: object) -> None:
    """Leave out what only serves clients that ask for diagnostics, and count columns as the client would rather have it."""
    encodings = _field(_field(theirs, "general"), "positionEncodings")
    known = [it for it in encodings if it in _ENCODINGS] if isinstance(encodings, list) else []
    ours["positionEncoding"] = known[0] if known else "utf-16"
    if _field(_field(theirs, "textDocument"), "diagnostic") is None:
        del ours["diagnosticProvider"]


def _field(sent: object, name: str) -> object:
    return sent.get(name) if isinstance(sent, dict) else None


# -- messages as bytes -------------------------------------------------------------------------------------------------


def frame(body: bytes) -> bytes:
    """A message as it is sent."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def messages(source: BinaryIO) -> Iterator[bytes]:
    """The bodies of messages, as long as they come. `source` is unbuffered."""
    data = b""
    while chunk := source.read(1 << 16):
        data += chunk
        while (end := data.find(b"\r\n\r\n")) >= 0:
            length = _length(data[:end])
            while len(data) < end + 4 + length:
                rest = source.read(max(1 << 16, end + 4 + length - len(data)))
                if not rest:
                    return
                data += rest
            yield data[end + 4 : end + 4 + length]
            data = data[end + 4 + length :]


def _length(header: bytes) -> int:
    for line in header.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return 0
