"""JUnit XML: a suite for each file, a failing case for each problem."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from awaitest.cli.report import Failure, Report
from awaitest.cli.terminal import Style
from awaitest.engine.diagnostic import Diagnostic, Severity
from awaitest.sources import shown

Found = TypeVar("Found", Diagnostic, Failure)

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report, style: Style) -> str:  # noqa: ARG001
    suites = Element("testsuites", name="awaitest")
    failures, diagnostics = _by_path(report.failures), _by_path(report.diagnostics)
    for path in sorted({*report.files, *failures, *diagnostics}):
        suites.append(_suite(path, diagnostics.get(path, []), failures.get(path, [])))
    for total in ("tests", "failures", "errors"):
        suites.set(total, str(sum(int(suite.attrib[total]) for suite in suites)))
    ElementTree.indent(suites)
    written: bytes = ElementTree.tostring(suites, "us-ascii", xml_declaration=True)
    return written.decode("ascii") + "\n"


def _by_path(found: Sequence[Found]) -> dict[Path, list[Found]]:
    grouped: dict[Path, list[Found]] = {}
    for it in found:
        grouped.setdefault(it.path, []).append(it)
    return grouped


def _suite(path: Path, diagnostics: Sequence[Diagnostic], failures: Sequence[Failure]) -> Element:
    name = _clean(shown(path))
    suite = Element("testsuite", name=name)
    for failure in failures:
        SubElement(
            SubElement(suite, "testcase", name="awaitest", classname=name), "error", message=_clean(failure.message)
        )
    for it in diagnostics:
        _case(suite, name, it)
    if not len(suite):
        SubElement(suite, "testcase", name="awaitest", classname=name)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
    return suite


def _case(suite: Element, name: str, diagnostic: Diagnostic) -> None:
    row, column = diagnostic.span.start.line + 1, diagnostic.span.start.column + 1
    title = f"{diagnostic.code} {diagnostic.name} ({row}:{column})"
    case = SubElement(suite, "testcase", name=title, classname=name, file=name, line=str(row))
    place = f"{name}:{row}:{column}: {_clean(diagnostic.message)}"
    if diagnostic.severity is Severity.HINT:
        SubElement(case, "system-out").text = place
        return
    message = _clean(diagnostic.message)
    SubElement(case, "failure", message=message, type=diagnostic.severity.value).text = place


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
