"""The zoo: small projects with one planted mistake each, or none. What is found, what is a false alarm, what the fixes do.

A finding names the file by its path below the zoo, whose first part is the case.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FAMILIES = {"AWT1": "await", "AWT2": "marker", "AWT3": "client", "AWT4": "client"}
OTHER_FAMILY = {
    "a40-override-called": "AWT404",
    "m36-sync-autouse-fixture-auto": "AWT101",
    "m31-nested-test-never-runs": "AWT110",
    "m17-sync-test-marker-forgot-async": "AWT101",
}
"""Cases whose mistake is rightly reported by a rule of another family too."""
SUMMARY = re.compile(r"(\d+) (passed|failed|error|skipped|xfailed|xpassed|warning)s?\b")
SECONDS = 20


@dataclass(frozen=True)
class Case:
    """One project; `lines` is empty and `file` is "" where nothing is planted, `outcome` None where no repair is recorded."""

    id: str
    family: str
    title: str
    clean: bool
    file: str
    lines: range
    fixed: Mapping[str, str]
    outcome: str | None
    silent: bool
    pytest_args: tuple[str, ...]

    def holds(self, finding: Finding) -> bool:
        """Whether the finding starts on the planted lines."""
        return finding.file == f"{self.id}/{self.file}" and finding.line in self.lines

    def found_by(self, finding: Finding) -> bool:
        """Whether the finding is the planted mistake, of the right family."""
        return self.holds(finding) and (
            FAMILIES.get(finding.code[:4]) == self.family or OTHER_FAMILY.get(self.id) == finding.code
        )


@dataclass(frozen=True)
class Finding:
    """What a tool said: `file` with slashes below the zoo, `line` from 1, `fix` as in the JSON of awaitest."""

    file: str
    line: int
    code: str
    severity: str
    message: str
    fix: Mapping[str, Any] | None = None

    @property
    def case(self) -> str:
        return self.file.partition("/")[0]

    @property
    def counts(self) -> bool:
        return self.severity != "hint"


def find_zoo(given: str | None = None) -> Path | None:
    """The folder that was named, or that AWAITEST_ZOO names, or shared/zoo beside the clone; None when there is none."""
    named = given or os.environ.get("AWAITEST_ZOO")
    folder = Path(named) if named else ROOT.parent / "shared" / "zoo"
    return folder.resolve() if any(folder.glob("*/expect.json")) else None


def load_cases(zoo: Path) -> list[Case]:
    return [_case(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(zoo.glob("*/expect.json"))]


def _case(expected: Mapping[str, Any]) -> Case:
    clean = expected["clean"]
    repaired = expected.get("runtime_detail", {}).get("fixed") or {}
    return Case(
        id=expected["id"],
        family=expected["family"],
        title=expected["title"],
        clean=clean,
        file="" if clean else expected["file"],
        lines=range(0) if clean else range(expected["line"], expected["end_line"] + 1),
        fixed=expected.get("fixed") or {},
        outcome=repaired.get("outcome"),
        silent=expected.get("runtime_fixed") == "passes silently",
        pytest_args=tuple(expected.get("pytest_args") or ()),
    )


def awaitest(zoo: Path) -> list[Finding]:
    """The findings of one run over the folder. Raises RuntimeError when the tool itself failed."""
    search = [str(ROOT / "server"), *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-m", "awaitest", "check", str(zoo), "--output-format", "json", "--no-cache"]
    run = subprocess.run(
        command,
        cwd=zoo,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        env=dict(os.environ, PYTHONPATH=os.pathsep.join(search)),
    )
    if run.returncode not in (0, 1):
        raise RuntimeError(f"awaitest exited with {run.returncode}: {run.stderr}")
    return [
        Finding(
            file=below(zoo, item["filename"]),
            line=item["location"]["row"],
            code=item["code"],
            severity=item["severity"],
            message=item["message"],
            fix=item["fix"],
        )
        for item in json.loads(run.stdout)
    ]


def below(zoo: Path, filename: str) -> str:
    return Path(filename).resolve().relative_to(zoo.resolve()).as_posix()


def by_case(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    grouped: dict[str, list[Finding]] = {}
    for finding in findings:
        grouped.setdefault(finding.case, []).append(finding)
    return grouped


# -- fixes


def planted_fixes(case: Case, findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.fix and case.found_by(finding)]


def repaired(zoo: Path, findings: Sequence[Finding], *, unsafe: bool) -> dict[Path, str] | None:
    """The files of a case after the fixes of these findings; None when there is no such fix.

    A fix that touches what an earlier one changed is left out, as one run of ``--fix`` does.
    """
    edits: dict[Path, list[dict[str, Any]]] = {}
    for finding in findings:
        fix = finding.fix
        if fix is None or (fix["applicability"] == "unsafe" and not unsafe):
            continue
        wanted = [(Path(edit.get("filename", zoo / finding.file)), edit) for edit in fix["edits"]]
        if not any(_clash(edit, other) for path, edit in wanted for other in edits.get(path, [])):
            for path, edit in wanted:
                edits.setdefault(path, []).append(edit)
    return {path: _applied(path, its) for path, its in edits.items()} or None


def _place(edit: Mapping[str, Any], end: str) -> tuple[int, int]:
    return edit[end]["row"] - 1, edit[end]["column"] - 1


def _clash(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    if a == b:
        return False
    (a_start, a_end), (b_start, b_end) = ((_place(it, "location"), _place(it, "end_location")) for it in (a, b))
    return a_start == b_start or (a_start < b_end and b_start < a_end)


def _applied(path: Path, edits: Sequence[Mapping[str, Any]]) -> str:
    lines = [*path.read_text(encoding="utf-8").splitlines(keepends=True), ""]
    done: list[Mapping[str, Any]] = []
    for edit in sorted(edits, key=lambda it: _place(it, "location"), reverse=True):
        if edit in done:
            continue
        done.append(edit)
        (row, column), (end_row, end_column) = _place(edit, "location"), _place(edit, "end_location")
        lines[row : end_row + 1] = [lines[row][:column] + edit["content"] + lines[end_row][end_column:]]
    return "".join(lines)


def as_recorded(zoo: Path, case: Case, files: Mapping[Path, str]) -> bool:
    """Whether the repaired files are the recorded ones, layout aside."""
    recorded = {zoo / case.id / name: text for name, text in case.fixed.items()}
    return files.keys() == recorded.keys() and all(_same(files[path], text) for path, text in recorded.items())


def _same(a: str, b: str) -> bool:
    try:
        return ast.dump(ast.parse(a)) == ast.dump(ast.parse(b))
    except SyntaxError:
        return a == b


def run_fixed(zoo: Path, case: Case, findings: Sequence[Finding], work: Path) -> tuple[str, bool] | None:
    """(what pytest says of the repaired case, whether that is what is recorded); None where no fix applies."""
    planted = planted_fixes(case, findings)
    files = repaired(zoo, planted, unsafe=False) or repaired(zoo, planted, unsafe=True)
    if files is None or case.outcome is None:
        return None
    copy = work / case.id
    writable_copy(zoo / case.id, copy)
    for path, text in files.items():
        (work / path.relative_to(zoo)).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *case.pytest_args]
    try:
        run = subprocess.run(
            command, cwd=copy, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return "hangs", case.outcome == "hangs"
    outcome, warned = outcome_of(run.stdout, run.returncode)
    agrees = outcome == case.outcome and not (case.silent and warned)
    return outcome + (" with warnings" if warned else ""), agrees


def outcome_of(output: str, code: int) -> tuple[str, bool]:
    """What a run of pytest did, and whether it warned, read from its last line."""
    last = output.strip().splitlines()[-1] if output.strip() else ""
    counts = {name: int(number) for number, name in SUMMARY.findall(last)}
    warned = bool(counts.get("warning"))
    if code:
        return "fails", warned
    return next((word for name, word in OUTCOMES if counts.get(name)), "nothing ran"), warned


OUTCOMES = (("passed", "passes"), ("xfailed", "xfailed"), ("skipped", "skipped"))


def all_run_fixed(
    zoo: Path, cases: Sequence[Case], grouped: Mapping[str, Sequence[Finding]], work: Path
) -> Iterator[tuple[Case, str, bool]]:
    """Two cases at a time: (case, outcome, whether as recorded) of each that a fix applies to."""
    with ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda case: run_fixed(zoo, case, grouped.get(case.id, ()), work), cases)
        for case, result in zip(cases, results, strict=True):
            if result:
                yield case, *result


def writable_copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    for folder in (target, *(path for path in target.rglob("*") if path.is_dir())):
        folder.chmod(0o755)


# -- annotations


def bare_copy(zoo: Path, target: Path) -> set[str]:
    """A copy without the AsyncClient annotations of tests and fixtures; the cases that it changes."""
    writable_copy(zoo, target)
    changed = set()
    for path in sorted(target.glob("*/tests/**/*.py")):
        source = path.read_text(encoding="utf-8")
        try:
            bare = drop_annotations(source)
        except SyntaxError:
            continue
        if bare != source:
            path.write_text(bare, encoding="utf-8")
            changed.add(path.relative_to(target).parts[0])
    return changed


def drop_annotations(source: str) -> str:
    """The source without the AsyncClient annotations on parameters that pytest fills: those of tests and fixtures."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not _filled_by_pytest(node):
            continue
        for argument in node.args.args:
            note = argument.annotation
            if note and ast.unparse(note).rpartition(".")[2] == "AsyncClient" and note.end_col_offset is not None:
                line = lines[note.lineno - 1].encode()
                start = argument.col_offset + len(argument.arg.encode())
                lines[note.lineno - 1] = (line[:start] + line[note.end_col_offset :]).decode()
    return "".join(lines)


def _filled_by_pytest(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return node.name.startswith("test") or any("fixture" in ast.unparse(it) for it in node.decorator_list)
