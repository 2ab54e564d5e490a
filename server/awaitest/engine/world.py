"""Declared facts on demand: what a name means in a module, what a class has, what an annotation says.

Everything is remembered; nothing here depends on the function that is being read.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeGuard

from awaitest.engine.knowledge import Knowledge, Member
from awaitest.engine.values import (
    UNKNOWN,
    ClassInfo,
    ClassValue,
    FunctionInfo,
    FunctionValue,
    ModuleValue,
    Value,
    join,
)
from awaitest.project.resolve import FoundModule
from awaitest.source.nodes import spelt

if TYPE_CHECKING:
    from awaitest.project.modules import Module
    from awaitest.project.resolve import Resolver

Definition = ast.FunctionDef | ast.AsyncFunctionDef


class Reader(Protocol):
    """Evaluates code; supplied by the walk, which stands above this module."""

    def expression(self, module: Module, node: ast.expr, closure: Mapping[str, Value] | None = None) -> Value:
        """The value of an expression at module level, or in a function that knows the names of a closure."""

    def returns(self, function: FunctionInfo, arguments: dict[str, Value]) -> Value:
        """What the body of a function gives back, or yields where it is a generator."""

    def attributes(self, cls: ClassInfo, name: str) -> Value | None:
        """What the methods of a class assign to `self.<name>`, or None where none does."""


_PAIRED = {
    "__enter__": "__aenter__",
    "__aenter__": "__enter__",
    "__iter__": "__aiter__",
    "__getitem__": "__aiter__",
    "__aiter__": "__iter__",
}


class World:
    """Facts about the modules of one project. `reader` is set once by whoever builds the engine."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        self.reader: Reader
        self.dropped = 0
        """How many modules were dropped."""
        self._known: dict[int, Knowledge] = {}

    def knowledge(self, module: Module) -> Knowledge:
        """What was concluded of a module so far."""
        known = self._known.get(id(module))
        if known is None:
            known = self._known[id(module)] = Knowledge(module)
        return known

    def drop(self, module: Module) -> None:
        """A module is gone. What was concluded of others must not rest on it."""
        self.dropped += 1
        self._known.pop(id(module), None)

    def class_info(self, module: Module, node: ast.ClassDef) -> ClassInfo:
        classes = self.knowledge(module).classes
        info = classes.get(id(node))
        if info is None:
            info = classes[id(node)] = ClassInfo(module, node)
        return info

    def enclosing(self, cls: ClassInfo) -> tuple[ClassInfo, ...]:
        """The classes a class is nested in, innermost first."""
        known = self.knowledge(cls.module)
        if id(cls.node) not in known.enclosing:
            known.alive.append(cls.node)
            outer = _classes_around(cls.module.body, cls.node) or ()
            known.enclosing[id(cls.node)] = tuple(self.class_info(cls.module, node) for node in outer)
        return known.enclosing[id(cls.node)]

    def function_info(self, module: Module, node: Definition, owner: ClassInfo | None = None) -> FunctionInfo:
        functions = self.knowledge(module).functions
        info = functions.get(id(node))
        if info is None:
            info = functions[id(node)] = FunctionInfo(module, node, owner)
        return info

    def forget(self, function: FunctionInfo) -> None:
        """A function is gone: nobody will ask for it again."""
        self.knowledge(function.module).functions.pop(id(function.node), None)

    def remembered(self, module: Module, name: str, compute: Callable[[], Value]) -> Value:
        """`compute()` once per module and name; a circular definition is unknown."""
        names = self.knowledge(module).names
        if name not in names:
            names[name] = UNKNOWN
            names[name] = compute()
        return names[name]

    def name(self, module: Module, name: str) -> Value | None:
        """The value of a module-level name, or None where the module does not bind it."""
        if name not in module.bound and not module.star_imports and not module.is_package:
            return None
        missing: list[bool] = []

        def compute() -> Value:
            if name in module.rebound or (module.origin == "project" and module.rebinds_any):
                return UNKNOWN
            found = self.resolver.lookup(module, name)
            if found is None:
                missing.append(name not in module.bound)
                return UNKNOWN
            if isinstance(found, FoundModule):
                return frozenset({ModuleValue(found.module)})
            return self.definition(found.module, found.node)

        value = self.remembered(module, name, compute)
        return None if missing and missing[0] else value

    def definition(self, module: Module, node: ast.AST) -> Value:
        """The value a definition or a module-level expression stands for."""
        if isinstance(node, ast.ClassDef):
            return frozenset({ClassValue(self.class_info(module, node))})
        if isinstance(node, Definition):
            return frozenset({FunctionValue(self.function_info(module, node))})
        if isinstance(node, ast.expr):
            return self.reader.expression(module, node)
        return UNKNOWN

    def mro(self, cls: ClassInfo) -> tuple[tuple[ClassInfo, ...], bool]:
        """The class and its bases, nearest first, and whether every base was found."""
        mros = self.knowledge(cls.module).mros
        known = mros.get(id(cls.node))
        if known is None:
            mros[id(cls.node)] = ((cls,), False)
            known = mros[id(cls.node)] = self._linearise(cls)
        return known

    def _linearise(self, cls: ClassInfo) -> tuple[tuple[ClassInfo, ...], bool]:
        order: dict[ClassInfo, None] = {cls: None}
        complete = whole = True
        for base in cls.node.bases:
            if isinstance(base, ast.Subscript):
                base = base.value
            if isinstance(base, (ast.Name, ast.Attribute)) and spelt(base) in _NEUTRAL_BASES | _AWAITABLE:
                continue
            value = self.reader.expression(cls.module, base)
            parents = [kind.cls for kind in value if isinstance(kind, ClassValue)]
            if len(parents) != 1 or len(value) != 1 or parents[0] is cls:
                complete = whole = False
                continue
            inherited, is_complete = self.mro(parents[0])
            complete = complete and is_complete
            whole = whole and self.whole(parents[0])
            for parent in inherited:
                order.pop(parent, None)
                order[parent] = None
        is_plain = {spelt(it.value).rpartition(".")[2] for it in cls.node.keywords if it.arg == "metaclass"} <= {
            "ABCMeta"
        }
        self.knowledge(cls.module).whole[id(cls.node)] = whole and (is_plain or cls.package in _OF_DATA)
        return tuple(order), complete and is_plain

    def whole(self, cls: ClassInfo) -> bool:
        """Whether all bases are known, so that a special method that none of them defines is certainly absent."""
        self.mro(cls)
        return self.knowledge(cls.module).whole.get(id(cls.node), False)

    def member(self, cls: ClassInfo, name: str) -> Member | None:
        """Where a class or its bases define a name: the nearest definition, or None."""
        key, members = (id(cls.node), name), self.knowledge(cls.module).members
        if key not in members:
            members[key] = next(
                (
                    Member(owner, nodes)
                    for owner in self.mro(cls)[0]
                    if (nodes := statements_binding(owner.node.body, name))
                ),
                None,
            )
        return members[key]

    def method(self, cls: ClassInfo, name: str) -> FunctionInfo | None:
        """A method that is defined once in its class, and that no decorator changes."""
        member = self.member(cls, name)
        node = member.nodes[-1] if member is not None else None
        if member is None or len(member.nodes) != 1 or not isinstance(node, Definition):
            return None
        if any(spelt(it).rpartition(".")[2] != "abstractmethod" for it in node.decorator_list):
            return None
        return self.function_info(member.owner.module, node, member.owner)

    def complete(self, cls: ClassInfo) -> bool:
        """Whether all bases are known, so that a name nobody defines is certainly absent."""
        return (
            self.mro(cls)[1]
            and self.member(cls, "__getattr__") is None
            and self.member(cls, "__getattribute__") is None
        )

    def derives(self, cls: ClassInfo, name: str, *packages: str) -> bool:
        """Whether the class is, or derives from, a class of that name in one of these top-level packages."""
        key = id(cls.node), name, packages
        derives = self.knowledge(cls.module).derives
        known = derives.get(key)
        if known is None:
            known = derives[key] = any(base.node.name == name and base.package in packages for base in self.mro(cls)[0])
        return known

    def has(self, cls: ClassInfo, name: str) -> bool | None:
        """Whether instances have a special method; None where that is unknown. One of a pair that only raises, as
        `__enter__` of aiohttp's session does, counts as none; one of a pair that subclasses must supply leaves them no
        other way."""
        own, other = self.member(cls, name), self.member(cls, _PAIRED[name]) if name in _PAIRED else None
        if name in _PAIRED and _refuses(own) and not _refuses(other) and not (other is None and _is_open(own)):
            return False
        if own is not None or (name == "__await__" and any(map(_promises_it, self.mro(cls)[0]))):
            return True
        return False if self.whole(cls) and (_is_open(other) or not self._leaves_methods(cls)) else None

    def _leaves_methods(self, cls: ClassInfo) -> bool:
        """Whether a class leaves a method to its subclasses, so that its objects are theirs and may have more."""
        left = (node for base in self.mro(cls)[0] for node in base.node.body if _is_left(node))
        return any(node in found.nodes for node in left if (found := self.member(cls, node.name)) is not None)

    def classes_of(self, module: Module) -> list[ClassInfo]:
        """The classes at a module's top level."""
        if module.document is not None:
            return [self.class_info(module, node) for node in module.document.gathered(_classes_in)]
        return [self.class_info(module, node) for node in module.body if isinstance(node, ast.ClassDef)]

    def classes(self, value: Value) -> list[ClassInfo]:
        return [kind.cls for kind in value if isinstance(kind, ClassValue)]

    def joined(self, module: Module, nodes: Sequence[ast.expr]) -> Value:
        return join(*(self.reader.expression(module, node) for node in nodes))


def _refuses(member: Member | None) -> bool:
    """Whether a method is there to say, by an error, that its object has none."""
    node = member.nodes[-1] if member is not None else None
    said = [part for part in node.body if not _is_constant(part)] if isinstance(node, Definition) else []
    return bool(said) and all(isinstance(part, ast.Raise) for part in said)


def _is_constant(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_open(member: Member | None) -> bool:
    """Whether subclasses must supply a method."""
    return member is not None and _is_left(member.nodes[-1])


def _is_left(node: ast.stmt) -> TypeGuard[Definition]:
    """Whether a method stands for one that subclasses supply."""
    return isinstance(node, Definition) and (
        decorated_with(node, "abstractmethod") or "NotImplementedError" in map(_raised, node.body)
    )


def _raised(node: ast.stmt) -> str:
    raised = node.exc if isinstance(node, ast.Raise) else None
    called = raised.func if isinstance(raised, ast.Call) else raised
    return called.id if isinstance(called, ast.Name) else ""


def _classes_in(statement: ast.stmt) -> tuple[ast.ClassDef, ...]:
    return (statement,) if isinstance(statement, ast.ClassDef) else ()


_NEUTRAL_BASES = frozenset(
    {
        "object", "Generic", "typing.Generic", "Protocol", "typing.Protocol", "ABC", "abc.ABC",
        "Exception", "BaseException", "str", "int", "dict", "list", "tuple", "Enum", "enum.Enum",
        "t.Generic", "t.Protocol", "NamedTuple", "typing.NamedTuple", "TypedDict", "typing.TypedDict",
    }
)  # fmt: skip

_OF_DATA = frozenset({"pydantic", "sqlmodel", "sqlalchemy"})
"""Packages whose metaclasses make attributes, but no special methods."""

_AWAITABLE = frozenset({"Awaitable", "typing.Awaitable", "Coroutine", "typing.Coroutine"})
"""Bases that add nothing but the promise that there is `__await__`, and for a coroutine what the class must define itself."""


def _promises_it(cls: ClassInfo) -> bool:
    return any(spelt(base.value if isinstance(base, ast.Subscript) else base) in _AWAITABLE for base in cls.node.bases)


def statements_binding(body: Sequence[ast.stmt], name: str) -> list[ast.stmt]:
    """Statements in a body that bind a name, also inside `if` and `try`."""
    found: list[ast.stmt] = []
    _collect(body, name, found)
    return found


def _collect(body: Sequence[ast.stmt], name: str, found: list[ast.stmt]) -> None:
    for statement in body:
        match statement:
            case ast.FunctionDef(name=bound) | ast.AsyncFunctionDef(name=bound) | ast.ClassDef(name=bound):
                if bound == name:
                    found.append(statement)
            case ast.Assign(targets=targets):
                if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                    found.append(statement)
            case ast.AnnAssign(target=ast.Name(id=bound)) | ast.AugAssign(target=ast.Name(id=bound)) if bound == name:
                found.append(statement)
            case ast.If(body=then, orelse=other):
                _collect(then, name, found)
                _collect(other, name, found)
            case ast.Try():
                for part in (statement.body, statement.orelse, statement.finalbody):
                    _collect(part, name, found)
                for handler in statement.handlers:
                    _collect(handler.body, name, found)


def decorated_with(node: Definition, name: str) -> bool:
    """Whether a decorator is spelt `name` or ends in `.name`."""
    for item in node.decorator_list:
        if name in (getattr(item, "attr", None), getattr(item, "id", None)):
            return True
    return False


def _classes_around(body: Iterable[ast.stmt], wanted: ast.ClassDef) -> list[ast.ClassDef] | None:
    for node in body:
        if not isinstance(node, ast.ClassDef):
            continue
        inner = [] if node is wanted else _classes_around(node.body, wanted)
        if inner is not None:
            return inner if node is wanted else [*inner, node]
    return None
