"""The corpus: source distributions of real packages, on which every finding is judged by hand.

``fetch`` downloads what corpus.lock pins and unpacks it into corpus/; nothing that it downloads is run. ``check`` runs
awaitest over the tests of each package and compares the findings with the list of judged ones.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "corpus"
LOCK = ROOT / "benchmarks" / "corpus.lock"
JUDGED = ROOT / "tests" / "corpus" / "findings.json"
LARGEST_FILE = 4_000_000


@dataclass(frozen=True)
class Pin:
    """One line of the lock: ``name version sha256``; a line without version and hash asks for the newest."""

    name: str
    version: str = ""
    sha256: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version} {self.sha256}"


def read_lock(text: str) -> list[Pin]:
    return [Pin(*line.split()) for line in text.splitlines() if line.strip() and not line.startswith("#")]


class Index:
    """The package index that pip on this machine is set up for, asked through pip itself.

    ``pip download`` would build each package to learn its metadata, that is, run its code.
    """

    def __init__(self) -> None:
        from pip._internal.commands import create_command

        logging.getLogger("pip").setLevel(logging.ERROR)
        command: Any = create_command("download")
        options, _ = command.parse_args(["--no-deps", "--no-binary", ":all:", "--quiet", "placeholder"])
        self.session: Any = command._build_session(options)
        self.finder: Any = command._build_package_finder(options=options, session=self.session)

    def download(self, pin: Pin) -> tuple[Pin, bytes]:
        """The pin completed, and the archive. Raises LookupError, and ValueError where the hash differs."""
        found = [
            candidate
            for candidate in self.finder.find_all_candidates(pin.name)
            if candidate.link.filename.endswith(".tar.gz")
            and (str(candidate.version) == pin.version if pin.version else not candidate.version.is_prerelease)
        ]
        if not found:
            raise LookupError(f"{pin.name} {pin.version}: the index has no source distribution")
        best = max(found, key=lambda candidate: candidate.version)
        response = self.session.get(best.link.url_without_fragment)
        response.raise_for_status()
        digest = hashlib.sha256(response.content).hexdigest()
        if digest != (pin.sha256 or best.link.hash or digest):
            raise ValueError(f"{pin.name} {best.version}: sha256 is {digest}, not the pinned one")
        return Pin(pin.name, str(best.version), digest), response.content


def unpack(archive: bytes, target: Path) -> int:
    """Writes the regular text-sized files of a .tar.gz below ``target``, less its top folder; how many.

    Links, devices and names that lead out of ``target`` are left out.
    """
    count = 0
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        for member in tar:
            parts = PurePosixPath(member.name).parts[1:]
            if not member.isfile() or not parts or ".." in parts or member.size > LARGEST_FILE:
                continue
            content = tar.extractfile(member)
            place = target.joinpath(*parts)
            if content is None or not place.resolve().is_relative_to(target.resolve()):
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.read())
            count += 1
    return count


def fetch(*, update: bool) -> int:
    """Completes corpus/ from the lock; with ``update`` takes the newest versions and rewrites the lock."""
    index = Index()
    pins, failed = [], 0
    for pin in read_lock(LOCK.read_text(encoding="utf-8")):
        target = CORPUS / pin.name
        stamp = target / ".pin"
        if not update and stamp.is_file() and stamp.read_text(encoding="utf-8") == str(pin):
            print(f"{pin.name:40} {pin.version:12} here")
            continue
        try:
            done, archive = index.download(Pin(pin.name) if update else pin)
        except Exception as error:
            print(f"{pin.name:40} {pin.version:12} FAILED: {error}", file=sys.stderr)
            pins.append(pin)
            failed += 1
            continue
        shutil.rmtree(target, ignore_errors=True)
        files = unpack(archive, target)
        stamp.write_text(str(done), encoding="utf-8")
        pins.append(done)
        tests = sum(1 for _ in files_of_tests(target))
        print(f"{done.name:40} {done.version:12} {files:6} files, {tests:5} of tests", flush=True)
    if update:
        header = [line for line in LOCK.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
        LOCK.write_text("\n".join([*header, *map(str, pins)]) + "\n", encoding="utf-8")
    return min(failed, 1)


def files_of_tests(package: Path) -> Iterator[Path]:
    """The Python files of a package that a reader would call tests."""
    for path in sorted(package.rglob("*.py")):
        name = path.name
        if (
            _in_tests(path.relative_to(package))
            or name == "conftest.py"
            or name.startswith("test_")
            or name.endswith("_test.py")
        ):
            yield path


def size_of(package: Path) -> tuple[int, int]:
    """(files of tests, `async def` in them whose name begins with test)."""
    texts = [path.read_bytes() for path in files_of_tests(package)]
    return len(texts), sum(len(re.findall(rb"^[ \t]*async def test", text, re.MULTILINE)) for text in texts)


def _in_tests(path: Path) -> bool:
    return bool({"tests", "test"} & set(path.parts[:-1]))


def roots_of_tests(package: Path) -> list[Path]:
    """The outermost folders named tests or test, and the test files beside them."""
    roots: dict[Path, None] = {}
    for path in files_of_tests(package):
        relative = path.relative_to(package)
        depth = next(
            (at for at, part in enumerate(relative.parts[:-1], 1) if part in ("tests", "test")), len(relative.parts)
        )
        roots[package.joinpath(*relative.parts[:depth])] = None
    return list(roots)


def check_package(package: Path) -> tuple[list[Place], float]:
    """(findings above hint level, seconds) of one run. Raises RuntimeError when the tool itself failed."""
    command = [sys.executable, "-m", "awaitest", "check", "--output-format", "json", "--no-cache"]
    search = [str(ROOT / "server"), *filter(None, [os.environ.get("PYTHONPATH")])]
    started = time.perf_counter()
    run = subprocess.run(
        [*command, *(str(path) for path in roots_of_tests(package))],
        cwd=package,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        env=dict(os.environ, PYTHONPATH=os.pathsep.join(search)),
    )
    seconds = time.perf_counter() - started
    if run.returncode not in (0, 1):
        raise RuntimeError(f"{package.name}: awaitest exited with {run.returncode}: {run.stderr[-2000:]}")
    findings = [
        Place(
            package.name,
            Path(item["filename"]).resolve().relative_to(package.resolve()).as_posix(),
            item["location"]["row"],
            item["code"],
            item["message"],
        )
        for item in json.loads(run.stdout)
        if item["severity"] != "hint"
    ]
    return findings, seconds


@dataclass(frozen=True)
class Place:
    """A finding in the corpus; two are the same when all but the message agree."""

    package: str
    file: str
    line: int
    code: str
    message: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.package}/{self.file}:{self.line} {self.code} {self.message}"


def judged() -> dict[Place, str]:
    """The findings that somebody looked at, with the verdict: "true" or "false"."""
    records = json.loads(JUDGED.read_text(encoding="utf-8"))
    return {Place(it["package"], it["file"], it["line"], it["code"]): it["verdict"] for it in records}


def check(names: Sequence[str] = ()) -> int:
    """Checks the unpacked packages (or those named) and compares with the judged findings; 1 where they differ."""
    packages = [path for path in sorted(CORPUS.glob("*")) if path.is_dir() and (not names or path.name in names)]
    if not packages:
        print("the corpus is empty: fetch it first", file=sys.stderr)
        return 2
    found: dict[Place, None] = {}
    failed, total = False, 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for package, checked in [(package, pool.submit(check_package, package)) for package in packages]:
            files, tests = size_of(package)
            try:
                findings, seconds = checked.result()
            except (RuntimeError, ValueError) as error:
                print(f"{package.name:24} FAILED: {error}")
                failed = True
                continue
            found.update(dict.fromkeys(findings))
            total += tests
            rules = " ".join(f"{code}:{count}" for code, count in sorted(Counter(it.code for it in findings).items()))
            print(f"{package.name:24} {files:4} files {tests:5} async tests {seconds:6.2f} s  {rules}", flush=True)
    outcome = compare(found, {package.name for package in packages})
    print(f"{len(packages)} packages, {total:,} async tests")
    return max(outcome, int(failed))


def compare(found: Collection[Place], packages: Collection[str]) -> int:
    known = {place: verdict for place, verdict in judged().items() if place.package in packages}
    sections = (
        ("new, to be judged", [place for place in found if place not in known]),
        ("gone", [place for place in known if place not in found]),
        ("judged false, still reported", [place for place in found if known.get(place) == "false"]),
    )
    for title, places in sections:
        if places:
            print(f"\n{title}: {len(places)}")
            print("\n".join(f"  {place}" for place in places))
    print(f"\n{len(found)} findings, {len(known)} judged")
    return int(any(places for _, places in sections))


def main() -> int:
    parser = argparse.ArgumentParser(description="Real packages, and what awaitest says of their tests.")
    commands = parser.add_subparsers(dest="command", required=True)
    fetching = commands.add_parser("fetch", help="download and unpack what the lock pins")
    fetching.add_argument("--update", action="store_true", help="take the newest versions and rewrite the lock")
    checking = commands.add_parser("check", help="compare the findings with the judged ones")
    checking.add_argument("package", nargs="*")
    options = parser.parse_args()
    return fetch(update=options.update) if options.command == "fetch" else check(options.package)


if __name__ == "__main__":
    sys.exit(main())
