"""`--statistics`: how often each rule spoke."""

from __future__ import annotations

import json
from collections import Counter

from awaitest.cli.report import Report
from awaitest.cli.terminal import Style


def render(report: Report, style: Style) -> str:
    rows = _rows(report)
    widest = max((len(str(count)) for count, *_ in rows), default=0)
    return "".join(
        f"{count:>{widest}}  {style.paint(code, 'bold')}  {'[*]' if fixable else '[ ]'} {name}\n"
        for count, code, name, fixable in rows
    )


def render_json(report: Report) -> str:
    records = [
        {"code": code, "name": name, "count": count, "fixable": fixable} for count, code, name, fixable in _rows(report)
    ]
    return json.dumps(records, indent=2) + "\n"


def _rows(report: Report) -> list[tuple[int, str, str, bool]]:
    """Count, code, name, and whether `--fix` repairs any; the most frequent first."""
    counts = Counter((it.code, it.name) for it in report.diagnostics)
    fixable = {it.code for it in report.diagnostics if it.fix and it.fix.safe}
    return sorted(
        ((count, code, name, code in fixable) for (code, name), count in counts.items()),
        key=lambda row: (-row[0], row[1]),
    )
