"""The import statements of a text, found without parsing it: hundreds of files may stand behind one file of tests."""

from __future__ import annotations

import re
from collections.abc import Iterator

_STATEMENT = re.compile(
    r"""(?:^|[;:])[ \t]*(?:
        from[ \t]+(?P<dots>\.*)[ \t]*(?P<origin>[\w.]*)[ \t]+import[ \t]*(?P<names>\((?:[^)#]|\#[^\n]*)*\)|[^\n;\#]*)
        |import[ \t]+(?P<modules>[^\n;\#]*)
    )""",
    re.MULTILINE | re.VERBOSE,
)
_NAME = re.compile(r"[\w.]+")


def imports(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """What each statement that looks like an import asks for: dots in front, module, names from it. Comments and strings
    may add some that nothing imports."""
    for found in _STATEMENT.finditer(text.replace("\\\n", " ")):
        if found["modules"] is None:
            yield len(found["dots"]), found["origin"], _NAME.findall(found["names"])
        else:
            yield from ((0, name, []) for name in _NAME.findall(found["modules"]))
