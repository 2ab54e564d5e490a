"""What is in the packages: all that is needed, nothing else, the same bytes every time."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

import pytest
from scripts import package

import awaitest

LARGEST = 1_500_000
MOST_LINES = 500
LIBRARIES = {
    "attr", "attrs", "cattr", "cattrs", "exceptiongroup", "iniconfig", "lsprotocol", "packaging", "pathspec", "pygls", "tomli",
    "typing_extensions.py",
}  # fmt: skip
FOREIGN = {".pyc", ".so", ".pyd", ".map", ".ts", ".mjs", ".whl"}
NOT_SHIPPED = {"node_modules", "tests", "__pycache__", "bin", "demo", "corpus", "benchmarks", "docs", "src"}
CLIENT = sorted(path for part in ("src", "webview") for path in (package.ROOT / "client" / part).glob("*.ts"))
DECLARED: dict[str, Any] = json.loads((package.ROOT / "package.json").read_text(encoding="utf-8"))
XML = {
    "vsix": "{http://schemas.microsoft.com/developer/vsx-schema/2011}",
    "types": "{http://schemas.openxmlformats.org/package/2006/content-types}",
}


def names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as opened:
        return opened.namelist()


def read(archive: Path, name: str) -> bytes:
    with zipfile.ZipFile(archive) as opened:
        return opened.read(name)


def test_the_same_sources_give_the_same_bytes(built: tuple[Path, Path]) -> None:
    first, second = (
        {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()} for folder in built
    )
    assert first == second
    assert {PurePosixPath(name).suffix for name in first} == {".vsix", ".whl", ".gz"}


def test_the_extension_is_small(vsix: Path) -> None:
    assert vsix.name == f"awaitest-{awaitest.__version__}.vsix"
    assert vsix.stat().st_size < LARGEST


def test_the_extension_carries_pure_libraries_and_nothing_of_the_workshop(vsix: Path) -> None:
    paths = [PurePosixPath(name) for name in names(vsix)]
    assert len(paths) == len(set(paths))
    assert {path.parts[3] for path in paths if path.parts[1:3] == ("server", "libs")} == LIBRARIES
    assert [path for path in paths if path.suffix in FOREIGN or NOT_SHIPPED & set(path.parts)] == []
    assert [
        path for path in paths if any(part.startswith(".") or part.endswith(".dist-info") for part in path.parts)
    ] == []


def test_the_extension_carries_all_of_awaitest(vsix: Path) -> None:
    server = package.ROOT / "server"
    ours = {
        path.relative_to(server).as_posix() for path in (server / "awaitest").rglob("*.py*") if path.suffix != ".pyc"
    }
    shipped = {name.removeprefix("extension/server/") for name in names(vsix)}
    assert ours - shipped == set()
    assert {"launch.py", "awaitest/lsp/__init__.py"} <= shipped


def test_every_bundled_part_has_its_licence(vsix: Path) -> None:
    licensed = {PurePosixPath(name).parts[2] for name in names(vsix) if name.startswith("extension/licenses/")}
    locked = (package.ROOT / "requirements" / "bundle.txt").read_text(encoding="utf-8")
    python = {name.replace("-", "_") for name in re.findall(r"^([\w-]+)==", locked, re.M)}
    packages = json.loads((package.ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    node = {PurePosixPath(path).name for path, entry in packages.items() if path and not entry.get("dev")}
    assert licensed == python | node


def test_the_lock_of_the_bundle_has_no_markers() -> None:
    locked = (package.ROOT / "requirements" / "bundle.txt").read_text(encoding="utf-8")
    assert not re.search(r"^[\w-]+==[^\n]*;", locked, re.M), "a marker would leave a library out for some Python"


def test_the_manifest_names_what_is_there(vsix: Path) -> None:
    root = ElementTree.fromstring(read(vsix, "extension.vsixmanifest"))
    identity = root.find(f".//{XML['vsix']}Identity")
    assert identity is not None
    assert identity.attrib == {
        "Language": "en-US", "Id": "awaitest", "Version": awaitest.__version__, "Publisher": DECLARED["publisher"],
    }  # fmt: skip
    properties = {it.attrib["Id"].rpartition(".")[2]: it.attrib["Value"] for it in root.iter(f"{XML['vsix']}Property")}
    assert properties["Engine"] == DECLARED["engines"]["vscode"]
    assert properties["ExtensionKind"] == "workspace"
    assets = {asset.attrib["Path"] for asset in root.iter(f"{XML['vsix']}Asset")}
    assert assets - set(names(vsix)) == set()
    types = ElementTree.fromstring(read(vsix, "[Content_Types].xml"))
    known = {entry.attrib["Extension"] for entry in types.iter(f"{XML['types']}Default")}
    assert {PurePosixPath(name).suffix.lower() for name in names(vsix)} - {"", ".xml"} == known - {".xml"}


def test_what_package_json_names_is_shipped(vsix: Path) -> None:
    shipped: dict[str, Any] = json.loads(read(vsix, "extension/package.json"))
    given = shipped["contributes"]
    steps = [step for walkthrough in given["walkthroughs"] for step in walkthrough["steps"]]
    paths = {
        shipped["icon"],
        f"{shipped['main']}",
        *(snippets["path"] for snippets in given["snippets"]),
        *(step["media"]["markdown"] for step in steps),
    }
    assert {f"extension/{path.removeprefix('./')}" for path in paths} - set(names(vsix)) == set()
    assert set(package.FOR_BUILDING) & set(shipped) == set()
    pages = {name.removeprefix("extension/") for name in names(vsix) if name.startswith("extension/media/walkthrough/")}
    assert pages == {step["media"]["markdown"] for step in steps}


def test_pages_in_the_package_lead_nowhere_local(vsix: Path) -> None:
    assert re.findall(r"\]\((?!https:|#)[^)]*\)", read(vsix, "extension/readme.md").decode()) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("see [rules](docs/rules/README.md) now", "see rules now"),
        (
            "see [there](https://example.org/a) and [below](#use)",
            "see [there](https://example.org/a) and [below](#use)",
        ),
        ("a\n\n![The table](docs/table.png)\n\nb", "a\n\nb"),
        ("| [missing-await](docs/rules/missing-await.md) |", "| missing-await |"),
    ],
)
def test_local_links_are_taken_out(before: str, after: str) -> None:
    assert package.without_local_links(before) == after


def test_the_wheel_has_the_command_and_no_tests(built: tuple[Path, Path]) -> None:
    (wheel,) = built[0].glob("*.whl")
    assert wheel.name == f"awaitest-{awaitest.__version__}-py3-none-any.whl"
    info = f"awaitest-{awaitest.__version__}.dist-info"
    assert {PurePosixPath(name).parts[0] for name in names(wheel)} == {"awaitest", info}
    assert read(wheel, f"{info}/entry_points.txt").decode().split() == [
        "[console_scripts]",
        "awaitest",
        "=",
        "awaitest.cli:main",
        "[pytest11]",
        "awaitest",
        "=",
        "awaitest.trace.path.awaitest_trace.plugin",
    ]


def test_the_source_archive_has_what_the_wheel_is_built_from(built: tuple[Path, Path]) -> None:
    (sdist,) = built[0].glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        found = {PurePosixPath(*PurePosixPath(name).parts[1:]).as_posix() for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "PKG-INFO", "server/awaitest/__init__.py"} <= found
    assert {path.partition("/")[0] for path in found} & {"node_modules", "dist", ".venv", "corpus"} == set()


def test_one_version_everywhere() -> None:
    locked = json.loads((package.ROOT / "package-lock.json").read_text(encoding="utf-8"))
    assert {DECLARED["version"], locked["version"]} == {awaitest.__version__}


def test_lock_files_name_no_server() -> None:
    locks = [package.ROOT / "package-lock.json", *(package.ROOT / "requirements").glob("*.txt")]
    assert [
        lock.name
        for lock in locks
        if re.search(r'https?://(?!opencollective|github\.com/sponsors)|"resolved"', lock.read_text())
    ] == []


def test_the_client_is_thin() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in CLIENT}
    shell = [path.read_text(encoding="utf-8") for path in CLIENT if path.parent.name == "src"]
    code = [line for text in shell for line in text.splitlines() if re.match(r"\s*(?!//|/?\*)\S", line)]
    assert 0 < len(code) < MOST_LINES
    assert {name for name, text in texts.items() if re.search(r"AWT\d|\.get(<[^>]*>)?\([^),]+,", text)} == set()


def test_commands_are_declared_and_registered() -> None:
    declared = {command["command"] for command in DECLARED["contributes"]["commands"]}
    source = (package.ROOT / "client" / "src" / "commands.ts").read_text(encoding="utf-8")
    assert set(re.findall(r"add\('([\w.]+)'", source)) == declared
    everywhere = json.dumps(DECLARED) + "".join(path.read_text(encoding="utf-8") for path in CLIENT)
    assert set(re.findall(r"command:(awaitest\.\w+)", everywhere)) <= declared


def test_a_workspace_that_is_not_trusted_may_not_choose_programs() -> None:
    settings = DECLARED["contributes"]["configuration"]["properties"]
    overridable = {name for name, setting in settings.items() if setting["scope"] == "machine-overridable"}
    assert overridable == set(DECLARED["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"])


def test_the_language_client_is_loaded_after_the_activation(vsix: Path) -> None:
    extension, client = (read(vsix, f"extension/client/dist/{name}.js").decode() for name in ("extension", "client"))
    assert (extension.count('require("./client")'), client.count('require("./')) == (1, 0)
    assert len(extension) < 20_000 < len(client)
