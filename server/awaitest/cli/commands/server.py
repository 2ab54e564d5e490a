"""`awaitest server`: the language server, for editors."""

from __future__ import annotations

import argparse
from importlib import import_module
from importlib.util import find_spec

from awaitest.cli.session import UsageError
from awaitest.greeting import greet

_LIBRARIES = ("pygls", "lsprotocol")


def run(arguments: argparse.Namespace) -> int:
    """Serve one editor over standard input and output."""
    del arguments
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        raise UsageError(f"the language server needs {missing[0]}, which is not installed beside awaitest")
    greeting = greet()
    code: int = import_module("awaitest.lsp").main(greeting)
    return code
