"""A pytest plugin of the measurement: writes the outcome of each phase of each test, and the processor time of each test."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Registered last, so that its clock runs around everything that others do for a test."""
    config.pluginmanager.register(_Outcomes(Path(os.environ["OUTCOMES"])), "outcomes-of-measurement")


class _Outcomes:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._began = time.process_time()
        self._phases: list[list[str]] = []
        self._seconds: dict[str, float] = {}

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        began = time.process_time()
        yield
        self._seconds[item.nodeid] = self._seconds.get(item.nodeid, 0.0) + time.process_time() - began

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._phases.append([report.nodeid, report.when or "", report.outcome, str(report.longrepr or "")[-2000:]])

    def pytest_unconfigure(self) -> None:
        told = {"phases": self._phases, "seconds": self._seconds, "whole": time.process_time() - self._began}
        self._path.write_text(json.dumps(told), encoding="utf-8")
