"""Names for event loops and tasks: "loop 1" is the first that is met."""

from __future__ import annotations

import asyncio
import sys
from types import CodeType
from typing import Any
from weakref import WeakKeyDictionary


class Loops:
    """The loops of one run, in order of appearance."""

    def __init__(self) -> None:
        self._names: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        self._met = 0
        self._of_code: dict[int, tuple[CodeType, str]] = {}
        """By the id of its code, the loop on which a function was last started."""

    def note(self, code: CodeType) -> None:
        loop = self.here().get("loop")
        if loop is not None:
            self._of_code[id(code)] = code, loop

    def of(self, code: CodeType | None) -> str | None:
        """The loop on which a function was last started."""
        return self._of_code.get(id(code), (None, None))[1]

    def here(self) -> dict[str, str]:
        """`loop` and `task`, where code runs on a loop."""
        running = asyncio._get_running_loop()
        if running is None:
            return _trio()
        told = {"loop": self._name(running)}
        try:
            task = asyncio.current_task()
        except RuntimeError:
            task = None
        return told if task is None else {**told, "task": task.get_name()}

    def _name(self, loop: Any) -> str:
        try:
            known = self._names.get(loop)
            if known is None:
                self._met += 1
                known = self._names[loop] = f"loop {self._met}"
        except TypeError:
            known = type(loop).__name__
        return known


def _trio() -> dict[str, str]:
    trio = sys.modules.get("trio")
    if trio is None:
        return {}
    try:
        return {"loop": "trio", "task": str(trio.lowlevel.current_task().name)}
    except RuntimeError:
        return {}
