"""Writes what is told by the code itself: the rules' pages, their tables, the page on configuration, the editor's settings,
the server's first answer. `--check` only compares."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.protocol import default_converter

from awaitest.assist.settings import configuration
from awaitest.cli.session import RuleInfo, all_rules
from awaitest.lsp.server import Server
from awaitest.lsp.wire import Writer
from awaitest.project.settings import OPTIONS, SEVERITIES, Option

ROOT = Path(__file__).parents[1]
RULES = Path("docs/rules")
README = Path("README.md")
CONFIGURATION = Path("docs/configuration.md")
PACKAGE = Path("package.json")
GREETING = Path("server/awaitest/greeting.json")
START, END = "<!-- rules:start -->", "<!-- rules:end -->"
NOTE = "<!-- Written by scripts/generate.py: change the code it is made from, not this page. -->\n"

_FIXES = {"safe": "safe", "unsafe": "unsafe", "sometimes": "safe or unsafe", "none": "–"}
_PARTS = {
    "AWT1": "Awaiting",
    "AWT2": "Async tests and fixtures: who runs them, on which loop",
    "AWT3": "Clients and their life",
    "AWT4": "The app under test",
}
_EXAMPLES: dict[str, object] = {
    "select": ["ALL"],
    "ignore": ["AWT3"],
    "per-file-ignores": {"tests/legacy/**": ["unclosed-client"]},
    "severity": {"unclosed-client": "error"},
    "exclude": ["tests/data/"],
    "python": ".venv",
}

_RULES_PAGE = """\
# The rules

{count} rules. Each has a code and a name; either can be used wherever a rule is named. The fix of a *safe* one is applied by
`awaitest check --fix`, that of an *unsafe* one only with `--unsafe-fixes` too.

{tables}
"""

_CONFIGURATION_PAGE = """\
# Configuration

awaitest reads pytest's own configuration to learn how the tests run. Its own settings stand in the table `[tool.awaitest]` of the
nearest `pyproject.toml` that has one; paths and patterns are relative to that file.

| setting | value | default | meaning |
|---|---|---|---|
{rows}

All of them in use:

```toml
{example}
```

A rule is named by its code (`AWT301`), its name (`unclosed-client`) or the beginning of codes (`AWT3`); `ALL` means every rule. The levels
are {levels}; a `hint` never sets the exit code.

## In the code

| comment | silences |
|---|---|
| `# awaitest: ignore[missing-await]` | these rules, on this line |
| `# awaitest: ignore` | every rule, on this line |
| `# noqa: AWT101` | the same, for those who have ruff |
| `# awaitest: ignore-file[missing-await]` | these rules, in this file; without brackets every rule |

For a diagnostic of several lines the comment stands on its first or its last line. Several rules are separated by commas.
"""


def outputs(root: Path = ROOT) -> dict[Path, str]:
    """Every generated file and its content, by path below the root."""
    rules = all_rules()
    pages = {RULES / f"{rule.name}.md": f"{NOTE}\n{rule.page.rstrip()}\n" for rule in rules}
    readme = (root / README).read_text(encoding="utf-8")
    return {
        **pages,
        RULES / "README.md": NOTE + "\n" + _RULES_PAGE.format(count=len(rules), tables=_tables(rules)),
        README: between(readme, _table(rules, f"{RULES.as_posix()}/")),
        CONFIGURATION: NOTE + "\n" + _configuration(),
        PACKAGE: _package((root / PACKAGE).read_text(encoding="utf-8")),
        GREETING: _greeting(),
    }


def between(text: str, part: str) -> str:
    """The text with `part` between the markers; raises ValueError where they are missing."""
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"{README} needs {START} and {END}")
    return f"{before}{START}\n{part}\n{END}{after}"


def stale(root: Path = ROOT) -> list[Path]:
    """Generated files that are not as they would be written now, and pages of rules that are gone."""
    wanted = outputs(root)
    changed = [path for path, text in wanted.items() if _read(root / path) != text]
    return changed + [path for path in _pages(root) if path not in wanted]


def write(root: Path = ROOT) -> list[Path]:
    """Write what is stale, delete pages of rules that are gone; the paths touched."""
    wanted = outputs(root)
    touched = stale(root)
    for path in touched:
        if path in wanted:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(wanted[path], encoding="utf-8", newline="\n")
        else:
            (root / path).unlink()
    return touched


def _read(path: Path) -> str | None:
    return path.read_bytes().decode("utf-8") if path.is_file() else None


def _pages(root: Path) -> list[Path]:
    return sorted(path.relative_to(root) for path in (root / RULES).glob("*.md"))


def _tables(rules: Sequence[RuleInfo]) -> str:
    parts = {part: [rule for rule in rules if rule.code.startswith(part)] for part in _PARTS}
    return "\n\n".join(f"## {_PARTS[part]}\n\n{_table(some, '')}" for part, some in parts.items() if some)


def _table(rules: Iterable[RuleInfo], folder: str) -> str:
    rows = (
        f"| {rule.code} | [{rule.name}]({folder}{rule.name}.md) | {rule.severity} | {_cell(rule.summary)} | {_FIXES[rule.fix]} |"
        for rule in rules
    )
    return "\n".join(["| code | name | level | what it does | fix |", "|---|---|---|---|---|", *rows])


def _configuration() -> str:
    return _CONFIGURATION_PAGE.format(
        rows="\n".join(map(_row, OPTIONS)),
        example=example(),
        levels=", ".join(f"`{level}`" for level in SEVERITIES),
    )


def _package(text: str) -> str:
    """package.json with the settings as the code declares them."""
    package = json.loads(text)
    package["contributes"]["configuration"]["properties"] = configuration()
    return json.dumps(package, indent=2, ensure_ascii=False) + "\n"


def _greeting() -> str:
    diagnostic = types.DiagnosticClientCapabilities()
    client = types.ClientCapabilities(text_document=types.TextDocumentClientCapabilities(diagnostic=diagnostic))
    return json.dumps(greeting(client), indent=2) + "\n"


def greeting(client: types.ClientCapabilities) -> dict[str, Any]:
    """The result of `initialize` as pygls makes it, from what the server registers and what the client can."""
    server = Server()
    server.protocol.set_writer(Writer(io.BytesIO()))
    request: Any = types.InitializeRequest(0, types.InitializeParams(client))
    server.protocol.handle_message(request)
    server.session.end()
    result = types.InitializeResult(server.protocol.server_capabilities, server.protocol.server_info)
    told: dict[str, Any] = default_converter().unstructure(result)  # type: ignore[no-untyped-call]
    return told


def _row(option: Option) -> str:
    default = "–" if option.default is None else f"`{_toml(option.default)}`"
    return f"| `{option.name}` | {option.kind} | {default} | {_cell(option.doc)} |"


def example() -> str:
    """A pyproject.toml in which every setting occurs."""
    values = {option.name: _EXAMPLES[option.name] for option in OPTIONS}
    lines = ["[tool.awaitest]", *(f"{name} = {_toml(it)}" for name, it in values.items() if not isinstance(it, dict))]
    for name, table in values.items():
        if isinstance(table, dict):
            lines += ["", f"[tool.awaitest.{name}]", *(f"{_toml(key)} = {_toml(it)}" for key, it in table.items())]
    return "\n".join(lines)


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def main(arguments: Sequence[str]) -> int:
    """0 where nothing was to do, 1 where `--check` found something stale."""
    if arguments not in ([], ["--check"]):
        print("usage: generate.py [--check]", file=sys.stderr)
        return 2
    touched = stale() if arguments else write()
    for path in touched:
        print(f"{'stale' if arguments else 'written'}: {path.as_posix()}")
    return 1 if arguments and touched else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
