"""The snippets of `snippets/awaitest.json`, which VS Code reads too. The body of each is a small test module as it is
written for pytest-asyncio in strict mode and httpx: imports first, then one test, class or fixture."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

from awaitest.project.files import DiskFiles
from awaitest.source.edits import Import

_PACKAGE = Path(__file__).parents[2]
PLACES = (_PACKAGE / "snippets.json", _PACKAGE.parents[1] / "snippets" / "awaitest.json")
"""In an installed package, and beside the server in a checkout or an extension."""

_IMPORT = re.compile(r"(?:from (?P<source>[\w.]+) )?import (?P<names>\w[\w, ]*)")
_FROM_APP = re.compile(r"from \$\{\d+:[\w.]+\} import \$\{(?P<stop>\d+):(?P<name>\w+)\}")


class Wanted(NamedTuple):
    """Something of the project that a snippet uses: the number of its tab stop, and its name by default."""

    stop: int
    name: str


@dataclass(frozen=True)
class Snippet:
    """One snippet. `code` is what follows its imports, indented by tabs, in snippet syntax."""

    title: str
    prefix: str
    description: str
    imports: tuple[Import, ...]
    wanted: tuple[Wanted, ...]
    code: str

    @property
    def is_class(self) -> bool:
        return "class " in self.code

    @property
    def is_fixture(self) -> bool:
        return "fixture" in self.code

    @property
    def is_plain(self) -> bool:
        """Whether nothing in it needs a runner."""
        return "async def " not in self.code

    @cached_property
    def runner(self) -> str | None:
        """The one plugin it is for; None where it works with any."""
        modules = {wanted.module for wanted in self.imports}
        if "anyio" in modules or "anyio_backend" in self.code:
            return "anyio"
        return "pytest-asyncio" if "asyncio" in modules else None


@cache
def catalog() -> tuple[Snippet, ...]:
    """All snippets, in the order of the file; none where the file is not there."""
    contents = (DiskFiles().read(path) for path in PLACES)
    content = next((content for content in contents if content is not None), b"{}")
    return tuple(snippet(title, entry) for title, entry in json.loads(content).items())


def snippet(title: str, entry: dict[str, object]) -> Snippet:
    """A snippet from its entry in the file."""
    body = entry["body"]
    assert isinstance(body, list)
    start = next(index for index, line in enumerate(body) if line and not line.startswith(("import ", "from ")))
    head = body[:start]
    imports = (found for line in head if (found := _IMPORT.fullmatch(line)))
    wanted = (found for line in head if (found := _FROM_APP.fullmatch(line)))
    return Snippet(
        title,
        str(entry["prefix"]),
        str(entry["description"]),
        tuple(each for found in imports for each in _imports(found)),
        tuple(Wanted(int(found["stop"]), found["name"]) for found in wanted),
        "\n".join(body[start:]),
    )


def _imports(found: re.Match[str]) -> list[Import]:
    names = found["names"].split(", ")
    return [Import(found["source"], name) if found["source"] else Import(name) for name in names]
