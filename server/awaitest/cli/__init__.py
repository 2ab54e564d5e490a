"""The command line: check, rule, config, explain."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module

CLEAN, FOUND, FAILED, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0 clean, 1 problems found, 2 a mistake in the call or configuration."""
    from awaitest.cli.session import UsageError

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(argv)
        sys.stdout.flush()
        return code
    except UsageError as error:
        complain(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS):
            return _unexpected(error)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        complain(f"cannot write: {error.strerror}")
    except Exception as error:
        return _unexpected(error)
    return FAILED


def _unexpected(error: Exception) -> int:
    if os.environ.get("AWAITEST_DEBUG") == "1":
        raise error
    from awaitest.cli.checking import internal_error

    complain(internal_error("", error))
    return FAILED


def _run(argv: Sequence[str] | None) -> int:
    from awaitest.cli.arguments import parser

    try:
        arguments = parser().parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else FAILED
    code: int = import_module(f"awaitest.cli.commands.{arguments.command}").run(arguments)
    return code


def complain(message: str) -> None:
    """Say on standard error what went wrong."""
    from awaitest.cli.terminal import printable

    sys.stdout.flush()
    print(f"awaitest: {printable(message)}", file=sys.stderr, flush=True)
