"""Turns a snippet as it stands in the file into one that fits: the same code in the dialect of a project."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from awaitest.assist.snippets.catalog import Snippet
from awaitest.assist.snippets.dialect import Dialect
from awaitest.assist.snippets.search import Bound
from awaitest.source.edits import Import

_MARK = re.compile(r"^(\t*@pytest\.mark\.)(?:asyncio|anyio)\n", re.MULTILINE)
_CLIENT = re.compile(
    r"^(?P<in>\t+)transport = ASGITransport\(app=(?P<app>[^,()]+)\)\n"
    r'(?P=in)async with AsyncClient\(transport=transport, base_url="http://test"\) as client:\n'
    r"(?P<block>(?:(?P=in)\t.*(?:\n|\Z)|\n(?=(?P=in)\t))+)",
    re.MULTILINE,
)
_DEF = re.compile(r"^(?P<head>\t*(?:async )?def [^(\n]+)\((?P<given>[^()\n]*)\)(?P<returns>[^:\n]*):$", re.MULTILINE)
_LOCAL_TYPE = re.compile(r"^(\t+\w+): [^=\n]+ = ", re.MULTILINE)
_LIBRARY = "httpx"


@dataclass(frozen=True, slots=True)
class Fitted:
    """Code in snippet syntax, still indented by tabs, and all that it imports."""

    code: str
    imports: tuple[Import, ...]
    client: str | None
    """The fixture whose client it uses instead of one of its own."""


def fitted(snippet: Snippet, dialect: Dialect, found: Mapping[str, Bound | None], in_class: bool) -> Fitted:
    """The snippet as the project would write it. `found`: what stands for `app` and its like, by their usual names."""
    imports, parameters = [*snippet.imports, Import("pytest")], ["self"] if in_class else []
    code = _MARK.sub(rf"\g<1>{dialect.mark}\n" if dialect.mark else "", snippet.code)
    code = code.replace("pytest_asyncio.fixture", f"{dialect.fixture}.fixture")
    lent = dialect.client if not snippet.is_fixture and _CLIENT.search(code) else None
    if lent is not None:
        code = _CLIENT.sub(lambda match: _without_client(match, lent), code)
        parameters.append(f"{lent}: AsyncClient")
    for stop, usual in snippet.wanted:
        bound = found.get(usual) or Bound(usual, is_guess=True)
        uses = re.compile(rf"\${stop}(?!\d)")
        if bound.is_fixture and uses.search(code):
            parameters.append(f"{bound.name}: FastAPI")
            imports.append(Import("fastapi", "FastAPI"))
        elif bound.home is not None:
            imports.append(Import(bound.home, bound.name))
        code = uses.sub(tab_stop(stop, bound.name), code, count=1) if bound.is_guess else uses.sub(bound.name, code)
    code = _DEF.sub(lambda match: _with_parameters(match, parameters), code, count=1)
    if not dialect.annotated:
        code = _LOCAL_TYPE.sub(r"\1 = ", _DEF.sub(_without_types, code))
    code, spelt = _spelt(code, imports, dialect)
    used = (each for each in dict.fromkeys(spelt) if _word(each.name or each.module).search(code))
    return Fitted(code, tuple(used), lent)


def tab_stop(number: int, default: str) -> str:
    return f"${{{number}:{default}}}"


def _without_client(match: re.Match[str], client: str) -> str:
    """The block of a client, one step further out, on a client that somebody else made."""
    lines = (line.removeprefix("\t") for line in match["block"].splitlines(keepends=True))
    return re.sub(r"\bclient\.", f"{client}.", "".join(lines))


def _with_parameters(match: re.Match[str], more: list[str]) -> str:
    given = [name for name in match["given"].split(", ") if name]
    first = [name for name in (*given, *more) if name == "self"]
    others = [name for name in (*more, *given) if name != "self"]
    return f"{match['head']}({', '.join(first + others)}){match['returns']}:"


def _without_types(match: re.Match[str]) -> str:
    return f"{match['head']}({re.sub(r': [^,]+', '', match['given'])}):"


def _spelt(code: str, imports: list[Import], dialect: Dialect) -> tuple[str, list[Import]]:
    """The names of the HTTP library as this file spells them."""
    spelt: list[Import] = []
    for each in imports:
        if each.module != _LIBRARY or each.name is None:
            spelt.append(each)
        elif dialect.qualified:
            code = _word(each.name).sub(f"{dialect.library}.{each.name}", code)
            spelt.append(Import(dialect.library))
        else:
            spelt.append(Import(dialect.library, each.name))
    return code, spelt


def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(name)}\b")
