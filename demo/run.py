"""Shows awaitest at work on copies of the two sample projects; exits with 1 when a step does not do what its heading says."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
AWAITEST = [sys.executable, "-m", "awaitest"]
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
PLANTED = re.compile(r"^\| `(?P<file>[\w/.]+)` +\| (?P<line>\d+)(?:-(?P<end>\d+))? +\| (?P<code>AWT\d+) ", re.MULTILINE)


class PromiseError(Exception):
    """A step that did not do what it promised."""


def step(heading: str, command: list[str], folder: Path, *, promised: int | None) -> str:
    """Runs a command in a folder and prints what it prints; raises PromiseError when it exits with another code."""
    shown = " ".join(["python" if part == sys.executable else part for part in command])
    print(f"\n=== {heading}\n$ {shown}", flush=True)
    run = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1", PYTHONIOENCODING="utf-8"),
        encoding="utf-8",
    )
    print(run.stdout.rstrip(), flush=True)
    if promised is not None and run.returncode != promised:
        raise PromiseError(f"{heading}: exit code {run.returncode}, not {promised}")
    return run.stdout


def compare_with_planted(project: Path) -> None:
    """Every mistake listed in MISTAKES.md is found on its line under its code, and nothing else is."""
    planted = {
        (match["file"], match["code"], range(int(match["line"]), int(match["end"] or match["line"]) + 1))
        for match in PLANTED.finditer((project / "MISTAKES.md").read_text(encoding="utf-8"))
    }
    command = [*AWAITEST, "check", ".", "--output-format", "json"]
    run = subprocess.run(command, cwd=project, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8")
    found = {
        (Path(item["filename"]).relative_to(project).as_posix(), item["code"], item["location"]["row"])
        for item in json.loads(run.stdout)
        if item["severity"] != "hint"
    }
    missed = [it for it in planted if not any(it[:2] == one[:2] and one[2] in it[2] for one in found)]
    invented = [it for it in found if not any(it[:2] == one[:2] and it[2] in one[2] for one in planted)]
    for file, code, lines in missed:
        print(f"planted, not found: {file}:{lines.start} {code}")
    for file, code, line in invented:
        print(f"found, not planted: {file}:{line} {code}")
    if missed or invented:
        raise PromiseError(f"{project.name}: the findings are not those of MISTAKES.md")
    print(f"\n{len(planted)} mistakes were planted in {project.name} (MISTAKES.md); these and no others are found.")


def show(project: Path) -> None:
    name = project.name
    step(f"{name}: what pytest says before", PYTEST, project, promised=None)
    step(f"{name}: what is wrong, and why (nothing is run)", [*AWAITEST, "check", "."], project, promised=1)
    if (project / "MISTAKES.md").is_file():
        compare_with_planted(project)
    repair = [*AWAITEST, "check", ".", "--fix", "--unsafe-fixes"]
    step(f"{name}: the same mistakes, repaired in a copy of the project", repair, project, promised=0)
    step(f"{name}: nothing is left to say", [*AWAITEST, "check", "."], project, promised=0)
    step(f"{name}: the repaired tests pass, with every warning an error", PYTEST, project, promised=0)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="awaitest-demo-") as folder:
        work = Path(folder).resolve()
        for name in ("lesson", "shop"):
            shutil.copytree(HERE / name, work / name, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
        try:
            explain = [*AWAITEST, "explain", "test_hello.py::test_hello"]
            step("lesson: the wrong test, step by step", explain, work / "lesson", promised=0)
            show(work / "lesson")
            step("lesson: the repaired test, step by step", explain, work / "lesson", promised=0)
            trace = [*AWAITEST, "trace", "test_hello.py::test_hello"]
            step("lesson: the same test, as it runs", trace, work / "lesson", promised=0)
            show(work / "shop")
        except PromiseError as broken:
            print(f"\nNOT AS PROMISED: {broken}", file=sys.stderr)
            return 1
    print("\nEverything was as promised.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
