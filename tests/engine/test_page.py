"""The page of a rule is Markdown made of its docstring."""

from __future__ import annotations

from awaitest.engine.page import page

DOCSTRING = """Reports tea.

Finds tea that is cold: see [AWT101](x.md).

Why: Nobody
drinks it.

Bad:
    import tea

    @tea.cup
    def pour():
        return 1

        # Why: not a part

Good:
    [tool.tea]
    hot = true

Ignore: When iced.

Fix: None.
"""

PAGE = """Reports tea.

## What it does

Finds tea that is cold: see [AWT101](x.md).

## Why is this bad?

Nobody
drinks it.

## Bad

```python
import tea


@tea.cup
def pour():
    return 1

    # Why: not a part
```

## Good

```toml
[tool.tea]
hot = true
```

## When to ignore

When iced.

## Fix

None."""


def test_parts_become_sections() -> None:
    assert page(DOCSTRING) == PAGE
