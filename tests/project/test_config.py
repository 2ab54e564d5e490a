from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.version import Version

from awaitest.project.config import PytestConfig, find_config
from awaitest.project.files import DiskFiles, OverlayFiles

ROOT = Path("/project")
AUTO = "[pytest]\nasyncio_mode = auto\n"
AUTO_TABLE = '[tool.pytest.ini_options]\nasyncio_mode = "auto"\n'


def config_of(
    texts: dict[str, str], test: str = "tests/test_a.py", version: str | None = None, cwd: Path | None = None
) -> PytestConfig:
    files = OverlayFiles({ROOT / name: text for name, text in {test: "", **texts}.items()})
    return find_config(files, ROOT / test, cwd, Version(version) if version else None)


LAYOUTS: dict[str, tuple[dict[str, str], str]] = {
    "nothing": ({}, "tests"),
    "bare setup.py": ({"setup.py": ""}, "tests"),
    "bare pyproject": ({"pyproject.toml": "[project]\nname = 'a'\n"}, "tests"),
    "bare pyproject below setup.cfg": (
        {"tests/pyproject.toml": "", "setup.cfg": "[tool:pytest]\nasyncio_mode=auto\n"},
        "tests",
    ),
    "ini": ({"pytest.ini": AUTO, "pyproject.toml": AUTO_TABLE}, "tests"),
    "empty ini": ({"pytest.ini": "", "pyproject.toml": AUTO_TABLE}, "tests"),
    "toml before ini": ({"pytest.toml": '[pytest]\nasyncio_mode = "auto"\n', "pytest.ini": "[pytest]\n"}, "tests"),
    "empty hidden toml": ({".pytest.toml": "", "pytest.ini": AUTO}, "tests"),
    "native table": ({"pyproject.toml": '[tool.pytest]\nasyncio_mode = "auto"\n'}, "tests"),
    "empty native table": ({"pyproject.toml": "[tool.pytest]\n", "tox.ini": AUTO}, "tests"),
    "empty ini_options": ({"pyproject.toml": "[tool.pytest.ini_options]\n", "tox.ini": AUTO}, "tests"),
    "tox without section": ({"tox.ini": "[tox]\n", "setup.cfg": "[tool:pytest]\nasyncio_mode = auto\n"}, "tests"),
    "nested ini": ({"tests/pytest.ini": AUTO, "pyproject.toml": "[tool.pytest.ini_options]\n"}, "tests"),
    "nested ini, from the root": ({"tests/pytest.ini": AUTO, "pyproject.toml": "[tool.pytest.ini_options]\n"}, "."),
    "addopts": ({"pytest.ini": "[pytest]\naddopts = -ra --asyncio-mode=auto\nasyncio_mode = strict\n"}, "tests"),
    "override": ({"pytest.ini": "[pytest]\naddopts = -o asyncio_mode=auto\n"}, "tests"),
    "quoted value": ({"pytest.ini": '[pytest]\nasyncio_mode = "auto"\n'}, "tests"),
    "both tables": ({"pyproject.toml": AUTO_TABLE + '[tool.pytest]\nminversion = "8"\n'}, "tests"),
    "options outside": ({"pytest.toml": 'asyncio_mode = "auto"\n'}, "tests"),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_real_pytest_agrees(name: str, tmp_path: Path) -> None:
    texts, argument = LAYOUTS[name]
    for relative, text in {"tests/test_a.py": "def test_a(): ...\n", **texts}.items():
        path = tmp_path / relative
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:hypothesispytest", argument]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    config = find_config(DiskFiles(), tmp_path / argument, tmp_path, Version(pytest.__version__))
    if ran.returncode != 0:
        assert (config.asyncio_mode, bool(config.problems)) == (None, True), ran.stderr
        return
    configfile = re.search(r"^configfile: (\S+)", ran.stdout, re.MULTILINE)
    assert str(config.rootdir) == _found(r"^rootdir: (.*)", ran.stdout)
    assert config.path == (config.rootdir / configfile[1] if configfile else None)
    assert config.asyncio_mode == _found(r"^asyncio: mode=(?:Mode\.)?(\w+)", ran.stdout).lower()
    if pytest.version_tuple >= (9,):
        ignored = re.search(r"ignoring pytest config in (.*)!", ran.stdout)
        assert ", ".join(path.name for path in config.ignored) == (ignored[1] if ignored else "")
    assert config.problems == ()


def _found(pattern: str, output: str) -> str:
    found = re.search(pattern, output, re.MULTILINE)
    assert found, output
    return found[1]


@pytest.mark.parametrize(
    ("texts", "version", "path", "mode"),
    [
        ({"pytest.toml": '[pytest]\nasyncio_mode = "auto"'}, "8.4.2", None, "strict"),
        ({"pytest.toml": '[pytest]\nasyncio_mode = "auto"'}, "9.0.0", "pytest.toml", "auto"),
        ({"pyproject.toml": '[tool.pytest]\nasyncio_mode = "auto"'}, "8.4.2", "pyproject.toml", "strict"),
        ({"pyproject.toml": '[tool.pytest]\nasyncio_mode = "auto"'}, "7.4.0", None, "strict"),
        ({"pytest.toml": 'asyncio_mode = "auto"'}, "9.1.1", "pytest.toml", "strict"),
        ({"pytest.ini": "[pytest]\naddopts = -o asyncio_mode=auto\n"}, "9.0.3", "pytest.ini", "strict"),
        ({"pytest.ini": "[pytest]\naddopts = -o asyncio_mode=auto\n"}, "9.1.1", "pytest.ini", "auto"),
        ({"pytest.ini": AUTO, "tox.ini": "[pytest]\n broken\n"}, "8.4.2", "pytest.ini", "auto"),
        ({"pyproject.toml": AUTO_TABLE}, "7.4.0", "pyproject.toml", "auto"),
        ({"pyproject.toml": AUTO_TABLE + "[tool.pytest]\nstrict = true\n"}, "8.4.2", "pyproject.toml", "auto"),
    ],
)
def test_the_version_of_pytest_decides_what_is_read(
    texts: dict[str, str], version: str, path: str | None, mode: str
) -> None:
    config = config_of(texts, version=version)
    assert (config.path, config.asyncio_mode) == (ROOT / path if path else None, mode)


@pytest.mark.parametrize(
    ("text", "asyncio_mode", "anyio_mode", "messages"),
    [
        ("", "strict", "strict", []),
        ("asyncio_mode = auto\nanyio_mode = auto\n", "auto", "auto", []),
        ("addopts = --asyncio-mode auto\n", "auto", "strict", []),
        ("addopts = --asyncio-mode=auto --asyncio-mode=strict\n", "strict", "strict", []),
        ("addopts = --anyio-mode=auto\nanyio_mode = strict\n", "strict", "auto", []),
        ("addopts = --anyio-mode=strict\nanyio_mode = auto\n", "strict", "auto", []),
        (
            "asyncio_mode = legacy\n",
            None,
            "strict",
            [(2, "'legacy' is not a valid asyncio_mode: it must be 'strict' or 'auto'")],
        ),
        (
            "asyncio_mode = auto\naddopts = --asyncio-mode=fast\n",
            None,
            "strict",
            [(3, "'fast' is not a valid --asyncio-mode: it must be 'strict' or 'auto'")],
        ),
        (
            "anyio_mode = Auto\n",
            "strict",
            "strict",
            [(2, "'Auto' is not a valid anyio_mode: it must be 'strict' or 'auto'")],
        ),
        (
            "addopts = 'unclosed\n",
            "strict",
            "strict",
            [(2, "addopts cannot be split into words: No closing quotation")],
        ),
    ],
)
def test_modes(text: str, asyncio_mode: str | None, anyio_mode: str, messages: list[tuple[int, str]]) -> None:
    config = config_of({"pytest.ini": f"[pytest]\n{text}"})
    assert (config.asyncio_mode, config.anyio_mode) == (asyncio_mode, anyio_mode)
    assert [(problem.line, problem.message) for problem in config.problems] == messages


@pytest.mark.parametrize(
    ("texts", "line", "message"),
    [
        ({"pyproject.toml": "a = 1\nb = ["}, 2, "is not valid TOML"),
        ({"pyproject.toml": "a = 1\na = 2\n"}, 2, "is not valid TOML"),
        ({"pyproject.toml": "a = " + "[" * 100_000}, 1, "is not readable TOML"),
        ({"pyproject.toml": "a = 1 #" + "x" * 5_000_000}, 1, "is too large"),
        ({"pyproject.toml": "tool = 1"}, 1, "'tool' must be a table"),
        ({"pyproject.toml": "[tool]\npytest = 'x'"}, 2, "'tool.pytest' must be a table"),
        ({"pyproject.toml": "[tool.pytest]\nini_options = []"}, 2, "'tool.pytest.ini_options' must be a table"),
        ({"pyproject.toml": AUTO_TABLE + "[tool.pytest]\nx = 1\n"}, 1, "cannot both be used"),
        ({"pytest.toml": "pytest = 1"}, 1, "'pytest' must be a table"),
        ({"pytest.toml": "\nmarkers = []\n"}, 2, "'markers' stands outside of the table [pytest]"),
        ({"pytest.ini": "[pytest]\na = 1\na = 2\n"}, 3, "duplicate name 'a'"),
        ({"pytest.ini": "[pytest]\n[pytest]\n"}, 2, "duplicate section 'pytest'"),
        ({"pytest.ini": "a = 1\n"}, 1, "no section header defined"),
        ({"pytest.ini": "[pytest]\n\0\0\n"}, 2, "unexpected line"),
        ({"pytest.ini": "", "tox.ini": "[pytest]\n broken"}, 2, "unexpected value continuation"),
        ({"setup.cfg": "[metadata]\n[pytest]\n"}, 2, "pytest wants [tool:pytest]"),
    ],
)
def test_a_broken_file_is_reported_and_nothing_is_known(texts: dict[str, str], line: int, message: str) -> None:
    config = config_of(texts)
    (problem,) = config.problems
    assert problem.path == ROOT / list(texts)[-1]
    assert problem.line == line
    assert message in problem.message
    assert (config.asyncio_mode, config.anyio_mode, config.asyncio_default_test_loop_scope) == (None, None, None)


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_bytes(b"[pytest]\nasyncio_mode = auto\n# caf\xe9\n")
    (problem,) = find_config(DiskFiles(), tmp_path / "test_a.py").problems
    assert (problem.path, problem.line, problem.message) == (tmp_path / "pytest.ini", 3, "is not valid UTF-8")


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ('asyncio_mode = ["auto"]', "asyncio_mode", "['auto'] is not a valid asyncio_mode"),
        ("asyncio_mode = true", "asyncio_mode", "True is not a valid asyncio_mode"),
        ('anyio_mode = ["auto"]', "anyio_mode", "['auto'] is not a valid anyio_mode"),
        ('python_files = "check_*.py"', "python_files", "python_files must be a list of strings"),
        ("python_files = [1]", "python_files", "python_files must be a list of strings"),
        (
            'asyncio_default_fixture_loop_scope = "sesion"',
            "asyncio_default_fixture_loop_scope",
            "'sesion' is not a valid",
        ),
    ],
)
def test_native_tables_want_native_types(text: str, key: str, message: str) -> None:
    config = config_of({"pyproject.toml": f"[project]\nname = 'a'\n\n[tool.pytest]\n{text}\n"})
    (problem,) = config.problems
    assert (problem.line, config.line_of(key)) == (5, 5)
    assert message in problem.message


def test_the_values_of_a_file() -> None:
    config = config_of(
        {
            "pyproject.toml": """
[tool.pytest.ini_options]
addopts = "-q -p no:asyncio -pno:cacheprovider -p tests.plugin --import-mode importlib"
testpaths = ["tests", "more"]
pythonpath = "src lib"
python_files = ["check_*.py", "tests/*.py"]
python_classes = "Suite *Checks"
python_functions = ["it_", "should[0-9]*"]
asyncio_default_fixture_loop_scope = "session"
asyncio_default_test_loop_scope = "module"
"""
        }
    )
    assert config.section == "tool.pytest.ini_options"
    assert config.testpaths == ("tests", "more")
    assert config.pythonpath == (ROOT / "src", ROOT / "lib")
    assert config.import_mode == "importlib"
    assert config.plugins.blocked == {"asyncio", "pytest_asyncio", "cacheprovider", "pytest_cacheprovider"}
    assert config.plugins.loaded == {"tests.plugin"}
    assert (config.plugins.allows("asyncio"), config.plugins.allows("anyio")) == (False, True)
    assert config.asyncio_default_fixture_loop_scope == "session"
    assert config.asyncio_default_test_loop_scope == "module"
    assert config.line_of("pythonpath") == 5
    assert config.line_of("markers") is None
    assert config.problems == ()


@pytest.mark.parametrize(
    ("addopts", "asyncio", "anyio"),
    [
        ("-p no:asyncio -p asyncio", True, True),
        ("-p asyncio -p no:asyncio", False, True),
        ("--disable-plugin-autoload", False, False),
        ("--disable-plugin-autoload -p asyncio", True, False),
        ("-p", True, True),
    ],
)
def test_plugins(addopts: str, asyncio: bool, anyio: bool) -> None:
    plugins = config_of({"pytest.ini": f"[pytest]\naddopts = {addopts}\n"}).plugins
    assert (plugins.allows("asyncio"), plugins.allows("anyio")) == (asyncio, anyio)


@pytest.mark.parametrize(
    ("patterns", "path", "expected"),
    [
        ("", "test_a.py", True),
        ("", "a_test.py", True),
        ("", "tests.py", False),
        ("", "test_a.pyi", False),
        ("python_files = *.py", "anything.py", True),
        ("python_files = tests/check*.py", "deep/tests/check_a.py", True),
        ("python_files = tests/check*.py", "deep/check_a.py", False),
    ],
)
def test_collected_files(patterns: str, path: str, expected: bool) -> None:
    config = config_of({"pytest.ini": f"[pytest]\n{patterns}\n"})
    assert config.collects_file(ROOT / path) is expected


@pytest.mark.parametrize(
    ("text", "name", "as_class", "as_function"),
    [
        ("", "TestA", True, False),
        ("", "test_a", False, True),
        ("", "testimony", False, True),
        ("", "ATest", False, False),
        ("python_classes = *Suite\npython_functions = check_ *_works\n", "UserSuite", True, False),
        ("python_classes = *Suite\npython_functions = check_ *_works\n", "login_works", False, True),
        ("python_classes = *Suite\npython_functions = check_ *_works\n", "test_a", False, False),
    ],
)
def test_collected_names(text: str, name: str, as_class: bool, as_function: bool) -> None:
    config = config_of({"pytest.ini": f"[pytest]\n{text}"})
    assert (config.collects_class(name), config.collects_function(name)) == (as_class, as_function)


def test_a_sub_project_is_its_own_project() -> None:
    texts = {"pyproject.toml": AUTO_TABLE, "packages/a/pyproject.toml": "[tool.pytest.ini_options]\n"}
    config = config_of(texts, "packages/a/tests/test_a.py")
    assert (config.rootdir, config.asyncio_mode, config.outer) == (ROOT / "packages/a", "strict", None)


def test_a_nested_file_of_one_project_names_the_outer_one() -> None:
    config = config_of({"pyproject.toml": AUTO_TABLE, "tests/pytest.ini": ""})
    assert (config.path, config.asyncio_mode) == (ROOT / "tests/pytest.ini", "strict")
    assert config.outer is not None
    assert (config.outer.path, config.outer.asyncio_mode) == (ROOT / "pyproject.toml", "auto")


@pytest.mark.parametrize(
    ("texts", "test", "roots"),
    [
        ({}, "tests/test_a.py", ["tests", "."]),
        ({}, "tests/unit/test_a.py", ["tests/unit", "."]),
        ({}, "test_a.py", ["."]),
        ({"pytest.ini": ""}, "tests/test_a.py", ["."]),
        ({"pytest.ini": "[pytest]\npythonpath = lib\n"}, "tests/test_a.py", [".", "lib"]),
        ({"setup.py": ""}, "tests/test_a.py", ["."]),
    ],
)
def test_where_a_projects_modules_are_looked_for(texts: dict[str, str], test: str, roots: list[str]) -> None:
    assert list(config_of(texts, test).import_roots) == [ROOT / root for root in roots]
