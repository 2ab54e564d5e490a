"""A network of their own for the browser, the workbench and the language server, in which the kernel counts who wants out."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ENTER_NEW = ["unshare", "--user", "--map-root-user", "--net", sys.executable, str(Path(__file__).with_name("alone.py"))]


def can_be_had() -> bool:
    """Whether this machine lets its users make networks."""
    try:
        return subprocess.run([*ENTER_NEW, "true"], capture_output=True).returncode == 0
    except OSError:
        return False


@dataclass(frozen=True)
class Network:
    """The network that a process lives in."""

    pid: int

    @property
    def enter(self) -> list[str]:
        """The command to run another command within."""
        return ["nsenter", "--target", str(self.pid), "--user", "--net", "--preserve-credentials"]

    def attempts(self) -> int:
        """How many packets were meant for somebody outside since the network was made."""
        folder = Path(f"/proc/{self.pid}/net")
        names, values = (
            line.split()[1:] for line in (folder / "snmp").read_text().splitlines() if line.startswith("Ip:")
        )
        version_6 = dict(line.split() for line in (folder / "snmp6").read_text().splitlines())
        return int(dict(zip(names, values, strict=True))["OutNoRoutes"]) + int(version_6["Ip6OutNoRoutes"])

    def wrapped(self, program: Path, script: Path) -> Path:
        """Writes a script that runs a program within, with the arguments it is given."""
        script.write_text(f'#!/bin/sh\nexec {" ".join(self.enter)} "{program}" "$@"\n')
        script.chmod(0o755)
        return script
