"""Rules as they are named on the command line: codes, prefixes of codes, names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from awaitest.cli.session import RuleInfo, UsageError


def words(wanted: Iterable[str] | None, rules: Sequence[RuleInfo], option: str) -> tuple[str, ...] | None:
    """The rules that an option names, spelled as in the settings; None where the option was not given."""
    if wanted is None:
        return None
    named = [word.strip() for group in wanted for word in group.split(",") if word.strip()]
    if not named:
        raise UsageError(f"{option} needs a rule")
    return tuple(_spelled(word, rules, option) for word in named)


def _spelled(word: str, rules: Sequence[RuleInfo], option: str) -> str:
    upper, lower = word.upper(), word.lower()
    if upper == "ALL" or any(rule.code.startswith(upper) for rule in rules):
        return upper
    if any(rule.name == lower for rule in rules):
        return lower
    raise UsageError(f"{option}: {_unknown(word, rules)}")


def find(word: str, rules: Sequence[RuleInfo]) -> RuleInfo:
    """The rule with this code or name."""
    for rule in rules:
        if word.upper() == rule.code or word.lower() == rule.name:
            return rule
    raise UsageError(_unknown(word, rules))


def _unknown(word: str, rules: Sequence[RuleInfo]) -> str:
    known = [spelling for rule in rules for spelling in (rule.name, rule.code.lower())]
    close = get_close_matches(word.lower(), known, 1, 0.5)
    spelled = {rule.code.lower(): rule.code for rule in rules}
    hint = f"; did you mean {spelled.get(close[0], close[0])}?" if close else "; `awaitest rule` lists all rules"
    return f"there is no rule {word}{hint}"
