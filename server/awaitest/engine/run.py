"""One function that was walked, with the facts a rule may ask about it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from awaitest.engine.fixtures import Fixture, Seeker
from awaitest.engine.marks import Mark, marks_of
from awaitest.engine.runner import Verdict
from awaitest.engine.steps import Collected, Received, Step
from awaitest.engine.values import ClassInfo, FunctionInfo, Site, Value
from awaitest.source.document import Document, Segment
from awaitest.source.nodes import parts_of
from awaitest.source.text import Span

if TYPE_CHECKING:
    from awaitest.engine.analysis import Engine
    from awaitest.engine.sheet import Sheet
    from awaitest.project.modules import Module

TEST, FIXTURE, HELPER, NESTED, MODULE = "test", "fixture", "helper", "nested function", "module"


class Run:
    """A walked function: a test, a fixture, a helper, one nested in another (`parent`), or a module's top level."""

    def __init__(
        self,
        engine: Engine,
        module: Module,
        kind: str,
        function: FunctionInfo | None,
        cls: ClassInfo | None,
        segment: Segment | None,
        parent: Run | None = None,
    ) -> None:
        self.engine = engine
        self.module = module
        self.kind = kind
        self.function = function
        self.cls = cls
        self.segment = segment
        self.parent = parent
        self._sheet: Sheet
        self.fixture: Fixture | None = None
        self.steps: list[Step] = []
        self.snapshots: dict[int, tuple[dict[str, Value], dict[Site, frozenset[str]]]] = {}
        """The state after each step, by the step's id; kept only where an execution table is wanted."""
        self.asks_others = False
        """Whether what is said of it depends on what other functions ask for."""
        self.tracked: list[str] = []
        """Names the function binds, in order."""

    @property
    def sheet(self) -> Sheet:
        """All runs of the file. What is said of this one for having asked may change with another."""
        self.engine.project.asked += 1
        return self._sheet

    @sheet.setter
    def sheet(self, sheet: Sheet) -> None:
        self._sheet = sheet

    @property
    def document(self) -> Document:
        self.engine.project.asked += 1
        assert self.module.document is not None
        return self.module.document

    @property
    def path(self) -> Path:
        assert self.module.path is not None
        return self.module.path

    @property
    def node(self) -> ast.FunctionDef | ast.AsyncFunctionDef:
        """The function's definition; not for a module's top level."""
        assert self.function is not None
        assert not isinstance(self.function.node, ast.Lambda)
        return self.function.node

    @property
    def is_async(self) -> bool:
        return self.function is not None and self.function.is_async

    @property
    def seeker(self) -> Seeker:
        return Seeker(self.module, self.cls)

    @property
    def outermost(self) -> Run:
        """The function that stands around all others: itself where none does."""
        run = self
        while run.parent is not None and run.parent.function is not None:
            run = run.parent
        return run

    @cached_property
    def marks(self) -> list[Mark]:
        return marks_of(self.engine.world, self.function, self.cls) if self.function is not None else []

    @cached_property
    def verdict(self) -> Verdict:
        """Who runs this test, as if it were async."""
        assert self.function is not None
        return self.engine.runner.verdict(self.function, self.cls)

    def owner_of(self, node: ast.AST) -> Run:
        """The innermost function of this file that a node stands in; this one where none is found."""
        near = self._sheet.by_segment.get(self._segment_of(node), [])
        holders = [run for run in near if run.function is not None and any(part is node for part in parts_of(run.node))]
        return min(holders, key=lambda run: sum(1 for _ in parts_of(run.node)), default=self)

    def mine(self, node: ast.AST) -> bool:
        """Whether a node lies in this document."""
        return self._segment_of(node) is not None

    def span(self, node: ast.AST) -> Span:
        """Where a node lies in the document."""
        segment = self._segment_of(node)
        assert segment is not None
        return segment.span(node)

    def name_span(self) -> Span:
        """Where the function's name lies."""
        segment = self._segment_of(self.node)
        assert segment is not None
        return segment.name_span(self.node)

    def source(self, node: ast.AST) -> str:
        """The text of a node, as the user wrote it."""
        span = self.span(node)
        lines = self.document.lines[span.start.line : span.end.line + 1]
        lines[-1] = lines[-1][: span.end.column]
        lines[0] = lines[0][span.start.column :]
        return "".join(lines)

    def _segment_of(self, node: ast.AST) -> Segment | None:
        document = self.module.document
        return document.segment_of(node) if document is not None and document.holds(node) else None

    def received(self) -> Iterator[Received]:
        for step in self.steps:
            if isinstance(step, Received):
                yield step

    def begin(self) -> None:
        node = self.node if self.function is not None else ast.Module(body=[], type_ignores=[])
        self.steps.insert(0, Collected(node=node))
