from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from awaitest.project.config import find_config
from awaitest.project.discovery import Missing, find_tests
from awaitest.project.files import DiskFiles, Entry, Files, OverlayFiles
from awaitest.project.settings import load_settings

ROOT = Path("/project")


def found(files: Files, *paths: Path, cwd: Path = ROOT) -> list[str]:
    results = find_tests(
        files, paths, cwd, lambda folder: load_settings(files, folder, {}), lambda folder: find_config(files, folder)
    )
    return [
        f"{result.path.relative_to(cwd)}: {result.reason}"
        if isinstance(result, Missing)
        else result.relative_to(cwd).as_posix()
        for result in results
    ]


def found_in(texts: dict[str, str], *paths: str, cwd: str = "") -> list[str]:
    files = OverlayFiles({ROOT / name: text for name, text in texts.items()})
    return found(files, *(ROOT / path for path in paths), cwd=ROOT / cwd)


def empty(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "")


APP = empty("app/main.py", "app/contest.py", "conftest.py", "main.py", "app/test_inline.py", "setup.py")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (APP, ["conftest.py", "app/test_inline.py"]),
        (
            empty("tests/a.py", "tests/helpers/b.py", "test/c.py", "src/x/testing/d.py", "contest/e.py"),
            ["src/x/testing/d.py", "test/c.py", "tests/a.py", "tests/helpers/b.py"],
        ),
        (
            empty("integration_tests/a.py", "tests-e2e/b.py", "latest/c.py", "attestation/d.py"),
            ["integration_tests/a.py", "tests-e2e/b.py"],
        ),
        (empty("tests/a.pyi", "tests/a.txt", "tests/test_dir.py/inner.py"), ["tests/test_dir.py/inner.py"]),
        (empty("b_test.py", "a/test_z.py", "test_a.py"), ["b_test.py", "test_a.py", "a/test_z.py"]),
        (
            {"pytest.ini": "[pytest]\npython_files = check_*.py\n", **empty("check_a.py", "test_a.py", "x/check_b.py")},
            ["check_a.py", "x/check_b.py"],
        ),
        (
            {
                "x/pytest.ini": "[pytest]\npython_files = check_*.py\n",
                **empty("check_a.py", "test_a.py", "x/check_b.py"),
            },
            ["test_a.py", "x/check_b.py"],
        ),
        (
            {"pytest.ini": "[pytest]\nnorecursedirs = data\n", **empty("data/test_a.py", "build/test_b.py")},
            ["build/test_b.py"],
        ),
    ],
)
def test_what_is_taken(texts: dict[str, str], expected: list[str]) -> None:
    assert found_in(texts, ".") == expected


@pytest.mark.parametrize(
    "folder",
    [
        ".git",
        ".hg",
        "node_modules",
        "__pycache__",
        ".tox",
        "site-packages",
        "tests/{{cookiecutter.name}}",
        "build",
        ".x",
    ],
)
def test_folders_that_are_skipped(folder: str) -> None:
    assert found_in(empty(f"{folder}/test_a.py", "test_b.py"), ".") == ["test_b.py"]


@pytest.mark.parametrize("mark", ["pyvenv.cfg", "conda-meta/history"])
def test_committed_environments_are_skipped(mark: str) -> None:
    assert found_in(empty(f"tests/odd/{mark}", "tests/odd/lib/test_a.py", "tests/b.py"), ".") == ["tests/b.py"]


@pytest.mark.parametrize(
    ("ignores", "expected"),
    [
        ({".gitignore": "generated/\n"}, ["test_a.py", "x/deep/test_c.py", "x/test_b.py"]),
        ({".gitignore": "/test_*.py\n"}, ["generated/test_g.py", "x/deep/test_c.py", "x/test_b.py"]),
        ({".gitignore": "test_*.py\n!test_b.py\n"}, ["x/test_b.py"]),
        ({".gitignore": "x/\n!x/test_b.py\n"}, ["generated/test_g.py", "test_a.py"]),
        ({".gitignore": "*.py\n", "x/.gitignore": "!test_b.py\n"}, ["x/test_b.py"]),
        ({"x/.gitignore": "deep\n"}, ["generated/test_g.py", "test_a.py", "x/test_b.py"]),
        ({".git/info/exclude": "test_c.py\ngenerated\n"}, ["test_a.py", "x/test_b.py"]),
        ({".gitignore": "# all\n\n \n"}, ["generated/test_g.py", "test_a.py", "x/deep/test_c.py", "x/test_b.py"]),
        ({".gitignore": "!\nx\n"}, ["generated/test_g.py", "test_a.py"]),
        ({".gitignore": "*\n", "x/.git": "gitdir: y\n"}, []),
        ({".gitignore": "test_*\n", "x/.git": "gitdir: y\n"}, ["x/deep/test_c.py", "x/test_b.py"]),
        (
            {"pyproject.toml": '[tool.awaitest]\nexclude = ["x/deep", "/test_a.py"]\n'},
            ["generated/test_g.py", "x/test_b.py"],
        ),
        (
            {"x/pyproject.toml": '[tool.awaitest]\nexclude = ["test_*.py"]\n'},
            ["generated/test_g.py", "test_a.py"],
        ),
    ],
)
def test_what_is_left_out(ignores: dict[str, str], expected: list[str]) -> None:
    texts = empty("test_a.py", "x/test_b.py", "x/deep/test_c.py", "generated/test_g.py", ".git/HEAD")
    assert sorted(found_in({**texts, **ignores}, ".")) == expected


def test_ignore_files_above_the_start_count_unless_they_leave_it_out() -> None:
    texts = {**empty(".git/HEAD", "a/b/test_a.py", "a/b/test_c.py"), ".gitignore": "test_c.py\n"}
    assert found_in(texts, "a/b") == ["a/b/test_a.py"]
    assert found_in({**texts, ".gitignore": "a/\n"}, "a/b") == ["a/b/test_a.py", "a/b/test_c.py"]
    assert found_in({**texts, ".gitignore": "a/\n"}, ".") == []


def test_a_folder_inside_tests_is_one_of_tests() -> None:
    texts = empty("pyproject.toml", "tests/api/helper.py", "src/helper.py")
    assert found_in(texts, "tests/api") == ["tests/api/helper.py"]
    assert found_in(texts, "src") == []
    assert found_in(empty("tests/helper.py"), "tests") == ["tests/helper.py"]


def test_files_that_are_asked_for() -> None:
    texts = {**APP, "README.md": "", ".gitignore": "*"}
    assert found_in(texts, "main.py", "missing.py", "README.md", "app/test_inline.py", "app", "main.py") == [
        "main.py",
        "missing.py: does not exist",
        "README.md: is not a Python file",
        "app/test_inline.py",
    ]


def test_listings_of_the_disk_and_of_texts_agree(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c.py").write_text("")
    (tmp_path / "a.py").write_text("")
    expected = [Entry("a.py", False, True), Entry("b", True, False)]
    texts = OverlayFiles({tmp_path / "a.py": "", tmp_path / "b" / "c.py": ""})
    over = OverlayFiles({tmp_path / "b" / "d.py": ""}, DiskFiles())
    assert [files.scan(tmp_path) for files in (DiskFiles(), texts, over)] == [expected] * 3
    assert [entry.name for entry in over.scan(tmp_path / "b")] == over.names(tmp_path / "b") == ["c.py", "d.py"]
    assert DiskFiles().scan(tmp_path / "missing") == DiskFiles().scan(Path("\0")) == []


@pytest.mark.parametrize(
    ("testpaths", "cwd", "expected"),
    [
        ("unit more", "", ["unit/test_a.py", "more/test_b.py"]),
        ("u*", "", ["unit/test_a.py"]),
        ("**/deep", "", ["more/deep/test_c.py"]),
        ("absent", "", ["test_root.py", "more/test_b.py", "more/deep/test_c.py", "unit/test_a.py"]),
        ("unit", "more", ["test_b.py", "deep/test_c.py"]),
        ("../project/unit", "", ["unit/test_a.py"]),
    ],
)
def test_default_paths(testpaths: str, cwd: str, expected: list[str]) -> None:
    texts = empty("test_root.py", "unit/test_a.py", "more/test_b.py", "more/deep/test_c.py")
    texts["more/.gitignore"] = "deep/\n" if testpaths == "unit more" else ""
    assert found_in({**texts, "pytest.ini": f"[pytest]\ntestpaths = {testpaths}\n"}, cwd=cwd) == expected


def test_links_on_disk(tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_a.py").write_text("")
    (tests / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tests / "test_link.py").symlink_to(tests / "test_a.py")
    (tests / "test_dangling.py").symlink_to(tmp_path / "missing")
    (tests / "test_self.py").symlink_to(tests / "test_self.py")
    (tmp_path / "test_dir.py").mkdir()
    (tmp_path / "test_\udcff.py").write_text("")
    expected = ["test_\udcff.py", "tests/test_a.py", "tests/test_link.py"]
    assert found(DiskFiles(), tmp_path, cwd=tmp_path) == expected
    assert found(DiskFiles(), tests / "loop" / "tests", cwd=tmp_path) == [
        "tests/loop/tests/test_a.py",
        "tests/loop/tests/test_link.py",
    ]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_folder(tmp_path: Path) -> None:
    closed = tmp_path / "tests"
    closed.mkdir()
    closed.chmod(0)
    try:
        assert found(DiskFiles(), tmp_path, cwd=tmp_path) == []
    finally:
        closed.chmod(0o700)


def test_a_large_tree_is_walked_fast() -> None:
    texts = empty(*(f"pkg{folder}/tests/test_{name}.py" for folder in range(100) for name in range(50)))
    texts[".gitignore"] = "".join(f"cache{number}/\n*.ext{number}\n" for number in range(50))
    files = OverlayFiles({ROOT / name: text for name, text in texts.items()})
    start = time.process_time()
    assert len(found(files, ROOT)) == 5_000
    assert time.process_time() - start < 2
