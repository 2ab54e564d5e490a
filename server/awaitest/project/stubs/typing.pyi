"""typing: what decorators and helpers of it do when they run. Annotations are read by name, not from here."""

from collections.abc import AsyncGenerator as AsyncGenerator
from collections.abc import AsyncIterable as AsyncIterable
from collections.abc import AsyncIterator as AsyncIterator
from collections.abc import Generator as Generator
from collections.abc import Iterable as Iterable
from collections.abc import Iterator as Iterator
from contextlib import AbstractAsyncContextManager as AsyncContextManager
from contextlib import AbstractContextManager as ContextManager
from typing import Any as _Any

TYPE_CHECKING: bool
Any: _Any
Union: _Any
Optional: _Any
Literal: _Any
ClassVar: _Any
Final: _Any
Annotated: _Any
NoReturn: _Any
TypeAlias: _Any
Concatenate: _Any
Text: _Any

class TypeVar:
    def __init__(self, name: str, *constraints: _Any, **options: _Any) -> None: ...

class ParamSpec:
    def __init__(self, name: str, **options: _Any) -> None: ...

class NewType:
    def __init__(self, name: str, tp: _Any) -> None: ...
    def __call__(self, arg: _Any, /) -> _Any:
        return arg

class ForwardRef:
    def __init__(self, arg: str, **options: _Any) -> None: ...

class Generic: ...
class Protocol: ...

def cast(typ: _Any, val: _Any) -> _Any:
    return val

def assert_type(val: _Any, typ: _Any) -> _Any: ...

def overload(func: _Any) -> _Any:
    return func

def final(f: _Any) -> _Any:
    return f

def no_type_check(arg: _Any) -> _Any:
    return arg

def runtime_checkable(cls: _Any) -> _Any:
    return cls

def get_type_hints(obj: _Any, **options: _Any) -> dict[str, _Any]: ...
def get_origin(tp: _Any) -> _Any: ...
def get_args(tp: _Any) -> tuple[_Any, ...]: ...
def NamedTuple(typename: str, fields: _Any = ..., /, **kwargs: _Any) -> _Any: ...
def TypedDict(typename: str, fields: _Any = ..., /, **kwargs: _Any) -> _Any: ...
