"""The language server: the only part that knows pygls, lsprotocol and the units in which clients count columns."""

from awaitest.lsp.sparing import import_types

import_types()


def main() -> int:
    """Serve one client over standard input and output; the exit code."""
    from awaitest.lsp.server import serve

    return serve()
