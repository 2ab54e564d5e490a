"""The language server: the only part that knows pygls, lsprotocol and the units in which clients count columns."""


def main() -> int:
    """Serve one client over standard input and output; the exit code."""
    from awaitest.lsp.server import serve

    return serve()
