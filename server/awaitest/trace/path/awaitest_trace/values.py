"""Short texts for values. No method of a user's class is called: a `__repr__` may block, raise or change what it shows."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import inspect
import pathlib
import sys
import types
import uuid
from collections.abc import Iterable
from typing import Any

from .headers import REDACTED, is_secret, redacted

LONGEST = 120
ITEMS = 6
DEEPEST = 3
_SAFE = frozenset(map(id, (
    datetime.date, datetime.timedelta, decimal.Decimal, fractions.Fraction, uuid.UUID,
    pathlib.PosixPath, pathlib.WindowsPath, pathlib.PurePosixPath, pathlib.PureWindowsPath, range, complex, float, bool,
    type(None), type(...), type(NotImplemented),
)))  # fmt: skip
"""By id, as a metaclass may have its own `__eq__` and `__hash__`."""
STEADY = frozenset(map(id, (str, int, bool, float, bytes, type(None))))
"""Kinds whose values never change, by id."""
_BRACKETS = {id(list): "[]", id(tuple): "()", id(set): "{}", id(frozenset): "{}"}
_DESCRIPTORS = (types.GetSetDescriptorType, types.MemberDescriptorType)
_CLIENT_STATES = {"OPENED": ", open", "CLOSED": ", closed"}
_NAME, _MRO, _VARS = (vars(type)[name].__get__ for name in ("__name__", "__mro__", "__dict__"))
"""Of a class, past its metaclass."""
_ARGUMENTS = vars(BaseException)["args"].__get__


def brief(value: object, depth: int = 0) -> str:
    """One line that tells what a value is; never raises. What is cut is marked by `…`."""
    if (type(value) is str and len(value) <= LONGEST) or value is None:
        return redacted(repr(value))
    try:
        return _cut(_brief(value, depth))
    except Exception:
        return f"{class_name(type(value))} instance"


def class_name(kind: type) -> str:
    """The name of a class, as it was given one."""
    return str(_NAME(kind)[:LONGEST])


def state_of(value: object) -> dict[str, Any]:
    """What an object holds by name; empty where reading it would run code of the user's."""
    found = _static(type(value), "__dict__")
    state = found.__get__(value) if type(found) in _DESCRIPTORS else None
    return state if type(state) is dict else {}


def _static(kind: type, name: str) -> Any:
    return next((_VARS(base)[name] for base in _MRO(kind) if name in _VARS(base)), None)


def _brief(value: Any, depth: int) -> str:
    kind = type(value)
    if kind is str or kind is bytes:
        return _text(value)
    if kind is int:
        return repr(value) if value.bit_length() < 256 else f"int of {value.bit_length()} bits"
    if kind is datetime.datetime or kind is datetime.time:
        return repr(value if _is_zone(type(value.tzinfo)) else value.replace(tzinfo=None))
    if id(kind) in _SAFE:
        return repr(value)
    if id(kind) in _BRACKETS:
        return _sequence(value, kind, depth)
    if kind is dict:
        return _mapping(value.items(), len(value), depth)
    if is_a(value, type):
        return f"class {class_name(value)}"
    return _runnable(value) or _object(value, kind, depth)


def is_a(value: object, kinds: type | types.UnionType | tuple[type, ...]) -> bool:
    """Whether a value is of a kind. `isinstance` would ask it for its `__class__`, which may be the user's code."""
    return issubclass(type(value), kinds)


def _is_zone(kind: type) -> bool:
    """Whether a time zone is one of Python's own; a program that has one of `zoneinfo` has imported it."""
    loaded = getattr(sys.modules.get("zoneinfo"), "ZoneInfo", datetime.timezone)
    return any(kind is it for it in (type(None), datetime.timezone, loaded))


def _text(value: Any) -> str:
    return redacted(repr(value) if len(value) <= LONGEST else f"{value[: LONGEST // 2]!r}… ({len(value):,} in all)")


def _sequence(value: Any, kind: type, depth: int) -> str:
    opening, closing = tuple(_BRACKETS[id(kind)])
    if depth >= DEEPEST and value:
        return f"{opening}…{closing}"
    shown = [brief(item, depth + 1) for item in _first(value)]
    if len(value) == 2 and kind in (list, tuple) and is_secret(value[0]):
        shown[1] = REDACTED
    more = [f"… {len(value) - ITEMS:,} more"] if len(value) > ITEMS else []
    comma = "," if kind is tuple and len(value) == 1 else ""
    return (
        f"{opening}{', '.join([*shown, *more])}{comma}{closing}"
        if value or kind in (list, tuple)
        else f"{kind.__name__}()"
    )


def _mapping(items: Iterable[tuple[object, object]], count: int, depth: int) -> str:
    if depth >= DEEPEST and count:
        return "{…}"
    shown = [
        f"{brief(key, depth + 1)}: {REDACTED if is_secret(key) else brief(item, depth + 1)}"
        for key, item in _first(items)
    ]
    more = [f"… {count - ITEMS:,} more"] if count > ITEMS else []
    return f"{{{', '.join([*shown, *more])}}}"


def _first(items: Iterable[Any]) -> list[Any]:
    return [item for item, _ in zip(items, range(ITEMS), strict=False)]


def _runnable(value: Any) -> str:
    """Coroutines and their kin, functions, modules; empty for anything else."""
    if is_a(value, types.CoroutineType):
        frame = value.cr_frame
        started = "finished" if frame is None else "not awaited" if is_fresh(value) else "running"
        return f"coroutine {value.__qualname__[:LONGEST]}(), {started}"
    if is_a(value, types.AsyncGeneratorType | types.GeneratorType):
        return f"{'async ' if is_a(value, types.AsyncGeneratorType) else ''}generator {value.__qualname__[:LONGEST]}()"
    if is_a(value, types.MethodType):
        return _runnable(value.__func__) or "function"
    if is_a(value, types.FunctionType | types.BuiltinFunctionType):
        return f"function {value.__name__[:LONGEST]}"
    return f"module {brief(state_of(value).get('__name__'))[1:-1]}" if is_a(value, types.ModuleType) else ""


def is_fresh(coroutine: types.CoroutineType[Any, Any, Any]) -> bool:
    """Whether a coroutine was made and never started."""
    return inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED


def _object(value: Any, kind: type, depth: int) -> str:
    name, state = class_name(kind), state_of(value)
    library = _base_names(kind)
    if "Response" in library and is_a(state.get("status_code"), int):
        return f"{name} {int.__repr__(state['status_code'])}"
    if "BaseClient" in library and "_state" in state:
        return f"{name} instance{_CLIENT_STATES.get(str(state_of(state['_state']).get('_name_')), '')}"
    if type(kind) is enum.EnumMeta and type(state.get("_name_")) is str:
        return f"{name}.{state['_name_']}"
    if is_a(value, BaseException):
        return f"{name}({', '.join(brief(item, depth + 1) for item in _ARGUMENTS(value)[:ITEMS])})"
    fields = _static(kind, "__dataclass_fields__") or _static(kind, "__pydantic_fields__")
    if type(fields) is not dict or depth >= DEEPEST or not state:
        return f"{name} instance"
    shown = [f"{field}={brief(state[field], depth + 1)}" for field in _first(fields) if field in state]
    return f"{name}({', '.join([*shown, *(['…'] if len(fields) > ITEMS else [])])})"


def _base_names(kind: type) -> set[str]:
    return {_NAME(base) for base in _MRO(kind) if package(base) in ("httpx", "httpx2")}


def package(kind: type) -> str:
    """The package in which a class says it was defined."""
    module = _VARS(kind).get("__module__")
    return module.partition(".")[0] if type(module) is str else ""


def _cut(text: str) -> str:
    line = " ".join(text.split()) if "\n" in text else text
    return line if len(line) <= 2 * LONGEST else f"{line[: 2 * LONGEST]}…"
