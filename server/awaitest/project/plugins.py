"""Which pytest plugins may run async tests, told by the names of their distributions where no installed source tells."""

from __future__ import annotations

_OTHER_RUNNERS = frozenset(
    {
        "alt-pytest-asyncio", "nonebug", "pytest-aiohttp", "pytest-asyncio-cooperative", "pytest-curio",
        "pytest-sanic", "pytest-tornado", "pytest-tornasync", "pytest-trio", "pytest-twisted",
    }
)  # fmt: skip
"""Distributions that run async tests of their own."""
_HARMLESS = frozenset(
    f"pytest-{name}"
    for name in (
        "alembic", "asyncio", "bdd", "benchmark", "black", "cases", "celery", "check", "clarity", "codeblocks", "codspeed",
        "cov", "custom-exit-code", "datadir", "deadfixtures", "dependency", "django", "docker", "dotenv", "env", "factoryboy",
        "faker", "flake8", "forked", "freezegun", "freezer", "github-actions-annotate-failures", "html", "httpserver",
        "httpx", "icdiff", "instafail", "isort", "json-report", "lazy-fixture", "lazy-fixtures", "localserver", "memray",
        "metadata", "mock", "mongodb", "mypy", "mypy-plugins", "mypy-testing", "mysql", "order", "ordering", "parallel",
        "picked", "postgresql", "pretty", "profiling", "pylint", "random-order", "randomly", "recording", "redis", "regressions",
        "reportlog", "repeat", "rerunfailures", "responses", "retry", "ruff", "runner", "socket", "split", "structlog",
        "subtests", "sugar", "testmon", "timeout", "unordered", "vcr", "watch", "watcher", "xdist", "xprocess",
    )
)  # fmt: skip
"""Plugins that leave async tests alone; any other that is only declared may run them."""


def may_run_tests(distribution: str) -> bool:
    """Whether a distribution, by its canonical name, may bring another runner of async tests than pytest-asyncio or anyio."""
    return distribution in _OTHER_RUNNERS or (
        "pytest-" in f"{distribution}-" and distribution != "pytest" and distribution not in _HARMLESS
    )
