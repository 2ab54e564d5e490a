"""A real suite as names and syntax show it: which functions are tests, what a called name is bound to."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from awaitest.source.splitter import split_lines
from awaitest.source.text import Position
from benchmarks.corpus import files_of_tests
from benchmarks.detection.names import LIBRARIES, Function, has_coroutine, library_kind, original_name

VERBS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "request", "send", "aclose"})
_MARKS = re.compile(r"\bmark\.(?:asyncio|anyio|trio)\b")
_EXPECTING = re.compile(r"\b(?:raises|warns|suppress|deprecated_call|assertRaises\w*|assertWarns\w*|catch_warnings)\b")
_DECIDING = re.compile(rb"pytest_(?:collection_modifyitems|itemcollected|pyfunc_call|pycollect_makeitem|fixture_setup)")
_AUTO = re.compile(r"(?:asyncio_mode\s*=\s*['\"]?auto|anyio_mode\s*=\s*['\"]?auto)")
_CONFIGS = ("pytest.toml", ".pytest.toml", "pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")


class SuiteFile:
    """One file of tests and what its syntax tells. Raises SyntaxError where it is no Python of today."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.lines = split_lines(self.text)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.tree = ast.parse(self.text)
        self.nodes = list(ast.walk(self.tree))
        self._scopes: dict[int, dict[str, list[ast.AST]]] = {}
        self._words: dict[int, str] = {}
        self._parents = {id(child): node for node in self.nodes for child in ast.iter_child_nodes(node)}

    def start(self, node: ast.expr | ast.stmt | ast.keyword) -> Position:
        return self._position(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt | ast.keyword) -> Position:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._position(node.end_lineno, node.end_col_offset)

    def _position(self, line: int, offset: int) -> Position:
        return Position(line - 1, len(self.lines[line - 1].encode()[:offset].decode()))

    def parent(self, node: ast.AST) -> ast.AST | None:
        return self._parents.get(id(node))

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        parent = self.parent(node)
        while parent is not None:
            yield parent
            parent = self.parent(parent)

    def function_of(self, node: ast.AST) -> Function | None:
        """The innermost function, None also inside a lambda."""
        found = next((it for it in self.above(node) if isinstance(it, Function | ast.Lambda)), None)
        return found if isinstance(found, Function) else None

    def class_of(self, function: Function) -> ast.ClassDef | None:
        parent = self.parent(function)
        return parent if isinstance(parent, ast.ClassDef) else None

    def is_test(self, function: Function) -> bool:
        """A test or method of a test class of the default names, not nested in a function."""
        owner = self.class_of(function)
        if not function.name.startswith("test") or not isinstance(self.parent(function), ast.Module | ast.ClassDef):
            return False
        if re.fullmatch(r"test_.*|.*_test|conftest", self.path.stem) is None:
            return False
        return owner is None or self._is_test_class(owner)

    def _is_test_class(self, owner: ast.ClassDef) -> bool:
        bases = {ast.unparse(base).rpartition(".")[2] for base in owner.bases}
        if bases & {"TestCase", "IsolatedAsyncioTestCase"}:
            return True
        return owner.name.startswith("Test") and not any(
            it.name == "__init__" for it in owner.body if isinstance(it, Function)
        )

    def is_fixture(self, function: Function) -> bool:
        return any(
            ast.unparse(item).partition("(")[0].rpartition(".")[2] == "fixture" for item in function.decorator_list
        )

    def in_async_functions(self, kind: type[ast.AST]) -> Iterator[tuple[Function, ast.AST]]:
        """Nodes whose own function is an async test or fixture."""
        for node in self.nodes:
            if isinstance(node, kind):
                function = self.function_of(node)
                if isinstance(function, ast.AsyncFunctionDef) and (self.is_test(function) or self.is_fixture(function)):
                    yield function, node

    def awaits(self, function: Function) -> bool:
        return any(
            isinstance(node, ast.Await | ast.AsyncWith | ast.AsyncFor) and self.function_of(node) is function
            for node in ast.walk(function)
        )

    def yields(self, function: Function) -> int:
        return sum(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))

    def closes(self, function: Function, name: str) -> bool:
        """Whether a function closes a client by hand, or hands it on."""
        for node in ast.walk(function):
            match node:
                case ast.Attribute(value=ast.Name(id=owner), attr="aclose" | "__aexit__") if owner == name:
                    return True
                case ast.Call(args=args, keywords=keywords):
                    given = [*args, *(it.value for it in keywords)]
                    if any(isinstance(it, ast.Name) and it.id == name for it in given):
                        return True
                case ast.Assign(value=ast.Name(id=owner)) | ast.Return(value=ast.Name(id=owner)) if owner == name:
                    return True
        return False

    def is_expected(self, node: ast.AST) -> bool:
        """Whether a failure is expected around a node, or caught."""
        for part in (node, *self.above(node)):
            if isinstance(part, ast.Try) or (
                isinstance(part, ast.With | ast.AsyncWith)
                and part is not node
                and _EXPECTING.search(self._unparsed(part))
            ):
                return True
            if isinstance(part, Function) and any("xfail" in self._unparsed(item) for item in part.decorator_list):
                return True
        return False

    def _unparsed(self, node: ast.AST) -> str:
        if id(node) not in self._words:
            parts = [item.context_expr for item in node.items] if isinstance(node, ast.With | ast.AsyncWith) else [node]
            self._words[id(node)] = " ".join(ast.unparse(part) for part in parts)
        return self._words[id(node)]

    @staticmethod
    def is_async_mark(node: ast.expr) -> bool:
        return _MARKS.search(ast.unparse(node)) is not None

    def class_is_marked(self, function: Function) -> bool:
        """Whether the class of a test is marked, or may inherit a mark."""
        owner = self.class_of(function)
        return owner is not None and (
            bool(owner.bases)
            or any(self.is_async_mark(item) for item in owner.decorator_list)
            or any(isinstance(it, ast.Assign) and "pytestmark" in ast.unparse(it) for it in owner.body)
        )

    @cached_property
    def pytestmark(self) -> ast.stmt | None:
        return next(
            (
                it
                for it in self.tree.body
                if isinstance(it, ast.Assign | ast.AnnAssign) and ast.unparse(it).startswith("pytestmark")
            ),
            None,
        )

    def imports(self, module: str) -> bool:
        return any(
            isinstance(it, ast.Import) and any(name.name == module for name in it.names) for it in self.tree.body
        )

    def binding(self, function: Function | None, name: str) -> ast.AST | None:
        """The one thing that binds a name, as a function sees it: a definition, an import, or what assigns it."""
        inner = [it for it in (function, *self.above(function)) if isinstance(it, Function)] if function else []
        for scope in (*inner, self.tree):
            found = self._bound_in(scope).get(name)
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def _bound_in(self, scope: ast.AST) -> dict[str, list[ast.AST]]:
        if id(scope) not in self._scopes:
            table = self._scopes[id(scope)] = {}
            for name, node in self._bindings(scope):
                table.setdefault(name, []).append(node)
        return self._scopes[id(scope)]

    def _bindings(self, scope: ast.AST) -> Iterator[tuple[str, ast.AST]]:
        if isinstance(scope, Function):
            yield from ((it.arg, scope) for it in _parameters(scope))
        pending = list(ast.iter_child_nodes(scope))
        while pending:
            node = pending.pop()
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    yield name, node
                    continue
                case ast.Lambda():
                    continue
                case ast.Import(names=names) | ast.ImportFrom(names=names):
                    yield from ((it.asname or it.name.partition(".")[0], node) for it in names)
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                    yield name, next((it for it in self.above(node) if isinstance(it, ast.stmt)), node)
                case ast.Global(names=words) | ast.Nonlocal(names=words):
                    yield from ((name, node) for name in words)
            pending.extend(ast.iter_child_nodes(node))


def _parameters(function: Function) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


class Suite:
    """The tests of one package. Raises SyntaxError nowhere: files that are no Python are left out."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: dict[Path, SuiteFile] = {}
        for path in files_of_tests(root):
            self._load(path)
        configs = [root / name for name in _CONFIGS if (root / name).is_file()]
        texts = [path.read_text(encoding="utf-8") for path in configs]
        hooks = any(_DECIDING.search(path.read_bytes()) for path in root.rglob("conftest.py"))
        self.is_auto = hooks or any(_AUTO.search(text) for text in texts)
        self.uses_anyio = any("mark.anyio" in file.text for file in self.files.values())
        self._others: dict[Path, SuiteFile | None] = {}
        self._clients: dict[tuple[Path, int, str], bool] = {}

    def _load(self, path: Path) -> None:
        try:
            self.files[path] = SuiteFile(path)
        except (SyntaxError, ValueError):
            return

    def _file(self, path: Path) -> SuiteFile | None:
        if path in self.files:
            return self.files[path]
        if path not in self._others:
            try:
                self._others[path] = SuiteFile(path) if path.is_file() else None
            except (SyntaxError, ValueError):
                self._others[path] = None
        return self._others[path]

    def callee(self, file: SuiteFile, function: Function, value: ast.expr) -> str | None:
        """The class of what an await waits for; None where dropping the await is no mistake, or none by itself."""
        awaited = file.parent(value)
        holder = file.parent(awaited) if awaited is not None else None
        if isinstance(holder, ast.keyword | ast.Starred) or (
            isinstance(holder, ast.Call) and awaited is not holder.func
        ):
            return "an argument of a call"
        if not isinstance(value, ast.Call):
            return "other"
        match value.func:
            case ast.Name(id=name):
                return self._kind_of(file, file.binding(function, name), name) or "other"
            case ast.Attribute(value=ast.Name(id=name), attr=attr):
                return self._method(file, function, name, attr) or "other"
        return "other"

    def _method(self, file: SuiteFile, function: Function, name: str, attr: str) -> str | None:
        owner = file.class_of(function)
        if name == "self" and owner is not None:
            return "method" if has_coroutine(owner, attr) else None
        bound = file.binding(function, name)
        if attr in VERBS and self.is_client(file, function, name):
            return "client"
        match bound:
            case ast.Import() | ast.ImportFrom():
                return self._kind_of_member(file, bound, name, attr)
            case ast.Assign(value=ast.Call(func=ast.Name(id=made))):
                cls = self._class(file, file.binding(function, made), made)
                return "method" if cls is not None and has_coroutine(cls, attr) else None
        return None

    def _class(self, file: SuiteFile, bound: ast.AST | None, name: str) -> ast.ClassDef | None:
        if isinstance(bound, ast.ImportFrom):
            bound = self._imported(file, bound, name)
        return bound if isinstance(bound, ast.ClassDef) and not bound.decorator_list else None

    def _kind_of(self, file: SuiteFile, bound: ast.AST | None, name: str) -> str | None:
        """Of a function by its name: local, imported, stdlib or third party, where it certainly is a coroutine function."""
        match bound:
            case ast.AsyncFunctionDef(decorator_list=[]) if file.yields(bound) == 0:
                return "local" if name == bound.name else None
            case ast.ImportFrom(module=str(module), level=0) if module.partition(".")[0] in LIBRARIES:
                return library_kind(module, original_name(bound, name))
            case ast.ImportFrom():
                found = self._imported(file, bound, name)
                if isinstance(found, ast.AsyncFunctionDef) and not found.decorator_list and file.yields(found) == 0:
                    return "imported"
        return None

    def _kind_of_member(self, file: SuiteFile, bound: ast.Import | ast.ImportFrom, name: str, attr: str) -> str | None:
        names = {it.asname or it.name: it.name for it in bound.names}
        if isinstance(bound, ast.Import):
            module = names.get(name, "")
            return library_kind(module, attr) if module.partition(".")[0] in LIBRARIES else None
        source = f"{bound.module}.{names.get(name, name)}" if bound.module else names.get(name, name)
        for place in self._places(file, source, bound.level):
            other = self._file(place)
            found = other.binding(None, attr) if other is not None else None
            if isinstance(found, ast.AsyncFunctionDef) and not found.decorator_list and file.yields(found) == 0:
                return "imported"
        return None

    def _imported(self, file: SuiteFile, bound: ast.ImportFrom, name: str) -> ast.AST | None:
        original = original_name(bound, name)
        for place in self._places(file, bound.module or "", bound.level):
            other = self._file(place)
            if other is not None:
                return other.binding(None, original)
        return None

    def _places(self, file: SuiteFile, module: str, level: int) -> Iterator[Path]:
        parts = module.split(".") if module else []
        roots = [file.path.parents[level - 1]] if level else [self.root, self.root / "src", file.path.parent]
        for root in roots:
            place = root.joinpath(*parts)
            yield place.with_suffix(".py") if parts else place / "__init__.py"
            yield place / "__init__.py"

    def is_client_call(self, file: SuiteFile, call: ast.Call) -> bool:
        match call.func:
            case ast.Name(id=name):
                bound = file.binding(file.function_of(call), name)
                return (
                    isinstance(bound, ast.ImportFrom)
                    and bound.module in ("httpx", "httpx2")
                    and original_name(bound, name) == "AsyncClient"
                )
            case ast.Attribute(value=ast.Name(id="httpx" | "httpx2" as name), attr="AsyncClient"):
                return isinstance(file.binding(file.function_of(call), name), ast.Import)
        return False

    def is_client(self, file: SuiteFile, function: Function, name: str) -> bool:
        """Whether a name is bound to an AsyncClient by `async with`, or asks a fixture that opens one."""
        key = file.path, id(function), name
        if key not in self._clients:
            self._clients[key] = self._is_client(file, function, name)
        return self._clients[key]

    def _is_client(self, file: SuiteFile, function: Function, name: str) -> bool:
        bound = file.binding(function, name)
        if isinstance(bound, ast.AsyncWith):
            return any(
                isinstance(it.optional_vars, ast.Name) and it.optional_vars.id == name
                and isinstance(it.context_expr, ast.Call) and self.is_client_call(file, it.context_expr)
                for it in bound.items
            )  # fmt: skip
        if bound is not function or file.class_of(function) is not None:
            return False
        chain = [
            file,
            *(self._file(folder / "conftest.py") for folder in file.path.parents if folder.is_relative_to(self.root)),
        ]
        for other in chain:
            fixture = other.binding(None, name) if other is not None else None
            if isinstance(fixture, Function) and other is not None and other.is_fixture(fixture):
                return any(
                    isinstance(it, ast.AsyncWith) and len(it.items) == 1 and isinstance(it.items[0].context_expr, ast.Call)
                    and self.is_client_call(other, it.items[0].context_expr)
                    and [ast.unparse(part) for part in it.body] == [f"yield {ast.unparse(it.items[0].optional_vars or it)}"]
                    for it in ast.walk(fixture)
                )  # fmt: skip
        return False

    def is_response(self, file: SuiteFile, function: Function, name: str) -> bool:
        match file.binding(function, name):
            case ast.Assign(value=ast.Await(value=ast.Call(func=ast.Attribute(value=ast.Name(id=client), attr=verb)))):
                return verb in VERBS - {"aclose"} and self.is_client(file, function, client)
        return False

    def sends_relative(self, file: SuiteFile, call: ast.Call) -> bool:
        """Whether a client of httpx over ASGITransport certainly gets a request without a host."""
        block = next((it for it in file.above(call) if isinstance(it, ast.AsyncWith)), None)
        over_app = any(it.arg == "transport" and "ASGITransport(" in ast.unparse(it.value) for it in call.keywords)
        if block is None or len(block.items) != 1 or block.items[0].context_expr is not call or not over_app:
            return False
        target = block.items[0].optional_vars
        if "httpx2" in file.text or not isinstance(target, ast.Name):
            return False
        for node in ast.walk(block):
            match node:
                case ast.Await(
                    value=ast.Call(
                        func=ast.Attribute(value=ast.Name(id=owner), attr="get" | "post" | "put" | "delete" | "patch"),
                        args=[ast.Constant(value=str(url)), *_],
                    )
                ) if owner == target.id and url.startswith("/"):
                    return file.function_of(node) is file.function_of(call)
        return False
