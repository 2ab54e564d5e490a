"""The configurations for other editors start this server."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EDITORS = Path(__file__).parents[2] / "docs" / "editors"


def strings(value: Any) -> Iterator[str]:
    """Every string in nested tables, in order."""
    if isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("path", [it for it in sorted(EDITORS.iterdir()) if it.suffix != ".md"], ids=lambda it: it.name)
def test_a_configuration_reads_and_starts_the_server(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        text = " ".join(strings(json.loads(text)))
    elif path.suffix == ".toml":
        text = " ".join(strings(tomllib.loads(text)))
    words = text.translate(str.maketrans('",{}()', "      ")).split()
    assert ("awaitest", "server") in pairwise(words)
    assert path.name in (EDITORS / "README.md").read_text(encoding="utf-8")
