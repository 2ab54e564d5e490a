"""The same planted mistakes before other tools: each mutant stands as a file of its own beside the original, in a copy of the package."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.detection.mutants import Mutant
from benchmarks.detection.suite import SuiteFile
from benchmarks.peers import RUFF, tool

COMMANDS: dict[str, list[str]] = {
    "ruff": ["check", "--isolated", "--no-cache", "--exit-zero", "--select", RUFF, "--output-format", "concise"],
    "pyright": ["--pythonpath", "{python}", "--project", "pyrightconfig.json"],
    "mypy": [
        "--check-untyped-defs", "--ignore-missing-imports", "--no-error-summary", "--no-incremental", "--explicit-package-bases",
        "--enable-error-code", "unused-awaitable", "--enable-error-code", "truthy-bool", "--python-executable", "{python}",
    ],
    "ty": ["check", "--exit-zero", "--output-format", "concise", "--python", "{prefix}"],
    "flake8": ["--select", "ASYNC1,ASYNC2,E9,F", "--isolated"],
    "pylint": ["--output-format", "parseable", "--disable", "C,R", "--score", "n", "--init-hook", "import sys; sys.path.append('{packages}')"],
}  # fmt: skip
"""How each is asked, in the copy and with the files behind: one line of text per finding, with the settings that serve it best.
The environment's interpreter, its folder and its site-packages go where the braces are."""

_SETTINGS = """{"typeCheckingMode": "standard", "reportUnusedCoroutine": "error", "reportUnusedExpression": "error",
 "reportUnnecessaryComparison": "error", "include": ["."]}"""
_LINE = re.compile(r"\s*(?P<file>\S.*?\.py):\d+(?::\d+)?(?::| -)\s(?P<text>.*)")
_NUMBER = re.compile(r"\b(?:on )?line \d+")


def found_by(
    root: Path, chosen: Mapping[SuiteFile, list[Mutant]], environment: Path = Path(sys.prefix)
) -> dict[str, dict[Mutant, bool]]:
    """By tool, whether it says of each mutant something that it does not say of the original. Tools that are not here are left out."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve() / root.name
        shutil.copytree(root, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", "pyproject.toml", "mypy.ini"))
        (copy / "pyrightconfig.json").write_text(_SETTINGS, encoding="utf-8")
        planted = _plant(root, copy, chosen)
        originals = {copy / file.path.relative_to(root) for file in chosen}
        files = sorted(originals | planted.keys())
        return {name: _judged(_said(name, copy, files, environment), planted) for name in COMMANDS if tool(name)}


def _plant(root: Path, copy: Path, chosen: Mapping[SuiteFile, list[Mutant]]) -> dict[Path, tuple[Path, Mutant]]:
    planted = {}
    for file, mutants in chosen.items():
        original = copy / file.path.relative_to(root)
        for number, mutant in enumerate(mutants):
            path = original.with_name(f"{original.stem}_planted_{number}.py")
            path.write_text(mutant.text(file.text), encoding="utf-8")
            planted[path] = (original, mutant)
    return planted


def _said(name: str, copy: Path, files: Iterable[Path], environment: Path) -> dict[Path, Counter[str]]:
    places = {
        "python": environment / "bin" / "python",
        "prefix": environment,
        "packages": next(environment.glob("lib/python3*/site-packages"), environment),
    }
    command = [tool(name) or name, *(word.format_map(places) for word in COMMANDS[name])]
    if name != "pyright":
        command += [path.relative_to(copy).as_posix() for path in files]
    run = subprocess.run(command, cwd=copy, capture_output=True, encoding="utf-8", errors="replace")
    said: dict[Path, Counter[str]] = {}
    for file, text in filter(None, map(parsed, run.stdout.splitlines())):
        said.setdefault(copy / file, Counter())[text] += 1
    if not said and run.returncode:
        raise RuntimeError(f"{name} failed:\n{run.stdout[-2000:]}\n{run.stderr[-2000:]}")
    return said


def parsed(line: str) -> tuple[str, str] | None:
    """The file and the text of a finding, without the places that it names."""
    found = _LINE.fullmatch(line)
    return (found["file"], _NUMBER.sub("line", found["text"])) if found else None


def _judged(said: Mapping[Path, Counter[str]], planted: Mapping[Path, tuple[Path, Mutant]]) -> dict[Mutant, bool]:
    nothing: Counter[str] = Counter()
    new = {path: said.get(path, nothing) - said.get(original, nothing) for path, (original, _) in planted.items()}
    return {mutant: bool(new[path]) for path, (_, mutant) in planted.items()}
