"""starlette: what FastAPI is built on."""
