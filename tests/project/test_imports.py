from __future__ import annotations

import pytest

from awaitest.project.imports import imports

CASES: dict[str, tuple[str, set[tuple[object, ...]]]] = {
    "a module": ("import a.b as c, d\n", {(0, "a.b"), (0, "c"), (0, "d"), (0, "as")}),
    "a name": ("from a import b\n", {(0, "a", "b")}),
    "in parentheses": (
        "from .a import (  # all ) of it\n    b,\n    c as d,\n)\nx = (e)\n",
        {(1, "a", "b"), (1, "a", "c")},
    ),
    "dots alone": ("from .. import a\n", {(2, "", "a")}),
    "over a backslash": ("from a import b, \\\n    c\n", {(0, "a", "b"), (0, "a", "c")}),
    "in a block of one line": ("if x: from a import b; import c\n", {(0, "a", "b"), (0, "c")}),
    "in a function": ("def f():\n\tfrom a import b\n", {(0, "a", "b")}),
    "no import": ("important = 1\nfrom_a = 2\n# from a import b\n", set()),
    "half typed": ("from \nimport\nfrom a imp\n", set()),
}


@pytest.mark.parametrize("title", CASES)
def test_imports(title: str) -> None:
    text, expected = CASES[title]
    found: set[tuple[object, ...]] = set()
    for level, module, names in imports(text):
        found |= {(level, module, name) for name in names} if names else {(level, module)}
    assert expected <= found
    if not expected:
        assert not found
