"""anyio.streams: streams of objects and of bytes."""
