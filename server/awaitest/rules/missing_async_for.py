"""Reports a plain loop over an asynchronous iterator, and `async for` over something that is none.

Finds `for`, comprehensions, `list()`, `tuple()`, `set()` and `sorted()` over asynchronous iterators, and `async for`
over coroutines and plain collections.

Why: Python raises a `TypeError` before the first element.

Bad:
    import pytest

    async def numbers():
        yield 1
        yield 2

    @pytest.mark.asyncio
    async def test_numbers():
        assert [number for number in numbers()] == [1, 2]

Good:
    import pytest

    async def numbers():
        yield 1
        yield 2

    @pytest.mark.asyncio
    async def test_numbers():
        assert [number async for number in numbers()] == [1, 2]

Ignore: When a test wants the `TypeError`; inside `pytest.raises` nothing is reported.

Fix: Sometimes safe. Adds or drops `async`, awaits a coroutine that gives what is looped over, or turns `list(…)` into a
comprehension. In a plain `def` the function must become `async def` too, with the marker that makes somebody run it;
that is unsafe.
"""

from __future__ import annotations

from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.loops import add_async, await_iterable, drop_async, is_stub
from awaitest.engine.repair import fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import MODULE, Run
from awaitest.engine.steps import Iterated
from awaitest.engine.values import NONE, AsyncIterator, Collection, Coroutine, Instance, Kind, Plain, every
from awaitest.engine.values import Iterator as PlainIterator
from awaitest.engine.words import short
from awaitest.engine.wrapping import async_around
from awaitest.source.text import Edit

RULE = Rule("AWT104", "missing-async-for", Severity.ERROR)


def check(step: Iterated, run: Run) -> Iterator[Finding]:
    """A loop meets an iterable of the other kind."""
    if step.expected or not step.value:
        return
    name = short(step.iterable)
    if not step.is_async:
        if all(_lacks(kind, run, "__iter__", "__getitem__") for kind in (step.value - NONE) or step.value):
            message = f"`{name}` is an asynchronous iterator, which a plain loop cannot iterate: Python raises TypeError. Use `async for`."
            yield Finding(step.iterable, message, lambda: _fix(run, "Use `async for`", add_async(run, step)))
    elif every(step.value, Coroutine):
        if not any(is_stub(run, kind.site) for kind in step.value if isinstance(kind, Coroutine)):
            message = f"`{name}` is a coroutine, which `async for` cannot iterate: Python raises TypeError. Await it to get what it returns."
            yield Finding(step.iterable, message, lambda: _fix(run, f"Await `{name}`", await_iterable(run, step)))
    elif all(_lacks(kind, run, "__aiter__") for kind in step.value):
        message = f"`{name}` is not an asynchronous iterator, so `async for` raises TypeError. Use a plain `for`."
        yield Finding(step.iterable, message, lambda: _fix(run, "Drop the `async`", drop_async(run, step)))


def _lacks(kind: Kind, run: Run, *methods: str) -> bool:
    """Whether a value certainly has none of these methods, and is an iterable of the other kind."""
    if isinstance(kind, Instance):
        other = "__aiter__" if "__iter__" in methods else "__iter__"
        has = run.engine.world.has
        return all(has(kind.cls, method) is False for method in methods) and has(kind.cls, other) is True
    if "__iter__" in methods:
        return isinstance(kind, AsyncIterator)
    return isinstance(kind, (Collection, PlainIterator, Plain))


def _fix(run: Run, title: str, edits: list[Edit] | None) -> Fix | None:
    around = None if run.kind == MODULE else async_around(run)
    return None if edits is None or around is None else fix(run, title, [*edits, *around], safe=not around)
