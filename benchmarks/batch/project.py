"""A project of any size: an app of many modules, a conftest, and tests that import both."""

from __future__ import annotations

from pathlib import Path

from benchmarks.keystroke.texts import HEAD, TEST

CONFIG = """\
[project]
name = "bench"
dependencies = ["fastapi", "httpx", "pytest", "pytest-asyncio"]

[tool.ruff.lint]
select = ["ASYNC", "PT", "RUF"]
"""
CONFTEST = HEAD
MODULE = '''\
"""Part {number} of the shop."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
{other}
router = APIRouter()


@dataclass
class Item{number}:
    sku: str
    count: int = 0

    def total(self, price: float) -> float:
        return self.count * price


async def load_{number}(sku: str) -> Item{number}:
    return Item{number}(sku, {number})


@router.get("/items/{number}")
async def read_{number}(sku: str) -> dict[str, object]:
    item = await load_{number}(sku)
    return {{"sku": item.sku, "total": item.total(1.5)}}
'''
IMPORTING = """\
import pytest

from shop.part_{number} import load_{number}


@pytest.mark.asyncio
async def test_load_{number}():
    item = await load_{number}("tea")
    assert item.count == {number}


"""


def write(folder: Path, tests: int, modules: int, length: int = 12) -> None:
    """So many test files, of so many tests each, and modules of the app."""
    package = folder / "shop"
    package.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(CONFIG)
    (package / "__init__.py").touch()
    for number in range(modules):
        other = f"\nfrom shop.part_{number // 2} import load_{number // 2}\n" if number else ""
        (package / f"part_{number}.py").write_text(MODULE.format(number=number, other=other))
    for number in range(tests):
        inside = folder / "tests" / f"area_{number % 20}"
        if not inside.is_dir():
            inside.mkdir(parents=True)
            (inside / "conftest.py").write_text(CONFTEST)
        parts = [TEST.format(number=it, maybe="" if (number + it) % 40 == 3 else "await ") for it in range(length)]
        (inside / f"test_{number}.py").write_text(IMPORTING.format(number=number % modules) + "".join(parts))
