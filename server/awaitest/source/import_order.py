"""The order of imports as isort and ruff keep it by default."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Container

_DIGITS = re.compile(r"(\d+)")

ImportStatement = ast.Import | ast.ImportFrom
Natural = list[tuple[int, int, str]]


def module_of(statement: ImportStatement) -> str:
    """The module that a statement imports, leading dots included; of several the first."""
    if isinstance(statement, ast.Import):
        return statement.names[0].name
    return "." * statement.level + (statement.module or "")


def section(module: str, first_party: Container[str]) -> int:
    """0 future, 1 standard library, 2 third party, 3 the project's own, 4 relative."""
    if module.startswith("."):
        return 4
    top = module.partition(".")[0]
    if top in first_party:
        return 3
    if top == "__future__":
        return 0
    return 1 if top in sys.stdlib_module_names else 2


def statement_key(module: str, is_from: bool) -> tuple[bool, int, Natural, Natural]:
    """Sorts statements within a section: `import` before `from`, farther relative modules first."""
    level = len(module) - len(module.lstrip("."))
    return is_from, -level, _natural(module.lower()), _natural(module)


def name_key(name: str) -> tuple[int, Natural, Natural]:
    """Sorts the names of one statement: constants, then classes, then the rest."""
    constant = len(name) > 1 and name.isupper()
    return 0 if constant else 1 if name[:1].isupper() else 2, _natural(name.lower()), _natural(name)


def _natural(text: str) -> Natural:
    """Runs of digits compare as numbers."""
    return [(0, int(run), "") if run.isdecimal() else (1, 0, run) for run in _DIGITS.split(text) if run]
