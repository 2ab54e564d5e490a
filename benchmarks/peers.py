"""What ruff and pyright say of the zoo, with the settings that serve them best."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.zoo_cases import Finding, below, writable_copy

RUFF = "ASYNC,B,E9,F,PLE,PT,RUF006"
"""The stable groups with rules that can see such a mistake. RUF029 (preview) would find one more, and flag every endpoint."""

PYRIGHT = {
    "typeCheckingMode": "standard",
    "reportUnusedCoroutine": "error",
    "reportUnusedExpression": "error",
    "reportUnnecessaryComparison": "error",
}


def tool(name: str) -> str | None:
    """The command beside this Python, or on the PATH."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


def ruff(zoo: Path) -> list[Finding]:
    command = [tool("ruff") or "ruff", "check", "--isolated", "--no-cache", "--exit-zero"]
    output = subprocess.run(
        [*command, "--select", RUFF, "--output-format", "json", str(zoo)],
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout
    return [
        Finding(below(zoo, item["filename"]), item["location"]["row"], item["code"] or "E999", "error", item["message"])
        for item in json.loads(output)
    ]


def pyright(zoo: Path, work: Path) -> list[Finding]:
    """Pyright on a copy of the zoo in `work`, each case a root of its own so that its imports resolve."""
    copy = work / "pyright"
    writable_copy(zoo, copy)
    roots = [{"root": path.parent.name} for path in sorted(zoo.glob("*/expect.json"))]
    (copy / "pyrightconfig.json").write_text(json.dumps({**PYRIGHT, "executionEnvironments": roots}), encoding="utf-8")
    run = subprocess.run(
        [tool("pyright") or "pyright", "--outputjson", "--pythonpath", sys.executable, "--project", str(copy)],
        capture_output=True,
        encoding="utf-8",
    )
    return [
        Finding(
            below(copy, item["file"]),
            item["range"]["start"]["line"] + 1,
            item.get("rule", "syntax"),
            item["severity"],
            item["message"],
        )
        for item in json.loads(run.stdout)["generalDiagnostics"]
        if item["severity"] in ("error", "warning")
    ]
