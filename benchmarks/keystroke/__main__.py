"""Prints what a keystroke costs: ``python -m benchmarks.keystroke [--lines N ...] [--edits N] [--push] [FILE ...]``.

All servers are alive at once and take turns at each edit, so that what the machine does meanwhile hits all of them. The first is ours,
the second `ruff server` with the rules ASYNC, PT and RUF, which the ratios are to; the third, stock pygls that says nothing, is what any
server in its stead would cost; ty, pyright and pyrefly join where they are installed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.keystroke.server import Server
from benchmarks.keystroke.texts import generated, in_one_class, middle
from benchmarks.peers import tool

TYPED = 'other = await client.get(f"/typed/{1 + (2)}")'
PROJECT = """\
[project]
name = "bench"
dependencies = ["fastapi", "httpx", "pytest", "pytest-asyncio"]

[tool.ruff.lint]
select = ["ASYNC", "PT", "RUF"]
"""
STOCK = Path(__file__).with_name("stock.py")
OTHERS = {
    "ty": ["ty", "server"],
    "pyright": ["pyright-langserver", "--stdio"],
    "pyrefly": ["pyrefly", "lsp"],
}


def servers(folder: Path, *, pull: bool, others: bool) -> Iterator[Server]:
    yield Server("awaitest", [sys.executable, "-m", "awaitest", "server"], folder, pull=pull)
    ruff = tool("ruff")
    if ruff is None:
        raise SystemExit("no ruff to compare with: install it beside this Python")
    yield Server("ruff", [ruff, "server"], folder, pull=pull)
    yield Server("stock pygls", [sys.executable, str(STOCK)], folder, pull=pull)
    for name, command in OTHERS.items() if others else ():
        program = tool(command[0])
        if program is not None:
            yield Server(name, [program, *command[1:]], folder, pull=True)


def one_character(server: Server, path: Path, line: int, text: str, turn: int) -> float:
    """A digit inside a string comes and goes."""
    at = text.index("/", text.index('"'))
    return server.change(path, line, at + 1, at + 1 + turn % 2, "" if turn % 2 else "7")


def typed(server: Server, path: Path, line: int, indent: str, turn: int) -> float:
    """A statement is typed on an indented line of its own, a character at a time; then it is taken back."""
    at, start = turn % (len(TYPED) + 1), len(indent)
    if at == len(TYPED):
        return server.change(path, line, start, start + at, "")
    return server.change(path, line, start + at, start + at, TYPED[at])


Edit = Callable[[Server, Path, int, str, int], float]


def measure(them: Sequence[Server], path: Path, text: str, edit: Edit, edits: int) -> dict[str, list[float]]:
    """Milliseconds of each edit, by server."""
    lines = text.splitlines()
    line = middle(text, "client.get(") + (edit is typed)
    if edit is typed:
        before = lines[line - 1]
        lines.insert(line, before[: len(before) - len(before.lstrip())])
    for server in them:
        server.open(path, "\n".join(lines) + "\n")
    taken: dict[str, list[float]] = {server.name: [] for server in them}
    for turn in range(edits):
        for server in them if turn % 2 else reversed(them):
            taken[server.name].append(edit(server, path, line, lines[line], turn) * 1000)
    for server in them:
        server.close(path)
    return {name: values[min(20, edits // 5) :] for name, values in taken.items()}


def row(title: str, taken: dict[str, list[float]]) -> str:
    """Medians, 95th percentiles, and the ratios of the first server to the second."""
    figures = {name: (statistics.median(it), statistics.quantiles(it, n=20)[-1]) for name, it in taken.items()}
    (ours, far), (theirs, their_far) = list(figures.values())[:2]
    cells = "  ".join(f"{name} {median:7.2f} /{high:7.2f}" for name, (median, high) in figures.items())
    return f"{title:34} {cells}   ratio {ours / theirs:5.2f} /{far / their_far:5.2f}"


def main() -> int:
    parser = argparse.ArgumentParser(description="From a keystroke to its diagnostics, in milliseconds.")
    parser.add_argument("file", nargs="*", type=Path, help="real test files to edit beside the generated ones")
    parser.add_argument("--lines", nargs="*", type=int, default=[100, 500, 2000, 10000])
    parser.add_argument("--edits", type=int, default=240, help="edits of each kind in each file (default: %(default)s)")
    parser.add_argument("--push", action="store_true", help="wait for diagnostics instead of asking for them")
    parser.add_argument("--others", action="store_true", help="measure ty, pyright and pyrefly too, where they are")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        (folder / "pyproject.toml").write_text(PROJECT)
        them = list(servers(folder, pull=not options.push, others=options.others))
        print("start to initialize, ms           ", *(f"{it.name} {it.until_initialize * 1000:.0f}" for it in them))
        texts = {f"{lines} lines": generated(lines) for lines in options.lines}
        texts["a class of 1500 lines"] = in_one_class(1500)
        texts |= {path.name: path.read_text(encoding="utf-8") for path in options.file}
        for number, (title, text) in enumerate(texts.items()):
            path = folder / f"test_{number}.py"
            path.write_text(text)
            opened = {it.name: it.open(path, text) for it in them}
            told = ", ".join(f"{name} {taken * 1000:.1f} ({count})" for name, (taken, count) in opened.items())
            print(f"\n{title}: open to first diagnostics, ms (how many): {told}")
            print(
                "code actions, ms:",
                *(f"{it.name} {it.actions(path, middle(text, 'client')) * 1000:.1f}" for it in them),
            )
            for it in them:
                it.close(path)
            for what, edit in (("a character", one_character), ("a statement being typed", typed)):
                print(row(f"  {what}, median / 95th", measure(them, path, text, edit, options.edits)), flush=True)
            print("  memory, MB:", *(f"{it.name} {it.memory():.0f}" for it in them))
        for it in them:
            it.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
