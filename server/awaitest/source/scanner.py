"""Follows strings and brackets through lines of Python, so that one knows whether a line begins inside of something."""

from __future__ import annotations

import re

_WHOLE_STRING = r"""(?<!\w)(?:'[^'\\\r\n]+'|"[^"\\\r\n]+")"""
_CODE = re.compile(_WHOLE_STRING + r"""|[()\[\]{}#\\'"]""")
_NESTED = re.compile(r"[()\[\]{}#\\'\"]")
_FIELD = re.compile(r"[()\[\]{}#\\'\":]")
_DEEPEST = 200
"""Python reads no deeper nesting of brackets."""
_OPENER = {")": "(", "]": "[", "}": "{"}
_FORMATTED = frozenset({"f", "rf", "fr", "t", "rt", "tr"})
_WORD_BEFORE = re.compile(r"\w*\Z")

_ESCAPE = r"\\(?:\r\n|.)"
_FORMATTED_ESCAPE = r"\\(?:\r\n|[^{}])"
_STOP = {
    "'": re.compile(rf"{_ESCAPE}|'|[\r\n]", re.DOTALL),
    '"': re.compile(rf'{_ESCAPE}|"|[\r\n]', re.DOTALL),
    "'''": re.compile(rf"{_ESCAPE}|'''", re.DOTALL),
    '"""': re.compile(rf'{_ESCAPE}|"""', re.DOTALL),
    "f'": re.compile(rf"{_FORMATTED_ESCAPE}|\{{\{{?|'|[\r\n]", re.DOTALL),
    'f"': re.compile(rf'{_FORMATTED_ESCAPE}|\{{\{{?|"|[\r\n]', re.DOTALL),
    "f'''": re.compile(rf"{_FORMATTED_ESCAPE}|\{{\{{?|'''", re.DOTALL),
    'f"""': re.compile(rf'{_FORMATTED_ESCAPE}|\{{\{{?|"""', re.DOTALL),
}
_SPEC_STOP = {
    "f'": re.compile(r"[{}'\r\n]"),
    'f"': re.compile(r'[{}"\r\n]'),
    "f'''": re.compile(r"[{}]|'''"),
    'f"""': re.compile(r'[{}]|"""'),
}
_ONE_LINE = frozenset({"f'", 'f"'})
_ENDS_IN_ESCAPED_NEWLINE = re.compile(r"\\(?:\r\n|\r|\n)\Z")


class Scanner:
    """What is open after the lines fed so far.

    `stack` holds the open brackets, the open strings by their quotes (with an `f` where `{` opens a field), `$` for a
    field and `:` for a format specification. `joined`: the last line ended in a backslash. `comment`: column of the
    comment on the last line, or -1. `modern`: an f-string was met that only Python 3.12 reads, and no broken one since; `template`: a t-string.
    """

    __slots__ = ("comment", "joined", "modern", "stack", "template")

    def __init__(self) -> None:
        self.stack: list[str] = []
        self.joined = False
        self.comment = -1
        self.modern = False
        self.template = False

    @property
    def between(self) -> bool:
        """Whether the next line begins a logical line."""
        return not self.stack and not self.joined

    @property
    def in_string(self) -> bool:
        """Whether the next line begins inside a string, where it must not be touched."""
        return any(entry in _STOP for entry in self.stack)

    @property
    def in_text(self) -> bool:
        """Whether the next line begins with characters of a string, not with code."""
        return bool(self.stack) and (self.stack[-1] in _STOP or self.stack[-1] == ":")

    def feed(self, line: str) -> None:
        """Read one line, line ending included."""
        self.joined = False
        self.comment = -1
        at = 0
        while at < len(line):
            top = self.stack[-1] if self.stack else ""
            if top in _STOP:
                at = self._literal(line, at, top)
            elif top == ":":
                at = self._specification(line, at)
            else:
                at = self._code(line, at, _FIELD if top == "$" else _NESTED if "$" in self.stack else _CODE)
        if self.stack and self.stack[-1] == "$" and self.stack[-2] in _ONE_LINE:
            self.modern = True

    def _code(self, line: str, at: int, pattern: re.Pattern[str]) -> int:
        stack = self.stack
        while match := pattern.search(line, at):
            found, at = match.group(), match.end()
            if found in "([{":
                if len(stack) < _DEEPEST:
                    stack.append(found)
            elif found in ")]}":
                self._close(found)
            elif found == "#":
                self.comment = at - 1
                self.modern |= pattern is not _CODE
                return len(line)
            elif found == "\\":
                self.modern |= pattern is not _CODE
                if not line[at:].strip("\r\n"):
                    self.joined = True
                    return len(line)
            elif found == ":":
                stack.append(":")
                return at
            elif len(found) == 1:
                return self._open_string(line, at - 1)
            if pattern is not _CODE:
                return at
        return len(line)

    def _open_string(self, line: str, at: int) -> int:
        quote = line[at]
        if line.startswith(quote * 3, at):
            quote *= 3
        word = _WORD_BEFORE.search(line, max(0, at - 3), at)
        prefix = word.group().lower() if word else ""
        self.modern |= "f" + quote in self.stack
        self.template |= prefix in _FORMATTED and "t" in prefix
        self.stack.append("f" + quote if prefix in _FORMATTED else quote)
        return at + len(quote)

    def _literal(self, line: str, at: int, top: str) -> int:
        quote = top.lstrip("f")
        for match in _STOP[top].finditer(line, at):
            found = match.group()
            if found == "{":
                if len(self.stack) < _DEEPEST:
                    self.stack.append("$")
            elif found == quote:
                self.stack.pop()
            elif found in "\r\n":
                self._abandon()
            else:
                self.modern |= found[0] == "\\" and "$" in self.stack
                continue
            return match.end()
        if len(quote) == 1 and not _ENDS_IN_ESCAPED_NEWLINE.search(line, max(at - 1, 0)):
            self._abandon()
        return len(line)

    def _specification(self, line: str, at: int) -> int:
        index = max(index for index, entry in enumerate(self.stack) if entry in _SPEC_STOP)
        text = self.stack[index]
        match = _SPEC_STOP[text].search(line, at)
        found = match.group() if match else ""
        if found == "{":
            if len(self.stack) < _DEEPEST:
                self.stack.append("$")
        elif found == "}":
            del self.stack[-2:]
        elif found == text[1:]:
            del self.stack[index:]
        elif text in _ONE_LINE:
            self._abandon()
        return match.end() if match else len(line)

    def _close(self, bracket: str) -> None:
        """Close down to the opening bracket, which may lie below others that were forgotten."""
        opener = _OPENER[bracket]
        for index in range(len(self.stack) - 1, -1, -1):
            entry = self.stack[index]
            if entry == opener or (entry == "$" and bracket == "}"):
                del self.stack[index:]
                return
            if entry == "$":
                return

    def _abandon(self) -> None:
        """A string without its closing quote ends with its line, and so do the one-line f-strings around it."""
        outermost = next((index for index, entry in enumerate(self.stack) if entry in _ONE_LINE), len(self.stack) - 1)
        del self.stack[outermost:]
        self.modern = False
