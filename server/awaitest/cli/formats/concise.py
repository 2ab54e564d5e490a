"""One line for each problem."""

from __future__ import annotations

from awaitest.cli.report import Report, first_sentence
from awaitest.cli.terminal import Style, printable
from awaitest.engine.diagnostic import Diagnostic, Severity
from awaitest.sources import shown

COLOUR = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.HINT: "cyan"}


def render(report: Report, style: Style) -> str:
    return "".join(f"{_line(it, style)}\n" for it in report.diagnostics)


def _line(diagnostic: Diagnostic, style: Style) -> str:
    start = diagnostic.span.start
    place = style.paint(f"{printable(shown(diagnostic.path))}:{start.line + 1}:{start.column + 1}:", "bold")
    mark = " [*]" if diagnostic.fix and diagnostic.fix.safe else ""
    what, _ = first_sentence(diagnostic.message)
    return f"{place} {style.paint(diagnostic.code, COLOUR[diagnostic.severity])}{mark} {printable(what)}"
