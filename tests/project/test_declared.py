from __future__ import annotations

import json
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from awaitest.project.declared import declared_environment, environment_of, newest_allowed
from awaitest.project.environment import NEWEST, Environment
from awaitest.project.files import OverlayFiles

ROOT = Path("/project")


def declared(texts: dict[str, str], below: str = "") -> Environment:
    return declared_environment(OverlayFiles({ROOT / name: text for name, text in texts.items()}), ROOT / below)


@pytest.mark.parametrize(
    ("name", "allowed", "expected"),
    [
        ("httpx", "", "0.28.1"),
        ("httpx", ">=0.20", "0.28.1"),
        ("httpx", "<0.28", "0.27.999"),
        ("httpx", "<0.28.0,>=0.25", "0.27.999"),
        ("httpx", "<=0.27.2", "0.27.2"),
        ("httpx", "==0.26.0", "0.26.0"),
        ("httpx", "==0.26.*", "0.26.999"),
        ("httpx", "~=0.26.1", "0.26.999"),
        ("httpx", "~=0.26", "0.28.1"),
        ("httpx", ">=0.30", "0.30"),
        ("httpx", ">0.30", "0.30.999"),
        ("httpx", "!=0.28.1", None),
        ("httpx", "!=0.28.1,<1", "0.999"),
        ("httpx", "<0.1,>2", None),
        ("pytest", "<9", "8.999"),
        ("starlette", "<1", "0.999"),
        ("unheard-of", "", None),
        ("unheard-of", "==1.2", "1.2"),
    ],
)
def test_the_newest_version_a_range_allows(name: str, allowed: str, expected: str | None) -> None:
    assert newest_allowed(name, SpecifierSet(allowed)) == (Version(expected) if expected else None)


UV = """version = 1

[[package]]
name = "httpx"
version = "0.27.2"
source = { registry = "x" }
dependencies = [
    { name = "anyio", version = "9" },
]

[[package]]
name = "project"
source = { editable = "." }

[[package]]
name = "pytest"
version = "8.3.4"
"""
POETRY = """[[package]]
name = "httpx"
version = "0.27.2"
description = "x"
[package.dependencies]
anyio = "*"

[[package]]
name = "pytest"
version = "8.3.4"
"""
PIPFILE = json.dumps(
    {"default": {"httpx": {"version": "==0.27.2"}}, "develop": {"pytest": {"version": "==8.3.4"}, "x": 1}}
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("uv.lock", UV),
        ("uv.lock", UV.replace("\n", "\r\n")),
        ("poetry.lock", POETRY),
        ("pdm.lock", POETRY),
        ("pylock.toml", UV.replace("[[package]]", "[[packages]]")),
        ("pylock.dev.toml", UV.replace("[[package]]", "[[packages]]")),
        ("Pipfile.lock", PIPFILE),
    ],
)
def test_lock_files_tell_all(name: str, text: str) -> None:
    environment = declared({name: text})
    assert dict(environment.versions) == {"httpx": Version("0.27.2"), "pytest": Version("8.3.4")}
    assert [environment.has(package) for package in ("httpx", "pytest-asyncio")] == [True, False]
    assert environment.origin == str(ROOT / name)


def test_a_lock_file_above_the_project_counts() -> None:
    environment = declared(
        {"uv.lock": UV, ".git/HEAD": "", "a/pyproject.toml": '[project]\ndependencies = ["httpx"]'}, "a"
    )
    assert environment.version("httpx") == Version("0.27.2")


@pytest.mark.parametrize(
    "text", ["", "\0", "[[package]]\n" * 50_000, "{" * 100_000, '[[package]]\nname = "a"\nversion = "?"\n']
)
@pytest.mark.parametrize("name", ["uv.lock", "Pipfile.lock"])
def test_broken_lock_files_tell_nothing(name: str, text: str) -> None:
    assert declared({name: text}).origin == "nothing declared: the newest releases are assumed"


@pytest.mark.parametrize(
    "texts",
    [
        {"pyproject.toml": '[project]\ndependencies = ["httpx<0.28"]\n[dependency-groups]\ndev = ["pytest>=8", {include-group = "x"}]'},
        {"pyproject.toml": '[project.optional-dependencies]\ntest = ["HTTPX[http2] < 0.28 ; python_version > \'3\'", "pytest"]'},
        {"pyproject.toml": '[tool.uv]\ndev-dependencies = ["pytest", "httpx~=0.27.0"]'},
        {"pyproject.toml": '[tool.pdm.dev-dependencies]\ntest = ["pytest", "httpx<0.28"]'},
        {"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.10"\nhttpx = "^0.27"\n[tool.poetry.group.dev.dependencies]\npytest = "*"'},
        {"pyproject.toml": '[tool.poetry.dev-dependencies]\nhttpx = {version = "~0.27.1", extras = ["http2"]}\npytest = [{version = "8"}]'},
        {"setup.cfg": "[options]\ninstall_requires =\n    httpx<0.28\n[options.extras_require]\ntest =\n    pytest\n"},
        {"setup.py": "needs = ['httpx<0.28']\nsetup(install_requires=needs + [], extras_require={'test': ['pytest']}, x=needs)\n"},
        {"requirements.txt": "httpx<0.28 # why\n", "requirements-dev.txt": "-r requirements.txt\npytest\n"},
        {"requirements/test.txt": "-r ../base.txt\npytest \\\n  >=7 --hash=sha256:00\n", "base.txt": "--index-url x\nhttpx<0.28\n-r requirements/test.txt\n"},
    ],
)  # fmt: skip
def test_declared_dependencies(texts: dict[str, str]) -> None:
    environment = declared(texts)
    assert environment.versions["httpx"] == Version("0.27.999")
    assert [environment.has(name) for name in ("pytest", "httpx", "anyio")] == [True, True, True]
    assert [environment.has(name) for name in ("pytest-asyncio", "trio")] == [None, None]
    assert environment.version("pytest-asyncio") == NEWEST["pytest-asyncio"]
    assert [plugin.name for plugin in environment.plugins] == ["anyio"]
    assert environment.origin == "the dependencies declared in /project"


def test_without_any_fact_the_usual_packages_are_assumed() -> None:
    environment = declared({"tests/test_a.py": ""})
    assert dict(environment.versions) == {name: NEWEST[name] for name in ("pytest", "pytest-asyncio", "anyio", "httpx")}
    assert environment.has("trio") is None


def test_dependencies_of_the_app_alone_leave_the_test_tools_assumed() -> None:
    environment = declared({"requirements.txt": "fastapi==0.100.0\n"})
    assert environment.version("fastapi") == Version("0.100.0")
    assert environment.version("pytest-asyncio") == NEWEST["pytest-asyncio"]
    assert (environment.has("starlette"), environment.version("starlette")) == (True, None)


def test_contradicting_requirements_leave_the_version_unknown() -> None:
    environment = declared({"requirements.txt": "pytest\nhttpx==0.27.0\n", "requirements-dev.txt": "httpx==0.28.0\n"})
    assert (environment.has("httpx"), environment.version("httpx")) == (True, None)


@pytest.mark.parametrize("text", ["-r requirements.txt\n", "-r a.txt\n-r \0\n==\n%%\n\udcff\n", "-r /\n-r ..\n"])
def test_hostile_requirements(text: str) -> None:
    environment = declared({"requirements.txt": text, "a.txt": "-r requirements.txt\n"})
    assert environment.origin == "nothing declared: the newest releases are assumed"


def test_an_installed_environment_goes_before_a_lock_file() -> None:
    site = ROOT / ".venv/lib/python3.12/site-packages"
    files = OverlayFiles(
        {ROOT / "uv.lock": UV, ROOT / ".venv/pyvenv.cfg": "", site / "pytest-9.0.0.dist-info/METADATA": ""}
    )
    assert environment_of(files, ROOT).version("pytest") == Version("9.0.0")
    assert environment_of(OverlayFiles({ROOT / "uv.lock": UV}), ROOT).version("pytest") == Version("8.3.4")


@pytest.mark.parametrize("folder", ["running", "repository/.venv", "repository/project/.venv"])
@pytest.mark.parametrize(
    ("requirements", "fits"),
    [
        ("", True),
        ("pytest>=8\nhttpx\n", True),
        ("httpx<0.28,>=0.28\n", True),
        ("httpx\ntrio==0.1 ; sys_platform == 'win32'\n", True),
        ("trio\n", False),
        ("pytest<9\n", False),
        ("pytest\nhttpx==0.23.*\n", False),
    ],
)
def test_a_borrowed_environment_must_fit_what_is_declared(requirements: str, fits: bool, folder: str) -> None:
    site = ROOT / folder / "lib/python3.12/site-packages"
    installed = [site / f"{name}.dist-info/METADATA" for name in ("pytest-9.0.0", "httpx-0.28.1")]
    texts = dict.fromkeys([*installed, ROOT / folder / "pyvenv.cfg"], "")
    project = ROOT / "repository/project"
    files = OverlayFiles({project / "requirements.txt": requirements, **texts})
    found = environment_of(files, project, running=ROOT / "running")
    assert (found.version("pytest") == Version("9.0.0")) is (fits or folder.endswith("project/.venv"))
    assert environment_of(files, project, active=ROOT / folder, running=None).version("pytest") == Version("9.0.0")


@pytest.mark.parametrize(
    ("texts", "fits"),
    [
        ({"pyproject.toml": '[project]\nname = "it"\ndependencies = ["httpx"]\noptional-dependencies.docs = ["sphinx"]'}, True),
        ({"pyproject.toml": '[project]\nname = "it"\noptional-dependencies.dev = ["It[docs]", "pytest"]'}, True),
        ({"pyproject.toml": '[project]\ndependencies = ["aiormq"]'}, False),
        ({"pyproject.toml": '[dependency-groups]\ntest = ["pytest", "aiomisc-pytest"]\ndocs = ["sphinx"]'}, False),
        ({"pyproject.toml": '[tool.poetry.dependencies]\nhttpx = "*"\ntrio = {version = "*", optional = true}'}, True),
        ({"pyproject.toml": '[tool.poetry.group.dev.dependencies]\npytest = "*"\npytest-asyncio = {version = "*"}'}, False),
        ({"setup.py": "import setuptools\nsetuptools.setup(install_requires=['aiohttp>=3'], tests_require=['black'])"}, False),
        ({"setup.py": "if __name__ == '__main__':\n    setup(tests_require=['black'], extras_require={'a': ['b']})"}, True),
        ({"setup.py": "test = ['pytest', 'pytest-trio']\ntests_require = test\nsetup(**{})"}, False),
        ({"setup.py": "names = [names]\nsetup(install_requires=names"}, True),
        ({"requirements-dev.txt": "pytest\npytest-cov\npre-commit\n"}, True),
        ({"requirements-dev.txt": "-r requirements-test.txt\n", "requirements-test.txt": "trio\n"}, True),
        ({"uv.lock": UV}, False),
        ({"uv.lock": UV.replace("8.3.4", "9.0.1")}, True),
    ],
)  # fmt: skip
def test_a_borrowed_environment_must_have_what_the_tests_need(texts: dict[str, str], fits: bool) -> None:
    site = ROOT / "running/lib/python3.12/site-packages"
    installed = [site / f"{name}.dist-info/METADATA" for name in ("pytest-9.0.0", "httpx-0.28.1")]
    project = {ROOT / "project" / name: text for name, text in texts.items()}
    files = OverlayFiles({**project, **dict.fromkeys([*installed, ROOT / "running/pyvenv.cfg"], "")})
    found = environment_of(files, ROOT / "project", running=ROOT / "running")
    assert bool(found.site_packages) is fits
