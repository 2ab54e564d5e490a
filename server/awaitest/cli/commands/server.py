"""`awaitest server`: the language server, for editors."""

from __future__ import annotations

import argparse
from importlib import import_module

from awaitest.cli.session import UsageError


def run(arguments: argparse.Namespace) -> int:
    """Serve one editor over standard input and output."""
    del arguments
    try:
        code: int = import_module("awaitest.lsp").main()
    except ModuleNotFoundError as error:
        raise UsageError(f"the language server needs {error.name}, which is not installed beside awaitest") from error
    return code
