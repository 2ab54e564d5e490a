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
    function = getattr(item, "obj", None)
    if not inspect.iscoroutinefunction(function):
        yield
        return
    case = getattr(function, "__self__", None)
    owner, name = (case, item.name) if isinstance(case, unittest.TestCase) else (item, "obj")
    setattr(owner, name, _around(function, started, ended))
    try:
        yield
    finally:
        if owner is item:
            setattr(item, name, function)
        else:
            vars(owner).pop(name, None)


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
