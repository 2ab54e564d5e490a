"""Checks many files: here, or in worker processes where their number makes that worth it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from awaitest.cli.report import Failure, Report, in_order
from awaitest.cli.session import Request, Session
from awaitest.engine.diagnostic import Diagnostic
from awaitest.sources import Sources, UnreadableError, shown

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

FILES_PER_WORKER = 24
"""Fewer are checked sooner than a process starts."""
TOO_DEEP = "code is nested too deeply to be checked"
CHUNK = 8
"""Files handed to a worker at a time: neighbours share what surrounds them."""

Opener = Callable[[Request], Session]
Text = tuple[Path, str]


class Outcome(NamedTuple):
    """What one file gave; `failure` is the line to print where it could not be checked."""

    path: Path
    diagnostics: list[Diagnostic]
    failure: str | None = None


def check_files(
    opener: Opener,
    request: Request,
    sources: Sources,
    paths: Sequence[Path],
    *,
    jobs: int = 0,
    session: Session | None = None,
    advance: Callable[[int], None] | None = None,
) -> Report:
    """Check each file; `jobs` 0 means one process per processor. The order of the report does not depend on `jobs`.

    Texts that were repaired lie over the disk; `session` is used only where it sees the same texts as `request`.
    """
    texts: list[Text] = []
    failures: list[Failure] = []
    for path in paths:
        try:
            texts.append((path, sources.read(path).text))
        except UnreadableError as error:
            failures.append(Failure(path, error.at(path)))
    request = replace(request, texts={**request.texts, **{it.path: it.text for it in sources.changed()}})
    workers = min(jobs or os.cpu_count() or 1, len(texts) // FILES_PER_WORKER)
    outcomes: list[Outcome] = []
    for outcome in (
        _in_parallel(opener, request, texts, workers) if workers > 1 else _here(session or opener(request), texts)
    ):
        outcomes.append(outcome)
        if advance:
            advance(1)
    failures += [Failure(it.path, it.failure) for it in outcomes if it.failure]
    found = in_order(diagnostic for it in outcomes for diagnostic in it.diagnostics)
    return Report(found, [it.path for it in outcomes if not it.failure], sources, failures)


def _here(session: Session, texts: Sequence[Text]) -> Iterator[Outcome]:
    return (check_one(session, path, text) for path, text in texts)


def check_one(session: Session, path: Path, text: str) -> Outcome:
    """Check one file; a mistake of our own becomes a failure of this file alone."""
    try:
        return Outcome(path, session.check(path, text))
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

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _session = opener(request)


def _check_chunk(texts: Sequence[Text]) -> list[Outcome]:
    return list(_here(_session, texts))


def _in_parallel(opener: Opener, request: Request, texts: Sequence[Text], workers: int) -> Iterator[Outcome]:
    from concurrent.futures.process import BrokenProcessPool

    chunks = [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)]
    with _pool(opener, request, workers) as pool:
        futures = [pool.submit(_check_chunk, chunk) for chunk in chunks]
        try:
            for chunk, future in zip(chunks, futures, strict=True):
                try:
                    yield from future.result()
                except BrokenProcessPool:
                    yield from _one_by_one(opener, request, chunk)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _one_by_one(opener: Opener, request: Request, texts: Sequence[Text]) -> Iterator[Outcome]:
    """After a worker died: each file in turn, so that only the one it died of is lost."""
    from concurrent.futures.process import BrokenProcessPool

    left = list(texts)
    while left:
        with _pool(opener, request, 1) as pool:
            try:
                while left:
                    outcomes = pool.submit(_check_chunk, left[:1]).result()
                    del left[0]
                    yield from outcomes
            except BrokenProcessPool:
                path, _ = left.pop(0)
                yield Outcome(
                    path, [], f"internal error in {shown(path)}: the process that checked it died; please report"
                )


def _pool(opener: Opener, request: Request, workers: int) -> ProcessPoolExecutor:
    from concurrent.futures import ProcessPoolExecutor

    return ProcessPoolExecutor(workers, initializer=_start_worker, initargs=(opener, request))
