"""Refactorings: offered where the cursor stands, and only where their result is certain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitest.assist.refactorings import annotation, async_client, async_client_fixture, httpx2, shared_fixture
from awaitest.engine.diagnostic import Fix
from awaitest.source.document import Document
from awaitest.source.text import Span, apply

if TYPE_CHECKING:
    from awaitest.engine.run import Run

_OFFERS = (
    ("refactor.rewrite", async_client.offer),
    ("refactor.rewrite", async_client_fixture.offer),
    ("refactor.extract", shared_fixture.offer),
    ("refactor.rewrite", annotation.offer),
    ("refactor.rewrite", httpx2.offer),
)


@dataclass(frozen=True, slots=True)
class Refactoring:
    """One refactoring; `kind` is the kind of code action the protocol knows it by."""

    kind: str
    fix: Fix


def refactorings(runs: Sequence[Run], span: Span) -> list[Refactoring]:
    """What is offered for a selection; nothing in a file that Python cannot read."""
    document = runs[0].document if runs else None
    if document is None or document.problems:
        return []
    return [Refactoring(kind, fix) for kind, fix in _offered(runs, span) if _reads(document, fix)]


def _offered(runs: Sequence[Run], span: Span) -> Iterator[tuple[str, Fix]]:
    for kind, offer in _OFFERS:
        fix = offer(runs, span)
        if fix is not None:
            yield kind, fix


def _reads(document: Document, fix: Fix) -> bool:
    """Whether Python can read the file once it is changed."""
    return not Document(apply(document.lines, [it.edit for it in fix.edits])).problems
