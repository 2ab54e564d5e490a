"""What an editor can set. package.json and the documentation are generated from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from awaitest.project.settings import SEVERITIES, Settings

SECTION = "awaitest"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its name behind `awaitest.`, its shape as JSON schema, its scope in VS Code."""

    name: str
    schema: Mapping[str, object]
    default: object
    scope: str
    doc: str


_RULES = {"type": "array", "items": {"type": "string"}, "uniqueItems": True}
_PATH = {"type": "string"}
SETTINGS = (
    Setting("enable", {"type": "boolean"}, True, "resource", "Check tests in this folder."),
    Setting(
        "interpreter", {"type": "array", "items": _PATH}, [], "machine-overridable",
        "The Python, 3.10 or newer, that runs the server: a command and its arguments. Empty: the Python chosen in the "
        "editor, else one of the workspace, else one on the `PATH`.",
    ),
    Setting(
        "environment", _PATH, "", "machine-overridable",
        "The environment whose packages are read; nothing in it is run. Empty: the one chosen in the editor, else the "
        "project's `.venv`.",
    ),
    Setting("select", _RULES, [], "resource", "Rules to check instead of the project's choice: codes, names, or beginnings such as AWT1."),
    Setting("ignore", _RULES, [], "resource", "Rules not to check, besides those the project ignores."),
    Setting(
        "severity",
        {"type": "object", "additionalProperties": {"type": "string", "enum": list(SEVERITIES)}},
        {}, "resource", "The level of a rule: error, warning, hint or off. Stronger than the project's.",
    ),
    Setting("inlayHints.fixtureTypes", {"type": "boolean"}, False, "resource", "Show what a fixture hands to a parameter without annotation."),
    Setting("codeLens.runner", {"type": "boolean"}, False, "resource", "Show above each async test who runs it, and on which loop."),
    Setting("codeLens.trace", {"type": "boolean"}, True, "resource", "Offer above each async test to run it and show what it did."),
    Setting(
        "trace.server", {"type": "string", "enum": ["off", "messages", "verbose"]}, "off", "window",
        "Log the messages between the editor and the language server.",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class EditorSettings:
    """The settings of one folder that the server knows."""

    enable: bool = True
    environment: str = ""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: tuple[tuple[str, str], ...] = ()
    fixture_types: bool = False
    runner: bool = False
    trace: bool = True

    @classmethod
    def read(cls, sent: object) -> EditorSettings:
        """What an editor sent, as nested tables or with dotted names; what has the wrong shape is left out."""
        table = sent if isinstance(sent, dict) else {}
        severity = table.get("severity")
        found: dict[str, Any] = {
            "enable": table.get("enable"),
            "environment": table.get("environment"),
            "select": _strings(table.get("select")),
            "ignore": _strings(table.get("ignore")),
            "severity": _levels(severity) if isinstance(severity, dict) else None,
            "fixture_types": _nested(table, "inlayHints", "fixtureTypes"),
            "runner": _nested(table, "codeLens", "runner"),
            "trace": _nested(table, "codeLens", "trace"),
        }
        defaults = cls()
        kinds = {field.name: type(getattr(defaults, field.name)) for field in fields(cls)}
        return replace(defaults, **{name: value for name, value in found.items() if isinstance(value, kinds[name])})

    def over(self, settings: Settings) -> Settings:
        """The project's settings with these laid over."""
        return replace(
            settings,
            select=self.select or settings.select,
            ignore=(*settings.ignore, *self.ignore),
            severity=(*(entry for entry in settings.severity if entry[0] not in dict(self.severity)), *self.severity),
        )


def configuration() -> dict[str, dict[str, object]]:
    """The settings as VS Code declares them, by full name."""
    return {
        f"{SECTION}.{it.name}": {**it.schema, "default": it.default, "scope": it.scope, "markdownDescription": it.doc}
        for it in SETTINGS
    }


def _strings(value: object) -> tuple[str, ...] | None:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list | tuple) else None


def _levels(table: Mapping[object, object]) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(level)) for name, level in table.items() if level in SEVERITIES)


def _nested(table: Mapping[str, object], outer: str, inner: str) -> object:
    below = table.get(outer)
    return below.get(inner) if isinstance(below, dict) else table.get(f"{outer}.{inner}")
