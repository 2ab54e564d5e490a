"""What becomes of a client behind the fixture that hands it out: whether those who get it may close it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaitest.engine.values import FunctionInfo, FunctionValue
from awaitest.engine.world import Definition
from awaitest.source.nodes import parts_of

if TYPE_CHECKING:
    from awaitest.engine.run import Run
    from awaitest.project.modules import Module

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


def _asking(module: Module, name: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for statement in module.body:
        for part in parts_of(statement):
            if isinstance(part, Definition) and any(item.arg == name for item in _parameters(part)):
                yield part


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
