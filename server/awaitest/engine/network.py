"""Clients whose requests leave the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaitest.engine.clients import library_of
from awaitest.engine.fixtures import requested
from awaitest.engine.run import MODULE
from awaitest.engine.values import Instance, Made, Value

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_DECIDING = frozenset({"transport", "mounts", "proxy", "proxies", "app", "auth", "event_hooks", "*"})
_PLAYERS = ("respx", "pytest-httpx", "pytest-httpx2", "vcrpy", "pytest-recording", "mocket", "pook", "httpretty")
_PATCHING = frozenset({"monkeypatch", "mocker"})
_METHODS = ("__init__", "request", "send", "_transport_for_url", "_init_transport")


def network_client(run: Run, value: Value) -> Made | None:
    """How a client of httpx or httpx2 was made that has no transport, and whose requests nothing else answers."""
    kind = next(iter(value)) if len(value) == 1 else None
    if not isinstance(kind, Instance) or kind.made is None or not _DECIDING.isdisjoint(dict(kind.made.arguments)):
        return None
    return kind.made if library_of(run, kind.cls, *_METHODS) is not None and not _is_played(run) else None


def _is_played(run: Run) -> bool:
    """Whether something may answer in the place of the network."""
    if any(run.engine.project.environment.has(name) is not False for name in _PLAYERS):
        return True
    wanted = requested(run.node, run.cls is not None) if run.kind != MODULE else []
    asked = run.engine.fixtures.closure(wanted, run.seeker)
    return not {"patch", "mock", *_PATCHING}.isdisjoint(run.module.bound.keys() | asked.keys())
