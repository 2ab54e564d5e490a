"""What tests replace by hand: names and attributes that a patch, `setattr` or an assignment gives another value."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitest.engine import members
from awaitest.engine.steps import Awaited, Called
from awaitest.engine.values import (
    UNKNOWN,
    ClassValue,
    Coroutine,
    FunctionInfo,
    FunctionValue,
    Kind,
    ModuleValue,
    Value,
    every,
    join,
)
from awaitest.engine.words import short
from awaitest.source.edits import add_import
from awaitest.source.nodes import kept, of_kind, parts_of, spelt
from awaitest.source.text import Edit

if TYPE_CHECKING:
    from awaitest.engine.run import Run
    from awaitest.engine.world import World
    from awaitest.project.modules import Module

_PATCHING = frozenset(
    {"patch", "object", "setattr", "delattr", "multiple", "spy", "stub", "patch_object", "when", "expect"}
)

_DEEPEST = 3
ANY = "*"
"""Stands for names that nobody can tell."""


@kept
def patched_by(node: ast.AST) -> frozenset[str]:
    """Dotted names that a function or class replaces while it runs, decorators included: "app.mail.send", "client.get"."""
    found: set[str] = set()
    for call in of_kind(node, ast.Call):
        found.update(_by_call(call))
        found.update(_by_unknown_name(call))
    stored = (it for it in of_kind(node, ast.Subscript) if isinstance(it.ctx, ast.Store))
    if any(_is_namespace(it.value) for it in stored):
        found.add(ANY)
    for part in of_kind(node, ast.Attribute):
        if isinstance(part.ctx, ast.Store):
            owner = spelt(part.value)
            if owner not in {"self", "cls"}:
                found.add(f"{owner}.{part.attr}")
    return frozenset(found)


def _by_unknown_name(call: ast.Call) -> Iterator[str]:
    """What a call replaces whose name is not written there: any."""
    match call:
        case ast.Call(
            func=ast.Name(id="setattr" | "delattr")
            | ast.Attribute(attr="setattr" | "delattr")
            | ast.Attribute(attr="object", value=ast.Name(id="patch") | ast.Attribute(attr="patch")),
            args=[owner, name, *more],
        ) if _text(name) is None and _text(owner) is None and (more or call.keywords):
            yield f"{spelt(owner)}.{ANY}"
        case ast.Call(
            func=ast.Name(id="patch")
            | ast.Attribute(attr="patch", value=ast.Name(id="mock" | "mocker"))
            | ast.Attribute(attr="setattr", value=ast.Name(id="monkeypatch")),
            args=[place, *_],
        ) if _text(place) is None and len(call.args) <= 2:
            yield ANY
        case ast.Call(func=ast.Attribute(attr="update" | "setdefault", value=owner)) if _is_namespace(owner):
            yield ANY
        case ast.Call(func=ast.Attribute(attr="setitem" | "delitem" | "dict"), args=[owner, *_]) if _is_namespace(
            owner
        ):
            yield ANY


def _is_namespace(node: ast.expr) -> bool:
    """Whether this is the dict that holds the names of a module or the attributes of an object."""
    match node:
        case ast.Attribute(attr="__dict__") | ast.Call(func=ast.Name(id="vars" | "globals")):
            return True
        case ast.Constant(value=str(text)):
            return text.endswith(".__dict__")
    return False


def _by_call(call: ast.Call) -> Iterator[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name not in _PATCHING:
        return
    texts = [text for text in map(_text, call.args[:2]) if text is not None]
    if not texts and name != "multiple":
        return
    first = call.args[0] if call.args else None
    owner = "" if first is None or _text(first) is not None else spelt(first) + "."
    if name == "multiple":
        yield from (f"{owner}{keyword.arg}" for keyword in call.keywords if keyword.arg)
    else:
        yield f"{owner}{texts[-1] if owner else texts[0]}"


def _text(node: ast.expr) -> str | None:
    """A string, or what is sure of the end of one: `f"{__name__}.fetch"` ends in ".fetch"."""
    if isinstance(node, ast.JoinedStr):
        node = node.values[-1] if node.values else node
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def patching(world: World, module: Module, node: ast.AST) -> frozenset[str]:
    """What a function replaces, and the functions of the project that it calls, or is decorated with, and those that these do."""
    found, met, layer = patched_by(node), {id(node)}, [(module, node)]
    for _ in range(_DEEPEST):
        called = {id(it.node): it for place, code in layer for it in _own_called(world, place, code)}
        layer = [(it.module, it.node) for key, it in called.items() if key not in met]
        met |= called.keys()
        found = found.union(*(patched_by(code) for _, code in layer))
    return found


def _own_called(world: World, module: Module, node: ast.AST) -> Iterator[FunctionInfo]:
    """The functions of the project that code calls, or is decorated with."""
    for called in _called(node):
        for kind in _at(world, module, called):
            if isinstance(kind, FunctionValue) and kind.function.module.origin == "project":
                yield kind.function


@kept
def _called(node: ast.AST) -> list[ast.expr]:
    called = [call.func for call in of_kind(node, ast.Call)]
    return [it for it in (*called, *getattr(node, "decorator_list", ())) if isinstance(it, ast.Name | ast.Attribute)]


def _at(world: World, module: Module, node: ast.expr) -> Value:
    """The value of a name of a module, or of an attribute of another module that it imports."""
    if isinstance(node, ast.Name):
        return world.name(module, node.id) or UNKNOWN
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        owner = world.name(module, node.value.id) or UNKNOWN
        return members.attribute(world, owner, node.attr) if every(owner, ModuleValue) else UNKNOWN
    return UNKNOWN


def replaces(patched: Iterable[str], name: str, *, client: str | None = None) -> bool:
    """Whether a name is among the patched ones. The methods of a client, spelt so, count only where a client is patched."""
    for dotted in patched:
        owner, _, last = dotted.rpartition(".")
        if last in {name, ANY} and (client is None or owner == client or "client" in owner.lower()):
            return True
    return False


def passes_replaced(patched: Iterable[str], value: Value) -> bool:
    """Whether a coroutine was made, somewhere on its way to us, by a function that is patched."""
    names = {name for kind in value if isinstance(kind, Coroutine) for name in kind.site.through}
    return any(replaces(patched, name) for name in names) if patched else False


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a test puts in the place of a function: `place` as it is written, `replaced` what stands there, `new` what comes."""

    place: str
    replaced: Value
    new: ast.Call | ast.Lambda
    value: Value
    """What `new` is."""


def replacement(run: Run, node: ast.Call, arguments: Sequence[Value]) -> Replacement | None:
    """What a call, given these arguments, replaces by a call or a lambda."""
    match node:
        case ast.Call(
            func=ast.Attribute(attr="setattr", value=ast.Name(id="monkeypatch"))
            | ast.Attribute(attr="object", value=ast.Name(id="patch") | ast.Attribute(attr="patch")),
            args=[owner, ast.Constant(value=str(name)), *given],
        ):
            place, replaced = f"{short(owner)}.{name}", members.attribute(run.engine.world, arguments[0], name)
        case ast.Call(
            func=ast.Attribute(attr="setattr", value=ast.Name(id="monkeypatch"))
            | ast.Name(id="patch")
            | ast.Attribute(attr="patch"),
            args=[ast.Constant(value=str(place)), *given],
        ):
            replaced = members.at_path(run.engine.world, place)
        case _:
            return None
    new = [*given, *(it.value for it in node.keywords if it.arg == "new")]
    alone = len(new) == 1 and all(it.arg == "new" for it in node.keywords)
    if not alone or not isinstance(new[0], (ast.Call, ast.Lambda)):
        return None
    return Replacement(place, replaced, new[0], arguments[-1])


def replacements_by_decorators(run: Run) -> Iterator[Replacement]:
    """What the decorators of a function, and those of its class, replace."""
    nodes = [*run.node.decorator_list, *(run.cls.node.decorator_list if run.cls is not None else ())]
    for node in nodes:
        if isinstance(node, ast.Call) and run.mine(node):
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            values = [run.engine.world.reader.expression(run.module, it) for it in given]
            found = replacement(run, node, values) if values else None
            if found is not None:
                yield found


def given_by(run: Run, found: Replacement) -> Value:
    """What a lambda gives whatever it is called with, or a plain mock by its `return_value`; nothing for any other call."""
    new, reader = found.new, run.engine.world.reader
    if isinstance(new, ast.Lambda):
        taken = {part.arg: UNKNOWN for part in of_kind(new.args, ast.arg)}
        return join(*(reader.returns(it.function, taken) for it in found.value if isinstance(it, FunctionValue)))
    called = next((it for it in run.steps if isinstance(it, Called) and it.node is new), None)
    target = called.target if called is not None else reader.expression(run.module, new.func)
    if [keyword.arg for keyword in new.keywords] != ["return_value"] or not all(map(_makes_mock, target)):
        return frozenset()
    return called.arguments[-1] if called is not None else reader.expression(run.module, new.keywords[0].value)


def _makes_mock(kind: Kind) -> bool:
    cls = kind.cls if isinstance(kind, ClassValue) else None
    return cls is not None and cls.node.name in {"Mock", "MagicMock"} and cls.package in {"unittest", "mock"}


def awaits_what_comes(run: Run, found: Replacement) -> bool:
    """Whether a test itself awaits a call of the place, as it is written, while the replacement stands there."""
    blocks = (part for part in parts_of(run.node) if isinstance(part, (ast.With, ast.AsyncWith)))
    block = next(
        (it for it in blocks if any(part is found.new for item in it.items for part in parts_of(item))), run.node
    )
    within = {id(part) for part in parts_of(block)}
    awaited = (it.node for it in run.steps if isinstance(it, Awaited) and not it.expected and id(it.node) in within)
    return any(
        isinstance(it.value, ast.Call) and spelt(it.value.func) == found.place and it.lineno > found.new.lineno
        for it in awaited
    )


def mock_for_lambda(run: Run, new: ast.Lambda) -> list[Edit] | None:
    """What a lambda of one line always gives, given by an `AsyncMock`."""
    span = run.span(new)
    if span.start.line != span.end.line or any(isinstance(part, (ast.Name, ast.Call)) for part in parts_of(new.body)):
        return None
    added = add_import(run.document, "unittest.mock", "AsyncMock")
    made = Edit(span, f"AsyncMock(return_value={run.source(new.body)})")
    return [made] if added is None else [added, made]
