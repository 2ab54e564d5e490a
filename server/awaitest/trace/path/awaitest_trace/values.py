"""Short texts for values. No method of a user's class is called: a `__repr__` may block, raise or change what it shows."""

from __future__ import annotations

import datetime
import decimal
import fractions
import inspect
import pathlib
import types
import uuid
from collections.abc import Iterable
from typing import Any

LONGEST = 120
ITEMS = 6
DEEPEST = 3
_SAFE = (
    datetime.date, datetime.datetime, datetime.time, datetime.timedelta, decimal.Decimal, fractions.Fraction, uuid.UUID,
    pathlib.PosixPath, pathlib.WindowsPath, pathlib.PurePosixPath, pathlib.PureWindowsPath, range, complex, float, bool,
    type(None), type(...), type(NotImplemented),
)  # fmt: skip
_BRACKETS: dict[type, str] = {list: "[]", tuple: "()", set: "{}", frozenset: "{}"}
_CLIENT_STATES = {"OPENED": ", open", "CLOSED": ", closed"}


def brief(value: object, depth: int = 0) -> str:
    """One line that tells what a value is; never raises. What is cut is marked by `…`."""
    try:
        return _cut(_brief(value, depth))
    except Exception:
        return f"{type(value).__name__} instance"


def _brief(value: Any, depth: int) -> str:
    kind = type(value)
    if kind is str or kind is bytes:
        return _text(value)
    if kind is int:
        return repr(value) if value.bit_length() < 256 else f"int of {value.bit_length()} bits"
    if kind in _SAFE:
        return repr(value)
    if kind in _BRACKETS:
        return _sequence(value, kind, depth)
    if kind is dict:
        return _mapping(value.items(), len(value), depth)
    if is_a(value, type):
        return f"class {value.__name__}"
    return _runnable(value) or _object(value, kind, depth)


def is_a(value: object, kinds: type | types.UnionType | tuple[type, ...]) -> bool:
    """Whether a value is of a kind. `isinstance` would ask it for its `__class__`, which may be the user's code."""
    return issubclass(type(value), kinds)


def _text(value: Any) -> str:
    return repr(value) if len(value) <= LONGEST else f"{value[: LONGEST // 2]!r}… ({len(value):,} in all)"


def _sequence(value: Any, kind: type, depth: int) -> str:
    opening, closing = _BRACKETS[kind][0], _BRACKETS[kind][1]
    if depth >= DEEPEST and value:
        return f"{opening}…{closing}"
    shown = [brief(item, depth + 1) for item in _first(value)]
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
    shown = [f"{brief(key, depth + 1)}: {brief(item, depth + 1)}" for key, item in _first(items)]
    more = [f"… {count - ITEMS:,} more"] if count > ITEMS else []
    return f"{{{', '.join([*shown, *more])}}}"


def _first(items: Iterable[Any]) -> list[Any]:
    return [item for item, _ in zip(items, range(ITEMS), strict=False)]


def _runnable(value: Any) -> str:
    """Coroutines and their kin, functions, modules; empty for anything else."""
    if is_a(value, types.CoroutineType):
        frame = value.cr_frame
        started = "finished" if frame is None else "not awaited" if is_fresh(value) else "running"
        return f"coroutine {value.__qualname__}(), {started}"
    if is_a(value, types.AsyncGeneratorType | types.GeneratorType):
        return f"{'async ' if is_a(value, types.AsyncGeneratorType) else ''}generator {value.__qualname__}()"
    if is_a(value, types.FunctionType | types.BuiltinFunctionType | types.MethodType):
        return f"function {value.__name__}"
    return f"module {value.__name__}" if is_a(value, types.ModuleType) else ""


def is_fresh(coroutine: types.CoroutineType[Any, Any, Any]) -> bool:
    """Whether a coroutine was made and never started."""
    return inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED


def _object(value: Any, kind: type, depth: int) -> str:
    name = kind.__name__
    state = vars(value) if _plain(kind) else None
    if state is None:
        return f"{name} instance"
    library = _base_names(kind)
    if "Response" in library and "status_code" in state:
        return f"{name} {state['status_code']}"
    if "BaseClient" in library and "_state" in state:
        return f"{name} instance{_CLIENT_STATES.get(getattr(state['_state'], 'name', ''), '')}"
    if is_a(value, BaseException):
        return f"{name}({', '.join(brief(item, depth + 1) for item in value.args[:ITEMS])})"
    fields = getattr(kind, "__dataclass_fields__", None) or getattr(kind, "__pydantic_fields__", None)
    if not isinstance(fields, dict) or depth >= DEEPEST:
        return f"{name} instance"
    shown = [f"{field}={brief(state[field], depth + 1)}" for field in _first(fields) if field in state]
    return f"{name}({', '.join([*shown, *(['…'] if len(fields) > ITEMS else [])])})"


def _plain(kind: type) -> bool:
    """Whether `vars()` of an instance runs no code of the user's."""
    found = next((vars(base)["__dict__"] for base in kind.__mro__ if "__dict__" in vars(base)), None)
    return isinstance(found, types.GetSetDescriptorType)


def _base_names(kind: type) -> set[str]:
    return {base.__name__ for base in kind.__mro__ if base.__module__.partition(".")[0] in ("httpx", "httpx2")}


def _cut(text: str) -> str:
    line = " ".join(text.split()) if "\n" in text else text
    return line if len(line) <= 2 * LONGEST else f"{line[: 2 * LONGEST]}…"
