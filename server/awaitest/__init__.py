"""awaitest: finds, explains and repairs mistakes in async tests of FastAPI apps."""

__version__ = "0.1.0"
