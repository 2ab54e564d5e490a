"""The same case in other clothes: each variant gives the case changed, or None where the change would not be simple."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import replace

from tests.rules.notation import TEST_FILE, Case, Mark

from awaitest.source.text import Position, Span

Move = Callable[[Position], Position]
Change = Callable[[str], "tuple[str, Move] | None"]
"""A changed text, and where its positions went."""

WIDE_STATEMENT = '"🧪é测"; '
OTHER_TESTS = '''\
def test_unrelated():  # 🧪 всё wide: 测试 é
    numbers = {"é測🧪": 1}; assert numbers["é測🧪"] == 1


class TestUnrelated:
    """Nothing to see."""

    def test_sum(self):
        assert sum([1, 2]) == 3


'''
_DEFINITION = re.compile(r"^(?:@|def |class |async def )", re.MULTILINE)
_SIMPLE = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Assert)


def crlf(case: Case) -> Case:
    def change(texts: Mapping[str, str]) -> dict[str, str]:
        return {path: text.replace("\n", "\r\n") for path, text in texts.items()}

    return replace(case, files=change(case.files), fixed=change(case.fixed))


def after_tests(case: Case) -> Case | None:
    return _changed(case, _behind_other_tests)


def tabs(case: Case) -> Case | None:
    return _changed(case, _with_tabs)


def in_class(case: Case) -> Case | None:
    return _changed(case, _nested)


def wide_statement(case: Case) -> Case | None:
    """Only the marks are of use: the fixed code is left as it is."""
    lines = {mark.span.start.line for mark in case.marks if mark.path == TEST_FILE}
    changed = _changed(replace(case, fixed={}), lambda text: _with_wide_statements(text, lines))
    return replace(changed, fixed=case.fixed) if changed is not None else None


VARIANTS: dict[str, Callable[[Case], Case | None]] = {
    "crlf": crlf,
    "wide-statement": wide_statement,
    "after-tests": after_tests,
    "in-class": in_class,
    "tabs": tabs,
}


def _changed(case: Case, change: Change) -> Case | None:
    """The case with a changed test file, before and after the fix."""
    if TEST_FILE not in case.files:
        return None
    before = change(case.files[TEST_FILE])
    after = change(case.fixed[TEST_FILE]) if TEST_FILE in case.fixed else ("", None)
    if before is None or after is None:
        return None
    text, move = before
    marks = tuple(_moved(mark, move) if mark.path == TEST_FILE else mark for mark in case.marks)
    fixed = {**case.fixed, TEST_FILE: after[0]} if TEST_FILE in case.fixed else case.fixed
    return replace(case, files={**case.files, TEST_FILE: text}, marks=marks, fixed=fixed)


def _moved(mark: Mark, move: Move) -> Mark:
    return replace(mark, span=Span(move(mark.span.start), move(mark.span.end)))


def _behind_other_tests(text: str) -> tuple[str, Move] | None:
    found = _DEFINITION.search(text)
    if found is None:
        return None
    first, added = text.count("\n", 0, found.start()), OTHER_TESTS.count("\n")
    changed = text[: found.start()] + OTHER_TESTS + text[found.start() :]
    return changed, lambda at: Position(at.line + added, at.column) if at.line >= first else at


def _with_tabs(text: str) -> tuple[str, Move] | None:
    lines = text.split("\n")
    indents = [len(line) - len(line.lstrip(" ")) for line in lines]
    if not any(indents) or any(indent % 4 for indent in indents) or _has_long_token(text):
        return None
    changed = "\n".join("\t" * (indent // 4) + line[indent:] for line, indent in zip(lines, indents, strict=True))

    def move(at: Position) -> Position:
        inside = min(at.column, indents[at.line])
        return Position(at.line, at.column - inside + inside // 4)

    return changed, move


def _with_wide_statements(text: str, lines: set[int]) -> tuple[str, Move] | None:
    body = _parsed(text)
    rows = text.split("\n")
    chosen = {
        node.lineno - 1: node.col_offset
        for node in (ast.walk(body) if body is not None else ())
        if isinstance(node, _SIMPLE)
        and node.lineno - 1 in lines
        and not rows[node.lineno - 1][: node.col_offset].strip()
    }
    if not chosen:
        return None
    for line, column in chosen.items():
        rows[line] = rows[line][:column] + WIDE_STATEMENT + rows[line][column:]

    def move(at: Position) -> Position:
        moves = at.line in chosen and at.column >= chosen[at.line]
        return Position(at.line, at.column + len(WIDE_STATEMENT) * moves)

    return "\n".join(rows), move


def _nested(text: str) -> tuple[str, Move] | None:
    """The tests at the end of the file as methods of a class; None where anything else stands between or behind them."""
    body = _parsed(text)
    if body is None or _has_long_token(text):
        return None
    is_test = [
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test") for node in body.body
    ]
    tests = body.body[is_test.index(True) :] if any(is_test) else []
    functions = [node for node in tests if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    names = {node.name for node in functions}
    referred = {node.id for node in ast.walk(body) if isinstance(node, ast.Name)}
    if not functions or not all(is_test[-len(tests) :]) or names & referred:
        return None
    rows = text.split("\n")
    first = min(node.lineno for node in (functions[0], *functions[0].decorator_list)) - 1
    inserted: dict[int, tuple[int, int]] = {}
    for node in functions:
        line = node.lineno - 1
        column = rows[line].index("(", rows[line].index(node.name)) + 1
        given = node.args.posonlyargs or node.args.args or node.args.vararg or node.args.kwonlyargs or node.args.kwarg
        word = "self, " if given else "self"
        rows[line] = rows[line][:column] + word + rows[line][column:]
        inserted[line] = (column, len(word))
    nested = ["class TestNested:", *(f"    {row}" if row else row for row in rows[first:])]

    def move(at: Position) -> Position:
        if at.line < first:
            return at
        column, width = inserted.get(at.line, (0, 0))
        return Position(at.line + 1, at.column + 4 + width * (at.column >= column))

    return "\n".join([*rows[:first], *nested]), move


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except SyntaxError:
        return None


def _has_long_token(text: str) -> bool:
    """Whether a string spans lines, or the text cannot be told."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return True
    opened = 0
    for token in tokens:
        name = tokenize.tok_name[token.type]
        if name in ("FSTRING_START", "FSTRING_END", "TSTRING_START", "TSTRING_END"):
            opened = token.start[0] if name.endswith("START") else opened
            if name.endswith("END") and token.end[0] != opened:
                return True
        if token.type == tokenize.STRING and token.start[0] != token.end[0]:
            return True
    return False
