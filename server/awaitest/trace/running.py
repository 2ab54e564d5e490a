"""Starts the project's own pytest with the recorder beside it, and stops it when it takes too long."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from awaitest.trace.path.awaitest_trace.headers import redacted

RECORDER = Path(__file__).parent / "path"
"""The one folder that is put on the path of the user's Python; nothing but the recorder lies in it."""
GRACE = 3.0
"""Seconds a run that is stopped is given to tear down its fixtures."""
INTERRUPTED = 2
"""pytest's exit code for a run that was stopped."""
_OUTPUT = 200_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What to run. `tests` are pytest's node ids with absolute paths; `timeout` in seconds."""

    python: Path
    folder: Path
    tests: tuple[str, ...]
    helpers: bool = False
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that is over. `stopped` is "", "timeout" or "cancelled"; `output` is what pytest printed."""

    lines: list[str]
    exit_code: int
    output: str
    stopped: str = ""


def run(asked: Asked, proceed: Callable[[], bool] = lambda: True) -> Finished:
    """Run the tests; asks `proceed` ten times a second whether to go on. Raises OSError where Python cannot be started."""
    with tempfile.TemporaryDirectory(prefix="awaitest-") as folder:
        events, output = Path(folder, "events.jsonl"), Path(folder, "output.txt")
        with output.open("wb") as written:
            process = subprocess.Popen(
                command(asked, events),
                cwd=asked.folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
                creationflags=_NEW_GROUP,
                start_new_session=not _NEW_GROUP,
            )
            stopped = _wait(process, asked.timeout, proceed)
        lines = events.read_text(encoding="utf-8", errors="replace").splitlines() if events.is_file() else []
        text = redacted(output.read_text(encoding="utf-8", errors="replace")[-_OUTPUT:])
    code = process.returncode
    return Finished(lines, INTERRUPTED if stopped and code not in range(1, 6) else code, text, stopped)


def command(asked: Asked, events: Path) -> list[str]:
    """The command line of a run."""
    recorder = ["-p", "awaitest_trace.plugin", f"--awaitest-trace={events}"]
    helpers = ["--awaitest-helpers"] if asked.helpers else []
    own_cache = ["-o", f"cache_dir={events.parent / 'cache'}"]
    return [str(asked.python), "-m", "pytest", *recorder, *helpers, *own_cache, "--no-header", *asked.tests]


_NEW_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)


def _environment() -> dict[str, str]:
    """Ours, and what takes the recorder there; it puts back what it finds in `AWAITEST_ENVIRONMENT` before any test can look."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
    paths = [str(RECORDER), *filter(None, [inherited.get("PYTHONPATH")])]
    changed = {"PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8:backslashreplace"}
    before = json.dumps({name: inherited.get(name) for name in changed})
    return {**inherited, **changed, "AWAITEST_ENVIRONMENT": before}


def _wait(process: subprocess.Popen[bytes], timeout: float, proceed: Callable[[], bool]) -> str:
    """Wait for the end of a run, or bring it about."""
    until, stopped = time.monotonic() + timeout, ""
    try:
        while process.poll() is None:
            if not proceed():
                stopped = "cancelled"
            elif time.monotonic() > until:
                stopped = "timeout"
            if stopped:
                break
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
    finally:
        _stop(process)
    return stopped


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    _send(process, getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    if process.poll() is None:
        _send(process, getattr(signal, "SIGKILL", signal.SIGTERM))
        process.wait()


def _send(process: subprocess.Popen[bytes], number: int) -> None:
    """To the whole group: a test may have started processes of its own."""
    try:
        if sys.platform == "win32":
            process.send_signal(number)
        else:
            os.killpg(process.pid, number)
    except (OSError, ValueError):
        process.kill()
