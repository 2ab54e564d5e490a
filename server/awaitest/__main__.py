"""`python -m awaitest`."""

import sys

from awaitest.cli import main

if __name__ == "__main__":
    sys.exit(main())
