from __future__ import annotations

import sys
from pathlib import Path

import pytest
from packaging.version import Version

from awaitest.project.environment import RUNNING_PYTHON, Environment, Plugin, find_environment
from awaitest.project.files import DiskFiles, OverlayFiles

ROOT = Path("/project")
SITE = ".venv/lib/python3.12/site-packages"
PYTEST = "pytest-9.1.0.dist-info/METADATA"


def environment_of(texts: dict[str, str], python: str | None = None, active: str | None = None) -> Environment | None:
    files = OverlayFiles({ROOT / name: text for name, text in {"tests/test_a.py": "", **texts}.items()})
    return find_environment(
        files, ROOT, ROOT / python if python else None, ROOT / active if active else None, running=ROOT / "running"
    )


def venv(folder: str = ".venv", python: str = "3.12", **settings: str) -> dict[str, str]:
    lines = {"version": f"{python}.1", **settings}
    return {
        f"{folder}/pyvenv.cfg": "\n".join(f"{key.replace('_', '-')} = {value}" for key, value in lines.items()),
        f"{folder}/lib/python{python}/site-packages/{PYTEST}": "",
    }


def known(texts: dict[str, str]) -> Environment:
    environment = environment_of({**venv(), **texts})
    assert environment is not None
    return environment


@pytest.mark.parametrize(
    ("name", "distribution", "version"),
    [
        ("pytest_asyncio-1.5.0.dist-info/METADATA", "pytest-asyncio", "1.5.0"),
        ("Zope.Interface-7.0.dist-info/METADATA", "zope-interface", "7"),
        ("old-2.0-py3.12.egg-info", "old", "2.0"),
        ("native-2.1-py3.12-linux_x86_64.egg-info/PKG-INFO", "native", "2.1"),
        ("developed.egg-info/PKG-INFO", "developed", "3.4"),
    ],
)
def test_versions_by_name(name: str, distribution: str, version: str) -> None:
    environment = known({f"{SITE}/{name}": "Metadata-Version: 2.1\nVersion: 3.4\n"})
    assert environment.version(distribution) == Version(version)
    assert environment.has(distribution) is True


@pytest.mark.parametrize(
    "name", ["-1.0.dist-info", ".dist-info", "a-not.a.version.dist-info", "a-1-2-3.dist-info", "x\udcff-1.dist-info"]
)
def test_hostile_names_do_no_harm(name: str) -> None:
    environment = known({f"{SITE}/{name}/METADATA": ""})
    assert dict(environment.versions) | {"x\udcff": Version("1")} == {
        "pytest": Version("9.1.0"),
        "x\udcff": Version("1"),
    }


def test_absence_is_known() -> None:
    environment = known({})
    assert (environment.has("Pytest"), environment.has("pytest_asyncio")) == (True, False)
    assert environment.version("pytest-asyncio") is None


def test_plugins_from_entry_points() -> None:
    text = "[console_scripts]\nx = y:main\n\n[pytest11]\nasyncio = pytest_asyncio.plugin\nother=a.b:c [extra]\n\n[z]\nq = r\n"
    environment = known({f"{SITE}/pytest_asyncio-1.5.0.dist-info/entry_points.txt": text})
    assert environment.plugins == (
        Plugin("asyncio", "pytest_asyncio.plugin", "pytest-asyncio"),
        Plugin("other", "a.b", "pytest-asyncio"),
    )


def test_links_of_editable_installs() -> None:
    environment = known(
        {
            f"{SITE}/a.pth": f"# note\nimport os; os.abort()\n{ROOT}/src\n../../../../lib2\nmissing\n\0\n",
            f"{SITE}/__editable___pkg_1_0_finder.py": "MAPPING: dict[str, str] = {'pkg': '/project/code/pkg', 1: 2, 'x': f()}\n",
            f"{SITE}/__editable___bad_1_0_finder.py": "MAPPING = (",
            "src/pkg2/__init__.py": "",
            "src/pkg2.egg-info/PKG-INFO": "Version: 0.1",
            "lib2/m.py": "",
        }
    )
    assert environment.site_packages == (ROOT / SITE, ROOT / "src", ROOT / "lib2")
    assert environment.editable == {"pkg": Path("/project/code/pkg")}
    assert environment.version("pkg2") == Version("0.1")


SYSTEM = {"usr/lib/python3.12/site-packages/httpx-0.27.0.dist-info/METADATA": ""}


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("TRUE", True), ("false", False)])
def test_system_site_packages(value: str, expected: bool) -> None:
    texts = venv(home=str(ROOT / "usr/bin"), include_system_site_packages=value)
    environment = environment_of({**texts, **SYSTEM})
    assert environment is not None
    assert environment.has("httpx") is expected


CONDA = {"conda/conda-meta/history": "", "conda/lib/python3.11/site-packages/pytest-8.0.dist-info/METADATA": ""}
WINDOWS = {
    "venv/pyvenv.cfg": "version_info = 3.13.2.final.0\n",
    "venv/Lib/site-packages/pytest-8.1.dist-info/METADATA": "",
}
RUNNING = {"running/lib/python3.10/site-packages/pytest-7.0.dist-info/METADATA": ""}
EMPTY = {".venv/pyvenv.cfg": "version = 3.12.1\n", ".venv/lib/python3.12/site-packages/ruff-1.dist-info/METADATA": ""}


@pytest.mark.parametrize(
    ("texts", "python", "active", "version", "minor", "origin"),
    [
        (venv(), None, None, "9.1.0", (3, 12), "/project/.venv"),
        (venv("odd"), None, None, "9.1.0", (3, 12), "/project/odd"),
        (CONDA, None, None, "8.0", (3, 11), "/project/conda"),
        (WINDOWS, None, None, "8.1", (3, 13), "/project/venv"),
        ({**WINDOWS, **venv()}, None, None, "9.1.0", (3, 12), "/project/.venv"),
        ({**venv(), **CONDA}, None, "conda", "8.0", (3, 11), "/project/conda, the activated environment"),
        ({**venv(), **CONDA}, "conda", None, "8.0", (3, 11), "/project/conda, as asked for"),
        ({**venv(), **CONDA, "conda/bin/python": ""}, "conda/bin/python", None, "8.0", (3, 11), "/project/conda/bin/python, as asked for"),
        ({**venv(), **WINDOWS, "venv/Scripts/python.exe": ""}, "venv/Scripts/python.exe", None, "8.1", (3, 13), "/project/venv/Scripts/python.exe, as asked for"),
        (RUNNING, None, None, "7.0", (3, 10), "/project/running, where awaitest is installed"),
        ({**EMPTY, **CONDA}, None, None, "8.0", (3, 11), "/project/conda"),
        ({**EMPTY, **CONDA}, None, ".venv", "8.0", (3, 11), "/project/conda"),
    ],
)  # fmt: skip
def test_which_environment(
    texts: dict[str, str], python: str | None, active: str | None, version: str, minor: tuple[int, int], origin: str
) -> None:
    environment = environment_of(texts, python, active)
    assert environment is not None
    assert (environment.version("pytest"), environment.python, environment.origin) == (Version(version), minor, origin)


@pytest.mark.parametrize(
    ("texts", "python"), [({}, None), (EMPTY, None), (venv(), "missing"), ({**venv(), "bin/python": ""}, "bin/python")]
)
def test_no_environment(texts: dict[str, str], python: str | None) -> None:
    assert environment_of(texts, python) is None


def test_the_search_ends_at_the_repository(tmp_path: Path) -> None:
    files = OverlayFiles({tmp_path / name: "" for name in (*venv(), "repo/.git/HEAD", "repo/a/test_a.py")})
    assert find_environment(files, tmp_path / "repo" / "a", running=None) is None
    assert find_environment(files, tmp_path, running=None) is not None


@pytest.mark.parametrize(("folder", "expected"), [(".venv", True), ("odd", False)])
def test_above_the_project_only_usual_names_count(folder: str, expected: bool) -> None:
    files = OverlayFiles({ROOT / name: text for name, text in {**venv(folder), "a/test_a.py": ""}.items()})
    assert (find_environment(files, ROOT / "a", running=None) is not None) is expected


def test_the_real_environment() -> None:
    environment = find_environment(DiskFiles(), Path("/"), Path(sys.executable))
    assert environment is not None
    assert environment.version("pytest") == Version(pytest.__version__)
    assert environment.python == RUNNING_PYTHON
    assert Plugin("anyio", "anyio.pytest_plugin", "anyio") in environment.plugins
