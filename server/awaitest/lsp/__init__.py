"""The language server: the only part that knows pygls, lsprotocol and the units in which clients count columns."""

from awaitest.greeting import Greeting
from awaitest.lsp.sparing import import_types

import_types()


def main(greeting: Greeting) -> int:
    """Serve the client that was greeted; the exit code."""
    from awaitest.lsp.server import serve

    return serve(greeting)
