"""The way of messages in and out. A thread of its own reads them. Those that come with each keystroke go straight to the engine's thread and
are answered from there, as they are; all others go to pygls on the event loop. None overtakes another that came before it."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from lsprotocol import types
from pygls.protocol import LanguageServerProtocol

from awaitest.greeting import Greeting, frame
from awaitest.lsp.session import Question

logger = logging.getLogger(__name__)
Direct = Callable[[Any, Any], None]
"""Handles a message on the reader's thread, without waiting: gets its params as they came and, of a request, its id."""

_CANCEL = "$/cancelRequest"


class Writer:
    """Writes messages from any thread, each as a whole."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        with self._lock:
            self._stream.write(data)
            self._stream.flush()

    def close(self) -> None:
        self._stream.close()

    def send(self, message: str) -> None:
        """Send a message that is JSON already. Nobody hears it where the client has gone."""
        body = message.encode("utf-8", "replace")
        try:
            self.write(frame(body))
        except (OSError, ValueError):
            logger.info("the client has gone")


class _Deaf:
    """Takes the answer to what was answered before."""

    def write(self, data: bytes) -> None:
        """Nobody waits for it."""

    def close(self) -> None:
        """Nothing is open."""


class Wire:
    """One client's messages."""

    def __init__(self, protocol: LanguageServerProtocol) -> None:
        self.direct: dict[str, Direct] = {}
        self._protocol = protocol
        self._questions: dict[Any, Question] = {}
        self._given = self._taken = 0
        """Messages that the event loop was given, counted by the reader, and those that it took up, counted by the loop."""

    def serve(self, greeting: Greeting) -> None:
        """Take messages until their end."""
        self._writer = Writer(greeting.target)
        self._answered = greeting.answered
        self._protocol.set_writer(_Deaf() if self._answered else self._writer)
        asyncio.run(self._serve(greeting.bodies))

    async def _serve(self, bodies: Iterator[bytes]) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        threading.Thread(target=self._read, args=(bodies,), name="reader", daemon=True).start()
        await self._ended.wait()

    def soon(self, work: Callable[[], object]) -> None:
        """Have something done on the event loop, if it still runs."""
        try:
            self._loop.call_soon_threadsafe(work)
        except RuntimeError:
            logger.info("the server has ended")

    # -- answers -----------------------------------------------------------------------------------------------------

    def asked(self, number: Any, question: Question) -> None:
        """Remember a request until it is answered: it may be cancelled."""
        self._questions[number] = question

    def answer(self, number: Any, result: str) -> None:
        """Answer a request with JSON."""
        self._questions.pop(number, None)
        self._writer.send(f'{{"jsonrpc":"2.0","id":{json.dumps(number)},"result":{result}}}')

    def refuse(self, number: Any, code: int, message: str, data: object = None) -> None:
        """Answer a request with an error."""
        self._questions.pop(number, None)
        error = {"code": code, "message": message, **({"data": data} if data is not None else {})}
        self._writer.send(json.dumps({"jsonrpc": "2.0", "id": number, "error": error}))

    def notify(self, method: str, params: str) -> None:
        """Send a notification whose params are JSON already."""
        self._writer.send(f'{{"jsonrpc":"2.0","method":{json.dumps(method)},"params":{params}}}')

    # -- the reader's thread -----------------------------------------------------------------------------------------

    def _read(self, bodies: Iterator[bytes]) -> None:
        try:
            for body in bodies:
                self._take(body)
        except OSError:
            logger.info("the client has gone")
        self.soon(self._ended.set)

    def _take(self, body: bytes) -> None:
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            logger.error("a message is not JSON: %.80r", body)
            return
        if not isinstance(message, dict):
            logger.error("a message is no object: %.80r", body)
            return
        method = message.get("method")
        handler = self.direct.get(method) if isinstance(method, str) else None
        if handler is None and not (method == _CANCEL and self._cancelled(message)):
            self._given += 1
            self.soon(lambda: self._pass_on(message))
        elif handler is not None and self._given != self._taken:
            self._given += 1
            self.soon(lambda: self._in_turn(handler, message))
        elif handler is not None:
            self._handle(handler, message)

    def _cancelled(self, message: dict[str, Any]) -> bool:
        params = message.get("params")
        number = params.get("id") if isinstance(params, dict) else None
        question = self._questions.get(number) if isinstance(number, int | str) else None
        if question is not None:
            question.wanted = False
        return question is not None

    def _pass_on(self, message: dict[str, Any]) -> None:
        if message.get("method") == _CANCEL and self._cancelled(message):  # the question was still on its way before
            self._loop.call_soon(self._took)
            return
        try:
            self._protocol.handle_message(self._protocol.structure_message(message))
        except Exception as error:
            logger.error("%s: %s", message.get("method", "an answer"), error)
            if "method" in message and message.get("id") is not None and not self._answered:
                self.refuse(message["id"], types.ErrorCodes.InvalidParams.value, "Invalid params")
        if self._answered:
            self._answered = False
            self._protocol.set_writer(self._writer)
        self._loop.call_soon(self._took)  # behind the first step of a handler that is a coroutine

    def _in_turn(self, handler: Direct, message: dict[str, Any]) -> None:
        self._handle(handler, message)
        self._took()

    def _took(self) -> None:
        self._taken += 1

    def _handle(self, handler: Direct, message: dict[str, Any]) -> None:
        number = message.get("id")
        try:
            handler(message.get("params"), number)
        except Exception as error:
            logger.error("%s: %r", message["method"], error)
            if number is not None:
                self.refuse(number, types.ErrorCodes.InvalidParams.value, "Invalid params")
