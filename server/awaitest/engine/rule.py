"""What a rule is: a record, a check over steps, and the findings it makes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, get_args, get_type_hints

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.page import page
from awaitest.engine.steps import Step
from awaitest.source.text import Span


@dataclass(frozen=True, slots=True)
class Rule:
    """The public face of a rule. Code and name never change meaning once released."""

    code: str
    name: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check reports: a place, a message and, where there is one, how to make the fix.

    Place and fix are asked for when they are needed: until then the text before them may have changed.
    """

    at: ast.AST | Callable[[], Span]
    message: str
    fix: Callable[[], Fix | None] | None = None
    severity: Severity | None = None


Check = Callable[[Step, Any], Iterator[Finding]]
"""Of a step, and the run or the configuration file that it is one of."""


@dataclass(frozen=True, slots=True)
class LoadedRule:
    """A rule file, loaded: its record, its page and its check with the steps it looks at."""

    rule: Rule
    page: str
    check: Check
    steps: tuple[type[Step], ...]


def load(module: ModuleType) -> LoadedRule:
    """Read a rule module. The annotation of the check's first parameter tells which steps it looks at."""
    check: Check = module.check
    hints = get_type_hints(check, localns={"Run": object})
    wanted = hints["step"]
    return LoadedRule(module.RULE, page(module.__doc__ or ""), check, get_args(wanted) or (wanted,))
