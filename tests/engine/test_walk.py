"""What names hold at the end of a function, and in which state clients are: one table, one walk of one module."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from awaitest.engine.analysis import Engine
from awaitest.engine.run import Run
from awaitest.engine.state import CLOSED, NEW, OPEN, USED
from awaitest.engine.values import Instance
from awaitest.engine.words import describe
from awaitest.project.files import DiskFiles, OverlayFiles
from awaitest.project.workspace import Workspace

PRELUDE = """
import asyncio
import functools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, contextmanager, AsyncExitStack
from typing import Annotated, Any, Optional

import anyio
import httpx
from httpx import AsyncClient, Response
from fastapi import FastAPI
from fastapi.testclient import TestClient

app = FastAPI()
Alias = AsyncClient

class Mine(AsyncClient):
    async def login(self) -> str: ...

class Api:
    def __init__(self, client: AsyncClient, retries: int = 3):
        self._client = client
        self.retries = retries
    def users(self): return self._client.get("/users")
    async def user(self, number: int) -> dict[str, str]: return (await self._client.get("/")).json()
    @property
    def client(self) -> AsyncClient: return self._client
    @property
    def inferred(self): return self._client
    @classmethod
    def make(cls) -> "Api": return cls(AsyncClient())

def plain(): return 1
async def fetch() -> int: return 1
async def inferred(): return {"a": 1}
def passes_on(): return fetch()
def maybe(flag): return fetch() if flag else None
def new_client() -> AsyncClient: return AsyncClient()
async def numbers(): yield 1
def counted(): yield 1
@asynccontextmanager
async def opened():
    async with AsyncClient() as client:
        yield client
@contextmanager
def settings(): yield {"a": 1}
def timed(function):
    @functools.wraps(function)
    async def wrapper(*args): return await function(*args)
    return wrapper
def hidden(function):
    def wrapper(*args): return asyncio.run(function(*args))
    return wrapper
@timed
async def timed_fetch() -> int: return 1
@hidden
async def hidden_fetch() -> int: return 1
def recursive(n): return recursive(n - 1)
"""

VALUES = {
    "a call of a coroutine function": ("x = fetch()", "coroutine of fetch()"),
    "its result, as declared": ("x = await fetch()", "int"),
    "its result, as the body says": ("x = await inferred()", "dict"),
    "a function that passes a coroutine on": ("x = passes_on()", "coroutine of passes_on()"),
    "a plain function": ("x = plain()", "1"),
    "a coroutine on one path": ("x = maybe(flag)", "None or coroutine of maybe()"),
    "an unknown function": ("x = something()", "unknown"),
    "recursion ends": ("x = recursive(3)", "unknown"),
    "a client": ("x = AsyncClient()", "AsyncClient"),
    "a client by alias": ("x = Alias()", "AsyncClient"),
    "a client through its module": ("x = httpx.AsyncClient()", "AsyncClient"),
    "a subclass": ("x = Mine().login()", "coroutine of Mine().login()"),
    "a request": ("x = AsyncClient().get('/')", "coroutine of AsyncClient().get()"),
    "a response": ("x = await AsyncClient().get('/')", "Response"),
    "a parsed body": ("x = (await AsyncClient().get('/')).json()", "JSON"),
    "a property with annotation": ("x = Api(AsyncClient()).client", "AsyncClient"),
    "a property without": ("x = Api(AsyncClient()).inferred", "AsyncClient"),
    "an attribute set in __init__": ("x = Api(AsyncClient())._client.get('/')", "coroutine of Api(AsyncClient())._client.get()"),
    "a method that passes a coroutine on": ("x = Api(AsyncClient()).users()", "coroutine of Api(AsyncClient()).users()"),
    "a class method by a string annotation": ("x = Api.make()", "Api"),
    "sync client": ("x = TestClient(app).get('/')", "Response"),
    "getattr with a literal": ("x = getattr(AsyncClient(), 'get')('/')", "coroutine of getattr(AsyncClient(), 'get')()"),
    "getattr with anything": ("x = getattr(AsyncClient(), flag)('/')", "unknown"),
    "an asynchronous generator": ("x = numbers()", "asynchronous iterator"),
    "a generator": ("x = counted()", "iterator"),
    "async for": ("async for x in numbers(): pass", "1"),
    "for": ("for x in counted(): pass", "1"),
    "an asynchronous context manager": ("x = opened()", "asynchronous context manager"),
    "what it yields": ("async with opened() as x: pass", "AsyncClient"),
    "what a plain one yields": ("with settings() as x: pass", "dict"),
    "a decorator that keeps it async": ("x = timed_fetch()", "coroutine of timed_fetch()"),
    "a decorator that hides it": ("x = hidden_fetch()", "unknown"),
    "a task": ("x = asyncio.create_task(fetch())", "awaitable"),
    "the result of a task": ("x = await asyncio.create_task(fetch())", "int"),
    "wait_for": ("x = await asyncio.wait_for(fetch(), 1)", "int"),
    "anyio.sleep": ("x = anyio.sleep(1)", "coroutine of anyio.sleep()"),
    "a class with its own __new__": ("x = anyio.Event().wait()", "coroutine of anyio.Event().wait()"),
    "if and else": ("if flag: x = fetch()\nelse: x = None", "None or coroutine of fetch()"),
    "if alone": ("x = None\nif flag: x = fetch()", "None or coroutine of fetch()"),
    "a path that returns does not count": ("x = 1\nif flag:\n    x = fetch()\n    return x", "1"),
    "a loop may not run": ("x = None\nfor _ in flag: x = fetch()", "None or coroutine of fetch()"),
    "try and except": ("try: x = fetch()\nexcept ValueError: x = None", "None or coroutine of fetch()"),
    "match": ("x = None\nmatch flag:\n    case 1: x = fetch()", "None or coroutine of fetch()"),
    "a conditional expression": ("x = fetch() if flag else fetch()", "coroutine of fetch()"),
    "and, or": ("x = flag or fetch()", "unknown"),
    "walrus": ("(x := fetch())", "coroutine of fetch()"),
    "unpacking": ("x, y = fetch(), 1", "coroutine of fetch()"),
    "starred unpacking": ("x, *y = [fetch(), fetch()]", "coroutine of fetch()"),
    "an item": ("x = [fetch(), 1][1]", "1"),
    "a comprehension's element": ("x = [fetch() for _ in flag][0]", "coroutine of fetch()"),
    "a lambda": ("f = lambda: fetch()\nx = f()", "coroutine of f()"),
    "a nested coroutine function": ("async def inner(): return 1\nx = inner()", "coroutine of inner()"),
    "a closure": ("client = AsyncClient()\ndef inner(): return client.get('/')\nx = inner()", "coroutine of inner()"),
    "asked with isinstance": ("x = fetch()\nif isinstance(x, Awaitable): pass", "unknown"),
    "an attribute of something that may be None": (
        "y = client if flag else None\nx = y.get('/')",
        "coroutine of y.get()",
    ),
    "a special attribute of something that may be None": ("y = client if flag else None\nx = y.__aenter__()", "unknown"),
    "anext": ("x = anext(numbers())", "coroutine of anext()"),
    "anext awaited": ("x = await anext(numbers())", "1"),
    "anext with a default": ("x = anext(numbers(), 2)", "unknown"),
    "anext of something unknown": ("x = anext(something())", "unknown"),
    "a slice": ("x = [fetch(), fetch()][1:]", "list"),
    "a slice's element": ("x = [fetch(), fetch()][1:][0]", "coroutine of fetch()"),
    "asked for data": ("x = fetch()\nif isinstance(x, Response): pass", "coroutine of fetch()"),
    "deleted": ("x = fetch()\ndel x\nx = something()", "unknown"),
    "an annotated parameter": ("x = client.get('/')", "coroutine of client.get()"),
    "a local import": ("from httpx import AsyncClient as C\nx = C()", "AsyncClient"),
    "await of nothing awaitable": ("x = await 3", "unknown"),
    "global": ("global app\nx = app", "unknown"),
}  # fmt: skip

LIVES = {
    "new": ("x = AsyncClient()", {NEW}),
    "used without being entered": ("x = AsyncClient()\nawait x.get('/')", {USED}),
    "open": ("x = AsyncClient()\nawait x.__aenter__()", {OPEN}),
    "entered and left by hand": (
        "x = AsyncClient()\nawait x.__aenter__()\nawait x.__aexit__(None, None, None)",
        {CLOSED},
    ),
    "closed behind async with": ("async with AsyncClient() as x: pass", {CLOSED}),
    "closed by aclose": ("x = AsyncClient()\nawait x.aclose()", {CLOSED}),
    "closed on one path": ("x = AsyncClient()\nif flag: await x.aclose()", {NEW, CLOSED}),
    "closed in finally": ("x = AsyncClient()\ntry: await x.get('/')\nfinally: await x.aclose()", {CLOSED}),
    "handed to unknown code": ("x = AsyncClient()\nsomething(x)", {NEW, OPEN, USED, CLOSED}),
    "lent to a function that only calls it": ("x = AsyncClient()\nawait borrows(x)", {NEW}),
    "a client that a function made": ("x = new_client()", {NEW}),
}

BORROWER = "async def borrows(client): return await client.get('/')\n"


def module_of(bodies: list[str]) -> str:
    functions = [
        f"async def case_{i}(flag, client: AsyncClient):\n{textwrap.indent(body, '    ')}\n"
        for i, body in enumerate(bodies)
    ]
    return PRELUDE + BORROWER + "\n".join(functions)


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    """Every case walked once, by its title."""
    path = Path("/memory/test_cases.py")
    titles = [*VALUES, *LIVES]
    text = module_of([VALUES[title][0] for title in VALUES] + [LIVES[title][0] for title in LIVES])
    workspace = Workspace(OverlayFiles({path: text}, DiskFiles()), python=Path(sys.prefix))
    project = workspace.project_of(path)
    engine = Engine(project)
    engine.watched = True
    by_name = {run.function.name: run for run in engine.runs(project.module(path)) if run.function is not None}
    return {title: by_name[f"case_{number}"] for number, title in enumerate(titles)}


@pytest.mark.parametrize("title", VALUES)
def test_value(runs: dict[str, Run], title: str) -> None:
    run = runs[title]
    names, _ = run.snapshots[id(run.steps[-1])]
    assert describe(names["x"]) == VALUES[title][1]


@pytest.mark.parametrize("title", LIVES)
def test_life(runs: dict[str, Run], title: str) -> None:
    run = runs[title]
    names, lives = run.snapshots[id(run.steps[-1])]
    (client,) = names["x"]
    assert isinstance(client, Instance)
    assert client.site is not None
    assert lives[client.site] == LIVES[title][1]
