"""Generated files are fresh, and what the scripts write is sound."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from scripts import generate, new_rule
from tests.rules.notation import read_cases

from awaitest.project.files import OverlayFiles
from awaitest.project.settings import OPTIONS, load_settings
from awaitest.registry import all_rules, rule_names


def test_nothing_is_stale() -> None:
    assert generate.stale() == [], "run `python scripts/generate.py`"


def test_every_rule_has_its_page() -> None:
    pages = {path.stem for path in (generate.ROOT / generate.RULES).glob("*.md")} - {"README"}
    assert pages == {loaded.rule.name for loaded in all_rules()}


def test_stale_files_are_found_and_written(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"# a\n{generate.START}\nold\n{generate.END}\nb\n", encoding="utf-8")
    (tmp_path / "package.json").write_text('{"contributes": {"configuration": {}}}', encoding="utf-8")
    gone = tmp_path / generate.RULES / "gone-rule.md"
    gone.parent.mkdir(parents=True)
    gone.touch()
    assert set(generate.stale(tmp_path)) == {*generate.outputs(tmp_path), generate.RULES / "gone-rule.md"}
    generate.write(tmp_path)
    assert generate.stale(tmp_path) == []
    assert not gone.exists()
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# a\n{generate.START}\n| code |")
    assert readme.endswith(f"|\n{generate.END}\nb\n")


@pytest.mark.parametrize("text", ["", generate.START, f"{generate.END}{generate.START}"])
def test_markers_are_needed(text: str) -> None:
    with pytest.raises(ValueError, match="needs <!-- rules:start -->"):
        generate.between(text, "")


def test_the_example_of_all_settings_is_valid() -> None:
    path = Path("/project/pyproject.toml")
    settings = load_settings(OverlayFiles({path: generate.example()}), path.parent, rule_names())
    assert settings.path == path
    assert settings.problems == ()
    assert all(f"{option.name}" in generate.example() for option in OPTIONS)


def test_a_new_rule_is_two_files(tmp_path: Path) -> None:
    module, cases = new_rule.scaffold(tmp_path, "AWT199", "some-problem")
    assert runpy.run_path(str(module))["RULE"].name == "some-problem"
    read = read_cases(cases)
    assert (read.rule, len(read.invalid), len(read.valid)) == ("some-problem", 1, 1)
    with pytest.raises(FileExistsError):
        new_rule.scaffold(tmp_path, "AWT199", "some-problem")


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("AWT19", "some-problem"),
        ("AWT099", "some-problem"),
        ("AWT199", "Some"),
        ("AWT101", "new-name"),
        ("AWT199", "missing-await"),
    ],
)
def test_a_wrong_rule_is_not_begun(tmp_path: Path, code: str, name: str) -> None:
    with pytest.raises(ValueError, match=r"^(a code is|AWT\d+ or )"):
        new_rule.scaffold(tmp_path, code, name)
    assert list(tmp_path.iterdir()) == []


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert new_rule.main([]) == 2
    assert new_rule.main(["AWT101", "missing-await"]) == 2
    assert generate.main(["--chekc"]) == 2
    assert "usage" in capsys.readouterr().err
