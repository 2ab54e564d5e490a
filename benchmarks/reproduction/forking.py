"""Runs pytest on many small projects, each in a process of its own that starts with the slow imports done.

Stands alone, so that any interpreter with pytest can run it: ``python forking.py``. Reads one JSON object a line,
``{"folder", "arguments", "seconds"}``, and writes one, ``{"code", "output"}``; `code` is None where pytest did not end in time.
"""

import importlib
import json
import os
import select
import signal
import sys
import time

SLOW = ("pytest", "trio", "httpx", "httpx2", "fastapi", "fastapi.testclient", "asgi_lifespan", "unittest.mock")


def main() -> None:
    for name in SLOW:
        try:
            importlib.import_module(name)
        except (ImportError, RuntimeError):
            continue
    for line in sys.stdin:
        print(json.dumps(run(**json.loads(line))), flush=True)


def run(folder: str, arguments: "list[str]", seconds: float) -> "dict[str, object]":
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        become_pytest(folder, arguments, writing)
    os.close(writing)
    output, in_time = drained(reading, seconds)
    if not in_time:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    return {"code": os.WEXITSTATUS(status) if in_time else None, "output": output}


def become_pytest(folder: str, arguments: "list[str]", output: int) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = True
    code = 70
    try:
        import pytest

        code = int(pytest.main(arguments))
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def drained(pipe: int, seconds: float) -> "tuple[str, bool]":
    """All that comes out of a pipe, and whether it was closed in time."""
    parts, end = [], time.monotonic() + seconds
    while select.select([pipe], [], [], max(0.0, end - time.monotonic()))[0]:
        part = os.read(pipe, 65536)
        if not part:
            break
        parts.append(part)
    else:
        os.close(pipe)
        return b"".join(parts).decode("utf-8", "replace"), False
    os.close(pipe)
    return b"".join(parts).decode("utf-8", "replace"), True


if __name__ == "__main__":
    main()
