"""The pytest plugin: `--awaitest-trace=FILE` records tests, `--awaitest-strict` fails those that leave something behind.

Loaded by `-p awaitest_trace.plugin`, or as an entry point where awaitest is installed beside pytest. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_NAME = "awaitest-trace"
_OURSELVES = object()
"""Of two recorders, one handed over by `-p` and one installed beside pytest, the first one records."""


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    if pluginmanager.has_plugin(f"{_NAME}-options"):
        return
    pluginmanager.register(_OURSELVES, f"{_NAME}-options")
    _leave_no_trace()
    group = parser.getgroup("awaitest")
    group.addoption("--awaitest-trace", type=Path, metavar="FILE", help="record each step of the tests to this file")
    group.addoption("--awaitest-helpers", action="store_true", help="record fixtures and helpers of the test tree too")
    group.addoption(
        "--awaitest-strict",
        action="store_true",
        help="fail tests that leave a coroutine never awaited, a client open or a task lost",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Measuring coverage and tracing get in each other's way."""
    options = early_config.known_args_namespace
    if getattr(options, "awaitest_trace", None) and hasattr(options, "no_cov"):
        options.no_cov = True


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Iterator[None]:
    """One process: what runs elsewhere is not seen."""
    if config.getoption("awaitest_trace") and hasattr(config.option, "numprocesses"):
        config.option.numprocesses = 0
        config.option.dist, config.option.tx = "no", []
    yield


def _leave_no_trace() -> None:
    """Neither tests nor the processes that they start see how the recorder came here: `running.py` names what it changed."""
    before = os.environ.pop("AWAITEST_ENVIRONMENT", None)
    if before is None:
        return
    for name, value in json.loads(before).items():
        os.environ.pop(name, None) if value is None else os.environ.update({name: value})
    folder = str(Path(__file__).parents[1])
    sys.path[:] = [path for path in sys.path if path != folder]


def pytest_configure(config: pytest.Config) -> None:
    file, strict = config.getoption("awaitest_trace"), config.getoption("awaitest_strict")
    is_first = config.pluginmanager.get_plugin(f"{_NAME}-options") is _OURSELVES
    if (file or strict) and is_first and not config.pluginmanager.has_plugin(_NAME):
        from .tracing import Tracing

        config.pluginmanager.register(Tracing(config, file, strict), _NAME)
