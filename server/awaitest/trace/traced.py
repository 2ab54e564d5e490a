"""What a run tells of its tests, ready to be shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Row:
    """One line of the execution table. Times in seconds; `line` counts from 1 and is 0 where no file has it."""

    step: int
    path: str
    line: int
    action: str
    awaited: str = "–"
    """"yes", "never", "later" or "–"."""
    result: str = "–"
    assertion: str = "–"
    variables: dict[str, str] = field(default_factory=dict)
    """What each name holds after the step."""
    changed: tuple[str, ...] = ()
    """The names whose value the step changed."""
    own: float = 0.0
    waited: float = 0.0
    depth: int = 0
    task: str = ""
    loop: str = ""
    requests: tuple[int, ...] = ()
    """Numbers of the requests that were sent meanwhile."""
    failed: bool = False
    predicted: str = ""
    """What reading the test had said, where the run did something else."""


@dataclass(slots=True)
class Left:
    """Something that the test left behind: `what` is coroutine, client, stream, task, exception or override."""

    what: str
    name: str
    path: str
    line: int
    detail: str
    via: int = 0
    """The line of the test that led there, where it is another one."""


@dataclass(slots=True)
class TracedTest:
    """One test that was run. `outcome` is passed, failed, error, skipped or "not finished"."""

    id: str
    path: str
    line: int
    function: str
    outcome: str = "not finished"
    message: str = ""
    rows: list[Row] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    loops: dict[str, str] = field(default_factory=dict)
    """The loop of the test and of each fixture that has one."""


@dataclass(slots=True)
class Trace:
    """A run: its tests in order, and what pytest said where there are none."""

    tests: list[TracedTest]
    exit_code: int
    output: str
    stopped: str = ""
    python: str = ""
    pytest: str = ""
