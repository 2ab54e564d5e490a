"""pytest_asyncio: the decorator for asynchronous fixtures."""

from typing import Any

__version__: str

def fixture(fixture_function: Any = ..., *, scope: Any = ..., loop_scope: Any = ..., **options: Any) -> Any: ...
def is_async_test(item: Any) -> bool: ...
