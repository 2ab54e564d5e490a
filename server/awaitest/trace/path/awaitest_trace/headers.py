"""Headers whose values are shown nowhere."""

from __future__ import annotations

import re

SECRET = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"})
REDACTED = "[redacted]"
_PAIR = re.compile(
    rf"""(\\?['"](?:{"|".join(SECRET)})\\?['"]\s*[:,]\s*)b?(\\?['"]).*?(?:\2|$)""", re.IGNORECASE | re.DOTALL
)


def is_secret(name: object) -> bool:
    """Whether this is the name of such a header."""
    text = name.decode("latin-1") if type(name) is bytes else name
    return type(text) is str and text.lower() in SECRET


def redacted(text: str) -> str:
    """A message without the secrets of headers in it."""
    return _PAIR.sub(rf"\1{REDACTED}", text)
