"""Clients that nobody closed, and streams of theirs."""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .patching import Patches
from .places import CLIENT, STREAM, Leftover, Places
from .values import class_name, state_of


@dataclass(eq=False)
class _Client:
    name: str
    path: str
    line: int
    via: int
    is_direct: bool
    owner: object
    is_closed: bool = False


class Clients:
    """Watches the clients of the libraries that are loaded, from their creation on."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._clients: list[_Client] = []
        self._streams: list[tuple[Any, str, int, int, bool]] = []
        self._by_client: dict[int, _Client] = {}
        """By id, as clients may have an `__eq__` and `__hash__` of their own."""
        self.owner: object = None
        """Who makes clients now: None for the test, else a fixture wider than it."""

    def install(self, patches: Patches) -> None:
        for name in ("httpx", "httpx2"):
            client = getattr(sys.modules.get(name), "AsyncClient", None)
            if client is not None:
                patches.wrap(client, "__init__", self._around_init)
                patches.wrap(client, "send", self._around_send)
                patches.wrap(client, "aclose", self._around_close)
                patches.wrap(client, "__aexit__", self._around_close)

    def left(self, module: Any) -> Iterator[Leftover]:
        """What is open once a test is over; `module` for the last test of its module."""
        yield from self._open()
        yield from self._global(module)
        yield from self._unread()

    def torn_down(self, fixture: Any) -> None:
        """A fixture is over, and with it the time of its clients."""
        for it in self._clients:
            if it.owner is fixture:
                it.owner = None

    def _around_init(self, original: Any) -> Any:
        @functools.wraps(original)
        def init(client: Any, *arguments: Any, **options: Any) -> None:
            original(client, *arguments, **options)
            made = _Client(class_name(type(client)), *self._places.caller(sys._getframe(1)), self.owner)
            self._by_client[id(client)] = made
            self._clients.append(made)

        return init

    def _around_send(self, original: Any) -> Any:
        @functools.wraps(original)
        async def send(client: Any, *arguments: Any, **options: Any) -> Any:
            made = self._places.caller(sys._getframe(1)) if options.get("stream") else None
            response = await original(client, *arguments, **options)
            if made is not None:
                self._streams.append((response, *made))
            return response

        return send

    def _around_close(self, original: Any) -> Any:
        @functools.wraps(original)
        async def close(client: Any, *arguments: Any, **options: Any) -> Any:
            made = self._by_client.get(id(client))
            if made is not None:
                made.is_closed = True
            return await original(client, *arguments, **options)

        return close

    def _open(self) -> Iterator[Leftover]:
        judged = [it for it in self._clients if it.owner is None]
        self._clients = [it for it in self._clients if it not in judged]
        for it in judged:
            if not it.is_closed:
                yield Leftover(CLIENT, it.name, it.path, it.line, "", it.is_direct, it.via)

    def _global(self, module: Any) -> Iterator[Leftover]:
        """Clients that a test module made when it was imported, used, and never closed."""
        for name, value in list(vars(module).items()) if module is not None else ():
            used = _is_client(value) and state_of(state_of(value).get("_state")).get("_name_") == "OPENED"
            line = _bound_at(module.__file__, name) if used and id(value) not in self._by_client else 0
            if line:
                yield Leftover(CLIENT, class_name(type(value)), module.__file__, line)

    def _unread(self) -> Iterator[Leftover]:
        streams, self._streams = self._streams, []
        for response, path, line, via, is_direct in streams:
            if not response.is_closed:
                yield Leftover(STREAM, class_name(type(response)), path, line, "", is_direct, via)


def _is_client(value: object) -> bool:
    """Whether a value is a client of a library that is loaded."""
    kinds = (getattr(sys.modules.get(name), "AsyncClient", None) for name in ("httpx", "httpx2"))
    return any(isinstance(kind, type) and issubclass(type(value), kind) for kind in kinds)


def _bound_at(path: str | None, name: str) -> int:
    """The line of a module that binds a name by an assignment; 0 where none does."""
    try:
        tree = ast.parse(Path(path or "").read_bytes())
    except (OSError, SyntaxError, ValueError):
        return 0
    assigned = (node for node in tree.body if isinstance(node, ast.Assign))
    return next(
        (node.lineno for node in assigned if any(isinstance(it, ast.Name) and it.id == name for it in node.targets)), 0
    )
