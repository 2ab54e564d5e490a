"""Makes the editor's package (.vsix), the wheel and the source archive in dist/: the same bytes from the same sources.

The .vsix carries the pure Python libraries of requirements/bundle.txt, so that one package serves every platform and every Python
from 3.10 up. Needs pip and hatchling beside this Python, and the node modules.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

ROOT = Path(__file__).parents[1]
EPOCH = os.environ.get("SOURCE_DATE_EPOCH", "1767225600")
PURE = ["--implementation", "py", "--abi", "none", "--platform", "any", "--python-version", "3.10"]
CODE = (
    ("client/dist", "*.js"),
    ("media", "*"),
    ("snippets", "*.json"),
    ("server", "launch.py"),
    ("server/awaitest", "*"),
)
LEFTOVERS = ("__pycache__", "tests")
FOR_BUILDING = ("scripts", "dependencies", "devDependencies", "private")
TYPES = {
    ".css": "text/css",
    ".js": "application/javascript",
    ".json": "application/json",
    ".md": "text/markdown",
    ".png": "image/png",
    ".vsixmanifest": "text/xml",
}

_MANIFEST = """\
<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id={name} Version={version} Publisher={publisher}/>
    <DisplayName>{title}</DisplayName>
    <Description xml:space="preserve">{description}</Description>
    <Tags>{tags}</Tags>
    <Categories>{categories}</Categories>
    <GalleryFlags>Public</GalleryFlags>
    <License>extension/LICENSE.txt</License>
    <Icon>extension/{icon}</Icon>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value={engine}/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionDependencies" Value=""/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionPack" Value=""/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value={kind}/>
      <Property Id="Microsoft.VisualStudio.Code.ExecutesCode" Value="true"/>
      <Property Id="Microsoft.VisualStudio.Services.GitHubFlavoredMarkdown" Value="true"/>
      <Property Id="Microsoft.VisualStudio.Services.Content.Pricing" Value={pricing}/>
    </Properties>
  </Metadata>
  <Installation>
    <InstallationTarget Id="Microsoft.VisualStudio.Code"/>
  </Installation>
  <Dependencies/>
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/readme.md" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.Changelog" Path="extension/changelog.md" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.License" Path="extension/LICENSE.txt" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Icons.Default" Path="extension/{icon}" Addressable="true"/>
  </Assets>
</PackageManifest>
"""


def vsix(folder: Path) -> Path:
    """Write the editor's package into a folder. Raises CalledProcessError where pip or the bundler fails."""
    run("npm", "run", "--silent", "build")
    package = json.loads(_text("package.json"))
    with tempfile.TemporaryDirectory() as name:
        libs = Path(name)
        run(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", name, *PURE,
            "--no-deps", "--no-compile", "--only-binary", ":all:", "--require-hashes", "-r", "requirements/bundle.txt")  # fmt: skip
        files = {f"extension/{path}": content for path, content in extension(package, libs)}
    files["extension.vsixmanifest"] = manifest(package).encode()
    files["[Content_Types].xml"] = content_types(files).encode()
    path = folder / f"{package['name']}-{package['version']}.vsix"
    write_zip(path, files)
    return path


def extension(package: Mapping[str, Any], libs: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of the extension with its content; `libs` is the folder into which pip put the libraries."""
    shipped = {key: value for key, value in package.items() if key not in FOR_BUILDING}
    yield "package.json", json.dumps(shipped, indent=2, ensure_ascii=False).encode()
    yield "readme.md", without_local_links(_text("README.md")).encode()
    yield "changelog.md", _text("CHANGELOG.md").encode()
    yield "LICENSE.txt", _text("LICENSE").encode()
    for folder, pattern in CODE:
        yield from _below(ROOT / folder, folder, pattern)
    for name, content in _below(libs, "server/libs", "*.py"):
        if ".dist-info/" not in name:
            yield name, content
    for owner, path in _licences(libs):
        yield f"licenses/{owner}/{path.name}", path.read_bytes()


def manifest(package: Mapping[str, Any]) -> str:
    """What the marketplace and the editor's installer read, told from package.json."""
    return _MANIFEST.format(
        name=quoteattr(package["name"]),
        version=quoteattr(package["version"]),
        publisher=quoteattr(package["publisher"]),
        title=escape(package["displayName"]),
        description=escape(package["description"]),
        tags=escape(",".join(package["keywords"])),
        categories=escape(",".join(package["categories"])),
        icon=escape(package["icon"]),
        engine=quoteattr(package["engines"]["vscode"]),
        kind=quoteattr(",".join(package["extensionKind"])),
        pricing=quoteattr(package["pricing"]),
    )


def content_types(files: Mapping[str, bytes]) -> str:
    """The list of file types that the package format wants."""
    suffixes = sorted({Path(path).suffix.lower() for path in files} - {""})
    lines = [
        f'  <Default Extension="{it}" ContentType="{TYPES.get(it, "application/octet-stream")}"/>' for it in suffixes
    ]
    head = '<?xml version="1.0" encoding="utf-8"?>\n<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    return "\n".join([head, *lines, "</Types>", ""])


def write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    """An archive in which order, times and rights depend on nothing but the files."""
    when = time.gmtime(int(EPOCH))[:6]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, when)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, files[name])


def without_local_links(markdown: str) -> str:
    """The page without pictures and links that lead to files of the checkout: the marketplace has none of them."""
    without_pictures = re.sub(r"!\[[^\]]*\]\((?!https:)[^)]*\)\n*", "", markdown)
    return re.sub(r"\[([^\]]+)\]\((?!https:|#)[^)]*\)", r"\1", without_pictures)


def wheel_and_sdist(folder: Path) -> None:
    """Write both into a folder; hatchling takes the time of every file from SOURCE_DATE_EPOCH."""
    run(sys.executable, "-m", "hatchling", "build", "--directory", str(folder))


def run(*command: str) -> None:
    """A command at the root; its output is shown only where it fails."""
    program = shutil.which(command[0]) or command[0]
    done = subprocess.run(
        [program, *command[1:]],
        cwd=ROOT,
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        sys.stderr.buffer.write(done.stdout)
        done.check_returncode()


def _below(folder: Path, target: str, pattern: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob(pattern)):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part in LEFTOVERS or part.startswith(".") for part in parts):
            yield f"{target}/{'/'.join(parts)}", path.read_bytes()


def _licences(libs: Path) -> Iterator[tuple[str, Path]]:
    """The licences of what is bundled, Python libraries and node modules, each with the name of its package."""
    for path in sorted(libs.glob("*.dist-info/licenses/**/*")):
        if path.is_file():
            yield path.relative_to(libs).parts[0].split("-")[0], path
    packages: dict[str, dict[str, Any]] = json.loads(_text("package-lock.json"))["packages"]
    for name in (name for name, entry in packages.items() if name and not entry.get("dev")):
        for path in sorted((ROOT / name).glob("[Ll][Ii][Cc][Ee][Nn][SsCc][Ee]*")):
            yield Path(name).name, path


def _text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Everything into dist/, or into the folder given."""
    folder = Path(arguments[0] if arguments else ROOT / "dist").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    vsix(folder)
    wheel_and_sdist(folder)
    for path in sorted(folder.iterdir()):
        print(f"{path.stat().st_size:>9,}  {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
