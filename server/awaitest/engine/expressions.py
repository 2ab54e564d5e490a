"""Evaluates expressions in the state of one moment, and notes what happens on the way."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaitest.engine import members, special
from awaitest.engine.arguments import Argument, Call
from awaitest.engine.calls import apply, followed, is_client
from awaitest.engine.expecting import enters_expecting, keeps_errors
from awaitest.engine.heirs import redefined, some_method, unrelated
from awaitest.engine.patches import replaces
from awaitest.engine.steps import Absent, Awaited, Called, Gave, Iterated, Kept, Misuse, Stored
from awaitest.engine.syntax import INSPECTED, generates_asynchronously, is_super, label_of, self_path
from awaitest.engine.tracker import Live, Tracker
from awaitest.engine.values import (
    NONE,
    UNKNOWN,
    AsyncIterator,
    Awaitable,
    ClassValue,
    Collection,
    Coroutine,
    FunctionInfo,
    FunctionValue,
    Instance,
    Plain,
    Value,
    element_of,
    every,
    for_anybody,
    item_of,
    join,
    may_be,
    plain,
)
from awaitest.engine.wrappers import decorated
from awaitest.source.nodes import children, spelt


class Evaluator(Tracker):
    """Expressions of one function. Subclassed by the walk, which adds statements."""

    # -- expressions -------------------------------------------------------------------------------------------------

    def eval(self, node: ast.expr) -> Value:
        method = getattr(self, "_eval_" + node.__class__.__name__, None)
        if method is None:
            for child in children(node):
                if isinstance(child, ast.expr):
                    self.escape(self.eval(child))
            return UNKNOWN
        value: Value = method(node)
        return value

    def condition(self, node: ast.expr) -> Value:
        """The expression decides a branch; its value, where it is more than the outcome of others."""
        if isinstance(node, ast.BoolOp):
            for operand in self._operands(node):
                self.condition(operand)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self.condition(node.operand)
        else:
            value = self.eval(node)
            self.misuse(value, node, Misuse.CONDITION, later=not isinstance(node, ast.Call))
            return value
        return plain("bool")

    def _eval_Constant(self, node: ast.Constant) -> Value:
        if node.value is None:
            return NONE
        if node.value is ...:
            return UNKNOWN
        const = node.value if isinstance(node.value, (str, int, bool)) else None
        return plain(type(node.value).__name__, const)

    def _eval_Name(self, node: ast.Name) -> Value:
        name = node.id
        if name in self.state.names:
            return self.state.names[name]
        if name in self.bound_names:
            return UNKNOWN
        if self.closure is not None and name in self.closure:
            return self.closure[name]
        if self.patched and replaces(self.patched, name):
            return UNKNOWN
        found = self.world.name(self.module, name)
        return members.builtin(name) if found is None else for_anybody(found)

    def _eval_Attribute(self, node: ast.Attribute) -> Value:
        path = self_path(node)
        if path is not None and path in self.state.names:
            value = self.state.names[path]
            return UNKNOWN if any(kind.site.escaped for kind in value if isinstance(kind, Coroutine)) else value
        base = decorated(self, self.eval(node.value))
        if may_be(base, Collection) and not (node.attr in members.VIEWS and _is_dict(base)):
            self.escape(base, changed=node.attr not in members.READING)
        if self.patched and self._is_patched(base, node):
            return UNKNOWN
        if may_be(base, Coroutine):
            if node.attr == "close":
                self.inspect(base)
            elif node.attr in INSPECTED:
                self.escape(base)
            else:
                self.misuse(base, node, Misuse.ATTRIBUTE, node.attr)
            return UNKNOWN
        others = [] if is_super(node.value) else redefined(self, base, node.attr)
        if others:
            return some_method(self, node, base, others)
        owner = base if len(base) == 1 else base - NONE
        if members.lacks(self.world, owner, node.attr):
            self.note(Absent(node=node, owner=owner, expected=self.expected > 0))
        value = members.attribute(self.world, base, node.attr)
        return value if may_be(base, Collection) else for_anybody(value)

    def _is_patched(self, base: Value, node: ast.Attribute) -> bool:
        of_client = bool(base) and all(isinstance(kind, Instance) and is_client(self, kind.cls) for kind in base)
        client = spelt(node.value) if of_client else None
        return any(
            replaces([dotted], node.attr, client=client)
            and not self._is_of_others(dotted.removesuffix(f".{node.attr}"), base)
            for dotted in self.patched
        )

    def _is_of_others(self, owner: str, base: Value) -> bool:
        """Whether a name is that of a class that has nothing to do with the objects in a value."""
        named = members.at_path(self.world, owner) if "." in owner else self._eval_Name(ast.Name(owner, ast.Load()))
        return unrelated(self, named, base)

    def _eval_Call(self, node: ast.Call) -> Value:
        target = self.eval(node.func)
        keeping = keeps_errors(self, node)
        self.expected += keeping
        arguments = [Argument(None, self.eval(item), item) for item in node.args]
        arguments += [
            Argument(keyword.arg or "**", self.eval(keyword.value), keyword.value) for keyword in node.keywords
        ]
        self.expected -= keeping
        call = Call(node, label_of(node.func), target, arguments)
        result = apply(self, call)
        values = tuple(argument.value for argument in arguments)
        self.note(
            Called(
                node=node, label=call.label, target=target, result=result, arguments=values, expected=self.expected > 0
            )
        )
        self.expected += enters_expecting(self, node)
        return result

    def _eval_Await(self, node: ast.Await) -> Value:
        operand = self.eval(node.value)
        results: list[Value] = []
        for kind in operand:
            if isinstance(kind, Coroutine):
                kind.site.awaited = True
                results.append(self.adopt(kind.site.node, kind.site.label, kind.site.result()))
            elif isinstance(kind, Awaitable):
                results.append(kind.result)
            else:
                results.append(special.awaited(self.world, kind))
        result = join(*results)
        self.note(Awaited(node=node, operand=operand, result=result, expected=self.expected > 0))
        return result

    def _eval_Subscript(self, node: ast.Subscript) -> Value:
        base = self.eval(node.value)
        self.escape(self.eval(node.slice))
        if may_be(base, Coroutine):
            self.misuse(base, node, Misuse.SUBSCRIPT)
            return UNKNOWN
        if every(base, ClassValue):
            return base
        return join(*(item_of(kind, node.slice) for kind in base))

    def _eval_Slice(self, node: ast.Slice) -> Value:
        for part in (node.lower, node.upper, node.step):
            if part is not None:
                self.eval(part)
        return UNKNOWN

    def _eval_BoolOp(self, node: ast.BoolOp) -> Value:
        values = []
        for operand in self._operands(node):
            values.append(self.eval(operand))
            if operand is not node.values[-1]:
                later = isinstance(node.op, ast.Or) or not isinstance(operand, ast.Call)
                self.misuse(values[-1], operand, Misuse.CONDITION, later=later)
        return join(*values)

    def _operands(self, node: ast.BoolOp) -> Iterator[ast.expr]:
        """The operands, each to be evaluated knowing how those before it came out."""
        before: dict[str, Value] = {}
        for operand in node.values:
            yield operand
            before = self.assume(operand, isinstance(node.op, ast.And)) | before
        self.recall(before)

    def _where(self, test: ast.expr, outcome: bool, node: ast.expr) -> Value:
        """The value of an expression that is evaluated only where a test has this outcome."""
        before = self.assume(test, outcome)
        value = self.eval(node)
        self.recall(before)
        return value

    def _eval_UnaryOp(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            self.condition(node.operand)
            return plain("bool")
        self.misuse(self.eval(node.operand), node, Misuse.OPERAND)
        return UNKNOWN

    def _eval_BinOp(self, node: ast.BinOp) -> Value:
        left, right = self.eval(node.left), self.eval(node.right)
        for value in (left, right):
            self.misuse(value, node, Misuse.OPERAND)
        if every(left, Collection) and every(right, Collection):
            return frozenset({Collection("list", join(*(item_of(kind, None) for kind in left | right)))})
        if every(left, Plain) and every(right, Plain):
            return frozenset(Plain(kind.name) for kind in left if isinstance(kind, Plain))
        self.escape(left)
        self.escape(right)
        return special.operated(self, left, node.op)

    def _eval_Compare(self, node: ast.Compare) -> Value:
        operands = [node.left, *node.comparators]
        values = [self.eval(operand) for operand in operands]
        for position in range(len(node.ops)):
            pair = ((operands[position], values[position]), (operands[position + 1], values[position + 1]))
            for (operand, value), (_, other) in (pair, pair[::-1]):
                self._compared(node, operand, value, other)
        return plain("bool")

    def _compared(self, node: ast.Compare, operand: ast.expr, value: Value, other: Value) -> None:
        """A coroutine that was handed to nobody is neither equal nor identical to anything but another one."""
        if not may_be(value, Coroutine):
            return
        if may_be(other, Coroutine):
            self.escape(value)
        else:
            self.misuse(value, node, Misuse.COMPARED, later=not isinstance(operand, ast.Call))

    def _eval_IfExp(self, node: ast.IfExp) -> Value:
        self.condition(node.test)
        return join(self._where(node.test, True, node.body), self._where(node.test, False, node.orelse))

    def _eval_JoinedStr(self, node: ast.JoinedStr) -> Value:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                value = self.eval(part.value)
                self.misuse(value, part.value, Misuse.FORMATTED, later=not isinstance(part.value, ast.Call))
        return plain("str")

    def _eval_Tuple(self, node: ast.Tuple) -> Value:
        return self._display("tuple", node.elts)

    def _eval_List(self, node: ast.List) -> Value:
        return self._display("list", node.elts)

    def _eval_Set(self, node: ast.Set) -> Value:
        return self._display("set", node.elts)

    def _display(self, name: str, elements: list[ast.expr]) -> Value:
        starred = any(isinstance(element, ast.Starred) for element in elements)
        values = tuple(self.eval(element) for element in elements)
        return frozenset({Collection(name, join(*values) if values else UNKNOWN, None if starred else values)})

    def _eval_Starred(self, node: ast.Starred) -> Value:
        return join(*(item_of(kind, None) for kind in self.eval(node.value)))

    def _eval_Dict(self, node: ast.Dict) -> Value:
        for key in node.keys:
            if key is not None:
                self.escape(self.eval(key))
        values = [self._in_dict(key, value) for key, value in zip(node.keys, node.values, strict=True)]
        return frozenset({Collection("dict", join(*values) if values else UNKNOWN)})

    def _in_dict(self, key: ast.expr | None, node: ast.expr) -> Value:
        """What a display puts into a dict: a value, or those of the dict that `**` unpacks."""
        value = self.eval(node)
        if key is not None:
            return value
        self.misuse(value, node, Misuse.UNPACKED)
        return join(*(item_of(kind, None) for kind in value))

    def _eval_NamedExpr(self, node: ast.NamedExpr) -> Value:
        value = self.eval(node.value)
        self.bind(node.target.id, value)
        return value

    def _eval_Lambda(self, node: ast.Lambda) -> Value:
        self.capture(node)
        return frozenset({FunctionValue(FunctionInfo(self.module, node, closure=Live(self)))})

    def _eval_ListComp(self, node: ast.ListComp) -> Value:
        return frozenset({Collection("list", self._comprehend(node.generators, [node.elt]))})

    def _eval_SetComp(self, node: ast.SetComp) -> Value:
        return frozenset({Collection("set", self._comprehend(node.generators, [node.elt]))})

    def _eval_DictComp(self, node: ast.DictComp) -> Value:
        return frozenset({Collection("dict", self._comprehend(node.generators, [node.key, node.value]))})

    def _eval_GeneratorExp(self, node: ast.GeneratorExp) -> Value:
        item = self._comprehend(node.generators, [node.elt])
        if generates_asynchronously(node):
            return frozenset({AsyncIterator(item)})
        return frozenset({Collection("generator", item)})

    def _comprehend(self, generators: list[ast.comprehension], results: list[ast.expr]) -> Value:
        saved = dict(self.state.names)
        for part in generators:
            item = self.iterate(part.iter, part, bool(part.is_async))
            self.bind_target(part.target, item)
            for test in part.ifs:
                self.condition(test)
        for result in results[:-1]:
            self.eval(result)
        value = self.eval(results[-1])
        self.state.names = saved
        self.blur(followed(value))
        return value

    def iterate(self, iterable: ast.expr, node: ast.AST, is_async: bool) -> Value:
        """One element of what is looped over."""
        value = self.eval(iterable)
        self.note(Iterated(node=node, is_async=is_async, value=value, iterable=iterable, expected=self.expected > 0))
        if may_be(value, Coroutine):
            if not is_async:
                self.misuse(value, iterable, Misuse.ITERATED)
            return UNKNOWN
        return join(*(special.element(self, kind, is_async) for kind in value))

    def _eval_Yield(self, node: ast.Yield) -> Value:
        value = self.eval(node.value) if node.value is not None else NONE
        self.note(Gave(node=node, value=value, inside=tuple(self.with_blocks), is_yield=True))
        self.yield_out(value)
        return UNKNOWN

    def _eval_YieldFrom(self, node: ast.YieldFrom) -> Value:
        value = self.eval(node.value)
        self.yielded.append(join(*(element_of(kind, is_async=False) for kind in value)))
        self.escape(value)
        return UNKNOWN

    # -- binding -----------------------------------------------------------------------------------------------------

    def bind_target(self, target: ast.expr, value: Value) -> None:
        """Assign to whatever stands on the left."""
        match target:
            case ast.Name(id=name):
                self.bind(name, value)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                self._unpack(target, elements, value)
            case ast.Starred(value=inner):
                self.bind_target(inner, frozenset({Collection("list", value)}))
            case ast.Attribute():
                path = self_path(target)
                if path is None:
                    self.eval(target.value)
                else:
                    self.state.names[path] = value
                    for site in (kind.site for kind in value if isinstance(kind, Instance)):
                        if site is not None and not site.inherited:
                            self.note(Kept(node=target, site=site, attribute=target.attr, expected=self.expected > 0))
                self.escape(value)
            case ast.Subscript():
                key, owner = self.eval(target.slice), self.eval(target.value)
                self.note(Stored(node=target, owner=owner, key=key, value=value, expected=self.expected > 0))
                if not self.misuse(owner, target, Misuse.SUBSCRIPT):
                    self.escape(owner, changed=True)
                self.escape(value)

    def _unpack(self, target: ast.expr, elements: list[ast.expr], value: Value) -> None:
        if may_be(value, Coroutine):
            self.misuse(value, target, Misuse.UNPACKED)
        ordered = (
            next((kind.items for kind in value if isinstance(kind, Collection)), None) if len(value) == 1 else None
        )
        starred = any(isinstance(element, ast.Starred) for element in elements)
        if ordered is not None and len(ordered) == len(elements) and not starred:
            for element, item in zip(elements, ordered, strict=True):
                self.bind_target(element, item)
            return
        item = join(*(element_of(kind, is_async=False) for kind in value))
        for element in elements:
            self.bind_target(element, item)


def _is_dict(value: Value) -> bool:
    return all(isinstance(kind, Collection) and kind.name == "dict" for kind in value)
