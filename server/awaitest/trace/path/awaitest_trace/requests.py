"""Pairs requests with responses and with the route that answered, for httpx, httpx2 and starlette's TestClient."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable
from contextlib import suppress
from contextvars import ContextVar
from time import perf_counter
from types import CodeType
from typing import Any

from .headers import REDACTED, is_secret
from .patching import Patches
from .sink import Sink
from .values import is_a, state_of

BODY = 2_000
"""Characters of a body that are kept."""
_CURRENT: ContextVar[dict[str, Any] | None] = ContextVar("awaitest_request", default=None)


class Requests:
    """Writes an event for every request that is sent while a test is traced."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._count = 0

    def install(self, patches: Patches) -> None:
        """Look over the shoulder of the libraries that are loaded; none is imported for it."""
        for name in ("httpx", "httpx2"):
            library = sys.modules.get(name)
            if library is not None and hasattr(library, "AsyncClient"):
                patches.wrap(library.AsyncClient, "send", self._around_async)
                patches.wrap(library.Client, "send", self._around_sync)
        for module, cls in (("starlette.routing", "Route"), ("fastapi.routing", "APIRoute")):
            route = getattr(sys.modules.get(module), cls, None)
            if route is not None:
                patches.wrap(route, "handle", _around_route)

    def _around_async(self, original: Any) -> Any:
        @functools.wraps(original)
        async def send(client: Any, request: Any, *arguments: Any, **options: Any) -> Any:
            told, token = self._begin(request)
            try:
                response = await original(client, request, *arguments, **options)
            except BaseException as error:
                self._end(told, token, error=type(error).__name__)
                raise
            self._end(told, token, response)
            return response

        return send

    def _around_sync(self, original: Any) -> Any:
        @functools.wraps(original)
        def send(client: Any, request: Any, *arguments: Any, **options: Any) -> Any:
            told, token = self._begin(request)
            try:
                response = original(client, request, *arguments, **options)
            except BaseException as error:
                self._end(told, token, error=type(error).__name__)
                raise
            self._end(told, token, response)
            return response

        return send

    def _begin(self, request: Any) -> tuple[dict[str, Any], Any]:
        """What is told of a request; not more than a number of one that is none of the library's."""
        self._count += 1
        told = {
            "number": self._count,
            "method": str(getattr(request, "method", "")),
            "url": _address(getattr(request, "url", "")),
            "sent": _headers(request),
            "began": perf_counter(),
        }
        self._sink.write("request", number=told["number"], method=told["method"], url=told["url"])
        return told, _CURRENT.set(told)

    def _end(self, told: dict[str, Any], token: Any, response: Any = None, error: str | None = None) -> None:
        with suppress(ValueError):  # a context other than the one in which the request was begun
            _CURRENT.reset(token)
        told["seconds"] = perf_counter() - told.pop("began")
        told["error"] = error
        state = state_of(response)
        if is_a(state.get("status_code"), int):
            told |= {"status": int(state["status_code"]), "received": _headers(response), "body": _body(state)}
        self._sink.write("response", **told)


def _around_route(original: Any) -> Any:
    @functools.wraps(original)
    async def handle(route: Any, *arguments: Any, **options: Any) -> Any:
        told = _CURRENT.get()
        if told is not None:
            with suppress(Exception):
                told |= _routed(route)
        return await original(route, *arguments, **options)

    return handle


def _routed(route: Any) -> dict[str, Any]:
    endpoint = functools.reduce(lambda it, _: getattr(it, "__wrapped__", it), range(9), route.endpoint)
    code = getattr(endpoint, "__code__", None)
    place = [code.co_filename, code.co_firstlineno] if isinstance(code, CodeType) else None
    return {"route": str(route.path), "endpoint": str(route.name), "place": place}


def _address(url: Any) -> str:
    """The address without user and password."""
    text = str(url)
    scheme, mark, rest = text.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}" if mark else text


def _headers(message: Any) -> list[list[str]]:
    try:
        items: Iterable[tuple[str, str]] = message.headers.multi_items()
        return [[str(name), REDACTED if is_secret(str(name)) else str(value)] for name, value in items]
    except Exception:
        return []


def _body(state: dict[str, Any]) -> str | None:
    """The beginning of the body of a response that was read; nothing is read for it."""
    content = state.get("_content")
    if not isinstance(content, bytes):
        return None
    text = content[: 4 * BODY].decode("utf-8", "replace")
    return text if len(content) <= BODY else f"{text[:BODY]}… ({len(content):,} bytes in all)"
