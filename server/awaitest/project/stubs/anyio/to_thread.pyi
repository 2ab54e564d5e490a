"""anyio.to_thread: plain functions in worker threads."""

from collections.abc import Callable
from typing import Any

async def run_sync(func: Callable[..., Any], *args: Any, **options: Any) -> Any: ...
def current_default_thread_limiter() -> Any: ...
