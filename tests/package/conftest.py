"""The packages, built twice; the editor's one unpacked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from scripts import package

NAMES = tuple(f"python3.{minor}" for minor in range(4, 16))
_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


def left_out(reason: str) -> NoReturn:
    """Skips what cannot be tried here, saying why; in continuous integration nothing may be left out."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"left out: {reason}")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two folders with the same packages, made one after the other."""
    if not (package.ROOT / "node_modules").is_dir():
        left_out("the packages (npm ci)")
    folders = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("the second")
    for folder in folders:
        assert package.main([str(folder)]) == 0
    return folders


@pytest.fixture(scope="session")
def vsix(built: tuple[Path, Path]) -> Path:
    (path,) = built[0].glob("*.vsix")
    return path


@pytest.fixture(scope="session")
def installed(vsix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension's folder, as an editor unpacks it."""
    folder = tmp_path_factory.mktemp("an extension")
    with zipfile.ZipFile(vsix) as archive:
        archive.extractall(folder)
    return folder / "extension"


def interpreters() -> dict[str, str]:
    """Every Python 3 that this machine has under a name of its own, by version."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    paths = [str(path) for path in sorted(versions.glob("*/bin/python3"))]
    paths += [found for name in NAMES if (found := shutil.which(name))]
    return dict(sorted(_answers([sys.executable, *paths])))


def _answers(paths: list[str]) -> Iterator[tuple[str, str]]:
    for path in paths:
        asked = subprocess.run([path, "-I", "-c", _VERSION], capture_output=True, text=True, check=False)
        if asked.returncode == 0:
            yield asked.stdout.strip(), path
