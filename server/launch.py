"""Starts the language server with the libraries bundled beside this file, and with nothing of the user's."""

import sys
from pathlib import Path


def main() -> int:
    here = Path(__file__).resolve().parent
    if sys.version_info < (3, 10):  # noqa: UP036 - older ones read this file too, to be told so
        sys.stderr.write(f"awaitest needs Python 3.10 or newer; this is {sys.version.split()[0]} at {sys.executable}\n")
        return 3
    libs = here / "libs"
    if not libs.is_dir():  # a checkout: what is installed for this interpreter serves
        import site

        site.main()
    sys.path[:0] = [str(libs), str(here)]

    from awaitest.greeting import greet

    greeting = greet()

    from awaitest.lsp import main as serve

    return serve(greeting)


if __name__ == "__main__":
    sys.exit(main())
