"""`awaitest config`: what surrounds a file, and who runs its tests.

The session gives a dict: config_file, section, rootdir, asyncio_mode and anyio_mode {value, source}, environment
{origin, python, versions}, runner [{kind, by, why}], fixtures [{name, where, gives, scope, async}], problems [text].
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from awaitest.cli import CLEAN, session
from awaitest.cli.checking import TOO_DEEP
from awaitest.cli.commands.check import surroundings_of
from awaitest.cli.session import UsageError
from awaitest.cli.table import table, wrap
from awaitest.cli.terminal import Style, printable, style_for
from awaitest.sources import shown

DECISIVE = ("pytest", "pytest-asyncio", "anyio", "trio", "httpx", "httpx2", "starlette", "fastapi", "asgi-lifespan")
"""The packages whose versions decide what awaitest says; the JSON has all."""


def run(arguments: argparse.Namespace) -> int:
    path = arguments.file.absolute()
    if not path.exists():
        raise UsageError(f"{shown(path)}: no such file or directory")
    try:
        found = session.open_session(surroundings_of(arguments)).config(path)
    except RecursionError:
        raise UsageError(f"{shown(path)}: {TOO_DEEP}") from None
    if arguments.output_format == "json":
        sys.stdout.write(json.dumps(found, indent=2, default=str) + "\n")
        return CLEAN
    sys.stdout.writelines(f"{line}\n" for line in _lines(found, style_for(sys.stdout, arguments.color)))
    return CLEAN


def _lines(found: dict[str, Any], style: Style) -> Iterator[str]:
    section = f" [{found['section']}]" if found["section"] else ""
    environment = found["environment"]
    yield from _fact("configuration", f"{found['config_file'] or 'none'}{section}", style)
    yield from _fact("rootdir", found["rootdir"], style)
    for mode in ("asyncio_mode", "anyio_mode"):
        yield from _fact(mode, f"{found[mode]['value']} ({found[mode]['source']})", style)
    yield from _fact("environment", f"Python {environment['python']}, known from {environment['origin']}", style)
    known = environment["versions"]
    versions = ", ".join(f"{name} {known[name]}" for name in DECISIVE if name in known)
    yield from _fact("versions", versions or "unknown", style)
    if found["runner"]:
        yield from _part("who runs the tests", style)
    for it in found["runner"]:
        yield from _indented(f"{it['kind']}: {it['by']}", style)
        yield from _indented(it["why"], style, 4)
    if found["fixtures"]:
        yield from _part("fixtures", style)
        rows = [[it["name"], it["gives"], _kind(it), _where(it)] for it in found["fixtures"]]
        for line in table(("name", "gives", "kind", "where"), rows, style.width - 2):
            yield f"  {line}"
    if found["problems"]:
        yield from _part("problems", style)
        for problem in found["problems"]:
            yield from _indented(problem, style)


def _kind(fixture: dict[str, Any]) -> str:
    return f"{'async' if fixture['async'] else 'sync'}, {fixture['scope']}"


def _where(fixture: dict[str, Any]) -> str:
    path, _, line = fixture["where"].rpartition(":")
    return f"{shown(Path(path))}:{line}" if path else str(fixture["where"])


def _part(title: str, style: Style) -> Iterator[str]:
    yield ""
    yield style.paint(title, "bold")


def _fact(name: str, value: object, style: Style) -> Iterator[str]:
    first, *others = wrap(printable(str(value)), style.width - 15)
    yield f"{style.paint(f'{name:<15}', 'bold')}{first}"
    yield from (f"{'':15}{line}" for line in others)


def _indented(text: object, style: Style, indent: int = 2) -> Iterator[str]:
    for line in wrap(printable(str(text)), style.width - indent):
        yield " " * indent + line
