"""Both sides of an assertion, taken from the names in which pytest's rewriting keeps what it compared.

Nothing is evaluated again. Where assertions are not rewritten, nothing is told.
"""

from __future__ import annotations

import ast
import dis
import sys
import warnings
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import count
from types import CodeType, FrameType

from .statements import statements
from .values import brief

_MARK = "@py_assert"
_MISSING = object()
_STORES = frozenset(number for name, number in dis.opmap.items() if name.startswith("STORE_FAST"))
_PAIRS = frozenset(number for name, number in dis.opmap.items() if name.startswith("STORE_FAST_"))
"""Two names in one instruction, four bits for each: Python 3.13 and later."""
_LOAD_CONST = dis.opmap["LOAD_CONST"]
_LOAD_COMMON = dis.opmap.get("LOAD_COMMON_CONSTANT", -1)
_NOTHING = (lambda: None).__code__.co_code
_NONE = dict(zip(_NOTHING[::2], _NOTHING[1::2], strict=True)).get(_LOAD_COMMON, -1)
"""Which of the constants that all code shares is None; from Python 3.15 on it is one of them."""
_BETWEEN = frozenset(dis.opmap[name] for name in ("COPY", "DUP_TOP", "EXTENDED_ARG", "NOP") if name in dis.opmap)


def clearings(code: CodeType) -> dict[int, int]:
    """Where a rewritten assertion has succeeded and is about to forget what it compared: offset → line."""
    kept = {place for place, name in enumerate(code.co_varnames) if name.startswith(_MARK)}
    found = list(_forgotten(code, kept)) if kept else []
    if not found:
        return {}
    starts = sorted((start, line) for start, line in dis.findlinestarts(code) if line is not None)
    return {offset: starts[bisect_right(starts, (offset, sys.maxsize)) - 1][1] for offset in found}


def _forgotten(code: CodeType, kept: set[int]) -> Iterator[int]:
    """Offsets of the instructions that load the None which is stored over one of some names."""
    loaded, extended = -1, 0
    for offset, (operation, low) in enumerate(zip(code.co_code[::2], code.co_code[1::2], strict=True)):
        argument = extended | low
        extended = argument << 8 if operation == dis.EXTENDED_ARG else 0
        if operation in _STORES:
            one, other = (argument >> 4, argument & 15) if operation in _PAIRS else (argument, argument)
            if loaded >= 0 and (one in kept or other in kept):
                yield 2 * loaded
            loaded = -1
        elif (operation == _LOAD_CONST and code.co_consts[argument] is None) or (operation, argument) == (
            _LOAD_COMMON,
            _NONE,
        ):
            loaded = offset
        elif operation not in _BETWEEN:
            loaded = -1


def sides(frame: FrameType, line: int) -> dict[str, str]:
    """`left`, `operator`, `right` of the comparison at a line, or `value` of what is asserted; empty where unknown."""
    told = _rewritten(frame.f_code.co_filename, line)
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


@lru_cache(1024)
def _rewritten(path: str, line: int) -> _Told | None:
    """Of the assertion at a line: the operator and the two operands, or None and the value."""
    statement = statements(path).get(line)
    if statement is None or not isinstance(statement.node, ast.Assert):
        return None
    return (_reckoned if is_reckoning_right() else _by_pytest)(statement.node)


def _by_pytest(node: ast.Assert) -> _Told | None:
    """By rewriting one assertion as pytest does, which takes longer than most tests."""
    tree, test = ast.Module([node], []), node.test
    try:
        from _pytest.assertion.rewrite import rewrite_asserts

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rewrite_asserts(tree, b"")
    except Exception:
        return None
    return next((told for it in tree.body if (told := _told(test, it)) is not None), None)


def _reckoned(node: ast.Assert) -> _Told | None:
    """By counting the names that pytest gives to the parts of an assertion."""
    numbers, test = count(), node.test
    try:
        if not isinstance(test, ast.Compare):
            return None, _named(test, numbers)
        left = _named(test.left, numbers)
        next(numbers)  # the comparison itself
        return (
            (_operator(type(test.ops[0]).__name__), left, _named(test.comparators[0], numbers))
            if len(test.ops) == 1
            else None
        )
    except LookupError:
        return _by_pytest(node)


def _named(node: ast.expr, numbers: Iterator[int]) -> ast.Name:
    """A name takes one number for its text, an operation one for its value, anything else both.
    Raises LookupError for parts that are not kept one after the other."""
    parts: list[ast.expr] = []
    match node:
        case ast.Name():
            next(numbers)
            return node
        case ast.BoolOp() | ast.Compare() | ast.NamedExpr() | ast.Starred():
            raise LookupError
        case ast.Attribute(value=value):
            parts = [value]
        case ast.Call(func=function, args=arguments, keywords=keywords):
            parts = [function, *arguments, *(it.value for it in keywords)]
        case ast.BinOp(left=left, right=right):
            parts = [left, right]
        case ast.UnaryOp(operand=operand):
            parts = [operand]
        case _ if any(isinstance(it, ast.NamedExpr) for it in ast.walk(node)):
            raise LookupError
    for part in parts:
        _named(part, numbers)
    name = ast.Name(f"{_MARK}{next(numbers)}", ast.Load())
    if not isinstance(node, ast.BinOp | ast.UnaryOp):
        next(numbers)
    return name


@lru_cache(1)
def is_reckoning_right() -> bool:
    """Whether the installed pytest counts as `_named` does."""
    samples = ast.parse(
        "assert a.b[0] != f(c, [1], d=-e)(g + 1).h\nassert not f(1)\nassert a in 'b'\nassert await f(a) > b"
    )
    for node in samples.body:
        mine, theirs = _reckoned(node), _by_pytest(node)  # type: ignore[arg-type]
        if mine is None or theirs is None or [*map(_shown, mine)] != [*map(_shown, theirs)]:
            return False
    return True


def _shown(part: object) -> object:
    return ast.dump(part) if isinstance(part, ast.AST) else part


def _told(test: ast.expr, node: ast.stmt) -> _Told | None:
    """What one statement of a rewritten assertion keeps: a comparison's operands, or what is found true or false."""
    match test, node:
        case ast.Compare(ops=[operator]), ast.Assign(value=ast.Compare(left=left, ops=[_], comparators=[right])):
            return _operator(type(operator).__name__), left, right
        case (ast.Compare(), _):
            return None
        case _, ast.If(test=ast.UnaryOp(op=ast.Not(), operand=operand)):
            return None, operand
    return None


@lru_cache(16)
def _operator(name: str) -> str:
    shown = ast.Compare(ast.Name("a", ast.Load()), [getattr(ast, name)()], [ast.Name("b", ast.Load())])
    return ast.unparse(shown)[2:-2]
