"""A small project, and a way to trace its tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from awaitest.trace.reading import read
from awaitest.trace.running import RECORDER, Asked, run
from awaitest.trace.traced import Trace

APP = """\
from fastapi import FastAPI

app = FastAPI()


@app.get("/hello")
async def hello():
    return {"message": "hello"}
"""
IMPORTS = """\
import asyncio

import pytest
from httpx import ASGITransport, AsyncClient

from app import app

"""
Traced = Callable[..., Trace]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    return tmp_path


@pytest.fixture
def traced(project: Path) -> Traced:
    """Traces `test_it.py`, written from a text whose imports and app are there."""

    def trace(text: str, test: str = "", *, timeout: float = 30, helpers: bool = False) -> Trace:
        (project / "test_it.py").write_text(IMPORTS + text)
        asked = Asked(Path(sys.executable), project, (f"{project / 'test_it.py'}{test}",), helpers, timeout)
        return read(run(asked))

    return trace


def run_strictly(project: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A strict run of pytest, without a trace, on `test_it.py`, written as in `traced`."""
    (project / "test_it.py").write_text(IMPORTS + text)
    environment = {**os.environ, "PYTHONPATH": str(RECORDER)}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "awaitest_trace.plugin",
        "--awaitest-strict",
        "-q",
        "-Wignore",
        *options,
    ]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
