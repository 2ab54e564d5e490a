"""What a function's syntax alone tells. Remembered per node, since the same questions come at every call."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeGuard

from awaitest.engine.world import Definition
from awaitest.source.nodes import children, kept, listed, of_kind, parts_of, spelt

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
DECIDING = (ast.If, ast.Try, ast.For, ast.AsyncFor, ast.While, ast.Match)
"""Statements after which it cannot be told what runs."""
_MAYBE = (ast.IfExp, ast.BoolOp, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
_NAMING = (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)
_YIELDS = (ast.Yield, ast.YieldFrom)
_IDENTITY = (ast.Is, ast.IsNot)


@kept
def generates_asynchronously(node: ast.GeneratorExp) -> bool:
    """Whether a generator expression awaits: in all but its first iterable, which is evaluated outside of it."""
    first, *others = node.generators
    parts = listed([node.elt, *first.ifs, *others], (ast.Lambda, ast.GeneratorExp))
    outside = [part.generators[0].iter for part in parts if isinstance(part, ast.GeneratorExp)]
    return bool(first.is_async) or any(
        isinstance(part, ast.Await) or (isinstance(part, ast.comprehension) and bool(part.is_async))
        for part in (*parts, *listed(outside))
    )


@kept
def generates(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> bool:
    """Whether the function itself, not one nested in it, has a `yield`."""
    return any(isinstance(part, _YIELDS) for part in own_nodes(node))


@kept
def own_nodes(node: ast.AST) -> Sequence[ast.AST]:
    """Nodes of a function's body that are not inside a nested function or class."""
    body = getattr(node, "body", [])
    return listed(body if isinstance(body, list) else [body], SCOPES)


@kept
def asynchronous(node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[ast.AST, ...]:
    """Asynchronous syntax of a function itself, in the order of the text; Python takes it in an `async def` only."""
    found: list[ast.AST] = []
    stack: list[ast.AST] = list(node.body)
    while stack:
        part = stack.pop()
        if isinstance(part, (ast.Await, ast.AsyncWith, ast.AsyncFor)) or getattr(part, "is_async", False):
            found.append(part)
        if isinstance(part, ast.GeneratorExp):
            stack.append(part.generators[0].iter)
        elif not isinstance(part, SCOPES):
            stack.extend(reversed(list(children(part))))
    return tuple(found)


def awaits(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function uses asynchronous syntax itself: in a plain `def` a mistake that will make it async."""
    return bool(asynchronous(node))


def stores_on_self(node: ast.AST) -> TypeGuard[ast.Attribute]:
    """Whether this is `self.x` where it is assigned."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )


def assigning(body: Iterable[ast.stmt], name: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The methods in the body of a class that assign an attribute of this name on `self`."""
    return [method for method in body if isinstance(method, Definition) and name in assigned(method)]


@kept
def assigned(method: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    """The attributes that a method assigns on `self`."""
    return frozenset(part.attr for part in of_kind(method, ast.Attribute) if stores_on_self(part))


def declarations(method: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> list[ast.expr]:
    """What a method declares the attribute of this name on `self` to be."""
    parts = of_kind(method, ast.AnnAssign)
    return [part.annotation for part in parts if stores_on_self(part.target) and part.target.attr == name]


@kept
def own_names(node: ast.AST) -> frozenset[str]:
    """Names that a function binds itself."""
    return _bound_by(own_nodes(node))


def bound_names(body: Sequence[ast.AST]) -> frozenset[str]:
    """Names that statements bind where they stand."""
    return _bound_by(listed(body, SCOPES))


def _bound_by(parts: Iterable[ast.AST]) -> frozenset[str]:
    names: set[str] = set()
    for part in parts:
        if isinstance(part, ast.Name):
            if isinstance(part.ctx, ast.Store):
                names.add(part.id)
        elif isinstance(part, _NAMED):
            names.add(part.name)
            names |= bound_names(part.decorator_list)
        elif isinstance(part, _IMPORTS):
            names.update((alias.asname or alias.name).partition(".")[0] for alias in part.names)
        elif isinstance(part, _NAMING) and part.name:
            names.add(part.name)
        elif isinstance(part, ast.MatchMapping) and part.rest:
            names.add(part.rest)
    return frozenset(names)


def bound_by_statements(node: ast.AST) -> frozenset[str]:
    """Names that a function binds otherwise than by an assignment to them: imports, definitions, patterns and handlers."""
    return _bound_by(part for part in own_nodes(node) if not isinstance(part, ast.Name))


@kept
def free_names(node: ast.AST) -> frozenset[str]:
    """Names that a nested function, lambda or class reads from around it."""
    read = {part.id for part in parts_of(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}
    if isinstance(node, ast.ClassDef):
        return frozenset(read)
    arguments = getattr(node, "args", None)
    own = {part.arg for part in parts_of(arguments) if isinstance(part, ast.arg)} if arguments is not None else set()
    body = getattr(node, "body", [])
    if isinstance(body, list):
        outer = {name for part in parts_of(node) if isinstance(part, (ast.Global, ast.Nonlocal)) for name in part.names}
        own |= bound_names(body) - outer
    return frozenset(read - own)


@kept
def first_use(node: ast.AST, name: str) -> ast.Attribute | ast.Subscript | ast.For | ast.comprehension | None:
    """The first use of a parameter, where reading attributes and items and looping is all that a function does with it."""
    own = list(own_nodes(node))
    uses = [part for part in own if isinstance(part, ast.Name) and part.id == name]
    read = [part for part in own if isinstance(part, (ast.Attribute, ast.Subscript)) and isinstance(part.ctx, ast.Load)]
    loops = [
        part for part in own if isinstance(part, ast.For) or (isinstance(part, ast.comprehension) and not part.is_async)
    ]
    by_use = {id(part.value): part for part in read} | {id(part.iter): part for part in loops}
    found = [by_use.get(id(use)) for use in uses]
    nested = any(name in free_names(part) for part in own if isinstance(part, SCOPES))
    if not found or None in found or nested:
        return None
    first = by_use[id(min(uses, key=lambda use: (use.lineno, use.col_offset)))]
    return None if isinstance(first, ast.Attribute) and first.attr in INSPECTED else first


@kept
def read_through(node: ast.AST, name: str) -> frozenset[str]:
    """The attributes by which a nested function reads a name from around it; empty where it does anything else with it."""
    parts = list(parts_of(node))
    uses = {id(part) for part in parts if isinstance(part, ast.Name) and part.id == name}
    reads = [part for part in parts if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Load)]
    through = {id(part.value): part.attr for part in reads if id(part.value) in uses}
    return frozenset(through.values()) if through.keys() == uses else frozenset()


INSPECTED = frozenset(
    {"close", "send", "throw", "cr_await", "cr_frame", "cr_running", "cr_code", "cr_origin", "__await__", "__class__", "__name__", "__qualname__", "__iter__"}
)  # fmt: skip
"""Attributes that coroutine objects have themselves."""

OF_FUTURES = frozenset(
    {"cancel", "cancelled", "done", "result", "exception", "add_done_callback", "remove_done_callback", "get_loop", "get_coro", "get_name", "set_name", "get_context", "get_stack", "print_stack", "cancelling", "uncancel", "set_result", "set_exception"}
)  # fmt: skip
"""Attributes of futures and tasks."""


@kept
def shared_names(node: ast.AST) -> frozenset[str]:
    """Names of a function that it, or functions nested in it, declare `nonlocal` or `global`."""
    inside = (part for own in own_nodes(node) for part in (parts_of(own) if isinstance(own, SCOPES) else (own,)))
    return frozenset(name for part in inside if isinstance(part, ast.Nonlocal | ast.Global) for name in part.names)


@kept
def passed_through(node: ast.AST) -> tuple[str, ...]:
    """Names of the methods of `self` whose result a method gives back as it is: `return self.send(…)`."""
    return tuple(
        part.value.func.attr
        for part in own_nodes(node)
        if isinstance(part, ast.Return)
        and isinstance(part.value, ast.Call)
        and isinstance(part.value.func, ast.Attribute)
        and isinstance(part.value.func.value, ast.Name)
        and part.value.func.value.id == "self"
    )


def present_names(test: ast.expr, outcome: bool) -> set[str]:
    """Names that hold something other than None where a test has this outcome."""
    if isinstance(test, ast.Compare):
        if len(test.ops) == 1 and isinstance(test.ops[0], _IDENTITY) and _is_none(test.comparators[0]):
            return present_names(test.left, True) if isinstance(test.ops[0], ast.IsNot) is outcome else set()
    elif isinstance(test, ast.Name):
        return {test.id} if outcome else set()
    elif isinstance(test, ast.NamedExpr):
        return {test.target.id} if outcome else set()
    elif isinstance(test, ast.UnaryOp):
        return present_names(test.operand, not outcome) if isinstance(test.op, ast.Not) else set()
    elif isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) is outcome:
        return set().union(*(present_names(value, outcome) for value in test.values))
    return set()


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def gives_self(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a method declares that it gives its own object, or one of its class: `Self`, or the type variable that stands at `self`
    or, in `type[…]`, at `cls`."""
    returned = getattr(node.returns, "id", None) or getattr(node.returns, "value", None)
    first = (node.args.posonlyargs + node.args.args)[:1]
    own = first[0].annotation if first else None
    own = own.slice if isinstance(own, ast.Subscript) and spelt(own.value) in {"type", "Type", "typing.Type"} else own
    return returned == "Self" or (returned is not None and getattr(own, "id", None) == returned)


def is_super(node: ast.expr) -> bool:
    """Whether an expression is `super()`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def is_placeholder(body: list[ast.stmt]) -> bool:
    """Whether a body only stands for one that somebody else supplies: `...`, `pass`, a docstring, `raise`."""
    return all(
        isinstance(node, (ast.Pass, ast.Raise)) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in body
    )


def unconditional(statement: ast.stmt) -> Iterator[ast.AST]:
    """The parts of a statement that are evaluated whenever it runs."""
    stack: list[ast.AST] = [statement]
    while stack:
        part = stack.pop()
        if isinstance(part, (*_MAYBE, *DECIDING, *SCOPES)):
            continue
        yield part
        stack.extend(children(part))


def self_path(node: ast.Attribute) -> str | None:
    """The name under which a walk keeps an attribute of `self` or `cls`."""
    if isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}:
        return f"self.{node.attr}"
    return None


def label_of(node: ast.expr) -> str:
    """What is called, as it is written, cut where it is long."""
    text = spelt(node)
    return text if len(text) <= 60 else text[:57] + "…"
