"""The execution table and the variable tracker: the steps of one test, told in rows."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaitest.engine.state import CLOSED, NEW, OPEN, USED
from awaitest.engine.steps import (
    Awaited,
    Called,
    Checked,
    Created,
    Entered,
    Gave,
    Iterated,
    Left,
    Misuse,
    Misused,
    Received,
    Row,
    Step,
)
from awaitest.engine.syntax import free_names
from awaitest.engine.values import Coroutine, Instance, Kind, Site, Value, every
from awaitest.engine.words import describe
from awaitest.source.nodes import parts_of, spelt

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_DASH = "–"
_VERBS = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
_STATES = {NEW: "instance", USED: "instance, used", OPEN: "open", CLOSED: "closed"}


def rows(run: Run) -> list[Row]:
    """The table of a walked function. Rows are numbered from 1; lines too."""
    missing = {step.coroutine.site for step in run.steps if isinstance(step, Misused)}
    table: list[Row] = []
    tracked = _Tracker(run)
    seen: set[tuple[type[Step], int]] = set()
    for step in run.steps:
        key = (type(step), id(step.node))
        told = _tell(run, step, missing) if key not in seen else None
        seen.add(key)
        if told is None:
            continue
        action, awaited, result, assertion = told
        line = run.span(step.node).start.line + 1 if run.mine(step.node) else 0
        table.append(Row(len(table) + 1, line, action, awaited, result, assertion, tracked.after(step)))
    return table


def _tell(run: Run, step: Step, missing: set[Site]) -> tuple[str, str, str, str] | None:
    match step:
        case Received(name=name, fixture=fixture, value=value):
            return (
                f"fixture `{fixture.name}` fills `{name}`",
                "yes" if fixture.is_async else _DASH,
                describe(value),
                _DASH,
            )
        case Created():
            return f"create {step.site.label}", _DASH, "instance", _DASH
        case Called(result=result):
            return _called(step, result, missing)
        case Awaited(operand=operand, result=result) if not every(operand, Coroutine):
            return f"await `{run.source(step.node.value)}`", "yes", describe(result), _DASH
        case Entered(value=value, statement=statement):
            is_async = isinstance(statement, ast.AsyncWith)
            word = "async with" if is_async else "with"
            return f"enter `{word} {_short(run, step.node)}`", "yes" if is_async else _DASH, describe(value), _DASH
        case Left(value=value, is_async=is_async):
            return (
                f"leave `{'async with' if is_async else 'with'}`: close {describe(value)}",
                "yes" if is_async else _DASH,
                "closed",
                _DASH,
            )
        case Iterated(iterable=iterable, is_async=is_async):
            return f"loop over `{_short(run, iterable)}`", "yes" if is_async else _DASH, describe(step.value), _DASH
        case Checked(node=node):
            return _checked(run, node)
        case Gave(value=value, is_yield=is_yield):
            return "yield" if is_yield else "return", _DASH, describe(value), _DASH
        case Misused() if not isinstance(step.node, ast.Call) and not _in_assertion(run, step):
            return (
                f"use `{_short(run, step.node)}`",
                "missing",
                f"a coroutine {step.how.value} {step.detail}".strip(),
                _DASH,
            )
    return None


def _checked(run: Run, node: ast.Assert) -> tuple[str, str, str, str]:
    wrong = [step for step in run.steps if isinstance(step, Misused) and _below(node, step.node)]
    text = f"`{_short(run, node)}`"
    if not wrong:
        return "check", _DASH, _DASH, text
    first = wrong[0]
    made_here = "missing" if _below(node, first.coroutine.site.node) else _DASH
    if first.how in (Misuse.CONDITION, Misuse.COMPARED, Misuse.ASKED):
        return "check", made_here, f"proves nothing: a coroutine {first.how.value}", text
    return "check", made_here, f"fails: a coroutine {first.how.value} {first.detail}".strip(), text


def _below(root: ast.AST, node: ast.AST) -> bool:
    return any(part is node for part in parts_of(root))


def _in_assertion(run: Run, step: Misused) -> bool:
    return any(isinstance(other, Checked) and _below(other.node, step.node) for other in run.steps)


def _called(step: Called, result: Value, missing: set[Site]) -> tuple[str, str, str, str] | None:
    made = [kind.site for kind in result if isinstance(kind, Coroutine)]
    if not made:
        created = any(
            isinstance(kind, Instance) and kind.site is not None and kind.site.node is step.node for kind in result
        )
        return None if created else (_action(step), _DASH, describe(result), _DASH)
    site = made[0]
    if site in missing:
        return _action(step), "missing", "coroutine, never run", _DASH
    if site.awaited:
        return _action(step), "yes", describe(site.result()), _DASH
    return _action(step), "later", describe(result), _DASH


def _action(step: Called) -> str:
    """`GET /hello with ac` for a request, else the call as it stands."""
    called, arguments = step.node.func, step.node.args
    url = arguments[0].value if arguments and isinstance(arguments[0], ast.Constant) else None
    if (
        isinstance(called, ast.Attribute)
        and called.attr in _VERBS
        and isinstance(url, str)
        and url.startswith(("/", "http"))
    ):
        return f"{called.attr.upper()} {url} with `{spelt(called.value)}`"
    return f"call `{step.label}(…)`"


def _short(run: Run, node: ast.AST) -> str:
    text = " ".join((run.source(node) if run.mine(node) else spelt(node)).split())
    return text if len(text) <= 60 else text[:59] + "…"


class _Tracker:
    """What each name the test binds holds, step after step."""

    def __init__(self, run: Run) -> None:
        self._snapshots = run.snapshots
        self._seen: dict[str, str] = dict.fromkeys(_read_from_module(run), "instance")
        self._seen |= dict.fromkeys(run.tracked, "none")

    def after(self, step: Step) -> dict[str, str]:
        state = self._snapshots.get(id(step))
        if isinstance(step, Received) and step.name in self._seen:
            self._seen[step.name] = describe(step.value)
        if state is not None:
            names, lives = state
            for name in self._seen:
                if name in names:
                    self._seen[name] = _held(names[name], lives)
        return dict(self._seen)


def _read_from_module(run: Run) -> list[str]:
    """Objects of the module, such as the app, that the function reads."""
    free = sorted(free_names(run.node))
    values = ((name, run.engine.world.name(run.module, name)) for name in free)
    return [name for name, value in values if value is not None and every(value, Instance)]


def _held(value: Value, lives: dict[Site, frozenset[str]]) -> str:
    return " or ".join(sorted({_kept(kind, lives) for kind in value})) or "unknown"


def _kept(kind: Kind, lives: dict[Site, frozenset[str]]) -> str:
    if isinstance(kind, Instance) and kind.site is not None:
        life = lives.get(kind.site, frozenset())
        return " or ".join(sorted(_STATES[state] for state in life)) if len(life) < 3 and life else "instance"
    if isinstance(kind, Coroutine):
        return "coroutine, never awaited" if not kind.site.awaited else "coroutine, awaited"
    return describe(frozenset({kind}))
