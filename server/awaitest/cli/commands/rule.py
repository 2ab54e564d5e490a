"""`awaitest rule`: the page of a rule, or the table of all."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from awaitest.cli import CLEAN, selection, session
from awaitest.cli.report import page_of
from awaitest.cli.session import RuleInfo
from awaitest.cli.table import table
from awaitest.cli.terminal import Style, style_for


def run(arguments: argparse.Namespace) -> int:
    rules = session.all_rules()
    as_json = arguments.output_format == "json"
    style = style_for(sys.stdout, arguments.color)
    if arguments.rule is None or arguments.all:
        sys.stdout.write(_json([_record(rule) for rule in rules]) if as_json else _table(rules, style))
        return CLEAN
    rule = selection.find(arguments.rule, rules)
    sys.stdout.write(_json(_record(rule)) if as_json else rule.page.rstrip() + "\n")
    return CLEAN


def _record(rule: RuleInfo) -> dict[str, str]:
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity,
        "summary": rule.summary,
        "fix": rule.fix,
        "url": page_of(rule.name),
        "page": rule.page,
    }


def _json(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"


def _table(rules: Sequence[RuleInfo], style: Style) -> str:
    rows = [(rule.code, rule.name, rule.severity, rule.fix, rule.summary) for rule in rules]
    heading, *lines = table(("code", "name", "severity", "fix", "summary"), rows, style.width)
    return "\n".join([style.paint(heading, "bold"), *lines]) + "\n"
