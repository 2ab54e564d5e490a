"""One page for a run that needs nothing else: no script, no font, no address."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from html import escape

from awaitest.trace.folding import folded
from awaitest.trace.telling import HEADER, cells, left_over, loops, names, requests, tracked
from awaitest.trace.traced import Trace, TracedTest

_STYLE = """\
:root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.4; }
body { margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0 2rem; width: 100%; }
caption { font-weight: bold; padding: .5rem 0; text-align: start; }
th, td { border: 1px solid color-mix(in srgb, currentColor 30%, transparent); padding: .3rem .6rem; text-align: start; vertical-align: top; }
td { max-width: 26em; overflow-wrap: break-word; }
th { white-space: nowrap; }
.wide { overflow-x: auto; }
tr:nth-child(even) td { background: color-mix(in srgb, currentColor 4%, transparent); }
tr.failed > * { background: color-mix(in srgb, crimson 18%, transparent); font-weight: bold; }
code, pre { font-family: ui-monospace, monospace; }
pre { overflow-x: auto; white-space: pre-wrap; }
.wrong { color: light-dark(#a40020, #ff8095); font-weight: bold; }
"""


def page(trace: Trace) -> str:
    """The page, with headings to jump by, captions, and row and column headers that a screen reader can tell."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'"
    title = trace.tests[0].id if len(trace.tests) == 1 else f"{len(trace.tests)} tests"
    body = "\n".join(line for test in trace.tests for line in _test(test)) or f"<pre>{escape(trace.output)}</pre>"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)} – awaitest trace</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<p>Python {escape(trace.python)}, pytest {escape(trace.pytest)}</p>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _test(test: TracedTest) -> Iterator[str]:
    wrong = "" if test.outcome in ("passed", "skipped") else ' class="wrong"'
    yield f"<section>\n<h1>{escape(test.id)}</h1>\n<p{wrong}>{escape(test.outcome)}</p>"
    if test.message:
        yield f"<pre>{escape(test.message)}</pre>"
    shown = folded(test.rows)
    failed = [row.failed for row in shown]
    yield from _table("Execution table", HEADER, cells(test, shown), failed)
    if rows := tracked(shown):
        yield from _table("Variables after each step", ("step", *names(test)), rows, failed)
    for title, told in (("Left behind", left_over(test)), ("Event loops", loops(test))):
        if told:
            items = "".join(f"<li>{_code(line)}</li>" for line in told)
            yield f"<h2>{title}</h2>\n<ul>{items}</ul>"
    if test.requests:
        yield "<h2>Requests</h2>"
        for request, line in zip(test.requests, requests(test), strict=True):
            more = escape(json.dumps(request, indent=2))
            yield f"<details><summary>{escape(' '.join(line))}</summary><pre>{more}</pre></details>"
    yield "</section>"


def _table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]], failed: Sequence[bool]) -> Iterator[str]:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    yield f'<div class="wide" role="region" tabindex="0" aria-label="{caption}">'
    yield f"<table>\n<caption>{caption}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>"
    for row, is_failed in zip(rows, failed, strict=True):
        first, *rest = row
        body = "".join(f"<td{_class(cell)}>{_code(cell)}</td>" for cell in rest)
        yield f'<tr{" class=failed" if is_failed else ""}><th scope="row">{escape(first)}</th>{body}</tr>'
    yield "</tbody>\n</table>\n</div>"


def _class(cell: str) -> str:
    return ' class="wrong"' if cell == "never" else ""


def _code(text: str) -> str:
    parts = text.split("`") if text.count("`") % 2 == 0 else [text]
    return "".join(f"<code>{escape(part)}</code>" if place % 2 else escape(part) for place, part in enumerate(parts))
