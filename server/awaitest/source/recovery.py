"""Makes half-typed code readable: what cannot be read becomes `pass`, every other statement stays in its place."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

from awaitest.source.nodes import deep_line
from awaitest.source.scanner import Scanner
from awaitest.source.splitter import indentation, interrupted, split_lines

_MOST_ROWS = 5_000
_WORD = re.compile(r"(?:async[ \t\f]+)?(\w+|@)")
_LEAD = re.compile(r"[ \t\f]*")
_UNFINISHED = re.compile(r"[,:=*.\s\\]+\Z")
_NAME = re.compile(r"((?:async[ \t\f]+)?(?:def|class)[ \t\f]+[^\W\d]\w*)")
_TYPE_PARAMETERS = re.compile(r"((?:async[ \t\f]+)?(?:def|class)[ \t\f]+\w+[ \t\f]*)(\[[^\]\r\n]*\])")
_CLOSER = {"(": ")", "[": "]", "{": "}"}
_DEFINITIONS = frozenset({"def", "class"})
_BLOCKS = frozenset(
    {"if", "elif", "else", "for", "while", "try", "except", "finally", "with", "def", "class", "match", "case"}
)
_GOES_ON_WITH = {
    "if": {"elif", "else"},
    "elif": {"elif", "else"},
    "for": {"else"},
    "while": {"else"},
    "try": {"except", "finally"},
    "except": {"except", "else", "finally"},
    "try-else": {"finally"},
}
_CONTINUATIONS = frozenset({"elif", "else", "except", "finally"})
_PROBE = {
    "elif": "if 1: pass\n{}",
    "else": "if 1: pass\n{}",
    "try": "{}\nfinally: pass",
    "except": "try: pass\n{}",
    "finally": "try: pass\n{}",
    "case": "match 0:\n {}",
    "@": "{}\ndef _(): pass",
}


@dataclass
class _Line:
    """A logical line: rows `start` to `end`, not included. `code` is None where it cannot be read."""

    start: int
    end: int
    depth: int
    lead: str
    word: str
    code: str | None
    opens: bool
    children: list[_Line] = field(default_factory=list)


def repair(text: str) -> str:
    """The text with every unreadable logical line replaced by `pass`, or by `if 1:` where it heads a block. Rows and the
    columns of what stays do not move. Broken headers of functions keep their name and take any argument; broken
    decorators and classes of a broken header get `...`, which stands for unknown."""
    rows = split_lines(text)
    if len(rows) > _MOST_ROWS:
        return ""
    try:
        root = _tree(_logical_lines(rows))
        pieces: dict[int, tuple[int, str]] = {}
        _emit(root, None, pieces)
    except RecursionError:
        return ""
    out = []
    row = 0
    while row < len(rows):
        end, code = pieces.get(row, (row + 1, ""))
        written = code.count("\n") + code.count("\r") - code.count("\r\n")
        out.append(code + "\n" * (end - row - written))
        row = end
    return "".join(out)


def _logical_lines(rows: list[str]) -> list[_Line]:
    lines = []
    row = 0
    while row < len(rows):
        if indentation(rows[row]) < 0:
            row += 1
            continue
        line = _logical_line(rows, row)
        lines.append(line)
        row = line.end
    return lines


def _logical_line(rows: list[str], start: int) -> _Line:
    depth = indentation(rows[start])
    lead = _lead(rows[start])
    scanner = Scanner()
    end = start
    while end < len(rows):
        if end > start and (scanner.between or _cut(scanner, rows, end, depth)):
            break
        scanner.feed(rows[end])
        end += 1
    found = _WORD.match(rows[start], len(lead))
    word = found.group(1) if found else ""
    code = _code(rows, start, end, lead, scanner)
    line = _readable(start, end, depth, lead, word, code, scanner)
    if line.code is None and end > start + 1 and word in _BLOCKS and not scanner.in_string:
        scanner = Scanner()
        scanner.feed(rows[start])
        end = start + 1
        line = _readable(start, end, depth, lead, word, _code(rows, start, end, lead, scanner), scanner)
    return line if line.code is not None or word not in _DEFINITIONS | {"@"} else _stand_in(line, code)


def _cut(scanner: Scanner, rows: list[str], at: int, depth: int) -> bool:
    if scanner.in_text:
        return False
    if interrupted(scanner, rows, at):
        return True
    return 0 <= indentation(rows[at]) <= depth and bool(scanner.stack) and rows[at].lstrip(" \t\f")[:1] not in ")]}"


def _lead(row: str) -> str:
    found = _LEAD.match(row)
    return found.group() if found else ""


def _code(rows: list[str], start: int, end: int, lead: str, scanner: Scanner) -> str:
    last = rows[end - 1]
    if scanner.comment >= 0:
        last = last[: scanner.comment]
    return ("".join(rows[start : end - 1]) + last)[len(lead) :].rstrip()


def _readable(start: int, end: int, depth: int, lead: str, word: str, code: str, scanner: Scanner) -> _Line:
    line = _Line(start, end, depth, lead, word, None, False)
    for candidate in _candidates(word, code, scanner):
        opens = candidate.endswith(":") and word in _BLOCKS
        if _parses(word, candidate, opens):
            line.code, line.opens = candidate, opens
            break
    return line


def _candidates(word: str, code: str, scanner: Scanner) -> list[str]:
    """The line as it is and, for the head of a block, as it may have been meant."""
    if word not in _BLOCKS:
        return [code]
    plain = _TYPE_PARAMETERS.sub(lambda found: found.group(1) + " " * len(found.group(2)), code)
    closers = "".join(_CLOSER.get(entry, "") for entry in reversed(scanner.stack))
    begun = _UNFINISHED.sub("", code)
    meant = [code, plain, code + ":", plain + ":", code + closers + ":", begun + closers + ":"]
    return list(dict.fromkeys(meant if word not in {"match", "case"} else meant[:1]))


def _parses(word: str, code: str, opens: bool) -> bool:
    body = "\n case _: pass" if word == "match" else " pass"
    try:
        tree = ast.parse(_PROBE.get(word, "{}").replace("{}", code + body if opens else code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return deep_line(code, tree.body) is None


def _stand_in(line: _Line, code: str) -> _Line:
    if line.word == "@":
        line.code = "@..."
    elif found := _NAME.match(code):
        line.code = found.group(1) + ("(...):" if line.word == "class" else "(*_, **__):")
        line.opens = True
    return line


def _tree(lines: list[_Line]) -> list[_Line]:
    """The lines with those that are indented deeper below them."""
    root: list[_Line] = []
    open_lines: list[_Line] = []
    for line in lines:
        while open_lines and open_lines[-1].depth >= line.depth:
            open_lines.pop()
        siblings = open_lines[-1].children if open_lines else root
        if siblings and siblings[0].depth != line.depth:
            line.lead, line.code, line.opens = siblings[0].lead, None, False
        siblings.append(line)
        open_lines.append(line)
    return root


def _emit(siblings: list[_Line], parent: str | None, pieces: dict[int, tuple[int, str]]) -> None:
    follows: set[str] = set()
    inside_try = False
    for index, line in enumerate(siblings):
        code, word = line.code, line.word
        following = siblings[index + 1] if index + 1 < len(siblings) else None
        if code is not None and not _fits(line, following, siblings[index + 1 :], parent, follows):
            code = None
        if line.children and not line.opens:
            code = None
        head = word if code is not None and word in _BLOCKS else None
        if code is None:
            code = "if 1:" if line.children else "pass"
        elif line.opens and not line.children:
            code += " pass"
        inside_try = head in {"try", "except"} or (inside_try and head == "else")
        follows = _GOES_ON_WITH.get("try-else" if inside_try and head == "else" else head or "", set())
        pieces[line.start] = (line.end, line.lead + code)
        _emit(line.children, head, pieces)


def _fits(line: _Line, following: _Line | None, later: list[_Line], parent: str | None, follows: set[str]) -> bool:
    """Whether a readable line may stand where it stands."""
    word = line.word
    cases = bool(line.children) and all(child.word == "case" and child.opens for child in line.children)
    if word == "case" and (line.opens or line.children):
        return parent == "match"
    if word == "match" and (line.opens or line.children):
        return cases
    if word in _CONTINUATIONS:
        return word in follows
    if word == "try":
        return following is not None and following.code is not None and following.word in {"except", "finally"}
    if word == "@":
        target = next((sibling for sibling in later if sibling.word != "@"), None)
        if target is None or target.word not in _DEFINITIONS or target.code is None:
            return False
        return target.opens or not target.children
    return True
