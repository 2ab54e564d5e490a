"""One client's session: the open files, and the one thread that touches them.

The event loop never waits for the engine. Every access to `Live` is a task of the engine's thread, in the order in which
messages came; a task gives way as soon as the text it is about was changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from awaitest.assist.settings import EditorSettings
from awaitest.live import Live, SupersededError
from awaitest.lsp.convert import Columns, EditMaker, to_path, to_uri
from awaitest.project.cache import SkeletonCache, default_folder
from awaitest.project.settings import Settings
from awaitest.source.decode import DecodeProblem, decode
from awaitest.source.splitter import split_lines
from awaitest.source.text import Span

logger = logging.getLogger(__name__)
Result = TypeVar("Result")
Proceed = Callable[[], bool]
Change = tuple[tuple[int, int, int, int] | None, str]
"""A change as the client counts: first line and character, last line and character, text; None stands for the whole text."""


def superseded() -> JsonRpcException:
    """The answer to a question about a text that has changed since: ask again."""
    return JsonRpcException(
        "The text has changed", code=types.LSPErrorCodes.ServerCancelled.value, data={"retriggerRequest": True}
    )


def field(sent: object, name: str) -> Any:
    """A field of a message, or of a part of one, that has no type of its own."""
    return sent.get(name) if isinstance(sent, dict) else getattr(sent, name, None)


class Question:
    """What somebody waits for: until its text changes, or it is cancelled."""

    def __init__(self, versions: Mapping[Path, int], path: Path | None) -> None:
        self.wanted = True
        self._versions, self._path = versions, path
        self._version = versions.get(path) if path is not None else None

    def proceed(self) -> bool:
        """Whether an answer is still wanted."""
        return self.wanted and (self._path is None or self._versions.get(self._path) == self._version)


class Session:
    """What the server knows of its client. Methods of the loop's side start no engine work but through `ask` and `tell`."""

    def __init__(self, cache: SkeletonCache | None = None) -> None:
        self._engine = ThreadPoolExecutor(1, thread_name_prefix="engine")
        self._versions: dict[Path, int] = {}
        self._uris: dict[Path, str] = {}
        self._environments: dict[Path, Path] = {}
        self._chosen: dict[Path, Path] = {}
        self._settings: dict[Path | None, EditorSettings] = {}
        self.folders: list[Path] = []
        self._cache = cache or SkeletonCache(default_folder())
        self.live = Live(cache=self._cache, environments=self._environments, adjust=self._adjust)
        self.columns = Columns()
        self.capabilities = types.ClientCapabilities()
        self.options: object = None
        """What the client sent to begin with, beside the protocol."""

    # -- the client --------------------------------------------------------------------------------------------------

    def begin(self, params: types.InitializeParams, encoding: str) -> None:
        """Take up what the client says of itself."""
        self.capabilities = params.capabilities
        self.columns = Columns(encoding)
        self.options = params.initialization_options
        uris = [folder.uri for folder in params.workspace_folders or []] or [uri for uri in [params.root_uri] if uri]
        self.folders = [path for path in map(to_path, uris) if path is not None]
        self.choose(field(self.options, "environments"))

    def choose(self, environments: object) -> None:
        """Take up the interpreters that were chosen in the editor: a list of `uri`, of a folder, and `path`."""
        pairs = [(field(it, "uri"), field(it, "path")) for it in environments] if isinstance(environments, list) else []
        paths = {to_path(str(uri)): str(value) for uri, value in pairs if uri and value}
        self._chosen = {path: Path(value) for path, value in paths.items() if path is not None}
        self._lay_out()

    def configure(self, settings: Mapping[Path | None, EditorSettings]) -> None:
        """Take up settings by folder; None holds for what lies in none."""
        self._settings = dict(settings)
        self._lay_out()

    def _lay_out(self) -> None:
        given = {
            path: Path(it.environment) for path, it in self._settings.items() if path is not None and it.environment
        }
        self._environments.clear()
        self._environments.update({**self._chosen, **given})

    def settings(self, path: Path) -> EditorSettings:
        """The editor's settings for a file or folder."""
        near = (self._settings[it] for it in (path, *path.parents) if it in self._settings)
        return next(near, self._settings.get(None, EditorSettings()))

    def _adjust(self, folder: Path, settings: Settings) -> Settings:
        return self.settings(folder).over(settings)

    # -- texts -------------------------------------------------------------------------------------------------------

    def opened(self, path: Path, uri: str, version: int) -> None:
        self._uris[path], self._versions[path] = uri, version

    def closed(self, path: Path) -> None:
        self._versions.pop(path, None)
        self._uris.pop(path, None)

    def version(self, path: Path) -> int | None:
        """The version of an open file; None for any other."""
        return self._versions.get(path)

    def open_paths(self) -> list[Path]:
        return list(self._versions)

    def uri(self, path: Path) -> str:
        """As the client spells it, where it has the file open."""
        return self._uris.get(path) or to_uri(path)

    def lines(self, path: Path) -> Sequence[str]:
        """The lines of a file as an edit finds it. For the engine's thread."""
        document = self.live.document(path)
        if document is not None:
            return document.lines
        try:
            return split_lines(decode(self.live.files.read(path) or b"")[0])
        except DecodeProblem:
            return []

    def edits(self) -> EditMaker:
        workspace = self.capabilities.workspace
        supported = workspace.workspace_edit if workspace is not None else None
        return EditMaker(self.columns, self.lines, self.version, self.uri, supported)

    def changes(self, path: Path, sent: Iterable[Change]) -> Iterator[tuple[Span | None, str]]:
        """Changes in our units. Lazy, as each one counts in the text that those before it made."""
        for place, text in sent:
            yield (self.columns.between(self.lines(path), *place) if place is not None else None), text

    def bench(self) -> Live:
        """A place to try edits: the same files and settings, with texts of its own."""
        return Live(self.live.files, self._cache, self._environments, self._adjust)

    # -- the engine's thread -----------------------------------------------------------------------------------------

    def tell(self, task: Callable[[], Result]) -> Future[Result]:
        """Have a task done after all that were given before."""
        return self._engine.submit(task)

    def question(self, path: Path | None) -> Question:
        """A question about a text as it is now."""
        return Question(self._versions, path)

    async def ask(self, task: Callable[[Proceed], Result], path: Path | None = None) -> Result:
        """The result of a task. Raises the protocol's "ask again" where the text of `path` changed meanwhile; a request
        that its client cancels makes the task stop at its next step."""
        question = self.question(path)

        def run() -> Result:
            if not question.proceed():
                raise SupersededError
            return task(question.proceed)

        try:
            result = await asyncio.wrap_future(self._engine.submit(run))
        except SupersededError:
            raise superseded() from None
        except asyncio.CancelledError:
            question.wanted = False
            raise
        if not question.proceed():
            raise superseded()
        return result

    def end(self) -> None:
        self._engine.shutdown(wait=False, cancel_futures=True)
