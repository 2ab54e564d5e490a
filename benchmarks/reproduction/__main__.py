"""``python -m benchmarks.reproduction [RULE …] [--python PYTHON] [--keep FOLDER]``: a line per rule, its example under a real pytest.

With the Python of another environment a rule speaks as it does for the versions there; where it is silent nothing is run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.requirements import Requirement
from tests.rules.harness import apply_fixes, check
from tests.rules.notation import TEST_FILE, read_code
from tests.rules.test_registry import block

from awaitest.engine.rule import LoadedRule
from awaitest.registry import all_rules
from benchmarks.reproduction.claims import CLAIMS, SERVED_APP, Claim

HERE = Path(__file__).parent
TRACE = HERE.parents[1] / "server" / "awaitest" / "trace" / "path"
SECONDS = 60
VERSIONS = (
    "import importlib.metadata as m, json, sys; "
    "print(json.dumps({d.metadata['Name'].lower(): d.version for d in m.distributions()} | {'python': '%d.%d' % sys.version_info[:2]}))"
)
PLUGINS = {"pytest-asyncio": "pytest_asyncio.plugin", "anyio": "anyio.pytest_plugin"}
QUIET = ("-q", "-rA", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
PORT = "8000"
Texts = Mapping[str, str]


class Pytest:
    """The pytest of one environment; it is started once and forks. `port` is a free one, in the place of `PORT`."""

    def __init__(self, python: str) -> None:
        run = subprocess.run([python, "-c", VERSIONS], capture_output=True, check=True, encoding="utf-8")
        self.versions: dict[str, str] = json.loads(run.stdout)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = str(free.getsockname()[1])
        environment = {"PATH": os.defpath, "PYTHONPATH": str(TRACE), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        command = [python, str(HERE / "forking.py")]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, encoding="utf-8"
        )

    def __enter__(self) -> Pytest:
        return self

    def __exit__(self, *given: object) -> None:
        with self._process:
            pass

    def run(self, folder: Path, arguments: tuple[str, ...]) -> str:
        """What pytest prints, and "hangs" where it does not end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        plugins = [word for name, module in PLUGINS.items() if name in self.versions for word in ("-p", module)]
        task = {"folder": str(folder), "arguments": [*QUIET, *plugins, *arguments], "seconds": SECONDS}
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return str(answer["output"]) + ("" if answer["code"] is not None else "\nhangs\n")

    def meets(self, requirement: Requirement) -> bool:
        return self.versions.get(requirement.name, "") in requirement.specifier

    def headers(self) -> dict[str, str]:
        """The environment, as a case would describe it."""
        known = (
            "pytest",
            "pytest-asyncio",
            "anyio",
            "trio",
            "httpx",
            "httpx2",
            "starlette",
            "fastapi",
            "asgi-lifespan",
        )
        absent = ", ".join(name for name in known if name not in self.versions)
        given = {name: self.versions[name] for name in ("python", *known) if name in self.versions}
        return {**given, **({"without": absent} if absent else {})}


def reproduced(loaded: LoadedRule, claim: Claim, pytest: Pytest, work: Path) -> Iterator[str]:
    """What does not happen as it should; nothing where all does."""
    name, headers = loaded.rule.name, pytest.headers()
    bad, good = examples(loaded)
    found = [it for it in check(bad, headers) if it.name == name]
    if not found:
        return
    older = (text for requirement, text in claim.before.items() if pytest.meets(Requirement(requirement)))
    yield from _differs("bad", _run(pytest, claim, work / name / "bad", bad), next(older, claim.bad))
    if found[0].fix is not None:
        repaired = _run(pytest, claim, work / name / "repaired", apply_fixes(bad, [found[0].fix]))
        yield from _differs("repaired", repaired, claim.repaired)
    yield from _differs("good", _run(pytest, claim, work / name / "good", good), r"\d passed")


def examples(loaded: LoadedRule) -> tuple[Texts, Texts]:
    """The bad and the good example. A good one without imports only defines something anew."""
    bad, good = block(loaded, "Bad"), block(loaded, "Good")
    whole = good if "import " in good or "import " not in bad else f"{bad}\n\n{good}"
    return read_code(bad).files, read_code(whole).files


def said(loaded: LoadedRule, pytest: Pytest) -> str:
    """The level at which the rule speaks here, and the kind of its fix."""
    code = read_code(block(loaded, "Bad"))
    found = [it for it in check(code.files, pytest.headers()) if it.name == loaded.rule.name]
    fix = found[0].fix if found else None
    return (
        "silent"
        if not found
        else f"{found[0].severity.value}, {'no fix' if fix is None else 'safe fix' if fix.safe else 'unsafe fix'}"
    )


def _run(pytest: Pytest, claim: Claim, folder: Path, texts: Texts) -> str:
    files = {"app/__init__.py": "", "app/main.py": SERVED_APP, **claim.beside, **texts}
    if claim.used:
        files[TEST_FILE] = f"import pytest\n{files[TEST_FILE]}{claim.used}"
    if not any(path in files for path in ("pyproject.toml", "pytest.ini")):
        files["pytest.ini"] = "[pytest]\n"
    shutil.rmtree(folder, ignore_errors=True)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text.replace(PORT, pytest.port), encoding="utf-8")
    output = pytest.run(folder, claim.arguments)
    (folder / "output.txt").write_text(output, encoding="utf-8")
    return output


def _differs(kind: str, output: str, wanted: str) -> Iterator[str]:
    summary = output.strip().rpartition("\n")[2]
    failed = re.search(r"\d (failed|errors?)\b", summary) and wanted.endswith("passed") and "failed" not in wanted
    if failed or not re.search(wanted, output):
        yield f"{kind}: not {wanted!r}, but {summary}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs the example of each rule, bad, repaired and good, under pytest.")
    parser.add_argument("rules", nargs="*", help="names or codes; default: all")
    parser.add_argument("--python", default=sys.executable, help="of the environment to run in; default: this one")
    parser.add_argument("--keep", type=Path, help="leave the projects and what pytest printed in this folder")
    options = parser.parse_args()
    wrong = 0
    with Pytest(options.python) as pytest, tempfile.TemporaryDirectory(prefix="reproduction-") as folder:
        work = (options.keep or Path(folder)).resolve()
        for loaded in all_rules():
            rule = loaded.rule
            if options.rules and not {rule.name, rule.code} & set(options.rules):
                continue
            differences = list(reproduced(loaded, CLAIMS[rule.name], pytest, work))
            wrong += bool(differences)
            print(
                f"{rule.code} {rule.name:36} {said(loaded, pytest):20} {'; '.join(differences) or 'as said'}",
                flush=True,
            )
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
