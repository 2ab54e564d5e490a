"""Every stub beside the real module: what is declared asynchronous is, what is declared plain is plain."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from awaitest.project.files import DiskFiles, OverlayFiles
from awaitest.project.library import STUBS, Library
from awaitest.project.modules import Module
from awaitest.project.resolve import Found, Resolver

PROTOCOLS = ("__aenter__", "__enter__", "__await__", "__aiter__", "__anext__", "__call__", "__getattr__")
DATA_CLASSES = ("dict", "Exception", "BaseException")
NAMES = sorted(
    ".".join(path.relative_to(STUBS).with_suffix("").parts).removesuffix(".__init__") for path in STUBS.rglob("*.pyi")
)
VERSION_GATES = {"sys.version_info >= (3, 11)": (3, 11), "sys.version_info >= (3, 13)": (3, 13)}
Definition = ast.FunctionDef | ast.AsyncFunctionDef


def real(name: str) -> ModuleType:
    module: ModuleType = pytest.importorskip(name)
    return module


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that hold on the running interpreter."""
    for node in body:
        if isinstance(node, ast.If):
            test = ast.unparse(node.test)
            if test == "sys.platform != 'win32'":
                holds = sys.platform != "win32"
            else:
                holds = sys.version_info >= VERSION_GATES[test]
            yield from statements(node.body if holds else node.orelse)
        else:
            yield node


def tree(name: str) -> list[ast.stmt]:
    path = STUBS.joinpath(*name.split("."))
    file = path / "__init__.pyi" if path.is_dir() else path.with_suffix(".pyi")
    return list(statements(ast.parse(file.read_text("utf-8")).body))


def decorators(node: Definition) -> set[str]:
    return {ast.unparse(item) for item in node.decorator_list}


def declared_kind(node: Definition) -> str:
    yields = any(isinstance(part, ast.Yield) for part in ast.walk(node))
    manager = bool(decorators(node) & {"contextmanager", "asynccontextmanager"})
    if isinstance(node, ast.AsyncFunctionDef):
        return ("asynchronous manager" if manager else "asynchronous generator") if yields else "coroutine function"
    return "manager" if manager else "plain"


def real_kind(thing: object) -> str:
    thing = getattr(thing, "__func__", thing)
    inside = thing
    while hasattr(inside, "__wrapped__") and inspect.isfunction(inside):
        inside = vars(inside)["__wrapped__"]
    if inspect.iscoroutinefunction(thing):
        return "coroutine function"
    if inspect.isasyncgenfunction(thing):
        return "asynchronous generator"
    if inspect.isasyncgenfunction(inside):
        return "asynchronous manager"
    return "manager" if inspect.isgeneratorfunction(inside) and inside is not thing else "plain"


def disagreement(label: str, node: Definition, thing: object) -> str | None:
    declared, found = declared_kind(node), real_kind(thing)
    return None if declared == found else f"{label}: declared {declared}, really {found}"


def class_disagreements(resolver: Resolver, module: Module, node: ast.ClassDef, cls: type) -> Iterator[str]:
    label = f"{module.name}.{node.name}"
    for member in statements(node.body):
        if not isinstance(member, Definition):
            continue
        thing = inspect.getattr_static(cls, member.name, None)
        if thing is None:
            yield f"{label}.{member.name}: does not exist"
        elif "property" in decorators(member):
            if inspect.isroutine(thing):
                yield f"{label}.{member.name}: declared property, really a method"
        elif isinstance(thing, property):
            yield f"{label}.{member.name}: declared a method, really a property"
        elif found := disagreement(f"{label}.{member.name}", member, thing):
            yield found
    if any(ast.unparse(base).partition("[")[0] in DATA_CLASSES for base in node.bases):
        return
    declared = {name for name in PROTOCOLS if name in methods(resolver, module, node)}
    actual = {name for name in PROTOCOLS if any(name in vars(base) for base in cls.__mro__)}
    if declared != actual:
        yield f"{label}: declares {sorted(declared)}, really has {sorted(actual)}"


def methods(resolver: Resolver, module: Module, node: ast.ClassDef) -> set[str]:
    names = {member.name for member in statements(node.body) if isinstance(member, Definition)}
    for base in node.bases:
        found = resolver.resolve(module, base.value if isinstance(base, ast.Subscript) else base)
        if isinstance(found, Found) and isinstance(found.node, ast.ClassDef):
            names |= methods(resolver, found.module, found.node)
    return names


def within(package: ModuleType, name: str) -> object:
    """A class that the package keeps in one of its own modules."""
    below = [module for path, module in sys.modules.items() if path.startswith(f"{package.__name__}._")]
    return next((getattr(module, name) for module in below if hasattr(module, name)), None)


@pytest.fixture(scope="module")
def resolver() -> Resolver:
    return Resolver(DiskFiles(), [], Library(OverlayFiles({})))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_stub_agrees_with_the_real_module(resolver: Resolver, name: str) -> None:
    module, thing = resolver.load(name), real(name)
    assert module is not None
    assert module.origin == "stub"
    wrong = []
    for node in tree(name):
        if isinstance(node, Definition):
            if not hasattr(thing, node.name):
                wrong.append(f"{name}.{node.name}: does not exist")
            elif found := disagreement(f"{name}.{node.name}", node, getattr(thing, node.name)):
                wrong.append(found)
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            cls = getattr(thing, node.name, None) or within(thing, node.name)
            if inspect.isclass(cls):
                wrong += class_disagreements(resolver, module, node, cls)
            elif cls is None:
                wrong.append(f"{name}.{node.name}: does not exist")
        elif (
            isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and not hasattr(thing, node.target.id)
        ):
            wrong.append(f"{name}.{node.target.id}: does not exist")
    assert wrong == []


@pytest.mark.parametrize("name", ["_patch", "_patch_dict"])
def test_private_classes_of_mock_agree(resolver: Resolver, name: str) -> None:
    module = resolver.load("unittest.mock")
    assert module is not None
    (node,) = [item for item in module.body if isinstance(item, ast.ClassDef) and item.name == name]
    assert list(class_disagreements(resolver, module, node, getattr(real("unittest.mock"), name))) == []


def test_patch_has_what_the_stub_says() -> None:
    patch = real("unittest.mock").patch
    (node,) = [item for item in tree("unittest.mock") if isinstance(item, ast.ClassDef) and item.name == "_Patcher"]
    assert [item.name for item in node.body if isinstance(item, Definition) and not hasattr(patch, item.name)] == []


MADE_BY_CALLS = """
import asyncio, sys
from contextlib import AbstractAsyncContextManager, AbstractContextManager
import anyio, trio, pytest

async def with_asyncio():
    future = asyncio.get_running_loop().create_future()
    future.set_result(1)
    for made in (asyncio.gather(asyncio.sleep(0)), asyncio.shield(future), asyncio.create_task(asyncio.sleep(0)),
                 asyncio.ensure_future(asyncio.sleep(0)), future,
                 asyncio.get_running_loop().run_in_executor(None, int)):
        assert hasattr(made, "__await__"), made
        await made
    assert isinstance(anyio.fail_after(1), AbstractContextManager)
    assert not hasattr(anyio.fail_after(1), "__aenter__")
    assert type(anyio.move_on_after(1)).__name__ == "CancelScope"
    async with anyio.create_task_group() as group:
        assert hasattr(group, "start_soon")

async def with_trio():
    manager = trio.open_nursery()
    assert hasattr(manager, "__aenter__") and isinstance(manager, AbstractAsyncContextManager)
    async with manager as nursery:
        assert type(nursery).__name__ == "Nursery"
    assert type(trio.move_on_after(1)).__name__ == "CancelScope"

asyncio.run(with_asyncio())
trio.run(with_trio)
for made in (pytest.raises(ValueError), pytest.warns(UserWarning)):
    assert hasattr(made, "__enter__") and not hasattr(made, "__aenter__")
"""


def test_what_calls_give_agrees() -> None:
    """Results that no signature shows, in a process of its own."""
    for name in ("anyio", "trio"):
        real(name)
    done = subprocess.run([sys.executable, "-c", MADE_BY_CALLS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_stub_is_shipped() -> None:
    assert Path(str(importlib.import_module("awaitest").__file__)).parent in STUBS.parents
    assert "asyncio" in NAMES
    assert len(NAMES) > 25
