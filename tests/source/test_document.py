from __future__ import annotations

import ast
import operator
import sysconfig
from pathlib import Path

import pytest

from awaitest.source.document import Document
from awaitest.source.text import Position, Span

POSITIONS = ("lineno", "col_offset", "end_lineno", "end_col_offset")
TEXT = '''"""Doc."""

@mark
class A(B):
    """Class."""

    x = "é"

    @dec
    async def m(self):
        return "ä", self.x

    y = 2

    class C: pass


def f(): pass; g()
'''


def cut(document: Document, span: Span) -> str:
    lines = document.lines[span.start.line : span.end.line + 1]
    lines[-1] = lines[-1][: span.end.column]
    lines[0] = lines[0][span.start.column :]
    return "".join(lines)


def test_segments() -> None:
    document = Document(TEXT)
    assert [(segment.kind, segment.line, segment.owner and segment.owner.line) for segment in document.segments] == [
        ("statement", 0, None),
        ("class", 2, None),
        ("member", 8, 2),
        ("member", 14, 2),
        ("statement", 17, None),
    ]
    assert document.segments[1].text == '@mark\nclass A(B):\n    """Class."""\n\n    x = "é"\n\n    y = 2\n\n'
    found = [document.segment_at(line) for line in (0, 6, 10, 12, 14, 17, 18, -1)]
    expected: list[int | None] = [0, 1, 2, 1, 3, 4, None, None]
    assert found == [None if index is None else document.segments[index] for index in expected]


def test_spans_in_code_points() -> None:
    document = Document(TEXT)
    _, class_, function = document.module()
    assert isinstance(class_, ast.ClassDef)
    assert isinstance(function, ast.FunctionDef)
    home = document.segment_of(class_)
    assert home.span(class_) == Span.of(3, 0, 14, 17)
    assert cut(document, home.name_span(class_)) == "A"
    method = class_.body[2]
    assert isinstance(method, ast.AsyncFunctionDef)
    assert cut(document, document.segment_of(method).name_span(method)) == "m"
    returned = method.body[0]
    assert isinstance(returned, ast.Return)
    assert isinstance(returned.value, ast.Tuple)
    assert document.segment_of(method).span(returned.value.elts[1]) == Span.of(10, 20, 10, 26)
    assert cut(document, document.segment_of(class_.body[3]).span(class_.body[3])) == "y = 2"
    assert cut(document, document.segment_of(function).name_span(function)) == "f"


def test_name_behind_a_backslash() -> None:
    document = Document("x\nasync \\\n  def \\\n  f(): pass\n")
    function = document.module()[-1]
    assert isinstance(function, ast.AsyncFunctionDef)
    assert document.segment_of(function).name_span(function) == Span.of(3, 2, 3, 3)


def test_byte_order_mark_keeps_columns() -> None:
    document = Document("\ufeffx = é\n")
    (statement,) = document.module()
    assert isinstance(statement, ast.Assign)
    assert document.segment_of(statement).span(statement.value) == Span.of(0, 5, 0, 6)


def test_edit_keeps_other_segments() -> None:
    document = Document(TEXT)
    before = document.segments
    bodies = [segment.body for segment in before]
    document.edit(Span.of(10, 8, 10, 8), "z\n        ")
    after = document.segments
    assert [new is old for new, old in zip(after, before, strict=True)] == [True, True, False, True, True]
    assert [segment.body is body for segment, body in zip(after, bodies, strict=True)] == [
        True,
        True,
        False,
        True,
        True,
    ]
    assert [segment.line for segment in after] == [0, 2, 8, 15, 18]
    assert document.module()[1] is not before[1].body[0]


@pytest.mark.parametrize(
    ("text", "span", "new", "expected"),
    [
        ("", Span.of(0, 0, 0, 0), "a\n", "a\n"),
        ("a", Span.of(1, 0, 1, 0), "b", "ab"),
        ("a\n", Span.of(1, 0, 1, 0), "b", "a\nb"),
        ("a\nb\n", Span.of(0, 9, 0, 9), "c", "ac\nb\n"),
        ("a\r\nb", Span.of(0, 1, 1, 0), "", "ab"),
        ("a\rb", Span.of(1, 0, 1, 0), "\n", "a\r\nb"),
        ("a\nb\nc", Span.of(0, 0, 9, 9), "", ""),
    ],
)
def test_edit_at_the_borders(text: str, span: Span, new: str, expected: str) -> None:
    document = Document(text)
    document.edit(span, new)
    assert document.text == expected
    assert document.lines == Document(expected).lines


@pytest.mark.parametrize(
    ("text", "expected"), [("", "\n"), ("a", "\n"), ("a\r\nb\r\nc\n", "\r\n"), ("a\rb\r", "\r"), ("a\nb\r\nc\n", "\n")]
)
def test_newline(text: str, expected: str) -> None:
    assert Document(text).newline == expected


def library_files() -> list[Path]:
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("[a-z]*.py"))
    return files[:: max(len(files) // 60, 1)]


def test_module_equals_the_whole_parse() -> None:
    files = library_files()
    assert len(files) >= 50
    for path in files:
        text = path.read_bytes().decode("utf-8", "replace")
        document = Document(text)
        tree = ast.parse(text)
        assert document.problems == []
        assert [ast.dump(statement) for statement in document.module()] == [
            ast.dump(statement) for statement in tree.body
        ]
        for whole, own in zip(tree.body, document.module(), strict=True):
            compare(document, whole, own, top=True)


def compare(document: Document, whole: ast.stmt, own: ast.stmt, top: bool = False) -> None:
    home = document.segment_of(own)
    if top and isinstance(own, ast.ClassDef) and isinstance(whole, ast.ClassDef):
        assert home.span(own) == place(document, whole)
        for child, own_child in zip(whole.body, own.body, strict=True):
            compare(document, child, own_child)
        return
    for node, own_node in zip(ast.walk(whole), ast.walk(own), strict=True):
        if hasattr(node, "lineno"):
            assert home.span(own_node) == place(document, node)


def place(document: Document, node: ast.AST) -> Span:
    def position(lineno: int, column: int) -> Position:
        line = document.lines[lineno - 1] if lineno <= len(document.lines) else ""
        return Position(lineno - 1, len(line.encode()[:column].decode("utf-8", "replace")))

    lineno, column, end_lineno, end_column = operator.attrgetter(*POSITIONS)(node)
    return Span(position(lineno, column), position(end_lineno, end_column))


def test_edit_that_moves_the_body_of_a_class_reads_its_members_again() -> None:
    document = Document("class A:\n      x\n      def m(self): pass\n    def n(self): pass\n    def o(self): pass\n")
    assert [segment.kind for segment in document.segments] == ["class", "member"]
    document.edit(Span.of(1, 0, 1, 2), "")
    assert [(segment.kind, segment.line) for segment in document.segments] == [
        ("class", 0),
        ("member", 3),
        ("member", 4),
    ]
