"""Whatever was typed, a document equals a fresh one of the same text."""

from __future__ import annotations

import ast
import os

from hypothesis import given, settings
from hypothesis import strategies as st

from awaitest.source.document import Document
from awaitest.source.text import Edit, Position, Span, apply

SNIPPETS = [
    "", " ", "    ", "\t", "\n", "\r", "\r\n", "\f", "'", '"', "'''", '"""', "(", ")", "[", "]", "{", "}", "\\", "\\\n", "#",
    ":", "@", "@dec\n", "    @dec(\n", "@a(\n", "def ", "def f():\n", "def f():\n    x = 1\n", "    def m(self):\n        y\n",
    "async def g(a,\n", "class ", "class A:\n", "class B(C):\n    x = 1\n\n    def m(self): pass\n", "else:\n", "    else:\n",
    "except A, B:\n", "import a\n", "return", "with x as y:\n", "if 1:\n", "x = 1\n", "    z = 2\n", "  w = 3\n", "f'{", 'f"{a["b"]}"',
    "}'", 'f"""{', "match x:\n", "    case 1:\n", "type X = int\n", "é", "😀", "\0", "\ud800", "\ufeff", "pass\n", "; ", "= (\n",
]  # fmt: skip
TEXTS = [
    "",
    "import a\n\n\n@dec\nasync def test_x(client):\n    r = await client.get('/')\n    assert r\n\n\nx = (\n    1,\n)\n",
    (
        'class A(B):\n    """Doc."""\n\n    a = 1\n\n    @dec\n    def m(self):\n        return f"{self.a!r:>{1}}"\n'
        "    b = 2\n\n    class C:\n        pass\n\n    async def n(self):\n        pass\n\n\ny = 2\n"
    ),
    "def f():\r\n    '''x\r\n    '''\r\nif a:\r\n    b\r\nelse:\r\n    c\r\n",
    "@a(\n    1,\n)\n@b\nclass D:\n\tdef m(self):\n\t\tpass\n\n\tdef n(self):\n\t\tpass\n",
]

edits = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 60), st.booleans(), st.lists(st.sampled_from(SNIPPETS), max_size=3)),
    min_size=1,
    max_size=8,
)


def state(document: Document) -> list[object]:
    seen: list[object] = [document.lines]
    for segment in document.segments:
        bodies = [ast.dump(statement) for statement in segment.body]
        places = [document_span(document, statement) for statement in segment.body]
        problems = [(problem.line, problem.column, problem.message, problem.needs) for problem in segment.problems]
        owner = segment.owner and (segment.owner.kind, segment.owner.line)
        seen.append((segment.kind, segment.line, segment.text, owner, len(segment.members), bodies, places, problems))
    seen += [(ast.dump(statement), document_span(document, statement)) for statement in document.module()]
    seen += [document.segment_at(line) in document.segments for line in range(len(document.lines) + 1)]
    return seen


def document_span(document: Document, statement: ast.stmt) -> Span:
    return document.segment_of(statement).span(statement)


def place(lines: list[str], offset: int) -> Position:
    """A place that does not split a line ending."""
    for number, line in enumerate(lines):
        content = len(line.rstrip("\r\n"))
        if offset <= content:
            return Position(number, offset)
        if offset < len(line):
            return Position(number, content)
        offset -= len(line)
    if lines and not lines[-1].endswith(("\n", "\r")):
        return Position(len(lines) - 1, len(lines[-1]))
    return Position(len(lines), 0)


@settings(max_examples=int(os.environ.get("EXAMPLES", "400")), deadline=None)
@given(st.sampled_from(TEXTS), edits)
def test_edited_document_equals_fresh_one(text: str, changes: list[tuple[float, int, bool, list[str]]]) -> None:
    document = Document(text)
    for where, length, inserts, snippets in changes:
        begin = int(where * len(document.text))
        start = place(document.lines, begin)
        end = start if inserts else place(document.lines, begin + length)
        edit = Edit(Span(start, max(start, end)), "".join(snippets))
        expected = apply(document.lines, [edit])
        document.edit(edit.span, edit.text)
        assert document.text == expected
        assert state(document) == state(Document(expected))
