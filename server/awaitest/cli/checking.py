"""Checks many files: here, or in worker processes where their number makes that worth it."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from awaitest.cli.report import Failure, Outcome, Report, report_of
from awaitest.cli.session import Request, Session
from awaitest.project.witness import Seen
from awaitest.sources import Sources, UnreadableError, shown

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

    from awaitest.cli.memory import Memory

FILES_PER_WORKER = 24
"""Fewer are checked sooner than a process starts."""
_OBJECTS = 50_000
"""New ones between two searches of the garbage collector: reading files makes trees, and hardly garbage."""
TOO_DEEP = "code is nested too deeply to be checked"
CHUNK = 8
"""Files handed to a worker at a time: neighbours share what surrounds them."""

Opener = Callable[[Request], Session]
Text = tuple[Path, str]


class _Chunk(NamedTuple):
    outcomes: list[Outcome]
    seen: Seen


def check_files(
    opener: Opener,
    request: Request,
    sources: Sources,
    paths: Sequence[Path],
    *,
    jobs: int = 0,
    session: Session | None = None,
    advance: Callable[[int], None] | None = None,
    memory: Memory | None = None,
) -> Report:
    """Check each file; `jobs` 0 means one process per processor. The order of the report does not depend on `jobs`.

    Texts that were repaired lie over the disk; `session` is used only where it sees the same texts as `request`.
    What the `memory` still knows is not checked.
    """
    known = memory.still(session, paths) if memory is not None and session is not None else {}
    texts: list[Text] = []
    failures: list[Failure] = []
    for path in paths:
        try:
            if path not in known:
                texts.append((path, sources.read(path).text))
        except UnreadableError as error:
            failures.append(Failure(path, error.at(path)))
    gc.set_threshold(_OBJECTS)
    request = replace(request, texts={**request.texts, **{it.path: it.text for it in sources.changed()}})
    workers = min(jobs or os.cpu_count() or 1, len(texts) // FILES_PER_WORKER)
    found = dict(known)
    chunks = _in_parallel(opener, request, texts, workers) if workers > 1 else _here(session or opener(request), texts)
    seen = session.seen() if session is not None else Seen()
    for chunk in chunks:
        seen.add(chunk.seen)
        for outcome in chunk.outcomes:
            found[outcome.path] = outcome
            if advance:
                advance(1)
    outcomes = {path: found[path] for path in paths if path in found}
    if memory is not None and not failures:
        memory.keep(outcomes, seen)
    return report_of(outcomes.values(), sources, failures)


def _here(session: Session, texts: Sequence[Text]) -> Iterator[_Chunk]:
    return (_Chunk([check_one(session, path, text)], session.seen()) for path, text in texts)


def check_one(session: Session, path: Path, text: str) -> Outcome:
    """Check one file; a mistake of our own becomes a failure of this file alone."""
    try:
        found = session.check(path, text)
        return Outcome(path, found, notes=session.notes())
    except RecursionError:
        return Outcome(path, [], f"{shown(path)}: {TOO_DEEP}")
    except Exception as error:
        if os.environ.get("AWAITEST_DEBUG") == "1":
            import traceback

            traceback.print_exc(file=sys.stderr)
        return Outcome(path, [], internal_error(f" in {shown(path)}", error))


def internal_error(where: str, error: BaseException) -> str:
    """One line that asks to be reported."""
    what = " ".join(str(error).split())
    return f"internal error{where}: {type(error).__name__}{': ' if what else ''}{what}; please report"


_session: Session
"""The session of a worker process."""


def _start_worker(opener: Opener, request: Request) -> None:
    global _session
    import signal

    gc.set_threshold(_OBJECTS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _session = opener(request)


def _check_chunk(texts: Sequence[Text]) -> _Chunk:
    return _Chunk([check_one(_session, path, text) for path, text in texts], _session.seen())


def _in_parallel(opener: Opener, request: Request, texts: Sequence[Text], workers: int) -> Iterator[_Chunk]:
    from concurrent.futures.process import BrokenProcessPool

    chunks = [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)]
    with _pool(opener, request, workers) as pool:
        futures = [pool.submit(_check_chunk, chunk) for chunk in chunks]
        try:
            for chunk, future in zip(chunks, futures, strict=True):
                try:
                    yield future.result()
                except BrokenProcessPool:
                    yield from _one_by_one(opener, request, chunk)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _one_by_one(opener: Opener, request: Request, texts: Sequence[Text]) -> Iterator[_Chunk]:
    """After a worker died: each file in turn, so that only the one it died of is lost."""
    from concurrent.futures.process import BrokenProcessPool

    left = list(texts)
    while left:
        with _pool(opener, request, 1) as pool:
            try:
                while left:
                    chunk = pool.submit(_check_chunk, left[:1]).result()
                    del left[0]
                    yield chunk
            except BrokenProcessPool:
                path, _ = left.pop(0)
                died = f"internal error in {shown(path)}: the process that checked it died; please report"
                yield _Chunk([Outcome(path, [], died)], Seen())


def _pool(opener: Opener, request: Request, workers: int) -> ProcessPoolExecutor:
    from concurrent.futures import ProcessPoolExecutor

    return ProcessPoolExecutor(workers, initializer=_start_worker, initargs=(opener, request))
