from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Run

SERVER = Path(__file__).parents[2] / "server"

FULL = """\
test_a.py:2:5 AWT101 missing-await [error]
  `ERR` is never awaited.
  |
2 |     ERR
  |     ^^^
  Await it.
  fix (safe): Write OK_
    @@ -1,2 +1,2 @@
     def test_a():
    -    ERR
    +    OK_

test_b.py:1:1 AWT301 unclosed-client [warning]
  `WARN` is never closed.
  |
1 | WARN
  | ^^^^

Found 2 problems (1 error, 1 warning) in 2 files; 1 can be repaired with --fix. Checked 2 files.
"""


def test_full(run: Run, project: Path) -> None:
    (project / "test_a.py").write_text("def test_a():\n    ERR\n")
    (project / "test_b.py").write_text("WARN\n")
    assert run("check") == (1, FULL, "")


def test_concise(run: Run, project: Path) -> None:
    (project / "test_a.py").write_text("ERR; RISKY\n")
    assert run("check", "test_a.py", "--output-format", "concise") == (
        1,
        "test_a.py:1:1: AWT101 [*] `ERR` is never awaited.\ntest_a.py:1:6: AWT201 Nobody runs `RISKY`.\n",
        (
            "Found 2 problems (2 errors) in 1 file; 1 can be repaired with --fix, 1 more with --unsafe-fixes. "
            "Checked 1 file.\n"
        ),
    )


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("fine\n", 0, "No problems found. Checked 1 file.\n"),
        ("HINT\n", 0, "No problems found and 1 hint. Checked 1 file.\n"),
        ("WARN HINT HINT\n", 1, "Found 1 problem (1 warning) in 1 file and 2 hints. Checked 1 file.\n"),
        ("RISKY\n", 1, "Found 1 problem (1 error) in 1 file; 1 can be repaired with --fix --unsafe-fixes. Checked 1 file.\n"),
    ],
)  # fmt: skip
def test_exit_code_and_summary(run: Run, project: Path, text: str, code: int, said: str) -> None:
    (project / "test_a.py").write_text(text)
    assert run("check", "--output-format", "concise")[::2] == (code, said)
    assert run("check", "--exit-zero")[0] == 0


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["check", "gone.py"], "awaitest: gone.py does not exist\n"),
        (["check", "--fix", "--diff"], "awaitest: --fix writes, --diff does not: choose one\n"),
        (["check", "--unsafe-fixes"], "awaitest: --unsafe-fixes needs --fix or --diff\n"),
        (["check", "-"], "awaitest: - needs --stdin-filename FILE\n"),
        (["check", "a.py", "--stdin-filename", "b.py"], "awaitest: with --stdin-filename the only path is -\n"),
        (["check", "--watch", "--fix"], "awaitest: --watch only checks: leave out --fix and --diff\n"),
        (["check", "--watch", "--output-format", "json"], "awaitest: --watch prints full or concise\n"),
        (["check", "--statistics", "--output-format", "sarif"], "awaitest: --statistics prints full, concise or json\n"),
        (["check", "--python", "gone"], "awaitest: --python: gone does not exist\n"),
        (["check", "--select", "missing-awiat"], "awaitest: --select: there is no rule missing-awiat; did you mean missing-await?\n"),
        (["check", "--ignore", ","], "awaitest: --ignore needs a rule\n"),
        (["rule", "AWT311"], "awaitest: there is no rule AWT311; did you mean AWT301?\n"),
        (["rule", "zzz"], "awaitest: there is no rule zzz; `awaitest rule` lists all rules\n"),
        (["config", "gone.py"], "awaitest: gone.py: no such file or directory\n"),
        (["explain", "test_a.py"], "awaitest: test_a.py: name a test as FILE::TEST or FILE::CLASS::TEST\n"),
        (["explain", "gone.py::test_x"], "awaitest: gone.py: no such file\n"),
    ],
)  # fmt: skip
def test_usage_mistakes(run: Run, argv: list[str], said: str) -> None:
    code, _, err = run(*argv)
    assert (code, err) == (2, said)


@pytest.mark.parametrize("argv", [[], ["nonsense"], ["check", "--jobs", "-1"], ["check", "--jobs", "many"]])
def test_argparse_mistakes(run: Run, argv: list[str]) -> None:
    code, out, err = run(*argv)
    assert (code, out) == (2, "")
    assert "usage: awaitest" in err


@pytest.mark.parametrize(
    "argv", [["--help"], ["check", "--help"], ["rule", "--help"], ["config", "--help"], ["explain", "--help"]]
)
def test_help_has_examples(run: Run, argv: list[str]) -> None:
    code, out, err = run(*argv)
    assert (code, err) == (0, "")
    assert "example" in out


def test_no_test_files(run: Run) -> None:
    assert run("check", "--output-format", "json") == (0, "[]\n", "awaitest: no test files found\n")


def test_mistakes_in_settings_end_the_run(run: Run, project: Path) -> None:
    (project / "test_a.py").write_text("ERR\n")
    (project / "settings.txt").write_text("bad rule\nbad value\n")
    assert run("check") == (2, "", "awaitest: settings.txt:1: bad rule\nawaitest: settings.txt:2: bad value\n")


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ([], ["AWT101", "AWT201", "AWT301"]),
        (["--select", "awt1,unclosed-client"], ["AWT101", "AWT301"]),
        (["--select", "AWT1", "--select", "AWT2"], ["AWT101", "AWT201"]),
        (["--ignore", "Missing-Await"], ["AWT201", "AWT301"]),
        (["--select", "all", "--ignore", "AWT3"], ["AWT101", "AWT201"]),
    ],
)
def test_select_and_ignore(run: Run, project: Path, options: list[str], codes: list[str]) -> None:
    (project / "test_a.py").write_text("ERR\nRISKY\nWARN\n")
    _, out, _ = run("check", "--output-format", "concise", *options)
    assert [line.split()[1] for line in out.splitlines()] == codes


def test_statistics(run: Run, project: Path) -> None:
    (project / "test_a.py").write_text("WARN\n" * 11 + "ERR\nRISKY\n")
    code, out, _ = run("check", "--statistics")
    assert code == 1
    assert out == "11  AWT301  [ ] unclosed-client\n 1  AWT101  [*] missing-await\n 1  AWT201  [ ] async-test-not-run\n"


def test_an_unreadable_file_does_not_stop_the_others(run: Run, project: Path) -> None:
    (project / "test_a.py").mkdir()
    (project / "test_b.py").write_text("ERR\n")
    (project / "test_c.py").write_bytes(b"# coding: nonsense\n")
    (project / "test_d.py").symlink_to("test_d.py")
    code, out, err = run("check", ".", "--output-format", "concise")
    assert code == 2
    assert out.startswith("test_b.py:1:1: AWT101")
    said = err.splitlines()
    assert said[0].endswith("Checked 1 file.")
    assert said[1] == "awaitest: test_a.py: is a directory"
    assert said[2].startswith("awaitest: test_c.py:1: the declared encoding")
    assert said[3].startswith("awaitest: test_d.py: ")
    assert "Traceback" not in err


def test_an_internal_error_is_one_line(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "test_a.py").write_text("CRASH\n")
    (project / "test_b.py").write_text("ERR\n")
    code, out, err = run("check", "--output-format", "concise", "--exit-zero")
    assert code == 2
    assert "test_b.py:1:1" in out
    assert err.splitlines()[1] == "awaitest: internal error in test_a.py: RuntimeError: boom and more; please report"
    assert "Traceback" not in err
    monkeypatch.setenv("AWAITEST_DEBUG", "1")
    assert "Traceback" in run("check")[2]


def test_stdin(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x = 1\r\nERR\r\n")))
    code, out, _ = run("check", "--stdin-filename", "test_new.py", "--output-format", "concise")
    assert (code, out) == (1, "test_new.py:2:1: AWT101 [*] `ERR` is never awaited.\n")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_jobs_do_not_change_the_output(run: Run, project: Path, jobs: str) -> None:
    for number in range(60):
        (project / f"test_{number:02}.py").write_text("ERR\n" if number % 3 else "WARN\nERR\n")
    _, out, err = run("check", "--output-format", "concise", "--jobs", jobs)
    lines = [line.split(": ")[0] for line in out.splitlines()]
    assert lines == [f"test_{number:02}.py:{row}:1" for number in range(60) for row in ((1,) if number % 3 else (1, 2))]
    assert "Checked 60 files." in err


def test_a_dying_worker_loses_one_file(run: Run, project: Path) -> None:
    for number in range(50):
        (project / f"test_{number:02}.py").write_text("DIE\n" if number == 30 else "ERR\n")
    code, out, err = run("check", "--output-format", "concise", "--jobs", "2")
    assert code == 2
    assert len(out.splitlines()) == 49
    assert err.splitlines()[1:] == [
        "awaitest: internal error in test_30.py: the process that checked it died; please report"
    ]


def _start(*argv: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", f"import sys; from awaitest.cli import main; sys.exit(main({list(argv)!r}))"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(SERVER), os.environ.get("PYTHONPATH", "")]),
            **environment,
        },
    )


def test_a_closed_pipe_is_no_error() -> None:
    with _start("--help", PYTHONUNBUFFERED="") as process:
        assert process.stdout
        process.stdout.close()
        assert process.wait(20) == 141
        assert process.stderr
        assert process.stderr.read() == b""


def test_an_ascii_terminal_can_show_everything(project: Path) -> None:
    script = (
        "import sys; from awaitest.cli import main, session; from tests.cli import fake;"
        "session.open_session = fake.open_fake; sys.exit(main(['check']))"
    )
    (project / "test_a.py").write_text("'\N{SNOWMAN}' ERR\n", "utf-8")
    path = os.pathsep.join([str(SERVER), str(SERVER.parent), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, env=environment, cwd=project, check=False
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert rb"'\u2603' ERR" in done.stdout


def test_the_command_line_starts_lean() -> None:
    script = (
        "import sys; from awaitest.cli import main; main(['--version']);"
        "heavy = {'asyncio', 'multiprocessing', 'concurrent.futures', 'xml', 'json', 'difflib', 'pygls'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SERVER), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.splitlines()[1] == "[]"
