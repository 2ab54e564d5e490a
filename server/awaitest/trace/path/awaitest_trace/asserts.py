"""Both sides of an assertion, taken from the names in which pytest's rewriting keeps what it compared.

Nothing is evaluated again. Where assertions are not rewritten, nothing is told.
"""

from __future__ import annotations

import ast
import dis
import warnings
from functools import lru_cache
from types import CodeType, FrameType

from .sink import source
from .values import brief

_MARK = "@py_assert"
_MISSING = object()


@lru_cache(256)
def clearings(code: CodeType) -> dict[int, int]:
    """Where a rewritten assertion has succeeded and is about to forget what it compared: offset → line."""
    found: dict[int, int] = {}
    if not any(name.startswith(_MARK) for name in code.co_varnames):
        return found
    instructions = list(dis.get_instructions(code))
    starts = {start: line for start, line in dis.findlinestarts(code) if line is not None}
    line = 0
    for place, instruction in enumerate(instructions):
        line = starts.get(instruction.offset, line)
        if instruction.opname.startswith("LOAD") and instruction.argval is None and _forgets(instructions, place + 1):
            found[instruction.offset] = line
    return found


def _forgets(instructions: list[dis.Instruction], place: int) -> bool:
    while place < len(instructions) and instructions[place].opname in ("COPY", "DUP_TOP", "EXTENDED_ARG", "NOP"):
        place += 1
    if place >= len(instructions) or not instructions[place].opname.startswith("STORE_FAST"):
        return False
    stored = instructions[place].argval
    return any(str(name).startswith(_MARK) for name in (stored if isinstance(stored, tuple) else (stored,)))


def sides(frame: FrameType, line: int) -> dict[str, str]:
    """`left`, `operator`, `right` of the comparison at a line, or `value` of what is asserted; empty where unknown."""
    told = _rewritten(frame.f_code.co_filename).get(line)
    if told is None:
        return {}
    names = frame.f_locals
    values = [_value(node, names, frame.f_globals) for node in told[1:]]
    if any(value is _MISSING for value in values):
        return {}
    texts = [brief(value) for value in values]
    return {"value": texts[0]} if len(texts) == 1 else {"left": texts[0], "operator": str(told[0]), "right": texts[1]}


def _value(node: object, names: dict[str, object], globals_: dict[str, object]) -> object:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return names.get(node.id, globals_.get(node.id, _MISSING))
    return _MISSING


_Told = tuple[object, ...]


@lru_cache(64)
def _rewritten(path: str) -> dict[int, _Told]:
    """By the line of an assertion: the operator and the two operands, or None and the value."""
    try:
        from _pytest.assertion.rewrite import rewrite_asserts

        text = source(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            checked = {node.lineno: node.test for node in ast.walk(tree) if isinstance(node, ast.Assert)}
            rewrite_asserts(tree, text)
    except Exception:
        return {}
    found: dict[int, _Told] = {}
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        told = _told(checked[line], node) if line in checked else None
        if told is not None:
            found.setdefault(line, told)
    return found


def _told(test: ast.expr, node: ast.AST) -> _Told | None:
    """What one statement of a rewritten assertion keeps: a comparison's operands, or what is found true or false."""
    match test, node:
        case ast.Compare(ops=[operator]), ast.Assign(value=ast.Compare(left=left, ops=[_], comparators=[right])):
            return _operator(operator), left, right
        case (ast.Compare(), _):
            return None
        case _, ast.If(test=ast.UnaryOp(op=ast.Not(), operand=operand)):
            return None, operand
    return None


def _operator(operator: ast.cmpop) -> str:
    shown = ast.Compare(ast.Name("a", ast.Load()), [operator], [ast.Name("b", ast.Load())])
    return ast.unparse(shown)[2:-2]
