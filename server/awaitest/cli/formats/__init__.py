"""The output formats of `check`: one module each, with `render(report, style) -> str`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from awaitest.cli.report import Report
    from awaitest.cli.terminal import Style

FORMATS = {
    "full": "full",
    "concise": "concise",
    "json": "json_list",
    "github": "github",
    "sarif": "sarif",
    "junit": "junit",
}


class Render(Protocol):
    def __call__(self, report: Report, style: Style) -> str: ...


def renderer(name: str) -> Render:
    """The function that writes a report in this format."""
    render: Render = import_module(f"awaitest.cli.formats.{FORMATS[name]}").render
    return render
