"""Whether anything takes back what a function puts into `app.dependency_overrides`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaitest.engine.apps import members_of
from awaitest.engine.getters import Getters, Test, gotten
from awaitest.engine.repair import insert
from awaitest.engine.run import FIXTURE, TEST
from awaitest.engine.syntax import own_nodes
from awaitest.source.nodes import parts_of
from awaitest.source.text import Edit, Position, Span

if TYPE_CHECKING:
    from awaitest.engine.run import Run
    from awaitest.project.modules import Module

_NAME = "dependency_overrides"
_EQUALS = re.compile(r"\][ \t]*=[ \t]*")
_NO_PARAMETERS = re.compile(r"(\()[ \t]*\)")


def may_be_undone(run: Run) -> bool:
    """Whether the function, or anything in sight that is no test, touches overrides in a way that may take one back."""
    if _may_undo(list(parts_of(run.node))):
        return True
    members = [
        (part, kind)
        for module in _modules(run)
        for part, kind in members_of(run, module)
        if kind != TEST and part is not run.node
    ]
    touching = [(part, kind) for part, kind in members if any(map(_touches, parts_of(part)))]
    around = gotten(run.engine, _tests(run)) if any(kind == FIXTURE for _, kind in touching) else None
    idle = [part for part, kind in touching if kind == FIXTURE and around is not None and id(part) not in around]
    return any(_protects(part) if part in idle else _may_undo(list(parts_of(part))) for part, _ in touching)


def _tests(run: Run) -> Iterator[Test | None]:
    """The tests that the function runs for."""
    if run.fixture is not None:
        yield from Getters(run, run.fixture).tests()
    elif run.function is not None:
        yield run.function, run.cls


def _protects(fixture: ast.AST) -> bool:
    """Whether a fixture may take back what was left by tests before the one that gets it."""
    given = [part.lineno for part in own_nodes(fixture) if isinstance(part, ast.Yield)]
    before = [part for part in parts_of(fixture) if not given or getattr(part, "lineno", 0) <= min(given)]
    return _may_undo(before)


def has_successor(run: Run, made_in: Module) -> bool:
    """Whether a test comes after this one that may see the same app: not so for an app of a module's own and its last test."""
    if made_in is not run.module:
        return True
    runs = run.sheet.runs
    return run.kind != TEST or any(other.kind == TEST for other in runs[runs.index(run) + 1 :])


def _may_undo(parts: list[ast.AST]) -> bool:
    """Whether a piece of code does more than set overrides, each one once."""
    stores = _stores(parts)
    setting = {id(part.value) for part in stores}
    if any(_is_overrides(part) and id(part) not in setting for part in parts):
        return True
    if any(_names_overrides(part) for part in parts):
        return True
    keys = [ast.dump(part) for part in stores]
    given = [part.lineno for part in parts if isinstance(part, ast.Yield)]
    return len(keys) != len(set(keys)) or any(store.lineno > min(given, default=store.lineno) for store in stores)


def _stores(parts: Iterable[ast.AST]) -> list[ast.Subscript]:
    return [
        part
        for part in parts
        if isinstance(part, ast.Subscript) and isinstance(part.ctx, ast.Store) and _is_overrides(part.value)
    ]


def _names_overrides(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and str(node.value).rpartition(".")[2] == _NAME


def _touches(node: ast.AST) -> bool:
    return _is_overrides(node) or _names_overrides(node)


def _is_overrides(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == _NAME


def _modules(run: Run) -> Iterator[Module]:
    """Modules of the project that mention overrides: those the function's own module rests on, and those that ask for it."""
    project, word = run.engine.project, _NAME.encode()
    met = set(project.reach(run.module))
    if run.fixture is not None:
        for module in project.modules_mentioning(run.fixture.name.encode(), project.config.rootdir):
            met |= project.reach(module)
    for path in met:
        if word in (project.files.read(path) or b""):
            yield project.module(path)


def patched_edits(run: Run, targets: list[ast.Subscript]) -> list[Edit] | None:
    """Let `monkeypatch` set these keys, and take them back after the test."""
    fixture, world = run.fixture, run.engine.world
    if fixture is not None and fixture.scope != "function":
        return None
    if run.cls is not None and any(base.package == "unittest" for base in world.mro(run.cls)[0]):
        return None
    asked = _asked_for(run, "monkeypatch")
    settings = [_setting(run, target) for target in targets]
    if asked is None or None in settings:
        return None
    return [*asked, *(edit for edits in settings if edits is not None for edit in edits)]


def _setting(run: Run, target: ast.Subscript) -> list[Edit] | None:
    """`owner[key] = value` becomes `monkeypatch.setitem(owner, key, value)`."""
    statement = next(
        (part for part in parts_of(run.node) if isinstance(part, ast.Assign) and part.targets == [target]), None
    )
    if statement is None or isinstance(statement.value, (ast.Yield, ast.YieldFrom, ast.Tuple)):
        return None
    owner, key, value = (run.span(part) for part in (target.value, target.slice, statement.value))
    opening, closing = Span(owner.end, key.start), Span(key.end, value.start)
    if value.end != run.span(statement).end or _text(run, opening) != "[" or not _EQUALS.fullmatch(_text(run, closing)):
        return None
    return [
        insert(owner.start, "monkeypatch.setitem("),
        Edit(opening, ", "),
        Edit(closing, ", "),
        insert(value.end, ")"),
    ]


def _text(run: Run, span: Span) -> str:
    """The text between two places of one line; nothing where a line ends in between."""
    line = run.document.lines[span.start.line]
    return line[span.start.column : span.end.column] if span.start.line == span.end.line else ""


def _asked_for(run: Run, name: str) -> list[Edit] | None:
    """Add a parameter behind the others; nothing where it is there."""
    arguments = run.node.args
    present = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    if name in {item.arg for item in present}:
        return []
    if len(present) != len(arguments.args) or arguments.defaults or arguments.vararg or arguments.kwarg:
        return None
    typed = "pytest" in run.module.bound and any(item.annotation is not None for item in present)
    text = f"{name}: pytest.MonkeyPatch" if typed else name
    if present:
        return [insert(run.span(present[-1]).end, f", {text}")]
    place = run.name_span().end
    opened = _NO_PARAMETERS.match(run.document.lines[place.line], place.column)
    return [insert(Position(place.line, opened.end(1)), text)] if opened is not None else None
