"""What pytest shows of each rule's example: the bad one, and the same after its fix. The good one always passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SERVED_APP = """\
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


@app.get("/")
@app.get("/users")
@app.get("/users/")
@app.get("/users/{number}")
async def read():
    return []


@app.post("/users/")
@app.delete("/users", status_code=204)
async def write():
    return None


@app.get("/events")
async def events():
    async def parts():
        yield b"event"

    return StreamingResponse(parts())
"""

CLIENT = """\
import pytest_asyncio
from httpx import ASGITransport, AsyncClient

from app.main import app


@pytest_asyncio.fixture
async def client():
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        yield client
"""

SERVER = """\
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *given):
        pass


@pytest.fixture(scope="session", autouse=True)
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 8000), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield
    server.shutdown()
"""

ASKS_CLIENT = """

@pytest.mark.asyncio
async def test_users(client):
    assert (await client.get("/users")).status_code == 200
"""

ASKS_TOKEN = """

@pytest.mark.asyncio(loop_scope="{}")
async def test_token(token):
    assert token == "secret"
"""

UNMARKED = "async def test_answer():\n    assert 6 * 7 == 42\n"


@dataclass(frozen=True)
class Claim:
    """Regular expressions, found in what pytest prints.

    `before` has another `bad` for older versions, by requirement, the oldest first. `arguments` go to pytest; `beside` are further files, by path, without which the example would not start; `used` stands behind an example that has no test.
    """

    bad: str
    repaired: str = r"\d+ passed"
    before: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    beside: Mapping[str, str] = field(default_factory=dict)
    used: str = ""


STRICT = ("-p", "awaitest_trace.plugin", "--awaitest-strict")
ASKED = {"tests/conftest.py": CLIENT}
NOT_AWAITED = r"coroutine '{}' was never awaited"

CLAIMS: dict[str, Claim] = {
    "missing-await": Claim(NOT_AWAITED.format("AsyncClient.post")),
    "coroutine-as-condition": Claim(r"1 passed", r"assert False"),
    "missing-async-with": Claim(r"'AsyncClient' object does not support the context manager protocol"),
    "missing-async-for": Claim(r"'async_generator' object is not iterable"),
    "needless-await": Claim(r"object list can't be used in 'await' expression"),
    "await-outside-async": Claim(r"SyntaxError: .*outside async function"),
    "dropped-task": Claim(r"1 passed", beside=ASKED),
    "stream-misuse": Claim(r"can't be used in 'await' expression", beside=ASKED),
    "nested-event-loop": Claim(r"cannot be called from a running event loop"),
    "coroutine-never-called": Claim(r"1 passed", beside=ASKED),
    "invalid-awaitable": Claim(r"TypeError"),
    "async-mock-not-awaited": Claim(r"Awaited 0 times"),
    "sync-mock-for-coroutine": Claim(r"object NoneType can't be used in 'await' expression"),
    "called-is-not-awaited": Claim(r"1 passed"),
    "async-mock-response": Claim(r"'coroutine' object is not subscriptable"),
    "mock-assertion-not-called": Claim(r"1 passed"),
    "async-test-not-run": Claim(r"async def functions are not natively supported", before={"pytest<8.4": r"1 skipped"}),
    "async-test-in-testcase": Claim(r"1 passed", r"AssertionError: 'alice' != 'bob'"),
    "marker-on-sync-test": Claim(r"is marked with '@pytest.mark.asyncio' but it is not an async function"),
    "unhandled-async-fixture": Claim(
        r"requested an async fixture .* with no plugin or hook that handled it",
        before={"pytest<8.4": r"assert <coroutine object"},
    ),
    "async-fixture-in-sync-test": Claim(
        r"requested an async fixture .* with no plugin or hook that handled it",
        before={"pytest<8.4": r"assert <coroutine object"},
    ),
    "async-setup-method": Claim(NOT_AWAITED.format(r".*setup_method")),
    "conflicting-async-markers": Claim(r"2 passed"),
    "marker-without-effect": Claim(
        r"async def functions are not natively supported", "not natively", beside={"tests/test_case.py": UNMARKED}
    ),
    "loop-scope-mismatch": Claim(r"attached to a different loop|different loop than"),
    "marker-on-fixture": Claim(
        r"Marks cannot be applied to fixtures",
        before={"pytest<8": r"passed", "pytest<9": r"Marks applied to fixtures have no effect"},
        used=ASKS_TOKEN.format("function"),
    ),
    "removed-event-loop-fixture": Claim(r"fixture 'event_loop' not found"),
    "invalid-marker-argument": Claim(r"accepts only (a )?keyword argument"),
    "loop-scope-too-narrow": Claim(r"ScopeMismatch", used=ASKS_TOKEN.format("session")),
    "async-generator-test": Claim(
        r"1 xfailed",
        before={"pytest-asyncio<0.23": r"it is not an async function(.|\n)*1 passed"},
    ),
    "getfixturevalue-in-async-test": Claim(
        r"cannot be called from a running event loop|This event loop is already running"
    ),
    "unpinned-anyio-backend": Claim(r"1 failed, 1 passed"),
    "fixture-called-directly": Claim(r'Fixture "\w+" called directly'),
    "async-hidden-by-decorator": Claim(NOT_AWAITED.format("test_answer")),
    "async-test-not-collected": Claim(r"no tests ran", r"1 (passed|failed)"),
    "cancel-scope-across-yield": Claim(r"Attempted to exit cancel scope in a different task"),
    "pytest-config-ignored": Claim(
        r"async def functions are not natively supported", beside={"tests/test_answer.py": UNMARKED}
    ),
    "default-loop-scope-unset": Claim(
        r"asyncio_default_fixture_loop_scope.* is unset",
        before={"pytest<9": r"1 passed"},
        beside={"tests/test_answer.py": UNMARKED},
    ),
    "unclosed-client": Claim(r"AsyncClient", arguments=STRICT),
    "close-not-guaranteed": Claim(r"1 passed"),
    "client-used-after-close": Claim(r"Cannot send a request, as the client has been closed"),
    "fixture-returns-closed-client": Claim(r"Cannot send a request, as the client has been closed", used=ASKS_CLIENT),
    "removed-app-argument": Claim(
        r"unexpected keyword argument 'app'",
        before={"httpx<0.27": r"1 passed", "httpx<0.28": r"The 'app' shortcut is now deprecated"},
    ),
    "missing-base-url": Claim(r"unknown url type: '/users'"),
    "real-network-client": Claim(r"ConnectError"),
    "unclosed-stream": Claim(r"1 passed", beside=ASKED),
    "wrong-close-method": Claim(r"'AsyncClient' object has no attribute 'close'", used=ASKS_CLIENT),
    "mixed-http-libraries": Claim(r"AssertionError"),
    "sync-client-with-asgi-transport": Claim(r"'ASGITransport' object has no attribute '__enter__'"),
    "testclient-in-async-test": Claim(r"1 passed"),
    "client-shared-across-loops": Claim(r"Event loop is closed", beside={"tests/conftest.py": SERVER}),
    "unsupported-by-asgi-transport": Claim(r"no attribute 'websocket_connect'"),
    "wrong-request-argument": Claim(r"unexpected keyword argument 'json'", beside=ASKED),
    "lifespan-not-run": Claim(r"'State' object has no attribute 'db'"),
    "lifespan-state-lost": Claim(r"'State' object has no attribute 'db'"),
    "dependency-override-leak": Claim(r"1 failed, 1 passed", r"2 passed"),
    "dependency-override-ineffective": Claim(r"'real' == 'fake'"),
    "app-exception-expected-as-response": Claim(r"RuntimeError: boom"),
}
