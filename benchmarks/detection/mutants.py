"""Known mistakes to plant in a file of tests: one at a time, each with the codes that should tell of it.

What is planted is decided by syntax and by names alone, not by what the engine of awaitest knows."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from awaitest.source.splitter import split_lines
from awaitest.source.text import Edit, Position, Span, apply
from benchmarks.detection.suite import Suite, SuiteFile

TESTCASE = "IsolatedAsyncioTestCase"


@dataclass(frozen=True)
class Mutant:
    """One mistake: `kind` names its class, `codes` are the rules that may tell of it, `line` counts from 1."""

    path: Path
    kind: str
    codes: frozenset[str]
    line: int
    edits: tuple[Edit, ...]

    def text(self, original: str) -> str:
        """The file with the mistake in it. Raises SyntaxError where that is no Python; what `await` becomes is excepted."""
        return apply(split_lines(original), self.edits)


Planter = Callable[[Suite, SuiteFile], Iterator[Mutant]]


def mutants(suite: Suite, file: SuiteFile) -> Iterator[Mutant]:
    """Every mistake that can be planted in a file, in the order of its text."""
    found = [mutant for planter in PLANTERS for mutant in planter(suite, file)]
    yield from sorted(found, key=lambda mutant: (mutant.line, mutant.kind, mutant.edits))


def _mutant(file: SuiteFile, kind: str, codes: str, node: ast.AST, *edits: Edit) -> Mutant:
    return Mutant(file.path, kind, frozenset(codes.split()), getattr(node, "lineno", 1), edits)


def _cut(start: Position, end: Position, text: str = "") -> Edit:
    return Edit(Span(start, end), text)


def _awaits(suite: Suite, file: SuiteFile) -> Iterator[Mutant]:
    for function, node in file.in_async_functions(ast.Await):
        assert isinstance(node, ast.Await)
        kind = suite.callee(file, function, node.value)
        if file.is_expected(node) or kind is None:
            continue
        start, value = file.start(node), file.start(node.value)
        if value.line == start.line:
            yield _mutant(
                file, f"await dropped: {kind}", "AWT101 AWT102 AWT104 AWT107 AWT121", node, _cut(start, value)
            )


def _await_added(suite: Suite, file: SuiteFile) -> Iterator[Mutant]:
    for function, node in file.in_async_functions(ast.Call):
        if file.is_expected(node) or isinstance(file.parent(node), ast.Await | ast.Attribute):
            continue
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="json"), args=[], keywords=[]):
                if suite.is_response(file, function, name):
                    place = file.start(node)
                    yield _mutant(file, "await added: response.json()", "AWT105", node, _cut(place, place, "await "))


def _async_dropped(_: Suite, file: SuiteFile) -> Iterator[Mutant]:
    for node in file.nodes:
        match node:
            case ast.AsyncFunctionDef() if file.is_test(node) and file.awaits(node):
                yield _mutant(file, "async dropped: def", "AWT106", node, _word(file, node, "async "))
            case ast.AsyncWith() if not file.is_expected(node):
                yield _mutant(file, "async dropped: with", "AWT103", node, _word(file, node, "async "))
            case ast.AsyncFor() if not file.is_expected(node):
                yield _mutant(file, "async dropped: for", "AWT104", node, _word(file, node, "async "))


def _word(file: SuiteFile, node: ast.stmt, word: str) -> Edit:
    start = file.start(node)
    return _cut(start, Position(start.line, start.column + len(word)))


def _marker_dropped(suite: Suite, file: SuiteFile) -> Iterator[Mutant]:
    if suite.is_auto or file.pytestmark is not None:
        return
    for node in file.nodes:
        if isinstance(node, ast.AsyncFunctionDef) and file.is_test(node) and not file.class_is_marked(node):
            marks = [item for item in node.decorator_list if file.is_async_mark(item)]
            if len(marks) == 1:
                yield _mutant(file, "marker dropped: test", "AWT201", node, _lines(marks[0]))


def _pytestmark_dropped(suite: Suite, file: SuiteFile) -> Iterator[Mutant]:
    mark = file.pytestmark
    if suite.is_auto or not isinstance(mark, ast.Assign) or not file.is_async_mark(mark.value):
        return
    tests = [it for it in file.nodes if isinstance(it, ast.AsyncFunctionDef) and file.is_test(it)]
    if any(
        not any(file.is_async_mark(item) for item in it.decorator_list) and not file.class_is_marked(it) for it in tests
    ):
        yield _mutant(file, "marker dropped: module", "AWT201", mark, _lines(mark))


def _lines(node: ast.expr | ast.stmt) -> Edit:
    assert node.end_lineno is not None
    return _cut(Position(node.lineno - 1, 0), Position(node.end_lineno, 0))


def _client_not_entered(suite: Suite, file: SuiteFile) -> Iterator[Mutant]:
    for node in file.nodes:
        match node:
            case ast.AsyncWith(items=[ast.withitem(context_expr=ast.Call() as made, optional_vars=ast.Name(id=name))]):
                function = file.function_of(node)
                if not suite.is_client_call(file, made) or function is None or file.is_expected(node):
                    continue
                edits = _as_assignment(file, node, made, name)
                fixture = file.is_fixture(function)
                if edits and not file.closes(function, name):
                    where = "fixture" if fixture else "test" if file.is_test(function) else "helper"
                    yield _mutant(file, f"async with turned into an assignment: {where}", "AWT301", node, *edits)


def _as_assignment(file: SuiteFile, node: ast.AsyncWith, made: ast.Call, name: str) -> list[Edit]:
    """`name = made` and the block one level up; nothing where lines of a string would move."""
    first, last = node.body[0], node.body[-1]
    assert last.end_lineno is not None
    assert made.end_lineno is not None
    strings = [
        it for it in ast.walk(node) if isinstance(it, ast.Constant | ast.JoinedStr) and it.lineno != it.end_lineno
    ]
    if first.lineno <= made.end_lineno or strings:
        return []
    start, call, end = file.start(node), file.start(made), file.end(made)
    edits = [_cut(start, call, f"{name} = "), _cut(end, Position(end.line, len(file.lines[end.line].rstrip("\r\n"))))]
    step = first.col_offset - node.col_offset
    for number in range(end.line + 1, last.end_lineno):
        if file.lines[number].strip():
            at = Position(number, 0)
            indent = len(file.lines[number]) - len(file.lines[number].lstrip())
            if indent < step:
                return []
            edits.append(_cut(at, Position(number, step)))
    return edits


def _fixture_returns(suite: Suite, file: SuiteFile) -> Iterator[Mutant]:
    for node in file.nodes:
        match node:
            case ast.AsyncWith(
                items=[ast.withitem(context_expr=ast.Call() as made, optional_vars=ast.Name(id=name))],
                body=[ast.Expr(value=ast.Yield(value=ast.Name(id=given)) as gives)],
            ) if given == name and suite.is_client_call(file, made):
                function = file.function_of(node)
                if function is not None and file.is_fixture(function) and file.yields(function) == 1:
                    start = file.start(gives)
                    edit = _cut(start, Position(start.line, start.column + len("yield")), "return")
                    yield _mutant(file, "fixture: yield turned into return", "AWT304", gives, edit)


def _fixture_decorator(suite: Suite, file: SuiteFile) -> Iterator[Mutant]:
    if suite.is_auto or not file.imports("pytest") or suite.uses_anyio:
        return
    for node in file.nodes:
        if not isinstance(node, ast.AsyncFunctionDef):
            continue
        for item in node.decorator_list:
            func = item.func if isinstance(item, ast.Call) else item
            match func:
                case ast.Attribute(value=ast.Name(id="pytest_asyncio") as name, attr="fixture"):
                    if isinstance(item, ast.Call) and any(it.arg == "loop_scope" for it in item.keywords):
                        continue
                    edit = _cut(file.start(name), file.end(name), "pytest")
                    yield _mutant(file, "pytest_asyncio.fixture turned into pytest.fixture", "AWT204", node, edit)


def _arguments(suite: Suite, file: SuiteFile) -> Iterator[Mutant]:
    for node in file.nodes:
        if not isinstance(node, ast.Call) or not suite.is_client_call(file, node) or file.is_expected(node):
            continue
        for keyword in node.keywords:
            match keyword:
                case ast.keyword(arg="transport", value=ast.Call(func=func, args=args, keywords=keywords) as made):
                    given = args[0] if len(args) == 1 and not keywords else None
                    if given is None and not args and len(keywords) == 1 and keywords[0].arg == "app":
                        given = keywords[0].value
                    if given is not None and ast.unparse(func).rpartition(".")[2] == "ASGITransport":
                        text = f"app={ast.get_source_segment(file.text, given)}"
                        edit = _cut(file.start(keyword), file.end(made), text)
                        yield _mutant(file, "ASGITransport turned into app=", "AWT305", keyword, edit)
                case ast.keyword(arg="base_url") if suite.sends_relative(file, node):
                    edits = _without_argument(file, node, keyword)
                    if edits:
                        yield _mutant(file, "base_url dropped", "AWT306", node, *edits)


def _without_argument(file: SuiteFile, call: ast.Call, keyword: ast.keyword) -> list[Edit]:
    everything: list[ast.expr | ast.keyword] = sorted(
        [*call.args, *call.keywords], key=lambda it: (it.lineno, it.col_offset)
    )
    at = everything.index(keyword)
    if at + 1 < len(everything):
        return [_cut(file.start(keyword), file.start(everything[at + 1]))]
    return [_cut(file.end(everything[at - 1]), file.end(keyword))] if at else []


def _testcase(_: Suite, file: SuiteFile) -> Iterator[Mutant]:
    for node in file.nodes:
        if not isinstance(node, ast.ClassDef):
            continue
        for base in node.bases:
            match base:
                case ast.Attribute(value=ast.Name(id="unittest"), attr="IsolatedAsyncioTestCase"):
                    end = file.end(base)
                    edit = _cut(Position(end.line, end.column - len(TESTCASE)), end, "TestCase")
                    if any(isinstance(it, ast.AsyncFunctionDef) and it.name.startswith("test") for it in node.body):
                        yield _mutant(file, "IsolatedAsyncioTestCase turned into TestCase", "AWT202 AWT206", node, edit)


def _loop_scopes(_: Suite, file: SuiteFile) -> Iterator[Mutant]:
    for node in file.nodes:
        if not isinstance(node, ast.AsyncFunctionDef) or not file.is_fixture(node):
            continue
        for item in node.decorator_list:
            if not isinstance(item, ast.Call) or "pytest_asyncio" not in ast.unparse(item.func):
                continue
            scopes = {it.arg: it.value for it in item.keywords}
            if {"scope", "loop_scope"} <= scopes.keys() and ast.unparse(scopes["scope"]) != "'function'":
                place = scopes["loop_scope"]
                edit = _cut(file.start(place), file.end(place), '"function"')
                yield _mutant(file, "loop scopes set apart", "AWT209 AWT213", node, edit)


PLANTERS: tuple[Planter, ...] = (
    _awaits,
    _await_added,
    _async_dropped,
    _marker_dropped,
    _pytestmark_dropped,
    _client_not_entered,
    _fixture_returns,
    _fixture_decorator,
    _arguments,
    _testcase,
    _loop_scopes,
)
