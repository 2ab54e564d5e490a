"""Snippets as completions: offered where a test or fixture can start, written as the project would write them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaitest.assist.snippets.catalog import Snippet, catalog
from awaitest.assist.snippets.dialect import Dialect, dialect_of
from awaitest.assist.snippets.fitting import Fitted, fitted, tab_stop
from awaitest.assist.snippets.imports import ImportEdits, clashes
from awaitest.assist.snippets.place import Place, place_of
from awaitest.assist.snippets.search import Bound, Search
from awaitest.engine.fixtures import Seeker
from awaitest.project.discovery import is_tests
from awaitest.source.edits import indent_unit
from awaitest.source.text import Edit, Position

if TYPE_CHECKING:
    from awaitest.engine.analysis import Engine
    from awaitest.project.modules import Module


@dataclass(frozen=True, slots=True)
class Completion:
    """One snippet that fits. `body` is in the snippet syntax of LSP, its lines relative to the indentation of the line
    it is inserted at, with `\\n` between them; `edits` add imports to the same file, away from that line."""

    prefix: str
    title: str
    description: str
    body: str
    edits: tuple[Edit, ...]


def completions(engine: Engine, module: Module, position: Position) -> list[Completion]:
    """The snippets that fit at a position, in the order of the catalogue."""
    place = place_of(engine, module, position)
    if place is None:
        return []
    offered = [
        each for each in catalog() if each.prefix.startswith(place.word) and _belongs(each, engine, module, place)
    ]
    return list(_fitted(offered, engine, module, place)) if offered else []


def _belongs(snippet: Snippet, engine: Engine, module: Module, place: Place) -> bool:
    """Whether pytest would find there what the snippet makes."""
    config, path = engine.project.config, module.path
    if path is None or (place.cls is not None and (snippet.is_fixture or snippet.is_class)):
        return False
    if snippet.is_fixture:
        return is_tests(path, config)
    collected = config.collects_file(path) and path.name != "conftest.py" and config.collects_function("test_")
    return collected and (not snippet.is_class or config.collects_class("Test"))


def _fitted(offered: list[Snippet], engine: Engine, module: Module, place: Place) -> Iterator[Completion]:
    assert module.document is not None
    seeker = Seeker(module, place.cls)
    search = Search(engine, seeker)
    dialect = dialect_of(engine, seeker, search)
    imports = ImportEdits(module.document, place.line, search.is_own)
    unit = indent_unit(module.document)
    for snippet in offered:
        found = _found(snippet, search)
        fit = fitted(snippet, dialect, found, in_class=place.cls is not None)
        if not _runs(snippet, dialect) or any(clashes(module, wanted) for wanted in fit.imports):
            continue
        edit = imports.edit(fit.imports)
        at_place = edit is not None and edit.span.start.line == place.line
        before = "".join(f"{line}\n" for line in edit.text.splitlines()) if edit is not None and at_place else ""
        yield Completion(
            snippet.prefix,
            snippet.title,
            "\n\n".join([snippet.description, *_reasons(snippet, dialect, fit, found)]),
            before + fit.code.replace("\t", unit),
            (edit,) if edit is not None and not at_place else (),
        )


def _runs(snippet: Snippet, dialect: Dialect) -> bool:
    """Whether the runner at work suits it; a plain test must not get a runner's mark from its surroundings."""
    plain_test = snippet.is_plain and not snippet.is_fixture
    return snippet.runner in (None, dialect.runner) and not (plain_test and dialect.marked)


def _found(snippet: Snippet, search: Search) -> dict[str, Bound | None]:
    """What stands in this project for the names the snippet wants, looked for only where they are wanted."""
    wanted = {name for _, name in snippet.wanted}
    return {
        "app": search.app if "app" in wanted else None,
        "engine": search.database if "engine" in wanted else None,
        "get_service": search.dependency if "get_service" in wanted else None,
    }


def _reasons(snippet: Snippet, dialect: Dialect, fit: Fitted, found: dict[str, Bound | None]) -> Iterator[str]:
    """Why it looks like this here."""
    if not snippet.is_plain and not snippet.is_fixture:
        yield _mark_told(dialect)
    if fit.client is not None:
        yield f"The fixture `{fit.client}` gives the client."
    missing = [name for stop, name in snippet.wanted if found[name] is None and tab_stop(stop, name) in fit.code]
    if missing:
        yield f"Not found in this project: {', '.join(f'`{name}`' for name in missing)}. Put in your own and import it."


def _mark_told(dialect: Dialect) -> str:
    if dialect.mark is not None:
        return f"`@pytest.mark.{dialect.mark}` makes {dialect.runner} run it."
    if dialect.marked:
        return "Its class or module is marked already."
    return f"Needs no mark: {dialect.why or 'a hook or a plugin of this project may run it'}."
