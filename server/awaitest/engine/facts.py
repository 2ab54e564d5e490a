"""The few facts that no signature declares."""

from __future__ import annotations

REQUESTS = frozenset(
    {
        "get",
        "post",
        "put",
        "patch",
        "delete",
        "head",
        "options",
        "request",
        "send",
        "stream",
        "query",
        "sse",
        "websocket",
    }
)
"""Methods of a client that send a request."""

BORROWING = REQUESTS | {"build_request"}
"""Methods that leave the client as it is to its owner."""

RESULTS = {
    ("httpx", "Response", "json"): "JSON",
    ("httpx2", "Response", "json"): "JSON",
}
"""Results annotated `Any` that are certainly plain data: (package, class, method) → what it is."""

REMEMBERED = frozenset(
    {
        ("starlette", "Starlette"),
        ("starlette", "TestClient"),
        ("httpx", "AsyncClient"),
        ("httpx", "Client"),
        ("httpx", "ASGITransport"),
        ("httpx2", "AsyncClient"),
        ("httpx2", "Client"),
        ("httpx2", "ASGITransport"),
        ("asgi_lifespan", "LifespanManager"),
    }
)
"""Classes whose objects know the call that made them: (package, class)."""

ENCODING = frozenset({("json", "dumps"), ("json", "dump")})
"""Functions whose first argument is data that they write down: (package, name)."""

PASSES_RESULT = frozenset(
    {
        ("asyncio", "wait_for"),
        ("asyncio", "shield"),
        ("asyncio", "create_task"),
        ("asyncio", "ensure_future"),
        ("asyncio", "run"),
        ("asyncio", "run_until_complete"),
    }
)
"""Functions that take a coroutine and whose result, awaited where it must be, is the coroutine's."""

RUNS = frozenset({"run", "run_until_complete"})
"""Those of them that wait for the result themselves."""

UNITTEST_CONDITIONS = frozenset({"assertTrue", "assertFalse"})
UNITTEST_COMPARISONS = frozenset(
    {"assertEqual", "assertNotEqual", "assertIsNone", "assertIsNotNone", "assertIn", "assertNotIn", "assertDictEqual", "assertListEqual", "assertGreater", "assertLess"}
)  # fmt: skip
