"""All rules, found by walking the package `awaitest.rules`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from awaitest import rules
from awaitest.engine.rule import LoadedRule, load


@cache
def all_rules() -> tuple[LoadedRule, ...]:
    """Every rule, by code."""
    names = sorted(info.name for info in pkgutil.iter_modules(rules.__path__))
    loaded = [load(importlib.import_module(f"{rules.__name__}.{name}")) for name in names]
    return tuple(sorted(loaded, key=lambda rule: rule.rule.code))


def rule_names() -> dict[str, str]:
    """Code → name of every rule, and of the report that a file cannot be read."""
    return {SYNTAX_CODE: SYNTAX_NAME, **{loaded.rule.code: loaded.rule.name for loaded in all_rules()}}


SYNTAX_CODE = "AWT000"
SYNTAX_NAME = "invalid-syntax"
