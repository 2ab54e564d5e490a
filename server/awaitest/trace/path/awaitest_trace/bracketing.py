"""Hears of the start and the end of a test's own coroutine, whoever runs it. No tracer: coverage and debuggers go on.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import functools
import inspect
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest


@contextmanager
def bracketed(item: pytest.Item, started: Callable[[], None], ended: Callable[[], None]) -> Iterator[None]:
    """While it lasts, the test calls both from inside of its loop; a test that is no coroutine function calls none."""
    owner, name, function = _own_function(item)
    if not inspect.iscoroutinefunction(function):
        yield
        return
    setattr(owner, name, _around(function, started, ended))
    try:
        yield
    finally:
        if isinstance(owner, unittest.TestCase):
            vars(owner).pop(name, None)
        else:
            setattr(owner, name, function)


def _own_function(item: pytest.Item) -> tuple[Any, str, Any]:
    """Who holds the test's function, under which name: Hypothesis has a handle for it, and calls it once for each example."""
    function = getattr(item, "obj", None)
    case, handle = getattr(function, "__self__", None), getattr(function, "hypothesis", None)
    inner = getattr(handle, "inner_test", None)
    if inspect.iscoroutinefunction(inner):
        return handle, "inner_test", inner
    return (case, item.name, function) if isinstance(case, unittest.TestCase) else (item, "obj", function)


def _around(function: Any, started: Callable[[], None], ended: Callable[[], None]) -> Any:
    @functools.wraps(function)
    async def test(*arguments: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        with suppress(Exception):
            started()
        try:
            return await function(*arguments, **options)
        finally:
            with suppress(Exception):
                ended()

    return test
