"""The shape of the house: imports run one way, parts that are pure do no I/O, files stay small, every rule is complete."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "server" / "awaitest"
ORDER = (
    "source", "project", "engine", "rules", "registry", "check", "sources", "fixing", "live", "trace", "assist", "greeting", "cli", "lsp",
)  # fmt: skip
"""A part imports only itself and parts that stand before it; `cli` and `lsp` know nothing of each other."""

FREE = ("__init__", "__main__")
PURE = ("source", "engine", "rules")
IO_MODULES = {
    "os",
    "io",
    "shutil",
    "tempfile",
    "socket",
    "subprocess",
    "glob",
    "sqlite3",
    "urllib",
    "http",
    "asyncio",
    "threading",
}
IMPORT_MACHINERY = {"importlib", "runpy", "linecache", "inspect", "pkgutil"}
IO_METHODS = {
    "open",
    "read_text",
    "read_bytes",
    "write_text",
    "write_bytes",
    "exists",
    "is_file",
    "is_dir",
    "iterdir",
    "rglob",
    "mkdir",
}
DYNAMIC = {"exec", "eval", "compile", "__import__"}
IMPORTERS = {"registry.py", "cli/__init__.py", "cli/formats/__init__.py", "cli/commands/server.py"}
"""The modules that import by name, parts of awaitest only."""

SERVER_PROTOCOL = frozenset({"pygls", "lsprotocol"})
LONGEST, LONGEST_RULE = 400, 120
CHECKED = ("server", "tests", "benchmarks", "client")

RECORDER = sorted((PACKAGE / "trace" / "path").rglob("*.py"))
"""What runs in the user's own interpreter."""

MODULES = sorted(set(PACKAGE.rglob("*.py")) - set(RECORDER))
RULES = [path for path in sorted((PACKAGE / "rules").glob("*.py")) if path.stem != "__init__"]


def label(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def part_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[str]:
    """Dotted names of everything a module imports, `from a import b` as both a and a.b."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{label(path)}:{node.lineno} imports relatively"
            yield from (node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names))


def called(path: Path) -> Iterator[ast.expr]:
    """What is called: `f` of f(), `x.m` of x.m()."""
    return (node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call))


def methods(path: Path) -> set[str]:
    return {it.attr for it in called(path) if isinstance(it, ast.Attribute)}


def functions(path: Path) -> set[str]:
    return {it.id for it in called(path) if isinstance(it, ast.Name)}


def parts_imported(path: Path) -> set[str]:
    names = (name.split(".") for name in imported(path))
    return {name[1] for name in names if name[0] == "awaitest" and len(name) > 1} & set(ORDER)


def violations(part: str, imports: set[str]) -> set[str]:
    allowed = set(ORDER[: ORDER.index(part) + 1]) - ({"cli"} if part == "lsp" else set())
    return imports - allowed


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_imports_run_one_way(path: Path) -> None:
    part = part_of(path)
    if part in FREE:
        return
    assert part in ORDER, f"{part} has no place in the order of parts"
    assert violations(part, parts_imported(path)) == set()


@pytest.mark.parametrize("path", RECORDER, ids=label)
def test_the_recorder_needs_pytest_and_the_standard_library_only(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    nodes = list(ast.walk(ast.parse(text, feature_version=(3, 10))))
    imports = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imports |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    tops = {name.partition(".")[0] for name in imports}
    assert tops - {"pytest", "_pytest"} <= sys.stdlib_module_names


def test_only_a_trace_starts_processes() -> None:
    starting = {label(path) for path in MODULES if "subprocess" in set(imported(path))}
    assert starting == {"server/awaitest/trace/running.py"}


@pytest.mark.parametrize("path", [path for path in MODULES if part_of(path) in PURE], ids=label)
def test_pure_parts_do_no_io(path: Path) -> None:
    assert {name.partition(".")[0] for name in imported(path)} & (IO_MODULES | IMPORT_MACHINERY) == set()
    assert (methods(path) | functions(path) & {"open"}) & IO_METHODS == set()


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_nothing_of_the_user_is_run(path: Path) -> None:
    assert functions(path) & DYNAMIC == set()
    if path.relative_to(PACKAGE).as_posix() not in IMPORTERS:
        assert "import_module" not in functions(path) | methods(path)


@pytest.mark.parametrize("path", [path for path in MODULES if part_of(path) != "lsp"], ids=label)
def test_only_the_server_knows_the_protocol(path: Path) -> None:
    assert {name.partition(".")[0] for name in imported(path)} & SERVER_PROTOCOL == set()


def written_files() -> list[Path]:
    found = [
        path
        for folder in CHECKED
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".ts", ".js", ".mjs")
        and "node_modules" not in path.parts
        and "dist" not in path.parts
    ]
    return [path for path in found if "data" not in path.relative_to(ROOT).parts]


@pytest.mark.parametrize("path", written_files(), ids=label)
def test_file_is_short_and_finished(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST
    assert not re.search(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b", text)


@pytest.mark.parametrize("path", RULES, ids=label)
def test_rule_is_complete(path: Path) -> None:
    module = tree(path)
    names = {
        target.id
        for node in module.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    assert ast.get_docstring(module), "no docstring"
    assert "RULE" in names, "no RULE"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_RULE
    assert list((ROOT / "tests" / "rules").rglob(f"{path.stem}.*")), f"no cases: tests/rules/**/{path.stem}.*"


@pytest.mark.parametrize(
    ("part", "imports", "wrong"),
    [
        ("source", {"engine"}, {"engine"}),
        ("engine", {"source", "project", "rules"}, {"rules"}),
        ("rules", {"source", "engine"}, set()),
        ("lsp", {"check", "cli"}, {"cli"}),
    ],
)
def test_the_order_is_enforced(part: str, imports: set[str], wrong: set[str]) -> None:
    assert violations(part, imports) == wrong
