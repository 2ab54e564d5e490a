"""Puts a function around another one, for as long as a test is traced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_ABSENT = object()


class Patches:
    """Wraps attributes and puts them back, last first."""

    def __init__(self) -> None:
        self._undo: list[tuple[Any, str, Any, Any]] = []
        self._made: dict[tuple[int, str], tuple[Any, Any, Any]] = {}
        """What was put around each original, to be put there again."""

    def wrap(self, owner: Any, name: str, around: Callable[[Any], Any]) -> None:
        """Replace `owner.name`, where it has it itself, by `around` of it."""
        original = vars(owner).get(name, _ABSENT)
        if original is _ABSENT:
            return
        key = id(owner), name
        known, before, made = self._made.get(key, (None, None, None))
        if known is not owner or before is not original:
            made = around(original)
            self._made[key] = owner, original, made
        setattr(owner, name, made)
        self._undo.append((owner, name, original, made))

    def undo(self) -> None:
        """Put back what nobody else has replaced since."""
        while self._undo:
            owner, name, original, made = self._undo.pop()
            if vars(owner).get(name) is made:
                setattr(owner, name, original)
