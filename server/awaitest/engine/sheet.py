"""All functions of one file, walked, and what holds for the file as a whole."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from awaitest.engine.style import habits
from awaitest.source.edits import add_import
from awaitest.source.segment import swapped
from awaitest.source.text import Edit

if TYPE_CHECKING:
    from awaitest.engine.run import Run
    from awaitest.source.document import Document, Segment


class Sheet:
    """The runs of a file in the order of its text, the top level last."""

    def __init__(self, document: Document, by_segment: dict[Segment | None, list[Run]]) -> None:
        self.document = document
        self.by_segment = by_segment
        """The runs by the segment they stand in; those of the top level under None."""
        self.runs = self._in_order()
        for run in self.runs:
            run.sheet = self

    def exchange(self, old: Segment, new: Segment, inside: list[Run]) -> None:
        """Take up a segment, with its runs, in the place of another."""
        before = self.by_segment.pop(old)
        self.by_segment[new] = inside
        self.runs = swapped(self.runs, before, inside) if before else self._in_order()
        for run in inside:
            run.sheet = self
        for name in ("habits", "import_of_pytest"):
            self.__dict__.pop(name, None)

    def _in_order(self) -> list[Run]:
        return [run for segment in (*self.document.segments, None) for run in self.by_segment.get(segment, ())]

    @cached_property
    def habits(self) -> list[str]:
        """The marks of async tests that the file and its neighbours use."""
        return habits(self.runs[0]) if self.runs else []

    @cached_property
    def import_of_pytest(self) -> Edit | None:
        """The edit that imports pytest in this file."""
        return add_import(self.document, "pytest")
