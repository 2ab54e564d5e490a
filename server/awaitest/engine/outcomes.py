"""What a test says of the status of the responses it gets."""

from __future__ import annotations

import ast

from awaitest.source.nodes import last_name, parts_of

_SUCCESS = frozenset({"ok", "created", "accepted", "no_content", "partial_content", "reset_content"})
_REDIRECTION = frozenset(
    {"moved_permanently", "found", "see_other", "not_modified", "temporary_redirect", "permanent_redirect"}
)


def may_expect_failure(test: ast.AST) -> bool:
    """Whether a test does more with a status than to compare it with one of a success."""
    parts = parts_of(test)
    plain = {id(status) for part in parts if (status := _compared(part)) is not None}
    told = {
        id(it) for part in parts if isinstance(part, ast.Assert) and part.msg is not None for it in parts_of(part.msg)
    }
    return any(
        isinstance(part, ast.Attribute) and part.attr == "status_code" and id(part) not in plain | told
        for part in parts
    )


def answers(test: ast.AST) -> int:
    """How many responses a test asserts to be those of a success."""
    return sum(
        (isinstance(part, ast.Assert) and _compared(part.test, below=300) is not None)
        or (isinstance(part, ast.Attribute) and part.attr == "raise_for_status")
        for part in parts_of(test)
    )


def _compared(part: ast.AST, below: int = 400) -> ast.expr | None:
    """The status in `response.status_code == 200`."""
    match part:
        case ast.Compare(left=ast.Attribute(attr="status_code") as status, ops=[ast.Eq()], comparators=[value]):
            return status if _is_below(value, below) else None
        case ast.Compare(left=value, ops=[ast.Eq()], comparators=[ast.Attribute(attr="status_code") as status]):
            return status if _is_below(value, below) else None
    return None


def _is_below(value: ast.expr, limit: int) -> bool:
    if isinstance(value, ast.Constant):
        return isinstance(value.value, int) and value.value < limit
    name = last_name(value).lower()
    return (
        name in _SUCCESS
        or name.startswith("http_2")
        or (limit > 300 and (name in _REDIRECTION or name.startswith("http_3")))
    )
