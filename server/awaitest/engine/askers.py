"""Who asks for what a fixture makes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaitest.engine.fixtures import Seeker
from awaitest.engine.values import Instance
from awaitest.engine.world import Definition

if TYPE_CHECKING:
    from awaitest.engine.run import Run
    from awaitest.project.modules import Module

Function = ast.FunctionDef | ast.AsyncFunctionDef


def askers(run: Run) -> list[Module]:
    """The modules that may ask for a fixture: its own, and those that mention its name."""
    project = run.engine.project
    assert run.fixture is not None
    folder = run.path.parent if run.path.name == "conftest.py" else project.config.rootdir
    modules = project.modules_mentioning(run.fixture.name.encode(), folder)
    return list({id(module): module for module in (run.module, *modules)}.values())


def tests_given(run: Run, made: ast.Call) -> Iterator[tuple[Function, Seeker]]:
    """Tests whose parameter of the fixture's name certainly holds what a call in the fixture makes."""
    assert run.fixture is not None
    for module in askers(run):
        for function, seeker in _tests(run, module):
            arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            if not any(item.arg == run.fixture.name for item in arguments):
                continue
            found = run.engine.fixtures.find(run.fixture.name, seeker)
            given = run.engine.fixtures.value(found, seeker) if found and found.node is run.node else frozenset()
            if given and all(isinstance(kind, Instance) and kind.made and kind.made.node is made for kind in given):
                yield function, seeker


def _tests(run: Run, module: Module) -> Iterator[tuple[Function, Seeker]]:
    for statement in module.body:
        cls = run.engine.world.class_info(module, statement) if isinstance(statement, ast.ClassDef) else None
        for part in statement.body if isinstance(statement, ast.ClassDef) else [statement]:
            if isinstance(part, Definition) and run.engine.is_test(module, part, cls):
                yield part, Seeker(module, cls)
