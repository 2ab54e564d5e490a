"""Whether two texts are the same program: node by node, or but for a spelling that means the same for a kind of mistake."""

from __future__ import annotations

import ast
import re
import warnings

_MARK = re.compile(r"(?:pytest\.)?mark\.(?:asyncio|anyio)")


def parse(text: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except SyntaxError:
            return None


def same(text: str, original: str) -> bool:
    """Whether two texts are the same program, the order of imports aside."""
    after, before = parse(text), parse(original)
    return after is not None and before is not None and _normal(after) == _normal(before)


def equal(text: str, original: str, kind: str) -> bool:
    """Whether they are the same but for what the mistake itself leaves open: on which of test, class and module a marker stands, how
    a transport is written, which host a base URL names, whether a block also holds what comes after the last use of the client and
    waits for nothing."""
    after, before = parse(text), parse(original)
    spelling = next((it for begin, it in _SPELLINGS.items() if kind.startswith(begin)), None)
    if after is None or before is None or spelling is None:
        return False
    return _normal(spelling().visit(after)) == _normal(spelling().visit(before))


def _normal(tree: ast.Module) -> str:
    imports = sorted(ast.dump(it) for it in tree.body if isinstance(it, ast.Import | ast.ImportFrom))
    rest = [ast.dump(it) for it in tree.body if not isinstance(it, ast.Import | ast.ImportFrom)]
    return "\n".join([*imports, *rest])


class _WithoutMarks(ast.NodeTransformer):
    """Takes the async marks from where they stand, and keeps which ones there are."""

    def visit_Module(self, node: ast.Module) -> ast.AST:
        marks = sorted({ast.unparse(it) for it in ast.walk(node) if isinstance(it, ast.expr) and _is_mark(it)})
        self.generic_visit(node)
        node.body.append(ast.Expr(ast.Constant("\n".join(marks))))
        return node

    def visit(self, node: ast.AST) -> ast.AST | None:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            held = node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]
            rest = [it for it in held if not _is_mark(it)]
            return ast.Assign(node.targets, ast.List(rest, ast.Load())) if rest else None
        decorators = getattr(node, "decorator_list", None)
        if decorators:
            decorators[:] = [it for it in decorators if not _is_mark(it)]
        kept: ast.AST | None = super().visit(node)
        return kept


def _is_mark(node: ast.expr) -> bool:
    return _MARK.fullmatch(ast.unparse(node.func if isinstance(node, ast.Call) else node)) is not None


class _OneTransport(ast.NodeTransformer):
    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        node.names = [it for it in node.names if it.name != "ASGITransport"]
        return node if node.names else None

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if ast.unparse(node.func).rpartition(".")[2] == "ASGITransport":
            node.func = ast.Name("ASGITransport", ast.Load())
            node.keywords = [*(ast.keyword("app", it) for it in node.args), *node.keywords]
            node.args = []
        return self.generic_visit(node)


class _OneHost(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.AST:
        hosts = [it for it in node.keywords if it.arg == "base_url" and isinstance(it.value, ast.Constant)]
        node.keywords = [it for it in node.keywords if it not in hosts]
        node.keywords += [ast.keyword("base_url", ast.Constant("")) for _ in hosts]
        return self.generic_visit(node)


class _OneEnd(ast.NodeTransformer):
    """Lets a block end behind the last statement that uses what it gives or awaits anything."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            if isinstance(body, list):
                body[:] = [it for statement in body for it in _ended(statement)]
        return node


def _ended(statement: ast.stmt) -> list[ast.stmt]:
    if not isinstance(statement, ast.AsyncWith) or len(statement.items) != 1:
        return [statement]
    given = statement.items[0].optional_vars
    behind: list[ast.stmt] = []
    while isinstance(given, ast.Name) and len(statement.body) > 1 and not _needs(statement.body[-1], given.id):
        behind.insert(0, statement.body.pop())
    return [statement, *behind]


def _needs(statement: ast.stmt, name: str) -> bool:
    return any(
        isinstance(part, ast.Await | ast.AsyncWith | ast.AsyncFor | ast.Yield | ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(part, ast.Name) and part.id == name)
        for part in ast.walk(statement)
    )


_SPELLINGS = {
    "marker dropped": _WithoutMarks,
    "ASGITransport turned": _OneTransport,
    "base_url dropped": _OneHost,
    "async with turned": _OneEnd,
}
