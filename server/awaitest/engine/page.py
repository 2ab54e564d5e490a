"""The page of a rule: Markdown, made of the docstring of its module.

A docstring says in one sentence what the rule reports, in a paragraph what it finds, and then, each in one part, `Why:`, `Bad:`, `Good:`,
`Ignore:` and `Fix:`. The examples are indented blocks of code.
"""

from __future__ import annotations

import re
import textwrap

_HEADINGS = {"Why": "Why is this bad?", "Bad": "Bad", "Good": "Good", "Ignore": "When to ignore", "Fix": "Fix"}
_EXAMPLES = {"Bad", "Good"}
_PART = re.compile(rf"^({'|'.join(_HEADINGS)}):\s", re.MULTILINE)
_DEFINITION = re.compile(r"\n\n(?=@|def |async def |class )")
"""Where a second blank line belongs, which docstrings do without."""


def page(docstring: str) -> str:
    """The Markdown of a rule module's docstring."""
    head, *parts = _PART.split(docstring.strip())
    summary, _, finds = head.strip().partition("\n\n")
    sections = [summary, "## What it does", finds]
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        sections += [f"## {_HEADINGS[name]}", _example(text) if name in _EXAMPLES else text.strip()]
    return "\n\n".join(sections)


def _example(text: str) -> str:
    code = textwrap.dedent(text).strip("\n")
    language = "toml" if code.startswith("[") else "python"
    spaced = _DEFINITION.sub("\n\n\n", code)
    return f"```{language}\n{spaced}\n```"
