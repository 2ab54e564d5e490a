"""Recognises syntax that is newer than the running interpreter, in text which that interpreter could not read."""

from __future__ import annotations

import re
import sys

from awaitest.source.scanner import Scanner
from awaitest.source.splitter import split_lines

_LINE = r"^[ \t\f]*"
_NEWER = [
    ((3, 11), re.compile(_LINE + r"except[ \t]*\*", re.MULTILINE)),
    ((3, 12), re.compile(_LINE + r"type[ \t]+\w+[ \t]*(?:\[[^\n]*\])?[ \t]*=", re.MULTILINE)),
    ((3, 12), re.compile(_LINE + r"(?:(?:async[ \t]+)?def|class)[ \t]+\w+[ \t]*\[", re.MULTILINE)),
    (
        (3, 13),
        re.compile(
            _LINE + r"(?:(?:async[ \t]+)?def|class|type)[ \t]+\w+[ \t]*\[[^()\n]*=[^()\n]*\][ \t]*[(:=]", re.MULTILINE
        ),
    ),
    (
        (3, 14),
        re.compile(_LINE + r"except[ \t]*\*?[ \t]*[\w.]+(?:[ \t]*,[ \t]*[\w.]+)+[ \t]*:", re.MULTILINE),
    ),
    ((3, 15), re.compile(_LINE + r"lazy[ \t]+(?:import|from)[ \t]", re.MULTILINE)),
]
_MODERN_STRINGS = (3, 12)
_TEMPLATES = (3, 14)


def needed_version(text: str) -> tuple[int, int] | None:
    """The oldest Python that knows all the syntax seen in `text`, or None where the running one knows it."""
    found = [version for version, pattern in _NEWER if pattern.search(text)]
    scanner = Scanner()
    for line in split_lines(text):
        scanner.feed(line)
    if scanner.modern and not scanner.stack:
        found.append(_MODERN_STRINGS)
    if scanner.template:
        found.append(_TEMPLATES)
    return max((version for version in found if version > sys.version_info[:2]), default=None)
