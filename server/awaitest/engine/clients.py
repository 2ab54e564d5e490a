"""What rules ask about clients: whose class it is, who got it, what happened to it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from awaitest.engine.facts import BORROWING
from awaitest.engine.repair import path_to
from awaitest.engine.run import TEST
from awaitest.engine.steps import Awaited, Called, ClientUsed, Entered, Kept, Received, Step
from awaitest.engine.values import ClassInfo, ClassValue, Instance, ModuleValue, Site, Value, sites
from awaitest.source.edits import Import, add_import, remove_import, replace_import, uses_of
from awaitest.source.nodes import parts_of, spelt
from awaitest.source.text import Edit

if TYPE_CHECKING:
    from awaitest.engine.run import Run

LIBRARIES = ("httpx", "httpx2")


def library_of(run: Run, cls: ClassInfo, *methods: str) -> str | None:
    """ "httpx" or "httpx2" where the class is a client whose methods of these names are the library's own."""
    world = run.engine.world
    library = next((name for name in LIBRARIES if world.derives(cls, "AsyncClient", name)), None)
    for method in methods:
        member = world.member(cls, method)
        if member is not None and member.owner.package != library:
            return None
    return library


def class_of(run: Run, site: Site) -> ClassInfo | None:
    """The class of a followed client."""
    for step in run.steps:
        value: Value = frozenset()
        if isinstance(step, (Called, Awaited)):
            value = step.result
        elif isinstance(step, (Received, Entered)):
            value = step.value
        for kind in value:
            if isinstance(kind, Instance) and kind.site is site:
                return kind.cls
    return None


def holds(value: Value, site: Site) -> bool:
    """Whether a value is, or contains, the client of a site."""
    return any(held is site for held in sites(value))


def sibling_edits(run: Run, call: ast.Call, cls: ClassInfo, name: str) -> tuple[str, list[Edit]] | None:
    """How to spell another class of the client's library here, and the import it needs; None where the name means something else."""
    library = library_of(run, cls)
    func, world = call.func, run.engine.world
    if library is None:
        return None
    if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
        modules = world.name(run.module, func.value.id) or frozenset()
        if any(isinstance(kind, ModuleValue) and kind.module.name == library for kind in modules):
            return f"{func.value.id}.{name}", []
    if name in run.module.bound:
        known = world.name(run.module, name) or frozenset()
        own = known and all(isinstance(kind, ClassValue) and kind.cls.package == library for kind in known)
        return (name, []) if own else None
    added = add_import(run.document, library, name)
    return None if added is None else (name, [added])


def import_edits(run: Run, library: str, old: str, new: str) -> list[Edit]:
    """Import a name instead of another, one use of which goes away: in its very place where that was the last."""
    aliases = (
        alias
        for statement in run.module.body
        if isinstance(statement, ast.ImportFrom) and statement.module == library
        for alias in statement.names
    )
    found = next((alias for alias in aliases if alias.name == old and alias.asname is None), None)
    if found is not None and uses_of(run.document, old) == 1 and new not in run.module.bound:
        return [Edit(run.span(found), new)]
    added = add_import(run.document, library, new)
    return [] if added is None else [added]


def moved_edits(run: Run, call: ast.Call, cls: ClassInfo, other: ClassInfo, at: ast.expr) -> list[Edit] | None:
    """Name at a place the class of the client's library instead of the other library's class of that name."""
    library, name = library_of(run, cls), other.node.name
    free = isinstance(at, ast.Name) and at.id == name and uses_of(run.document, name) == 1
    by_name = isinstance(call.func, ast.Name)
    if library is not None and free and by_name:
        return replace_import(run.document, Import(other.package, name), Import(library, name), replaced=1)
    sibling = sibling_edits(run, call, cls, name)
    if sibling is None:
        return None
    held = at.id if isinstance(at, ast.Name) else spelt(at).partition(".")[0]
    imported = Import(other.package, name if isinstance(at, ast.Name) else None)
    gone = remove_import(run.document, *imported, replaced=1) if uses_of(run.document, held) == 1 else None
    return [Edit(run.span(at), sibling[0]), *sibling[1], *([gone] if gone is not None else [])]


def closes_itself(run: Run, cls: ClassInfo) -> bool:
    """Whether the class is no client of a library, or one with an end of its own."""
    return library_of(run, cls, "aclose", "__aexit__") is None or run.engine.world.member(cls, "__del__") is not None


def tries_to_close(run: Run, site: Site) -> bool:
    """Whether the function calls the `close()` of synchronous clients, which is a mistake of its own."""
    return any(
        isinstance(part, ast.Attribute) and part.attr == "close" and getattr(part.value, "id", None) in site.named
        for part in parts_of(run.node)
    )


def used(run: Run, site: Site) -> bool:
    """Whether the client sends a request here, or a function gets it that may: only then has it anything to close."""
    if site.lent or any(isinstance(step, ClientUsed) and step.site is site for step in run.steps):
        return True
    return any(isinstance(step, Called) and holds(value, site) for step in run.steps for value in _arguments(step))


def _arguments(step: object) -> tuple[Value, ...]:
    return step.arguments if isinstance(step, Called) else ()


def block_of(run: Run, step: ClientUsed) -> ast.AsyncWith | ast.Try | None:
    """The `async with`, or the `try` with a `finally`, that closed a client before this step."""
    for earlier in reversed(run.steps[: run.steps.index(step)]):
        if isinstance(earlier, Entered) and holds(earlier.value, step.site):
            return earlier.statement if isinstance(earlier.statement, ast.AsyncWith) else None
        if isinstance(earlier, ClientUsed) and earlier.site is step.site and earlier.action == "close":
            around = (part for part in path_to(run.node, earlier.node) if isinstance(part, ast.Try))
            return next(around, None)
    return None


def sent(run: Run, site: Site, before: Step) -> bool:
    """Whether a request of the client was awaited on the spot before a step; one that was only made has not run yet."""
    earlier = run.steps[: run.steps.index(before)]
    requests = {id(step.node) for step in earlier if isinstance(step, ClientUsed) and step.site is site}
    return any(isinstance(step, Awaited) and id(step.node.value) in requests for step in earlier)


def only_requests(run: Run, owner: Kept | str) -> bool:
    """Whether a client kept by a module or on `self` is used for requests and nothing else, as far as its owner reaches."""
    if isinstance(owner, str):
        body = run.module.body
        parts = (part for node in body for part in parts_of(node) if isinstance(part, ast.Name) and part.id == owner)
        loads = [part for part in parts if isinstance(part.ctx, ast.Load)]
        return bool(loads) and _all_requests(body, loads) and not _exports(run, owner)
    cls, world = run.cls, run.engine.world
    if cls is None or not world.mro(cls)[1] or not _directly(run, owner):
        return False
    if not any(other.kind == TEST and other.cls is cls for other in run.sheet.runs):
        return False
    nodes = [base.node for base in world.mro(cls)[0]]
    mentions = [part for node in nodes for part in parts_of(node) if _is_kept(part, owner.attribute)]
    return bool(mentions) and _all_requests(nodes, mentions)


def _is_kept(node: ast.AST, attribute: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == attribute and isinstance(node.ctx, ast.Load)


def _directly(run: Run, kept: Kept) -> bool:
    return any(
        isinstance(part, ast.Assign) and part.value is kept.site.node and part.targets == [kept.node]
        for part in parts_of(run.node)
    )


def _all_requests(nodes: Sequence[ast.AST], mentions: Sequence[ast.AST]) -> bool:
    lent = {
        id(part.func.value)
        for node in nodes
        for part in parts_of(node)
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in BORROWING
    }
    return all(id(part) in lent for part in mentions)


def _exports(run: Run, name: str) -> bool:
    return name in run.module.rebound or name in (run.module.all_names or ())
