from __future__ import annotations

from pathlib import Path

import pytest

from awaitest.project.files import DiskFiles, OverlayFiles
from awaitest.project.settings import OPTIONS, Settings, load_settings
from awaitest.project.workspace import Workspace

ROOT = Path("/project")
RULES = {"AWT101": "missing-await", "AWT102": "coroutine-as-condition", "AWT301": "unclosed-client"}


def settings_of(text: str, below: str = "tests") -> Settings:
    return load_settings(OverlayFiles({ROOT / "pyproject.toml": text}), ROOT / below, RULES)


def table(body: str) -> Settings:
    return settings_of(f"[tool.awaitest]\n{body}\n")


def enabled(settings: Settings, path: str = "tests/test_a.py") -> list[str]:
    return [code for code, name in RULES.items() if settings.enabled(code, name, path)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", ["AWT101", "AWT102", "AWT301"]),
        ("select = []", []),
        ('select = ["AWT1"]', ["AWT101", "AWT102"]),
        ('select = ["missing-await", "AWT301"]', ["AWT101", "AWT301"]),
        ('ignore = ["AWT1"]', ["AWT301"]),
        ('ignore = ["ALL"]', []),
        ('select = ["AWT101"]\nignore = ["AWT1"]', ["AWT101"]),
        ('select = ["AWT1"]\nignore = ["missing-await"]', ["AWT102"]),
        ('select = ["AWT101"]\nignore = ["missing-await"]', []),
        ('severity = { AWT1 = "off", AWT102 = "hint" }', ["AWT102", "AWT301"]),
        ('per-file-ignores = { "tests/*.py" = ["AWT101"], "docs/" = ["ALL"] }', ["AWT102", "AWT301"]),
        ('[tool.awaitest.per-file-ignores]\n"test_*" = ["ALL"]', []),
        ('[tool.awaitest.per-file-ignores]\n"**/legacy/**" = ["ALL"]', ["AWT101", "AWT102", "AWT301"]),
    ],
)
def test_enabled_rules(body: str, expected: list[str]) -> None:
    settings = table(body)
    assert settings.problems == ()
    assert enabled(settings) == expected


@pytest.mark.parametrize(
    ("body", "code", "expected"),
    [
        ("", "AWT101", "error"),
        ('missing-await = "hint"', "AWT101", "hint"),
        ('AWT1 = "warning"', "AWT101", "warning"),
        ('AWT1 = "warning"\nAWT101 = "off"\nALL = "hint"', "AWT101", "off"),
        ('ALL = "hint"', "AWT301", "hint"),
    ],
)
def test_severity(body: str, code: str, expected: str) -> None:
    settings = table(f"[tool.awaitest.severity]\n{body}")
    assert settings.severity_of(code, RULES[code], "error") == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [("tests/legacy/", True), ("tests/legacy/test_a.py", True), ("tests/new/test_a.py", False), ("generated.py", True)],
)
def test_exclude(path: str, expected: bool) -> None:
    assert table('exclude = ["legacy/", "/generated.py"]').excludes(path) is expected


def test_paths_are_relative_to_the_file() -> None:
    settings = load_settings(
        OverlayFiles(
            {
                ROOT / "pyproject.toml": '[tool.awaitest]\npython = "../venv"\n',
                ROOT / "../venv/lib/python3.12/site-packages/pytest.py": "",
            }
        ),
        ROOT,
        RULES,
    )
    assert (settings.root, settings.path) == (ROOT, ROOT / "pyproject.toml")
    assert settings.python == ROOT / "../venv"


def test_the_environment_that_is_named_runs_the_tests() -> None:
    files = OverlayFiles(
        {
            ROOT / "pyproject.toml": '[tool.awaitest]\npython = "venv"\n',
            ROOT / "venv/lib/python3.12/site-packages/pytest-8.1.0.dist-info/METADATA": "",
        }
    )
    environment = Workspace(files).project_of(ROOT / "tests/test_a.py").environment
    assert (environment.prefix, environment.python) == (ROOT / "venv", (3, 12))


def test_an_environment_that_is_not_there_is_passed_over() -> None:
    settings = table('python = "venv"')
    assert (settings.python, settings.problems) == (None, ())


def test_the_nearest_table_counts() -> None:
    files = OverlayFiles(
        {
            ROOT / "pyproject.toml": '[tool.awaitest]\nselect = ["AWT1"]',
            ROOT / "a/pyproject.toml": "[project]\n",
            ROOT / "b/pyproject.toml": "[tool.awaitest]\n",
        }
    )
    assert load_settings(files, ROOT / "a/tests", RULES).select == ("AWT1",)
    assert load_settings(files, ROOT / "b", RULES).select == ("ALL",)
    assert load_settings(OverlayFiles({}), ROOT, RULES) == Settings(ROOT)


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ('\nselects = ["ALL"]', 3, "'selects' is not a setting of awaitest; did you mean 'select'?"),
        ("zzz = 1", 2, "'zzz' is not a setting of awaitest"),
        ('select = "ALL"', 2, "'select' must be a list of strings"),
        ('select = [\n  "AWT1",\n  1,\n]', 2, "'select' must be a list of strings, but has 1"),
        (
            'ignore = [\n  "AWT1",  # a\n  "mising-await",\n]',
            4,
            "'mising-await' is not a rule of awaitest; did you mean 'missing-await'?",
        ),
        ('ignore = ["AWT999"]', 2, "'AWT999' is not a rule of awaitest"),
        ('ignore = [""]', 2, "'' is not a rule of awaitest"),
        ('"ignore" = ["qqq"]', 2, "'qqq' is not a rule of awaitest"),
        ("exclude = {}", 2, "'exclude' must be a list of strings"),
        ("severity = []", 2, "'severity' must be a table of rules and levels"),
        ('severity.AWT101 = "fatal"', 2, "'fatal' is not a level: use error, warning, hint, off"),
        ("[tool.awaitest.severity]\n\nAWT101 = 3", 4, "3 is not a level: use error, warning, hint, off"),
        ('[tool.awaitest.severity]\nAWT5 = "off"', 3, "'AWT5' is not a rule of awaitest"),
        ('python = "."', 2, "'python': . is neither a Python interpreter nor an environment"),
        ("python = 3.12", 2, "'python' must be a string: the path of an interpreter or of a virtual environment"),
        ('python = "\\u0000"', 2, "'python' must be a string: the path of an interpreter or of a virtual environment"),
        ("per-file-ignores = []", 2, "'per-file-ignores' must be a table of patterns and lists of rules"),
        ('[tool.awaitest.per-file-ignores]\n"a" = ["AWT1"]\n"b" = "AWT1"', 4, "'b' must be a list of strings"),
        (
            '[tool.awaitest.per-file-ignores]\n"a" = ["AWT1"]\n"b" = ["missing-wait"]',
            4,
            "'missing-wait' is not a rule of awaitest; did you mean 'missing-await'?",
        ),
    ],
)
def test_a_mistake_is_reported_at_its_line_and_left_out(body: str, line: int, message: str) -> None:
    settings = table(body)
    (problem,) = settings.problems
    assert (problem.path, problem.line) == (ROOT / "pyproject.toml", line)
    assert problem.message == message
    assert settings.python is None


@pytest.mark.parametrize(
    ("pattern", "bad"), [("!", True), ("[z-a]", True), ("\\", True), ("a/***b", False), ("/", False), ("a[", False)]
)
def test_hostile_patterns_are_reported_or_harmless(pattern: str, bad: bool) -> None:
    settings = table(f"exclude = ['{pattern}']")
    assert settings.excludes("tests/test_a.py") is False
    assert [problem.line for problem in settings.problems] == ([2] if bad else [])


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[tool.awaitest\n", 1, "is not valid TOML"),
        ('[tool.awaitest]\nselect = ["ALL"\n', 2, "is not valid TOML"),
        ("[tool]\nawaitest = 1\n", 2, "[tool.awaitest] must be a table"),
        ("tool.awaitest = []", 1, "[tool.awaitest] must be a table"),
        ("a = '''\n[tool.awaitest]\n'''\n[tool.awaitest]\nx = 1\n", 5, "'x' is not a setting"),
        ("[tool.other]\nselects = 1\n[ tool . 'awaitest' ]\nselects = 1\n", 4, "'selects' is not a setting"),
        ("a = [\n'x',\n]\n\ntool.awaitest.selects = 1\n", 5, "'selects' is not a setting"),
        ("tool = {awaitest = {selects = 1}}\n", 1, "'selects' is not a setting"),
        ("#" * 5_000_000, 1, "is too large"),
    ],
)
def test_problems_of_the_file(text: str, line: int, message: str) -> None:
    settings = settings_of(text)
    (problem,) = settings.problems
    assert (problem.line, problem.message[: len(message)]) == (line, message)
    assert enabled(settings) == list(RULES)


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"[tool.awaitest]\n\n\xff")
    (problem,) = load_settings(DiskFiles(), tmp_path, RULES).problems
    assert (problem.line, problem.message) == (3, "is not valid UTF-8")


def test_every_option_is_a_field_with_its_default() -> None:
    defaults: dict[str, list[str] | dict[str, str] | None] = {
        "select": ["ALL"],
        "ignore": [],
        "per-file-ignores": {},
        "severity": {},
        "exclude": [],
        "python": None,
    }
    assert {option.name: option.default for option in OPTIONS} == defaults
    settings = Settings(ROOT)
    fields = {name: getattr(settings, name.replace("-", "_")) for name in defaults}
    assert fields == {name: tuple(value) if value is not None else None for name, value in defaults.items()}
