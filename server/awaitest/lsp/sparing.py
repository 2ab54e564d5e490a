"""Makes the classes of the protocol when they are first used. There are over five hundred, a session needs some forty, and making all
of them takes longer than all else that the server does before its first answer."""

from __future__ import annotations

import sys
import threading
from typing import Any

import attrs

_lock = threading.RLock()


def import_types() -> None:
    """Import `lsprotocol.types` with classes that `attrs` completes one by one, unless somebody imported it before."""
    if "lsprotocol.types" in sys.modules:
        return
    define = attrs.define
    attrs.define = _later  # type: ignore[assignment]
    try:
        from lsprotocol import types
    finally:
        attrs.define = define
    from lsprotocol import _hooks as hooks

    if hasattr(hooks, "_resolved_forward_references"):
        hooks.__dict__["_resolved_forward_references"] = True
        _known.update(types.ALL_TYPES_MAP)


_define = attrs.define
_known: dict[str, object] = {}
"""The types that annotations name, resolved as each class is completed; empty where lsprotocol resolves them itself."""


class _Attributes:
    """Stands for what `attrs` knows of a class until somebody asks."""

    def __get__(self, instance: object, owner: type) -> Any:
        _complete(owner)
        return owner.__attrs_attrs__  # type: ignore[attr-defined]


def _first(self: object, *arguments: Any, **named: Any) -> None:
    _complete(type(self))
    self.__init__(*arguments, **named)  # type: ignore[misc]


def _later(cls: type) -> type:
    cls.__init__ = _first  # type: ignore[misc]
    cls.__attrs_attrs__ = _Attributes()  # type: ignore[attr-defined]
    return cls


def _complete(cls: type) -> None:
    with _lock:
        if isinstance(vars(cls).get("__attrs_attrs__"), _Attributes):
            del cls.__init__, cls.__attrs_attrs__  # type: ignore[misc, attr-defined]
            _define(cls, slots=False)
            if _known:
                attrs.resolve_types(cls, _known, {})
