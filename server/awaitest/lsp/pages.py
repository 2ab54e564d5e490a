"""Where the page of a rule can be read: in the client, if it shows them, or in a Markdown file written for the purpose."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from awaitest import __version__
from awaitest.lsp.convert import to_uri
from awaitest.project.cache import default_folder
from awaitest.registry import all_rules


def page(code: str) -> str | None:
    """The page of a rule, by code or name, as Markdown."""
    found = (it for it in all_rules() if code in (it.rule.code, it.rule.name))
    loaded = next(found, None)
    return None if loaded is None else f"# {loaded.rule.name} ({loaded.rule.code})\n\n{loaded.page}\n"


class Pages:
    """Addresses of rule pages."""

    def address(self, folder: object) -> Callable[[str], str | None]:
        """From a rule's code to the address of its page; `folder` is where the client shows pages, if it does."""
        if isinstance(folder, str) and folder:
            return lambda code: f"{folder}/{code}.md"
        return lambda code: self._files.get(code)

    @cached_property
    def _files(self) -> dict[str, str]:
        folder = default_folder().parent / "awaitest-rules" / __version__
        try:
            return {it.rule.code: to_uri(_written(folder, it.rule.name, it.rule.code)) for it in all_rules()}
        except OSError:
            return {}


def _written(folder: Path, name: str, code: str) -> Path:
    path, text = folder / f"{name}.md", page(code) or ""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return path
