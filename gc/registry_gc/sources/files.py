"""Searches the files of `protect-from` for the tags and digests they use.

What counts as a reference, and what cannot be seen, is told in `references`. Not searched, but
named: binary and huge files, links out of the workspace, links to a directory below a wildcard.
"""

import codecs
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from registry_gc.errors import RegistryGcError
from registry_gc.sources.references import references

_LARGEST = 5 * 1024 * 1024  # bytes
_SAMPLE = 8 * 1024  # bytes looked at for a NUL

_BOMS = (  # UTF-32 first: its little-endian mark starts with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A reference to an image whose tag cannot be told from the files."""

    place: str  # "deploy/compose.yaml:12"
    text: str  # the reference as written, at most 200 characters, one line
    image: str  # lower case


@dataclass(frozen=True, slots=True)
class InUse:
    """What the files refer to."""

    tags: Mapping[tuple[str, str], str]  # (image, tag), lower case -> place first found
    digests: Mapping[tuple[str, str], str]  # (image, "sha256:<hex>") -> place first found
    unknown: tuple[Unknown, ...]  # at most one for each line and image
    skipped: tuple[str, ...]  # what was matched but not searched, with why: "big.bin: binary"


def search(patterns: Sequence[str], workspace: Path, owner: str, images: Collection[str]) -> InUse:
    """Search the files that the patterns name for references to the owner's images.

    A pattern is a path relative to the workspace, with `*`, `?`, `[...]` and `**`, hidden files
    included and `.git` left out; a directory stands for every file below it.
    Raises RegistryGcError for a pattern that leaves the workspace or matches no file, and for
    a file or directory that cannot be read.
    """
    workspace = Path(os.path.realpath(workspace))
    names = sorted({image.lower() for image in images})
    tags: dict[tuple[str, str], str] = {}
    digests: dict[tuple[str, str], str] = {}
    unknown: dict[tuple[str, str], Unknown] = {}
    skipped: list[str] = []
    try:
        for path in _paths(patterns, workspace):
            name = path.relative_to(workspace).as_posix()
            reason = _why_not(path, workspace)
            text = None if reason else _decoded(path.read_bytes())
            if text is None:
                skipped.append(f"{name}: {reason or 'binary'}")
                continue
            for found in references(text, owner, names):
                place = f"{name}:{found.line}"
                for tag in found.tags:
                    tags.setdefault((found.image, tag), place)
                for digest in found.digests:
                    digests.setdefault((found.image, digest), place)
                if found.is_unknown:
                    mark = Unknown(place, found.text, found.image)
                    unknown.setdefault((place, found.image), mark)
    except OSError as error:
        name = os.path.relpath(error.filename or workspace, workspace)
        raise RegistryGcError(
            f"protect-from: {name} cannot be read ({error.strerror}): let the user that runs this "
            "step read it, or name only the files that refer to images"
        ) from error
    return InUse(tags, digests, tuple(unknown.values()), tuple(skipped))


def _paths(patterns: Sequence[str], workspace: Path) -> list[Path]:
    """Everything that the patterns match, each once, also what cannot be searched."""
    paths: dict[Path, None] = {}  # a set that keeps its order
    for pattern in patterns:
        parts = PurePosixPath(pattern).parts
        if not pattern.strip() or ".." in parts or pattern.startswith("/"):
            raise RegistryGcError(
                f"protect-from: {pattern!r} is not a path inside the workspace: write it relative "
                "to the top of the repository, without '..' and without a leading slash"
            )
        matches = sorted(_matches(parts, workspace))
        if not matches:
            raise RegistryGcError(
                f"protect-from: {pattern} matches no file in the workspace: is the repository "
                "checked out before this step? If it is, correct the path: it is relative to "
                "the top of the repository, with upper and lower case as they are there"
            )
        paths.update(dict.fromkeys(matches))
    return list(paths)


def _matches(parts: Sequence[str], workspace: Path) -> Iterator[Path]:
    """What one pattern matches: the parts without wildcards lead to where the search begins."""
    fixed = next((i for i, part in enumerate(parts) if set(part) & set("*?[")), len(parts))
    top = workspace.joinpath(*parts[:fixed])
    if not _is_inside(top, workspace):
        yield top
    elif top.is_dir():
        for path in _below(top):
            if _fits(path.relative_to(top).parts, parts[fixed:]):
                yield path
    elif fixed == len(parts) and top.exists():
        yield top


def _below(top: Path) -> Iterator[Path]:
    """All files and links below a directory, save those of git; links are not followed."""

    def fail(error: OSError) -> None:
        raise error

    for directory, folders, files in os.walk(top, onerror=fail):
        folders[:] = [name for name in folders if name != ".git"]
        links = [name for name in folders if Path(directory, name).is_symlink()]
        yield from (Path(directory, name) for name in (*files, *links) if name != ".git")


def _fits(names: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether the parts of a pattern match a path or a directory above it."""
    if not parts:
        return True
    if parts[0] == "**":
        return _fits(names, parts[1:]) or (bool(names) and _fits(names[1:], parts))
    return bool(names) and fnmatchcase(names[0], parts[0]) and _fits(names[1:], parts[1:])


def _is_inside(path: Path, workspace: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(workspace)


def _why_not(path: Path, workspace: Path) -> str:
    """Why a path cannot be searched, or an empty string."""
    if not _is_inside(path, workspace):
        return "leads outside the workspace"
    if path.is_dir():
        return "link to a directory, searched only when named"
    if not path.is_file():
        return "not a file"
    if path.stat().st_size > _LARGEST:
        return f"larger than {_LARGEST // 1024**2} MiB"
    return ""


def _decoded(data: bytes) -> str | None:
    """The text with plain line ends, or None when it is none."""
    coding = next((coding for bom, coding in _BOMS if data.startswith(bom)), "utf-8-sig")
    if coding == "utf-8-sig" and b"\0" in data[:_SAMPLE]:
        return None
    text = data.decode(coding, errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")
