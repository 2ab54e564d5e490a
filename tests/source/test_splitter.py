from __future__ import annotations

import pytest

from awaitest.source.splitter import indentation, pieces, split_lines

CASES = {
    "decorators belong to what follows": ("@a\n@b(\n1)\ndef f(): pass\nx\n", "statement 0-4, statement 4-5"),
    "decorator without function": ("@a\nx = 1\n", "statement 0-1, statement 1-2"),
    "comments and blanks belong to what is before": ("# a\n\nx\n# b\n\ny\n", "statement 0-5, statement 5-6"),
    "continuations": ("try:\n a\nexcept X:\n b\nelse:\n c\nfinally:\n d\ny\n", "statement 0-8, statement 8-9"),
    "backslash": ("x = 1 + \\\n2\ny\n", "statement 0-2, statement 2-3"),
    "brackets": ("x = (\n1,\n)\ny\n", "statement 0-3, statement 3-4"),
    "operator at the margin": ("x = (a\n@ b\n@c)\ny\n", "statement 0-3, statement 3-4"),
    "def ends a bracket": ("x = (\ndef f(): pass\n", "statement 0-1, statement 1-2"),
    "decorators end a bracket": ("x = (\n@a\n@b\ndef f(): pass\n", "statement 0-1, statement 1-4"),
    "import ends a bracket": ("x = foo(\nimport a\n", "statement 0-1, statement 1-2"),
    "half-typed decorator keeps its function": ("@a(\ndef f(): pass\ny\n", "statement 0-2, statement 2-3"),
    "def ends a backslash": ("x = \\\ndef f(): pass\n", "statement 0-1, statement 1-2"),
    "triple quote to the end": ("x = '''\ndef f(): pass\n", "statement 0-2"),
    "triple quote": ("x = '''\ndef f():\n'''\ny\n", "statement 0-3, statement 3-4"),
    "unclosed quote ends with its line": ("x = 'a\ny = 2\n", "statement 0-1, statement 1-2"),
    "quote goes on behind a backslash": ("x = 'a\\\ny'\nz\n", "statement 0-2, statement 2-3"),
    "raw string": ("x = r'\\'\ny'\nz\n", "statement 0-1, statement 1-2, statement 2-3"),
    "hash in string": ("x = '#('\ny\n", "statement 0-1, statement 1-2"),
    "bracket in comment": ("x  # (\ny\n", "statement 0-1, statement 1-2"),
    "f-string with equal quotes": ('x = f"{a["("]}"\ny\n', "statement 0-1, statement 1-2"),
    "f-string specification": ("x = f'{a:\"^{w}}'\ny\n", "statement 0-1, statement 1-2"),
    "f-string over lines": ('x = f"{\na}"\ny\n', "statement 0-2, statement 2-3"),
    "f-string unclosed": ('x = f"{a\ny = 1\ndef f(): pass\n', "statement 0-2, statement 2-3"),
    "f-string unclosed after field": ('x = f"{a"\ny\n', "statement 0-1, statement 1-2"),
    "word that ends in f is no prefix": ('x = a if"{" else b\ny\n', "statement 0-1, statement 1-2"),
    "triple f-string": ('x = f"""{a}\n{{\n"""\ny\n', "statement 0-3, statement 3-4"),
    "form feed": ("x\n\fdef f():\n  a\n", "statement 0-1, statement 1-3"),
    "carriage returns": ("x\ry\rdef f():\r a\r", "statement 0-1, statement 1-2, statement 2-4"),
    "windows": ("if a:\r\n b\r\nelse:\r\n c\r\ny", "statement 0-4, statement 4-5"),
    "byte order mark": ("\ufeffx\ny", "statement 0-1, statement 1-2"),
    "match": ("match x:\n    case 1:\n        a\ny\n", "statement 0-3, statement 3-4"),
    "class": (
        "class A:\n    '''doc'''\n    x = 1\n\n    @a\n    def m(self): pass\n    y = 2\n    class B: pass\nz\n",
        "class 0-1, rest 1-4, member 4-6, rest 6-7, member 7-8, statement 8-9",
    ),
    "class with tabs": (
        "class A:\n\tdef m(self):\n\t\tx\n\tasync def n(self): pass\n",
        "class 0-1, member 1-3, member 3-4",
    ),
    "conditional method": ("class A:\n  if X:\n    def m(self): pass\n  else:\n    x\n", "class 0-1, rest 1-5"),
    "one-line class": ("class A: pass\nx\n", "class 0-1, statement 1-2"),
    "open header": ("class A(B\n    def m(self): pass\nx\n", "class 0-1, member 1-2, statement 2-3"),
    "header over lines": ("@a\nclass A(\n    B,\n):\n    def m(self): pass\n", "class 0-4, member 4-5"),
    "open bracket in a method": (
        "class A:\n  def m(self):\n    f(\n  def n(self): pass\nx\n",
        "class 0-1, member 1-3, member 3-4, statement 4-5",
    ),
    "class ends an open bracket": ("class A:\n  x = (\ndef f(): pass\n", "class 0-1, rest 1-2, statement 2-3"),
    "surrogate and NUL": ("x = '\ud800'\n\0\ny\n", "statement 0-1, statement 1-2, statement 2-3"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES.keys())
def test_pieces(text: str, expected: str) -> None:
    found = pieces(split_lines(text))
    assert ", ".join(f"{piece.kind.value} {piece.start}-{piece.end}" for piece in found) == expected


def test_lines_break_only_where_editors_break() -> None:
    text = "a\n\fb\x0bc\u2028d\r\ne\rf\x1cg"
    assert split_lines(text) == ["a\n", "\fb\x0bc\u2028d\r\n", "e\r", "f\x1cg"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [("x", 0), ("  x", 2), ("\tx", 8), ("  \tx", 8), ("  \fx", 0), ("  # c", -1), ("\n", -1), ("", -1), ("\ufeffx", 0)],
)
def test_indentation(line: str, expected: int) -> None:
    assert indentation(line) == expected
