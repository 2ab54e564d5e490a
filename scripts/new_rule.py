"""Begins a rule: `python scripts/new_rule.py AWT199 some-problem` writes the module and its cases, to be filled in."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from awaitest.registry import rule_names

ROOT = Path(__file__).parents[1]
CODE = re.compile(r"AWT[1-9]\d{2}")
NAME = re.compile(r"[a-z]+(?:-[a-z]+)+")

_RULE = '''\
"""Reports ….

Finds …

Why: …

Bad:
    def test_bad():
        …

Good:
    def test_good():
        …

Ignore: When …

Fix: None. …
"""

from __future__ import annotations

from collections.abc import Iterator

from awaitest.engine.diagnostic import Severity
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import Run
from awaitest.engine.steps import Called

RULE = Rule("{code}", "{name}", Severity.ERROR)


def check(step: Called, run: Run) -> Iterator[Finding]:
    """…"""
    return
    yield Finding(step.node, "…")
'''

_CASES = """\
# {name}

How cases are written: [README](../README.md). At least 3 invalid and 5 valid ones.

## Invalid

### …

```python
async def test_bad():
    …
#   ^ {name} fix: …
```

```python
async def test_bad():
    await …
```

## Valid

### …

```python
async def test_good():
    await …
```
"""


def scaffold(root: Path, code: str, name: str) -> list[Path]:
    """Write the two files of a rule; raises ValueError where code or name cannot be, FileExistsError where a file is there."""
    if not CODE.fullmatch(code) or not NAME.fullmatch(name):
        raise ValueError("a code is AWT and three digits, a name is words joined by hyphens: AWT199 some-problem")
    known = rule_names()
    if code in known or name in known.values():
        raise ValueError(f"{code} or {name} is taken; codes and names never change their meaning")
    stem = name.replace("-", "_")
    texts = {
        root / "server" / "awaitest" / "rules" / f"{stem}.py": _RULE,
        root / "tests" / "rules" / "cases" / f"{stem}.md": _CASES,
    }
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text.replace("{code}", code).replace("{name}", name))
    return list(texts)


def main(arguments: Sequence[str]) -> int:
    """0, or 2 where the rule cannot be begun."""
    if len(arguments) != 2:
        print("usage: new_rule.py CODE NAME", file=sys.stderr)
        return 2
    try:
        written = scaffold(ROOT, *arguments)
    except (ValueError, FileExistsError) as error:
        print(f"new_rule.py: {error}", file=sys.stderr)
        return 2
    for path in written:
        print(f"written: {path.relative_to(ROOT).as_posix()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
