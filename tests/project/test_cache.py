from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from awaitest.project import cache as cache_module
from awaitest.project.cache import SkeletonCache, default_folder

MODULE = Path("/env/site-packages/httpx/_client.py")
STAMP = (1_700_000_000_000_000_000, 4096)
TEXT = "class AsyncClient:\n    pass"


def files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and file.name != "pruned"]


@pytest.fixture
def cache(tmp_path: Path) -> SkeletonCache:
    return SkeletonCache(tmp_path)


@pytest.mark.parametrize("text", [TEXT, "", "x = 'ä'\n\n", "x = '\\r'\r\n\ry = 1", "\x00\f\u2028"])
def test_gives_back_what_was_put(cache: SkeletonCache, text: str) -> None:
    cache.put(MODULE, STAMP, text)
    assert cache.get(MODULE, STAMP) == text


@pytest.mark.parametrize(
    ("path", "stamp"),
    [(MODULE, (STAMP[0] + 1, STAMP[1])), (MODULE, (STAMP[0], STAMP[1] + 1)), (MODULE.with_name("_api.py"), STAMP)],
    ids=["other time", "other size", "other file"],
)
def test_other_state_is_absent(cache: SkeletonCache, path: Path, stamp: tuple[int, int]) -> None:
    cache.put(MODULE, STAMP, TEXT)
    assert cache.get(path, stamp) is None


@pytest.mark.parametrize(
    "damage",
    [lambda kept: kept[:-1], lambda kept: kept + b"x", lambda _: b"", lambda _: b"\xff\xfe", lambda kept: kept[40:]],
    ids=["torn", "grown", "empty", "not text", "headless"],
)
def test_damaged_content_is_absent_and_replaced(cache: SkeletonCache, tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    cache.put(MODULE, STAMP, TEXT)
    (file,) = files(tmp_path)
    file.write_bytes(damage(file.read_bytes()))
    assert cache.get(MODULE, STAMP) is None
    cache.put(MODULE, STAMP, TEXT)
    assert cache.get(MODULE, STAMP) == TEXT


def test_content_of_another_module_is_absent(cache: SkeletonCache, tmp_path: Path) -> None:
    cache.put(MODULE, STAMP, TEXT)
    (file,) = files(tmp_path)
    other = MODULE.with_name("_api.py")
    cache.put(other, STAMP, "def get(): pass")
    (fresh,) = set(files(tmp_path)) - {file}
    fresh.write_bytes(file.read_bytes())
    assert cache.get(other, STAMP) is None


def test_works_where_the_folder_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    cache = SkeletonCache(tmp_path / "file")
    cache.put(MODULE, STAMP, TEXT)
    assert cache.get(MODULE, STAMP) is None


@pytest.mark.parametrize(
    ("path", "text"), [(MODULE, "x = '\ud800'"), (Path("/a\0b.py"), TEXT), (Path("/a\udcff.py"), TEXT)]
)
def test_odd_names_and_texts_do_no_harm(cache: SkeletonCache, path: Path, text: str) -> None:
    cache.put(path, STAMP, text)
    assert cache.get(path, STAMP) in {text, None}


def test_may_be_deleted_at_any_time(cache: SkeletonCache, tmp_path: Path) -> None:
    cache.put(MODULE, STAMP, TEXT)
    for file in files(tmp_path):
        file.unlink()
    assert cache.get(MODULE, STAMP) is None
    cache.put(MODULE, STAMP, TEXT)
    assert cache.get(MODULE, STAMP) == TEXT


def test_writers_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    texts = [f"x = {'1' * length}" for length in (10, 5000, 100_000)]
    start = threading.Barrier(len(texts))

    def write(text: str) -> None:
        start.wait()
        for _ in range(20):
            SkeletonCache(tmp_path).put(MODULE, STAMP, text)

    threads = [threading.Thread(target=write, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert SkeletonCache(tmp_path).get(MODULE, STAMP) in texts
    assert len(files(tmp_path)) == 1


def test_files_of_other_versions_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SkeletonCache(tmp_path).put(MODULE, STAMP, TEXT)
    monkeypatch.setattr(cache_module, "SCHEMA", cache_module.SCHEMA + 1)
    assert SkeletonCache(tmp_path).get(MODULE, STAMP) is None


@pytest.mark.parametrize(("last_week", "left"), [(True, 1), (False, 2)], ids=["due", "not due"])
def test_old_entries_are_pruned_once_a_week(tmp_path: Path, last_week: bool, left: int) -> None:
    SkeletonCache(tmp_path).put(MODULE, STAMP, TEXT)
    (old,) = files(tmp_path)
    long_ago = time.time() - 90 * 24 * 3600
    os.utime(old, (long_ago, long_ago))
    if last_week:
        os.utime(old.parents[1] / "pruned", (long_ago, long_ago))
    SkeletonCache(tmp_path).put(MODULE.with_name("_api.py"), STAMP, TEXT)
    assert len(files(tmp_path)) == left


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"AWAITEST_CACHE_DIR": "/given"}, Path("/given")),
        ("linux", {"XDG_CACHE_HOME": "/xdg"}, Path("/xdg/awaitest")),
        ("linux", {}, Path("/home/ada/.cache/awaitest")),
        ("darwin", {"XDG_CACHE_HOME": "/xdg"}, Path("/home/ada/Library/Caches/awaitest")),
        ("win32", {"LOCALAPPDATA": "/local"}, Path("/local/awaitest")),
        ("win32", {}, Path("/home/ada/AppData/Local/awaitest")),
    ],
)
def test_default_folder(
    monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], expected: Path
) -> None:
    for name in ("AWAITEST_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/ada"))
    assert default_folder() == expected


def test_default_folder_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("AWAITEST_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert default_folder().name == "awaitest-cache"
