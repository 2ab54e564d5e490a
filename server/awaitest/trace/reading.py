"""From the events of a run to the tables of its tests. Events of a run that died half-way are enough."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from awaitest.trace.running import Finished
from awaitest.trace.traced import Left, Row, Trace, TracedTest
from awaitest.trace.words import SILENT, action, asserts, bound, statement_at

_NONE = "none"


def read(finished: Finished) -> Trace:
    """The tests of a run, in order."""
    trace = Trace([], finished.exit_code, finished.output, finished.stopped)
    reader: _Reader | None = None
    for event in _events(finished.lines):
        match event["kind"]:
            case "session":
                trace.python, trace.pytest = str(event["python"]), str(event["pytest"])
            case "test":
                reader = _Reader(event)
                trace.tests.append(reader.test)
            case "broken":
                trace.tests.append(_broken(event))
            case "end":
                _end(reader)
                reader = None
            case _ if reader is not None:
                reader.take(event)
    _end(reader)
    return trace


def _broken(event: dict[str, Any]) -> TracedTest:
    """A file that pytest could not collect, as a test of that name."""
    places = re.findall(r'File "(.+?)", line (\d+)', event["message"]) or [("", 0)]
    path, line = places[-1][0], int(places[-1][1])
    row = Row(1, path, line, "pytest cannot read the file", failed=True)
    return TracedTest(event["id"], path, line, "", "error", event["message"], [row])


def _end(reader: _Reader | None) -> None:
    if reader is not None:
        reader.finish()


def _events(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and isinstance(event.get("kind"), str):
            yield event


class _Reader:
    """Takes the events of one test."""

    def __init__(self, event: dict[str, Any]) -> None:
        self.test = TracedTest(event["id"], event["path"], event["line"], event["function"])
        self._held: dict[str, str] = {}
        self._begun: dict[str, Any] | None = None
        self._sent: list[int] = []
        self._first: list[Row] = []

    def take(self, event: dict[str, Any]) -> None:
        handler = getattr(self, f"_{event['kind']}", None)
        if handler is not None:
            handler(event)

    def _started(self, event: dict[str, Any]) -> None:
        self._held = dict.fromkeys(self._held, _NONE) | event["held"]  # Hypothesis starts it for each example
        if event.get("loop"):
            self.test.loops["test"] = event["loop"]
        self._add(Row(0, self.test.path, self.test.line, f"start test `{self.test.function}`", **_place(event)))

    def _fixture(self, event: dict[str, Any]) -> None:
        if event["loop"]:
            self.test.loops[f"fixture {event['name']}"] = event["loop"]
        result = f"raises {event['error']}" if event["error"] else event["value"]
        row = Row(
            0, event["path"], event["line"], f"fixture `{event['name']}` fills `{event['name']}`", "yes" if event["loop"] else "–", result,
            own=event["seconds"], loop=event["loop"] or "", requests=self._requests(), failed=bool(event["error"]),
        )  # fmt: skip
        self._add(row)

    def _torn(self, event: dict[str, Any]) -> None:
        name, value = event["name"], event["value"]
        if self._held.get(name, _NONE).partition(",")[0] == value.partition(",")[0]:
            self._held[name] = value  # the test's own name still holds it
        self._add(Row(0, "", 0, f"tear down fixture `{name}`", requests=self._requests()))

    def _begin(self, event: dict[str, Any]) -> None:
        self._begun = event

    def _request(self, event: dict[str, Any]) -> None:
        self.test.requests.append({key: value for key, value in event.items() if key != "kind"})
        self._sent.append(event["number"])

    def _response(self, event: dict[str, Any]) -> None:
        for place, known in enumerate(self.test.requests):
            if known["number"] == event["number"]:
                self.test.requests[place] = {key: value for key, value in event.items() if key != "kind"}

    def _step(self, event: dict[str, Any]) -> None:
        following = event.get("next")
        self._begun = following and {**following, "path": event["path"], "depth": event["depth"]}
        before = dict(self._held)
        if event["depth"] == 0:
            self._held |= event["changed"]
            self._held |= dict.fromkeys(event["gone"], _NONE)
        if event["statement"] in SILENT and event["raised"] is None:
            return
        numbers = self._requests()
        sent = [it for it in self.test.requests if it["number"] in numbers]
        node = statement_at(event["path"], event["line"], event["statement"])
        shown = event["changed"] if event["depth"] else self._held
        checked = asserts(node) if node is not None else ("assert …" if event["statement"] == "Assert" else "")
        row = Row(
            0, event["path"], event["line"], action(node, event["statement"], event["role"], sent, shown),
            _awaited(event), _result(event, bound(node), sent), _assertion(checked, event),
            changed=tuple(name for name in event["changed"] if before.get(name) != event["changed"][name]),
            own=event["own"], waited=event["waited"], depth=event["depth"], requests=numbers, **_place(event),
        )  # fmt: skip
        self._add(row)

    def _cut(self, event: dict[str, Any]) -> None:
        self._add(Row(0, self.test.path, 0, f"more than {event['rows']:,} steps: the rest is not shown"))

    def _untraced(self, event: dict[str, Any]) -> None:
        self._add(Row(0, self.test.path, 0, f"no steps: {event['why']}"))

    def _report(self, event: dict[str, Any]) -> None:
        failed = event["outcome"] in ("failed", "rerun")
        if failed or self.test.outcome in ("not finished", "passed"):
            phase = event["phase"]
            self.test.outcome = event["outcome"] if event["outcome"] != "failed" or phase == "call" else "error"
        if event["message"]:
            self.test.message = "\n\n".join(filter(None, [self.test.message, event["message"]]))
        if failed:
            self._mark_failed(event["phase"], event["path"], event["line"], event["message"])

    def _leftover(self, event: dict[str, Any]) -> None:
        self.test.left.append(
            Left(event["what"], event["name"], event["path"], event["line"], event["detail"], event["via"])
        )

    def finish(self) -> None:
        """The rows before the first and after the last statement; who never was awaited is known only now."""
        self._unfinished()
        lost = {(it.path, it.line) for it in self.test.left if it.what == "coroutine"}
        for row in self.test.rows:
            if (row.path, row.line) in lost and row.awaited != "yes" and not row.action.startswith("start"):
                row.awaited = "never"
        self.test.rows[:0] = self._endpoints()
        ended = Row(0, self.test.path, self.test.line, _END.get(self.test.outcome, "the test did not finish"))
        if self.test.outcome == "not finished" and not any(row.failed for row in self.test.rows):
            for row in [row for row in self.test.rows if row.result.startswith(_STOPPED)][-1:]:
                row.failed = True
        is_failure = self.test.outcome in ("failed", "error", "rerun")
        ended.failed = is_failure and not any(row.failed for row in self.test.rows)
        self._add(ended)
        names = dict.fromkeys(name for row in self.test.rows for name in row.variables)
        for number, row in enumerate(self.test.rows, 1):
            row.step = number
            row.variables = {name: row.variables.get(name, _NONE) for name in names}

    def _unfinished(self) -> None:
        if self._begun is None:
            return
        event, self._begun = self._begun, None
        kinds = (
            "Expr",
            "Assign",
            "Assert",
            "AsyncWith",
            "With",
            "AsyncFor",
            "For",
            "Return",
            "AugAssign",
            "AnnAssign",
            "While",
            "If",
        )
        found = ((kind, statement_at(event["path"], event["line"], kind)) for kind in kinds)
        kind, node = next((it for it in found if it[1] is not None), ("", None))
        sent = [it for it in self.test.requests if it["number"] in self._sent]
        is_stopped = self.test.outcome == "not finished"
        self._add(Row(
            0, event["path"], event["line"], action(node, kind, event["role"], sent, self._held), "–",
            "still at it when the run was stopped" if is_stopped else "not followed to its end",
            depth=event["depth"], requests=self._requests(), failed=self.test.outcome != "passed",
        ))  # fmt: skip

    def _endpoints(self) -> list[Row]:
        found: dict[tuple[str, int], Row] = {}
        for it in self.test.requests:
            if it.get("place"):
                path, line = it["place"]
                row = Row(0, path, line, f"define endpoint `{it['endpoint']}` for {it['method']} {it['route']}")
                row.variables = dict(self.test.rows[0].variables) if self.test.rows else {}
                found.setdefault((path, line), row)
        return list(found.values())

    def _requests(self) -> tuple[int, ...]:
        numbers, self._sent = tuple(self._sent), []
        return numbers

    def _add(self, row: Row) -> None:
        row.variables = dict(self._held)
        self.test.rows.append(row)

    def _mark_failed(self, phase: str, path: str, line: int, message: str) -> None:
        raised = [row for row in self.test.rows if row.result.startswith("raises ") or "` fails" in row.assertion]
        here = [row for row in raised if (row.path, row.line) == (path, line)]
        if phase != "call" and line and not here and "site-packages" not in path:
            names = {"setup": "set up a fixture", "teardown": "tear down a fixture"}
            first = next(iter(message.splitlines()), "")
            here = [Row(0, path, line, names.get(phase, phase), result=f"raises {first}")]
            self._add(here[0])
        if here or raised:
            (here or raised)[-1].failed = True


_STOPPED = ("raises KeyboardInterrupt", "raises Cancelled")
"""What the statement raises at which a run is stopped."""
_END = {
    "passed": "the test passes",
    "failed": "the test fails",
    "error": "the test ends with an error",
    "skipped": "the test is skipped",
    "rerun": "the test fails and is run again",
}


def _place(event: dict[str, Any]) -> dict[str, Any]:
    return {"task": event.get("task", ""), "loop": event.get("loop", "")}


def _awaited(event: dict[str, Any]) -> str:
    if event["awaits"]:
        return "yes"
    made = [
        text for text in event["changed"].values() if text.startswith("coroutine ") and text.endswith("not awaited")
    ]
    return "later" if made else "–"


def _result(event: dict[str, Any], names: Sequence[str], sent: Sequence[dict[str, Any]]) -> str:
    if event["raised"] is not None and event["check"].get("outcome") != "fails":
        return f"raises {event['raised']}"
    changed: dict[str, str] = event["changed"]
    told = [changed[name] for name in names if name in changed]
    if event["role"] == "leave":
        closed = [text for text in changed.values() if text.endswith(", closed")]
        return "closed" if closed else "–"
    if told:
        return ", ".join(dict.fromkeys(told))
    answers = [f"Response {it['status']}" for it in sent if it.get("status")]
    return ", ".join(answers) or "–"


def _assertion(checked: str, event: dict[str, Any]) -> str:
    if not checked:
        return "–"
    told = event["check"]
    outcome = told.get("outcome") or ("holds" if event["raised"] is None else "fails")
    if "left" in told:
        return f"`{checked}` {outcome}: {told['left']} {told['operator']} {told['right']}"
    return f"`{checked}` {outcome}: {told['value']}" if "value" in told else f"`{checked}` {outcome}"
