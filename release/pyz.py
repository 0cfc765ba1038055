"""registry-gc.pyz: the program with all it needs in one file, for any Python it supports.

    python -m release.pyz dist/registry-gc.pyz

The libraries are those installed beside this interpreter, which are locked; of each its Python
files, what it reads, and its licence. Compiled parts are left out: all of ours work without. The
same versions give the same bytes, on any machine: nothing in the file tells when, where or by which
Python it was made, and it is not compressed, for compressors differ.
"""

import re
import stat
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path, PurePosixPath
from zipfile import ZipFile, ZipInfo

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "gc" / "registry_gc"
SHEBANG = b"#!/usr/bin/env python3\n"
MAIN = b"""import sys

if sys.version_info < (3, 11):
    sys.exit("registry-gc needs Python 3.11 or newer, this is %d.%d." % sys.version_info[:2])

from registry_gc.main import main

main(prog_name="registry-gc")
"""
COMPILED = {".so", ".pyd", ".pyc", ".dll", ".dylib"}
TOLD = re.compile(r"METADATA|(licenses/.*)?(LICEN[CS]E|NOTICE|COPYING|AUTHORS).*")
"""What goes along of a library's own description; the rest tells how it was installed here."""


def build(target: Path) -> None:
    """Writes the file. Raises PackageNotFoundError when a library is not installed here."""
    files = {"__main__.py": MAIN, "LICENSE": (ROOT / "LICENSE").read_bytes(), **dict(_program())}
    for library in libraries("registry-gc"):
        files |= dict(_contents(library))
    # A package without __init__.py, as ruamel is, is found by the entry of its folder alone.
    files |= {f"{folder}/": b"" for name in files for folder in PurePosixPath(name).parents[:-1]}
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as stream:
        stream.write(SHEBANG)
        with ZipFile(stream, "w") as archive:
            for name in sorted(files):
                entry = ZipInfo(name)  # with the earliest date there is in such a file
                entry.external_attr = (stat.S_IFREG | 0o644) << 16
                entry.create_system = 3  # Unix
                archive.writestr(entry, files[name])
    target.chmod(0o755)


def libraries(name: str) -> list[Distribution]:
    """All that a distribution needs to run, in the order of their names, without itself."""
    found: dict[str, Distribution] = {}
    todo = [name]
    while todo:
        for text in distribution(todo.pop()).requires or ():
            needed = Requirement(text)
            if needed.name not in found and (not needed.marker or needed.marker.evaluate()):
                found[needed.name] = distribution(needed.name)
                todo.append(needed.name)
    return [found[name] for name in sorted(found)]


def _program() -> Iterator[tuple[str, bytes]]:
    for path in PACKAGE.rglob("*"):
        if path.is_file() and path.suffix not in COMPILED:
            yield path.relative_to(PACKAGE.parent).as_posix(), path.read_bytes()


def _contents(library: Distribution) -> Iterator[tuple[str, bytes]]:
    for file in library.files or ():
        folder, _, rest = file.as_posix().partition("/")
        told = TOLD.fullmatch(rest) if folder.endswith(".dist-info") else folder != ".."
        if told and file.suffix not in COMPILED:
            yield file.as_posix(), Path(str(file.locate())).read_bytes()


if __name__ == "__main__":
    build(Path(sys.argv[1]))
