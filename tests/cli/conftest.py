from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli import fake

from awaitest.cli import main, session

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory, with the fake session behind the command line."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "GITHUB_WORKSPACE", "AWAITEST_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(session, "open_session", fake.open_fake)
    monkeypatch.setattr(session, "all_rules", lambda: fake.RULES)
    return tmp_path


@pytest.fixture
def run(project: Path, capsys: pytest.CaptureFixture[str]) -> Run:  # noqa: ARG001
    """Runs a command line: exit code, standard output, standard error."""

    def run(*argv: str) -> tuple[int, str, str]:
        code = main(list(argv))
        out, err = capsys.readouterr()
        return code, out, err

    return run
