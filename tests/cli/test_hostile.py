"""Hostile input through the real command line: one clear line for each, no traceback, and the rest is checked."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.hostile import CIRCLES, ELSEWHERE, FIXED, FOUND, NEWER, TEST, TEXTS

import awaitest
from awaitest.cli import main

Check = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AWAITEST_DEBUG", raising=False)
    (tmp_path / "pytest.ini").write_bytes(b"[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    (tmp_path / "notes.txt").touch()
    (tmp_path / "test_b.py").write_bytes(TEST)
    for name in ("pytest-9.2.0", "pytest_asyncio-1.5.0", "httpx-0.28.1"):
        (tmp_path / f".venv/lib/python3.12/site-packages/{name}.dist-info").mkdir(parents=True)
    (tmp_path / ".venv/pyvenv.cfg").write_bytes(b"version = 3.12.1\n")
    return tmp_path


@pytest.fixture
def check(folder: Path, capsys: pytest.CaptureFixture[str]) -> Check:  # noqa: ARG001
    """Checks the folder, or what the arguments say: the exit code, and what was said of each place, sorted."""

    def check(*arguments: str) -> tuple[int, list[str]]:
        code = main(["check", "--no-cache", "--output-format", "concise", *arguments])
        out, err = capsys.readouterr()
        return code, said(out, err)

    return check


def said(out: str, err: str) -> list[str]:
    """`file:line code` for each finding, and each complaint; not the summaries."""
    assert "Traceback" not in out + err
    findings = [re.sub(r"^(.*?:\d+):\d+: (AWT\d+) .*", r"\1 \2", line) for line in out.splitlines()]
    complaints = [line.partition(": ")[2] for line in err.splitlines() if line.startswith("awaitest: ")]
    return sorted([*findings, *complaints])


@pytest.mark.parametrize("title", TEXTS)
def test_texts(folder: Path, check: Check, title: str) -> None:
    text, expected = TEXTS[title]
    (folder / "test_a.py").write_bytes(text)
    unchecked = any(": " in line for line in expected)
    assert check() == (2 if unchecked else 1, sorted([*expected, ELSEWHERE]))


@pytest.mark.parametrize("title", [title for title in TEXTS if "MB" not in title and "lines" not in title])
def test_commands_on_one_file(folder: Path, capsys: pytest.CaptureFixture[str], title: str) -> None:
    text, expected = TEXTS[title]
    (folder / "test_a.py").write_bytes(text)
    assert main(["config", "--no-cache", "test_a.py"]) == 0
    assert capsys.readouterr().err == ""
    code = main(["explain", "--no-cache", "test_a.py::test_a"])
    err = capsys.readouterr().err
    unreadable = [line for line in expected if ": " in line and "too deeply" not in line]
    if unreadable:
        assert (code, err) == (2, f"awaitest: {unreadable[0]}\n")
    elif any("AWT101" in line for line in expected):
        assert (code, err) == (0, "")
    elif code:
        assert re.fullmatch(r"awaitest: test_a\.py(?:: code is nested too deeply.*| has no test test_a)\n", err)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\xef\xbb\xbf" + TEST, b"\xef\xbb\xbf" + FIXED),
        (b"# coding: latin-1\n" + TEST + b"# \xe9\n", b"# coding: latin-1\n" + FIXED + b"# \xe9\n"),
        (TEST.replace(b"\n", b"\r\n"), FIXED.replace(b"\n", b"\r\n")),
        (TEST.replace(b"\n", b"\r"), FIXED.replace(b"\n", b"\r")),
        (
            TEST.replace(b":\n", b":\r").replace(b")\n", b")\r\n"),
            FIXED.replace(b":\n", b":\r").replace(b")\n", b")\r\n"),
        ),
        (TEST.replace(b"    ", b"\t"), FIXED.replace(b"    ", b"\t")),
        (TEST.replace(b"@", b"\x0c@") + b"# \x0c\n", FIXED.replace(b"@", b"\x0c@") + b"# \x0c\n"),
        (TEST.rstrip(b"\n"), FIXED.rstrip(b"\n")),
        (TEST + b"def f(\n", FIXED + b"def f(\n"),
        (TEST + b"x = '\0'\n", FIXED + b"x = '\0'\n"),
        ("'\N{GRINNING FACE}'\n".encode() + TEST, "'\N{GRINNING FACE}'\n".encode() + FIXED),
    ],
    ids=["bom", "latin-1", "crlf", "cr", "mixed", "tabs", "form feeds", "no end", "half typed", "nul", "emoji"],
)
def test_a_fix_leaves_all_other_bytes(folder: Path, check: Check, before: bytes, after: bytes) -> None:
    (folder / "test_a.py").write_bytes(before)
    check("--fix")
    assert (folder / "test_a.py").read_bytes() == after
    assert (folder / "test_b.py").read_bytes() == FIXED


def test_a_file_that_must_not_be_written(folder: Path, check: Check) -> None:
    (folder / "test_a.py").write_bytes(TEST)
    (folder / "test_a.py").chmod(0o444)
    assert check("--fix") == (1, ["test_a.py: is read-only; not fixed", FOUND])
    assert (folder / "test_a.py").read_bytes() == TEST
    assert (folder / "test_b.py").read_bytes() == FIXED


# Places


def link(name: str, target: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).symlink_to(target)


def directory(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).mkdir()


def pipe(name: str) -> Callable[[Path], None]:
    return lambda folder: os.mkfifo(folder / name)


def locked(name: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / name).write_bytes(TEST)
        (folder / name).chmod(0)

    return make


PLACES: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "a link to itself": (link("test_a.py", "test_a.py"), ["test_a.py is not a regular file"]),
    "a link to nothing": (link("test_a.py", "gone.py"), ["test_a.py is not a regular file"]),
    "a link to an endless file": (link("test_a.py", "/dev/zero"), ["test_a.py is not a regular file"]),
    "a pipe": (pipe("test_a.py"), ["test_a.py is not a regular file"]),
    "a folder named like a file": (directory("test_a.py"), []),
    "a loop of folders": (link("test_a.py", "."), ["test_a.py/test_b.py:6 AWT101"]),
    "a conftest.py that links to itself": (link("conftest.py", "conftest.py"), []),
    "a folder named conftest.py": (directory("conftest.py"), []),
    "a folder named like a module": (directory("httpx.py"), []),
    "a folder named pyproject.toml": (directory("pyproject.toml"), []),
    "a pipe named conftest.py": (pipe("conftest.py"), []),
    "a pipe named pyproject.toml": (pipe("pyproject.toml"), []),
}


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes")
@pytest.mark.parametrize("title", PLACES)
def test_places(folder: Path, check: Check, title: str) -> None:
    make, expected = PLACES[title]
    make(folder)
    assert check() == (1, [ELSEWHERE])
    named = [path.name for path in sorted(folder.glob("test_*"))] or ["."]
    complained = any("regular" in line for line in expected)
    assert check(*named) == (2 if complained else 1, sorted([*expected, ELSEWHERE]))


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="this user reads everything")
def test_a_file_that_must_not_be_read(folder: Path, check: Check) -> None:
    locked("test_a.py")(folder)
    assert check() == (2, ["test_a.py: Permission denied", ELSEWHERE])


# Configuration

TOML = "pyproject.toml"
CONFIGURATION = [
    (TOML, b"[tool.awaitest\n", 1, "is not valid TOML"),
    (TOML, b"# \xe9\n", 1, "is not valid UTF-8"),
    (TOML, b"\n[tool]\na = '\0'\n", 3, "is not valid TOML"),
    (TOML, b"[tool]\na = 1\na = 2\n", 3, "is not valid TOML"),
    (TOML, b"a = " + b"[" * 3000, 1, "is not readable TOML"),
    (TOML, "a = 1".encode("utf-16"), 1, "is not valid UTF-8"),
    (TOML, b"[tool]\nawaitest = 3\n", 2, "[tool.awaitest] must be a table"),
    (TOML, b"[tool.awaitest]\nslect = []\n", 2, "'slect' is not a setting of awaitest; did you mean 'select'?"),
    (TOML, b"[tool.awaitest]\nselect = 'AWT1'\n", 2, "'select' must be a list of strings"),
    (TOML, b"[tool.awaitest]\nignore = [\n 'AWT9',\n]\n", 3, "'AWT9' is not a rule of awaitest"),
    (TOML, b"[tool.awaitest]\nexclude = [1]\n", 2, "'exclude' must be a list of strings, but has 1"),
    (TOML, b"[tool.awaitest]\nexclude = ['!']\n", 2, "'!' is not a pattern"),
    (TOML, b"[tool.awaitest.severity]\nAWT1 = 'fatal'\n", 2, "'fatal' is not a level"),
    (TOML, b"[tool.awaitest.per-file-ignores]\nx = 'y'\n", 2, "'x' must be a list of strings"),
    (TOML, b"[tool.awaitest]\npython = 3\n", 2, "'python' must be a string"),
    (TOML, b"[tool.awaitest]\npython = 'pytest.ini'\n", 2, "'python': pytest.ini is neither"),
    ("pytest.ini", b"[pytest\n", 1, "is not a valid INI file"),
    ("pytest.ini", b"a = 1\n", 1, "is not a valid INI file: no section header defined"),
    ("pytest.ini", b"[pytest]\na = 1\na = 2\n", 3, "is not a valid INI file: duplicate name 'a'"),
    ("pytest.ini", b"[pytest]\n# \xe9\n", 2, "this line is not valid utf-8"),
    ("pytest.ini", b"[pytest]\nasyncio_mode = often\n", 2, "'often' is not a valid asyncio_mode"),
    ("pytest.ini", b"[pytest]\naddopts = '\n", 2, "addopts cannot be split into words"),
    ("pytest.toml", b"[pytest]\nasyncio_mode = 1\n", 2, "1 is not a valid asyncio_mode"),
]


@pytest.mark.parametrize(("name", "text", "line", "message"), CONFIGURATION)
def test_configuration(folder: Path, check: Check, name: str, text: bytes, line: int, message: str) -> None:
    (folder / name).write_bytes(text)
    code, lines = check()
    assert code == 2
    there = [it for it in lines if it.startswith(f"{name}:{line}")]
    assert len(there) == 1
    assert there[0].startswith(f"{name}:{line}: {message}") or there[0] == f"{name}:{line} AWT231"
    others = [it for it in lines if it not in there and it != "pytest.ini:1 AWT231"]
    assert others == ([ELSEWHERE] if name != TOML else [])


@pytest.mark.parametrize(
    "name", [".gitignore", "uv.lock", "requirements.txt", "setup.cfg", "setup.py", ".venv/pyvenv.cfg", "Pipfile.lock"]
)
@pytest.mark.parametrize("text", [b"\0\xff[\n!\n", b"-r " * 9 + b"\n", b"[" * 9999], ids=["bytes", "words", "brackets"])
def test_files_that_are_only_asked(folder: Path, check: Check, name: str, text: bytes) -> None:
    (folder / ".git").mkdir()
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(text)
    code, lines = check()
    assert (code, lines[-1]) == (2 if name == "setup.cfg" else 1, ELSEWHERE)
    assert [re.split("[: ]", line)[0] for line in lines[:-1]] == (["setup.cfg"] if name == "setup.cfg" else [])


# Circles


@pytest.mark.parametrize("title", CIRCLES)
def test_circles(folder: Path, check: Check, title: str) -> None:
    for name, text in CIRCLES[title].items():
        (folder / name).write_text(text, "utf-8")
    assert check() == (1, [ELSEWHERE])


# Calls

CALLS = [
    (["--python", "gone"], ["--python: gone does not exist"]),
    (["--python", "test_b.py"], ["--python: test_b.py is neither a Python interpreter nor an environment"]),
    (["--python", "."], ["--python: . is neither a Python interpreter nor an environment"]),
    (["--select", "AWT999"], ["--select: there is no rule AWT999; did you mean AWT309?"]),
    (["--select", "\0"], ["--select: there is no rule \N{REPLACEMENT CHARACTER}; `awaitest rule` lists all rules"]),
    (["--ignore", "missing-awiat"], ["--ignore: there is no rule missing-awiat; did you mean missing-await?"]),
    (["a\0b"], ["a\N{REPLACEMENT CHARACTER}b does not exist"]),
    (["\udcff.py", "test_b.py"], [ELSEWHERE, "\N{REPLACEMENT CHARACTER}.py does not exist"]),
    (["x" * 5000, "test_b.py"], [ELSEWHERE, f"{'x' * 5000} does not exist"]),
    (["notes.txt", "test_b.py"], ["notes.txt is not a Python file", ELSEWHERE]),
]


@pytest.mark.parametrize(("arguments", "expected"), CALLS, ids=lambda value: str(value)[:40] if value else "")
def test_calls(check: Check, arguments: list[str], expected: list[str]) -> None:
    assert check(*arguments) == (2, expected)


@pytest.mark.parametrize("command", [["explain", "test_b.py::test_a"], ["config", "test_b.py"]])
@pytest.mark.usefixtures("folder")
def test_no_command_takes_a_wrong_python(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    assert main([*command, "--python", "pytest.ini"]) == 2
    assert capsys.readouterr().err == (
        "awaitest: --python: pytest.ini is neither a Python interpreter nor an environment\n"
    )


@pytest.mark.parametrize("python", [sys.executable, sys.prefix])
def test_an_interpreter_and_its_environment_are_taken(check: Check, python: str) -> None:
    assert check("--python", python) == (1, [ELSEWHERE])


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are Unicode")
def test_file_names_of_any_bytes(folder: Path, check: Check) -> None:
    for name in (b"test_\xff.py", b"test_\n.py"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(TEST)
    assert check() == (1, sorted([ELSEWHERE, *["test_\N{REPLACEMENT CHARACTER}.py:6 AWT101"] * 2]))


# Newer syntax


@pytest.mark.parametrize("title", NEWER)
def test_newer_syntax_is_named_once(folder: Path, capsys: pytest.CaptureFixture[str], title: str) -> None:
    version, text = NEWER[title]
    if sys.version_info >= version:
        pytest.skip("this Python knows it")
    (folder / "test_a.py").write_bytes(text.encode() + TEST)
    assert main(["check", "--no-cache", "--output-format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert [(it["code"], it["severity"]) for it in found if it["code"] != "AWT101"] == [("AWT000", "hint")]
    assert [it["message"] for it in found if it["code"] == "AWT000"] == [
        f"`new` is not checked: its syntax needs Python {version[0]}.{version[1]} or newer, and awaitest runs on {here}. Run awaitest on that Python."
    ]
    assert len(found) == 3


def test_newer_syntax_on_the_oldest_python(folder: Path) -> None:
    """All of it at once, where a Python 3.10 is at hand that finds what awaitest needs."""
    python = shutil.which("python3.10")
    paths = [str(Path(awaitest.__file__).parents[1]), *filter(None, sys.path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    if python is None or subprocess.run([python, "-c", "import tomli, pathspec"], env=environment).returncode:
        pytest.skip("no Python 3.10")
    text = "".join(text.replace("new", f"new_{at}") for at, (_, text) in enumerate(NEWER.values()))
    (folder / "test_a.py").write_bytes(text.encode() + TEST)
    run = subprocess.run(
        [python, "-m", "awaitest", "check", "--no-cache", "--output-format", "concise"],
        capture_output=True, encoding="utf-8", env=environment,
    )  # fmt: skip
    lines = text.splitlines()
    assert (run.returncode, "Traceback" in run.stderr) == (1, False)
    assert [line for line in said(run.stdout, "") if "AWT101" in line] == [
        f"test_a.py:{len(lines) + 6} AWT101",
        ELSEWHERE,
    ]
    assert re.findall(r"`new_(\d)` is not checked: its syntax needs Python ([\d.]+)", run.stdout) == [
        (str(at), ".".join(map(str, version))) for at, (version, _) in enumerate(NEWER.values())
    ]
