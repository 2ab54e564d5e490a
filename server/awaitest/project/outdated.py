"""What must be checked again after the disk has changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from awaitest.project.notes import Notes
from awaitest.project.witness import Changes
from awaitest.project.workspace import Project

_UNREAD = frozenset(
    {
        ".coverage", ".css", ".csv", ".db", ".gif", ".html", ".jpg", ".js", ".json", ".log", ".md", ".png", ".pyc",
        ".rst", ".sqlite", ".sqlite3", ".svg", ".swo", ".swp", ".swx", ".tmp", ".ts", ".xml", ".yaml", ".yml",
    }
)  # fmt: skip
"""Endings of files that nothing here ever reads."""
_READ = frozenset({".cfg", ".ini", ".lock", ".py", ".toml", ".txt"})
_READ_ABOVE = frozenset({".git", ".gitignore", ".venv", "venv", "pyvenv.cfg", "conda-meta"})
"""What is looked for above a project: files of these endings, these names."""
_PYTHON_READ_ABOVE = frozenset({"setup.py", "conftest.py", "__init__.py"})
"""The Python files that are looked for above a project, wherever nothing is imported from there."""


def outdated(
    changes: Changes,
    notes: Mapping[Path, Notes],
    files: Iterable[str],
    project_of: Callable[[Path], Project],
) -> set[Path] | None:
    """Those files of which something else may be said now, by the notes that were taken of each; None for all of them.

    `files` are all that were read. A module may change as it likes, and tests may come and go; with anything else,
    nothing is as it was.
    """
    found: set[Path] = set()
    concerned = [project_of(folder / "_") for folder in {file.parent for file in notes}]

    def is_unread(name: str) -> bool:
        return _is_unread_above(name, concerned) or _is_unread(name, project_of)

    texts = {name: text for name, text in changes.texts.items() if name not in changes.went}
    for name in changes.came:
        text = b"" if is_unread(name) else _test_that_came(name, files, project_of)
        if text is None:
            return None
        texts[name] = text
    for name in changes.went:
        if not (is_unread(name) or _is_test(name, project_of)):
            return None
        texts[name] = b""
    for name, text in texts.items():
        path = Path(name)
        if not (is_unread(name) or _is_module(path, project_of(path))):
            return None
        found |= {file for file, it in notes.items() if file == path or it.rest_on(path, text)}
    return found


def _test_that_came(name: str, files: Iterable[str], project_of: Callable[[Path], Project]) -> bytes | None:
    """The text of a new file that can be nothing but a test."""
    if not _is_test(name, project_of):
        return None
    path = Path(name)
    project, word = project_of(path), path.stem.encode()
    modules = (it for it in files if it.endswith(".py") and _is_module(Path(it), project))
    if any(word in (project.files.read(Path(it)) or b"") for it in modules if it != name):
        return None
    return project.files.read(path)


def _is_test(name: str, project_of: Callable[[Path], Project]) -> bool:
    path = Path(name)
    if _is_folder(name) or path.name == "conftest.py":
        return False
    project = project_of(path)
    return _is_module(path, project) and project.config.collects_file(path)


def _is_folder(name: str) -> bool:
    return name.endswith(("/", os.sep))


def _is_module(path: Path, project: Project) -> bool:
    """Whether a file is a module of the project itself."""
    return path.suffix == ".py" and path.name != "setup.py" and _lies_in(path, project)


def _is_unread(name: str, project_of: Callable[[Path], Project]) -> bool:
    """Whether it is nothing to us that something of this name comes, changes or goes."""
    path = Path(name)
    if _is_folder(name) or not (name.endswith("~") or path.suffix in _UNREAD or path.name in _UNREAD):
        return False
    return _lies_in(path, project_of(path))


def _is_unread_above(name: str, projects: Iterable[Project]) -> bool:
    """Whether it lies above all the projects, where they import nothing from, and is nothing to them."""
    path = Path(name)
    if not all(path.parent in it.config.rootdir.parents and not _imports_from(path.parent, it) for it in projects):
        return False
    if _is_folder(name) or path.suffix not in _READ:
        return path.name not in _READ_ABOVE
    return path.suffix == ".py" and path.name not in _PYTHON_READ_ABOVE


def _imports_from(folder: Path, project: Project) -> bool:
    """Whether a folder above a project may be on `sys.path`: it is said to, or the project itself is a package."""
    config = project.config
    return folder in config.import_roots or project.files.is_file(config.rootdir / "__init__.py")


def _lies_in(path: Path, project: Project) -> bool:
    """Whether a file lies in a project, not in its environment."""
    installed = "site-packages" in path.parts or any(
        root in path.parents
        for root in (project.environment.prefix, *project.environment.site_packages)
        if root is not None
    )
    return project.config.rootdir in path.parents and not installed
