"""Reports overrides of dependencies that a test or fixture leaves behind.

Finds `app.dependency_overrides[…] = …` in a test or fixture, for an app that all tests share, where nothing in sight
takes it back: no teardown, no fixture, no helper. Silent for fixtures that run unasked or once per session, since all
tests are meant to have what they set.

Why: The app is made once, when its module is imported. What one test puts there is used by all that follow, which pass
or fail depending on the order in which they run.

Bad:
    from fastapi import Depends, FastAPI
    from fastapi.testclient import TestClient

    app = FastAPI()

    def get_user():
        return "alice"

    @app.get("/me")
    async def read_me(user: str = Depends(get_user)):
        return user

    def test_fake():
        app.dependency_overrides[get_user] = lambda: "fake"
        assert TestClient(app).get("/me").json() == "fake"

    def test_real():
        assert TestClient(app).get("/me").json() == "alice"

Good:
    def test_fake(monkeypatch):
        monkeypatch.setitem(app.dependency_overrides, get_user, lambda: "fake")
        assert TestClient(app).get("/me").json() == "fake"

Ignore: When all tests are meant to run with what the first of them sets.

Fix: Unsafe. Sets the override with `monkeypatch.setitem`, which takes it back after the test: others that relied on the
leak will see the real dependency. Offered for tests, and for fixtures of function scope.
"""

from __future__ import annotations

from collections.abc import Iterator

from awaitest.engine.diagnostic import Fix, Severity
from awaitest.engine.leaks import has_successor, may_be_undone, patched_edits
from awaitest.engine.overrides import Override, override_by
from awaitest.engine.repair import fix
from awaitest.engine.rule import Finding, Rule
from awaitest.engine.run import FIXTURE, TEST, Run
from awaitest.engine.steps import Stored
from awaitest.engine.words import short

RULE = Rule("AWT403", "dependency-override-leak", Severity.WARNING)


def check(step: Stored, run: Run) -> Iterator[Finding]:
    """The first override that stays when a test or fixture is over."""
    override = override_by(step, run)
    if override is None or not _ends(run) or not _is_shared(override, run):
        return
    left = [item for item in run.steps if isinstance(item, Stored) and override_by(item, run) is not None]
    if left[0] is not step or may_be_undone(run):
        return
    message = (
        f"The override of `{short(override.key_node)}` stays after `{run.node.name}`: tests that follow get it too. "
        "Use `monkeypatch.setitem(…)`, or take it back after `yield` in a fixture."
    )
    yield Finding(step.node, message, lambda: _fix(left, run))


def _ends(run: Run) -> bool:
    """Whether tests come after this function that it is not meant for."""
    fixture = run.fixture
    if run.kind != FIXTURE or fixture is None:
        return run.kind == TEST
    return fixture.scope in {"function", "class", "module", "package"} and not fixture.autouse


def _is_shared(override: Override, run: Run) -> bool:
    return all(app.made and app.made.shared and has_successor(run, app.made.module) for app in override.apps)


def _fix(left: list[Stored], run: Run) -> Fix | None:
    return fix(run, "Use `monkeypatch.setitem`", patched_edits(run, [step.node for step in left]), safe=False)
