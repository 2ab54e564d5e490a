"""Puts a function around another one, for as long as a test is traced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_ABSENT = object()


class Patches:
    """Wraps attributes and puts them back, last first."""

    def __init__(self) -> None:
        self._undo: list[tuple[Any, str, Any, Any]] = []

    def wrap(self, owner: Any, name: str, around: Callable[[Any], Any]) -> None:
        """Replace `owner.name`, where it has it itself, by `around` of it."""
        original = vars(owner).get(name, _ABSENT)
        if original is _ABSENT:
            return
        made = around(original)
        setattr(owner, name, made)
        self._undo.append((owner, name, original, made))

    def undo(self) -> None:
        """Put back what nobody else has replaced since."""
        while self._undo:
            owner, name, original, made = self._undo.pop()
            if vars(owner).get(name) is made:
                setattr(owner, name, original)
