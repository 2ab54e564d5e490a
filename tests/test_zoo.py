"""Every planted mistake of the first set is found on its line under its code, and nothing is said where nothing is wrong."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from benchmarks.zoo_cases import Case, Finding, awaitest, bare_copy, by_case, find_zoo, load_cases

ZOO = find_zoo()
CASES = {case.id: case for case in load_cases(ZOO)} if ZOO else {}

pytestmark = pytest.mark.skipif(ZOO is None, reason="no zoo: neither ../shared/zoo beside the clone nor AWAITEST_ZOO")

FOUND_BY = {
    "a02-post-bare-statement": "AWT101",
    "a04-send-assigned": "AWT101",
    "a05-conftest-client-unannotated": "AWT101",
    "a08-chained-json": "AWT101",
    "a11-httpx2-get-assigned": "AWT101",
    "a12-assigned-never-used": "AWT101",
    "a13-self-client": "AWT101",
    "a14-getattr-method": "AWT101",
    "a21-helper-imported": "AWT101",
    "a23-factory-fixture": "AWT101",
    "a24-assert-helper": "AWT102",
    "a28-assert-is-not-none": "AWT102",
    "a29-fstring": "AWT101",
    "a30-return": "AWT101",
    "a34-argument-json": "AWT101",
    "a35-condition": "AWT102",
    "a39-endpoint-called-in-sync-test": "AWT102",
    "a40-override-called": "AWT404",
    "a54-event-wait": "AWT101",
    "a55-queue-get": "AWT102",
    "a56-anyio-sleep": "AWT101",
    "a56b-trio-sleep": "AWT101",
    "a57-task-not-stored": "AWT107",
    "a59-taskgroup-start-soon-call": "AWT111",
    "a60-with-asyncclient": "AWT103",
    "a61-with-lifespan-manager": "AWT103",
    "a64-comprehension-aiter": "AWT104",
    "a68-with-timeout": "AWT103",
    "a70-await-json": "AWT105",
    "a72-await-testclient": "AWT105",
    "a73-await-testclient-fixture": "AWT105",
    "a76-async-with-in-sync-def": "AWT106",
    "a77-await-in-nested-def": "AWT106",
    "a83-await-mock-assert": "AWT105",
    "a84-magicmock-for-coroutine": "AWT122",
    "a86-asyncmock-sync-child": "AWT124",
    "c03-inline-temporary": "AWT301",
    "c05-close-instead-of-aclose": "AWT309",
    "c07-fixture-return-in-with": "AWT304",
    "c09-sync-fixture-returns-unclosed": "AWT301",
    "c11-module-global-client": "AWT301",
    "c13-factory-result-unclosed": "AWT301",
    "c16-no-base-url": "AWT306",
    "c20-use-after-aclose": "AWT303",
    "c21-stream-not-closed": "AWT308",
    "c25-lifespan-not-run": "AWT401",
    "c26-testclient-without-with": "AWT401",
    "c28-overrides-never-cleared": "AWT403",
    "c30-raise-app-exceptions": "AWT405",
    "c31-unclosed-real-connection": "AWT301",
    "c40-httpx2-never-closed": "AWT301",
    "c41-httpx2-app-shortcut": "AWT305",
    "c42-httpx2-return-in-with": "AWT304",
    "c45-httpx2-mixed-transport": "AWT310",
    "m01-no-marker-default-mode": "AWT201",
    "m02-one-unmarked-among-marked": "AWT201",
    "m05-class-unmarked": "AWT201",
    "m06-parametrized-unmarked": "AWT201",
    "m11-async-fixture-plain-decorator": "AWT204",
    "m12-coroutine-fixture-plain-decorator": "AWT204",
    "m16-sync-test-with-marker": "AWT203",
    "m17-sync-test-marker-forgot-async": "AWT203",
    "m20-async-setup-method": "AWT206",
    "m21-loop-scope-hang": "AWT209",
    "m24-anyio-session-fixture": "AWT213",
    "m25b-asyncio-and-anyio-no-backend": "AWT207",
    "m28-marker-scope-kwarg": "AWT212",
    "m31-nested-test-never-runs": "AWT110",
    "m34-plugin-disabled": "AWT201",
    "m35-async-generator-test": "AWT214",
    "m36-sync-autouse-fixture-auto": "AWT101",
    "c23-testclient-in-async-test": "AWT312",
    "m03-pytestmark-in-conftest": "AWT208",
    "m33-anyio-unpinned-backend": "AWT216",
}
"""The code that finds the case; two where either tells the truth about the line."""

ALSO_TRUE = {
    "m03-pytestmark-in-conftest": {("tests/test_users.py", "AWT201")},
}
"""What is rightly said away from the planted lines: the same mistake seen from the test that it hits."""


@pytest.fixture(scope="session")
def findings() -> dict[str, list[Finding]]:
    assert ZOO is not None
    return by_case(awaitest(ZOO))


def planted(case: Case, findings: dict[str, list[Finding]]) -> set[str]:
    return {finding.code for finding in findings.get(case.id, []) if case.holds(finding)}


def elsewhere(case: Case, findings: dict[str, list[Finding]]) -> list[str]:
    allowed = {(f"{case.id}/{file}", code) for file, code in ALSO_TRUE.get(case.id, set())}
    return [
        f"{it.file}:{it.line} {it.code} {it.message}"
        for it in findings.get(case.id, [])
        if it.counts and not case.holds(it) and (it.file, it.code) not in allowed
    ]


@pytest.mark.parametrize("name", FOUND_BY)
def test_mistake_is_found(name: str, findings: dict[str, list[Finding]]) -> None:
    assert set(FOUND_BY[name].split()) & planted(CASES[name], findings), CASES[name].title


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_said_elsewhere(name: str, findings: dict[str, list[Finding]]) -> None:
    assert elsewhere(CASES[name], findings) == []


def test_every_mistake_is_in_the_table() -> None:
    assert {name for name, case in CASES.items() if not case.clean} == FOUND_BY.keys()


def test_annotations_change_nothing(findings: dict[str, list[Finding]]) -> None:
    """The fixture chain alone tells what an unannotated client is."""
    assert ZOO is not None
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve() / "zoo"
        changed = bare_copy(ZOO, copy)
        after = by_case(awaitest(copy))
    assert changed
    for name in changed:
        assert places(after.get(name, [])) == places(findings.get(name, [])), name


def places(found: list[Finding]) -> list[tuple[str, int, str]]:
    return sorted((it.file, it.line, it.code) for it in found)
