"""What tests replace by hand: names and attributes that a patch, `setattr` or an assignment gives another value."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaitest.engine import members
from awaitest.engine.values import Value
from awaitest.engine.words import short
from awaitest.source.nodes import kept, of_kind, spelt

if TYPE_CHECKING:
    from awaitest.engine.run import Run
    from awaitest.engine.steps import Called

_PATCHING = frozenset(
    {"patch", "object", "setattr", "delattr", "multiple", "spy", "stub", "patch_object", "when", "expect"}
)


@kept
def patched_by(node: ast.AST) -> frozenset[str]:
    """Dotted names that a function or class replaces while it runs, decorators included: "app.mail.send", "client.get"."""
    found: set[str] = set()
    for call in of_kind(node, ast.Call):
        found.update(_by_call(call))
    for part in of_kind(node, ast.Attribute):
        if isinstance(part.ctx, ast.Store):
            owner = spelt(part.value)
            if owner not in {"self", "cls"}:
                found.add(f"{owner}.{part.attr}")
    return frozenset(found)


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


def replaces(patched: Iterable[str], name: str, *, client: str | None = None) -> bool:
    """Whether a name is among the patched ones. The methods of a client, spelt so, count only where a client is patched."""
    for dotted in patched:
        owner, _, last = dotted.rpartition(".")
        if last == name and (client is None or owner == client or "client" in owner.lower()):
            return True
    return False


def replacement(step: Called, run: Run) -> tuple[str, Value, ast.Call] | None:
    """What a call replaces, by its place and its value, and the call that makes what comes instead."""
    match step.node:
        case ast.Call(
            func=ast.Attribute(attr="setattr", value=ast.Name(id="monkeypatch"))
            | ast.Attribute(attr="object", value=ast.Name(id="patch") | ast.Attribute(attr="patch")),
            args=[owner, ast.Constant(value=str(name)), *given],
        ):
            place, replaced = f"{short(owner)}.{name}", members.attribute(run.engine.world, step.arguments[0], name)
        case ast.Call(
            func=ast.Attribute(attr="setattr", value=ast.Name(id="monkeypatch"))
            | ast.Name(id="patch")
            | ast.Attribute(attr="patch"),
            args=[ast.Constant(value=str(place)), *given],
        ):
            replaced = members.at_path(run.engine.world, place)
        case _:
            return None
    new = [*given, *(it.value for it in step.node.keywords if it.arg == "new")]
    alone = len(new) == 1 and all(it.arg == "new" for it in step.node.keywords)
    return (place, replaced, new[0]) if alone and isinstance(new[0], ast.Call) else None
