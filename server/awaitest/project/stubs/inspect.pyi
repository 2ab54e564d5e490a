"""inspect: questions about objects."""

from collections.abc import Callable
from typing import Any

class Parameter:
    name: Any
    default: Any
    annotation: Any
    kind: Any
    empty: Any

class Signature:
    parameters: Any
    return_annotation: Any
    empty: Any
    def bind(self, /, *args: Any, **kwargs: Any) -> Any: ...
    def bind_partial(self, /, *args: Any, **kwargs: Any) -> Any: ...
    def replace(self, **options: Any) -> Signature: ...

def iscoroutine(object: Any) -> bool: ...  # noqa: A002
def iscoroutinefunction(obj: Any) -> bool: ...
def isawaitable(object: Any) -> bool: ...  # noqa: A002
def isasyncgen(object: Any) -> bool: ...  # noqa: A002
def isasyncgenfunction(obj: Any) -> bool: ...
def isgenerator(object: Any) -> bool: ...  # noqa: A002
def isgeneratorfunction(obj: Any) -> bool: ...
def isfunction(object: Any) -> bool: ...  # noqa: A002
def ismethod(object: Any) -> bool: ...  # noqa: A002
def isclass(object: Any) -> bool: ...  # noqa: A002
def ismodule(object: Any) -> bool: ...  # noqa: A002
def isabstract(object: Any) -> bool: ...  # noqa: A002
def signature(obj: Callable[..., Any], **options: Any) -> Signature: ...
def getdoc(object: Any) -> str | None: ...  # noqa: A002
def getsource(object: Any) -> str: ...  # noqa: A002
def getfile(object: Any) -> str: ...  # noqa: A002
def getmodule(object: Any, _filename: Any = ...) -> Any: ...  # noqa: A002
def getmembers(object: Any, predicate: Any = ...) -> list[Any]: ...  # noqa: A002
def getattr_static(obj: Any, attr: str, default: Any = ...) -> Any: ...
def getcoroutinestate(coroutine: Any) -> str: ...
def unwrap(func: Any, *, stop: Any = ...) -> Any: ...
def currentframe() -> Any: ...
def stack(context: int = ...) -> list[Any]: ...
