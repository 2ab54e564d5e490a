"""All functions of one file, walked, and what holds for the file as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from awaitest.engine.style import habits
from awaitest.source.edits import add_import
from awaitest.source.text import Edit

if TYPE_CHECKING:
    from awaitest.engine.run import Run
    from awaitest.source.document import Document, Segment


class Sheet:
    """The runs of a file in the order of its text, the top level last. A run belongs to the newest sheet it is on."""

    def __init__(self, document: Document, by_segment: Mapping[Segment | None, list[Run]]) -> None:
        self.document = document
        self.by_segment = by_segment
        """The runs by the segment they stand in; those of the top level under None."""
        self.runs = [run for runs in by_segment.values() for run in runs]
        for run in self.runs:
            run.sheet = self

    @cached_property
    def habits(self) -> list[str]:
        """The marks of async tests that the file and its neighbours use."""
        return habits(self.runs[0]) if self.runs else []

    @cached_property
    def import_of_pytest(self) -> Edit | None:
        """The edit that imports pytest in this file."""
        return add_import(self.document, "pytest")
