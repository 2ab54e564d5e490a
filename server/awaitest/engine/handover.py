"""What becomes of a value behind the fixture that hands it out: whether a client may be closed there, a coroutine is taken for its result."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaitest.engine.fixtures import Seeker
from awaitest.engine.syntax import first_use, own_nodes
from awaitest.engine.values import FunctionInfo, FunctionValue
from awaitest.engine.world import Definition
from awaitest.source.nodes import parts_of

if TYPE_CHECKING:
    from awaitest.engine.run import Run
    from awaitest.project.modules import Module

Function = ast.FunctionDef | ast.AsyncFunctionDef
_Place = tuple[ast.ClassDef | None, Function]

_ENDS = frozenset({"aclose", "close", "__aenter__", "__aexit__"})


def may_be_closed(run: Run) -> bool:
    """Whether somebody enters or closes what a fixture hands out, or passes it to code of others; also where that cannot be told."""
    assert run.fixture is not None
    names = [run.fixture.name]
    for name in names:
        for module in _modules(run, name.encode()):
            for function in _asking(module, name):
                given = _gives_on(run, module, function, name)
                if given is None:
                    return True
                names += [given] if given and given not in names else []
    return False


def may_be_closed_within(run: Run) -> bool:
    """The same for a context manager of a module, whose client is known by name in each block that enters it."""
    name, entered = run.node.name, 0
    for module in _modules(run, name.encode()) if run.cls is None and run.parent is None else ():
        parts = [part for statement in module.body for part in parts_of(statement)]
        blocks = [
            (function, item.optional_vars)
            for function in parts
            if isinstance(function, Definition)
            for block in own_nodes(function)
            if isinstance(block, ast.AsyncWith)
            for item in block.items
            if isinstance(item.context_expr, ast.Call) and _named(item.context_expr.func) == name
        ]
        if sum(_named(part) == name for part in parts) != len(blocks):
            return True
        for function, target in blocks:
            if not isinstance(target, ast.Name) or _gives_on(run, module, function, target.id) != "":
                return True
        entered += len(blocks)
    return not entered


def _named(node: ast.AST) -> str | None:
    if isinstance(node, ast.alias):
        return node.name if node.asname is not None else None
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)


def _asking(module: Module, name: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for statement in module.body:
        for part in parts_of(statement):
            if isinstance(part, Definition) and any(item.arg == name for item in _parameters(part)):
                yield part


def read_as(run: Run) -> str | None:
    """What a test or fixture reads of the value that a fixture gives it, as a part of the text: an attribute, or "[…]"; None where
    none certainly reads anything, or one awaits the value."""
    assert run.fixture is not None
    name, found = run.fixture.name, None
    for module in _modules(run, name.encode()):
        others = [it for it in _asking_here(module, None) if it[1].name == name and it[1] is not run.node]
        for cls, node in [] if others else _asking_here(module, name):
            if any(isinstance(it, ast.Await) and getattr(it.value, "id", "") == name for it in parts_of(node)):
                return None
            found = found or _read_by(run, module, cls, node, name)
    return found


def _asking_here(module: Module, name: str | None) -> Iterator[_Place]:
    """The functions and methods of a module, with their classes; those that ask for a name, if one is given."""
    for statement in module.body:
        cls = statement if isinstance(statement, ast.ClassDef) else None
        for node in cls.body if cls is not None else [statement]:
            if isinstance(node, Definition) and (name is None or any(it.arg == name for it in _parameters(node))):
                yield cls, node


def _read_by(run: Run, module: Module, owner: ast.ClassDef | None, node: Function, name: str) -> str | None:
    engine, cls = run.engine, run.engine.world.class_info(module, owner) if owner is not None else None
    marks = [ast.unparse(item) for item in (*node.decorator_list, *(owner.decorator_list if owner is not None else ()))]
    if any(name in mark or "xfail" in mark or "skip" in mark for mark in marks):
        return None
    source = engine.fixtures.find(name, Seeker(module, cls))
    asks = engine.is_test(module, node, cls) or engine.fixtures.made_by(module, node, cls) is not None
    if not asks or source is None or source.node is not run.node:
        return None
    match first_use(node, name):
        case ast.Attribute(attr=attribute):
            return attribute
        case ast.Subscript():
            return "[…]"
    return None


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]


def _gives_on(run: Run, module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> str | None:
    """The function's own name where it hands out its parameter, "" where it only sends requests with it, None for the rest."""
    given = ""
    lent = {id(item) for part in parts_of(node) for item in _lent(run, module, part)}
    handed_out = {id(part.value) for part in parts_of(node) if isinstance(part, (ast.Return, ast.Yield))}
    for part in parts_of(node):
        if not isinstance(part, ast.Name) or part.id != name or isinstance(part.ctx, ast.Store):
            continue
        if id(part) in handed_out:
            given = node.name
        elif id(part) not in lent:
            return None
    return given


def _lent(run: Run, module: Module, part: ast.AST) -> Iterator[ast.AST]:
    """Expressions whose value nobody keeps here: before a dot, or passed to a function of the project."""
    if isinstance(part, ast.Attribute) and part.attr not in _ENDS:
        yield part.value
    elif isinstance(part, ast.Call):
        target = run.engine.world.reader.expression(module, part.func)
        if target and all(
            isinstance(kind, FunctionValue) and kind.function.module.origin == "project" for kind in target
        ):
            yield from part.args
            yield from (keyword.value for keyword in part.keywords)


def _borrows(function: FunctionInfo) -> bool:
    """Whether a function of the project leaves open what it gets."""
    ends = (
        isinstance(part, ast.AsyncWith) or (isinstance(part, ast.Attribute) and part.attr in _ENDS)
        for part in parts_of(function.node)
    )
    return function.module.origin == "project" and not any(ends)


def _modules(run: Run, name: bytes) -> Iterator[Module]:
    """The modules that may ask for a fixture and mention its name."""
    project, own = run.engine.project, run.path
    yield run.module
    if own.name == "conftest.py" or not project.config.collects_file(own):
        folder = own.parent if own.name == "conftest.py" else project.config.rootdir
        yield from (module for module in project.modules_mentioning(name, folder) if module is not run.module)
