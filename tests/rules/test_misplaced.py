"""Code where it does not belong, as it stands for a moment while somebody types: nothing fails, and what is said can be applied."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable

import pytest
from tests.rules.harness import apply_fixes, check
from tests.rules.notation import TEST_FILE, Case
from tests.rules.test_cases import EVERY_CASE


def at_module_level(tree: ast.Module) -> str:
    return "\n".join(_body(it) if _is_function(it) else ast.unparse(it) for it in tree.body)


def in_class_body(tree: ast.Module) -> str:
    bodies = "\n".join(_body(it) if _is_function(it) else ast.unparse(it) for it in tree.body)
    return f"class TestHere:\n{textwrap.indent(bodies or 'pass', '    ')}\n"


def in_plain_functions(tree: ast.Module) -> str:
    return ast.unparse(tree).replace("async def ", "def ")


def in_nested_functions(tree: ast.Module) -> str:
    return f"def test_outer():\n{textwrap.indent(ast.unparse(tree) or 'pass', '    ')}\n"


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _body(node: ast.AST) -> str:
    return "\n".join(map(ast.unparse, getattr(node, "body", [])))


@pytest.mark.parametrize("move", [at_module_level, in_class_body, in_plain_functions, in_nested_functions])
@pytest.mark.parametrize("case", EVERY_CASE)
def test_nothing_fails(case: Case, move: Callable[[ast.Module], str]) -> None:
    try:
        moved = move(ast.parse(case.files.get(TEST_FILE, "")))
    except SyntaxError:
        return
    texts = {**case.files, TEST_FILE: moved + "\n"}
    for fix in [it.fix for it in check(texts, case.headers) if it.fix is not None]:
        after = apply_fixes(texts, [fix])
        broken = [path for path, text in after.items() if path.endswith(".py") and not _parses(text)]
        assert broken == [], fix.title
