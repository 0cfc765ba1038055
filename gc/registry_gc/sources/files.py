"""Searches the files of `protect-from` for the tags and digests they use.

What counts as a reference, and what cannot be seen, is told in `references`. Not searched, but
named: binary and huge files, links out of the workspace, links to a directory below a wildcard.
"""

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from registry_gc.errors import RegistryGcError
from registry_gc.sources.mentions import NotText, Search
from registry_gc.sources.source import Doubt, Found, Images, LookedAt, together

_LARGEST = 5 * 1024 * 1024  # bytes


def search(patterns: Sequence[str], workspace: Path, owner: str, images: Images) -> Found:
    """Search the files that the patterns name for what they use of the owner's images.

    A pattern is a path relative to the workspace, with `*`, `?`, `[...]` and `**`, hidden files
    included and `.git` left out; a directory stands for every file below it.
    Raises RegistryGcError for a pattern that leaves the workspace or matches no file, and for
    a file or directory that cannot be read.
    """
    workspace = Path(os.path.realpath(workspace))
    mentions = Search(owner, images)
    skipped: list[Doubt] = []
    count = 0
    try:
        for path in _paths(patterns, workspace):
            name = path.relative_to(workspace).as_posix()
            if reason := _why_not(path, workspace):
                skipped.append(Doubt(name, f"was not searched: {reason}"))
                continue
            try:
                mentions.read(name, [path.read_bytes()])
                count += 1
            except NotText as error:
                skipped.append(Doubt(name, f"was not searched: {error}"))
    except OSError as error:
        name = os.path.relpath(error.filename or workspace, workspace)
        raise RegistryGcError(
            f"protect-from: {name} cannot be read ({error.strerror}): let the user that runs this "
            "step read it, or name only the files that refer to images"
        ) from error
    looked_at = (LookedAt(count, "file" if count == 1 else "files"),) if patterns else ()
    return together([mentions.found(), Found(doubts=tuple(skipped), looked_at=looked_at)])


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
