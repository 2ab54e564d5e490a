"""What was concluded of the code of one module, so that it can be dropped with the module."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from awaitest.engine.values import ClassInfo, FunctionInfo, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awaitest.project.modules import Module


@dataclass(slots=True)
class Member:
    """Definitions of one name in one class, in order."""

    owner: ClassInfo
    nodes: Sequence[ast.stmt]


@dataclass(slots=True, eq=False)
class Knowledge:
    """Conclusions about a module, most of them by the identity of a node of it, which `alive` keeps from being reused."""

    module: Module
    classes: dict[int, ClassInfo] = field(default_factory=dict)
    functions: dict[int, FunctionInfo] = field(default_factory=dict)
    names: dict[str, Value] = field(default_factory=dict)
    mros: dict[int, tuple[tuple[ClassInfo, ...], bool]] = field(default_factory=dict)
    whole: dict[int, bool] = field(default_factory=dict)
    members: dict[tuple[int, str], Member | None] = field(default_factory=dict)
    derives: dict[tuple[int, str, tuple[str, ...]], bool] = field(default_factory=dict)
    replaced: dict[int, frozenset[str]] = field(default_factory=dict)
    enclosing: dict[int, tuple[ClassInfo, ...]] = field(default_factory=dict)
    expressions: dict[int, Value] = field(default_factory=dict)
    returns: dict[tuple[int, tuple[tuple[str, Value], ...]], Value] = field(default_factory=dict)
    attributes: dict[tuple[int, str], Value | None] = field(default_factory=dict)
    alive: list[ast.AST] = field(default_factory=list)
