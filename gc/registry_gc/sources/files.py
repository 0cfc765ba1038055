"""Searches the files of `protect-from` for the tags and digests they use.

What counts as use, and what cannot be known, is told in `mentions`. A file that cannot be searched
ends the run when it was named; one that came with a wildcard or a directory is told.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from registry_gc.errors import RegistryGcError
from registry_gc.registry.cache import START
from registry_gc.settings.parse import is_pattern
from registry_gc.sources.mentions import Search
from registry_gc.sources.source import Doubt, Found, Images, LookedAt, counted, together
from registry_gc.sources.texts import Empty, NotText
from registry_gc.sources.vocabulary import Vocabulary

_PIECE = 1 << 20  # bytes read at once


class ProtectFromError(RegistryGcError):
    """The files do not answer what is in use, so that nothing may be deleted."""

    @classmethod
    def not_inside(cls, pattern: str) -> "ProtectFromError":
        """A pattern that leads out of the workspace."""
        return cls(
            f"protect-from: {pattern!r} is not a path inside the workspace: write it relative "
            "to the top of the repository, without '..' and without a leading slash."
        )

    @classmethod
    def no_match(cls, pattern: str) -> "ProtectFromError":
        """A pattern without any file."""
        return cls(
            f"protect-from: {pattern} matches no file in the workspace: is the repository "
            "checked out before this step? If it is, correct the path: it is relative to "
            "the top of the repository, with upper and lower case as they are there."
        )

    @classmethod
    def not_searched(cls, name: str, why: str) -> "ProtectFromError":
        """A file or directory that was named and cannot be searched."""
        return cls(
            f"protect-from: {name} cannot be searched: {why}. Nothing was deleted, for what is in "
            "use cannot be known. If an inventory should be there, see why the step that writes "
            "it failed."
        )

    @classmethod
    def fruitless(cls, looked_at: LookedAt, images: Images) -> "ProtectFromError":
        """Files that were searched, and mention none of the images."""
        names = ", ".join(sorted(images)[:5])
        return cls(
            f"protect-from: nothing in what was searched ({looked_at}) mentions an image of this "
            f"run ({names}{', …' if len(images) > 5 else ''}). Nothing was deleted: an inventory "
            "that failed looks like this. Name the files in which the images are named, or leave "
            "protect-from out for images that no file uses."
        )


class _CannotRead(RegistryGcError):
    """A file that is there and cannot be searched; the message says why in a few words."""


def search(patterns: Sequence[str], workspace: Path, owner: str, images: Images) -> Found:
    """Search the files that the patterns name for what they use of the owner's images.

    A pattern is a path relative to the workspace, with `*`, `?`, `[...]` and `**`, hidden files
    included and `.git` left out; a directory stands for every file below it.
    Raises ProtectFromError for a pattern that leaves the workspace or matches no file, for a named
    file that is empty or cannot be searched, and when no file mentions any of the images.
    """
    workspace = Path(os.path.realpath(workspace))
    mentions = Search(Vocabulary.for_images(owner, images))
    doubts: list[Doubt] = []
    count = 0
    for path, is_named in _paths(patterns, workspace, doubts).items():
        name = _shown(path, workspace)
        if not is_named and _is_cache(path):
            continue
        try:
            says_something = mentions.read(name, _pieces(path, workspace))
        except (NotText, _CannotRead, OSError) as error:
            why = str(getattr(error, "strerror", None) or error)
            if is_named:
                raise ProtectFromError.not_searched(name, why) from error
            if not isinstance(error, Empty):
                doubts.append(Doubt(name, f"was not searched: {why}"))
            continue
        count += 1
        if is_named and not says_something and images:
            doubts.append(Doubt(name, "mentions no image of this run and no tag: it may be cut"))
    looked_at = counted(count, "file", "files")
    if patterns and images and not mentions.mentioned:
        raise ProtectFromError.fruitless(looked_at, images)
    own = Found(doubts=tuple(doubts), looked_at=(looked_at,) if patterns else ())
    return together([mentions.found(), own])


def _is_cache(path: Path) -> bool:
    """Whether it is a cache of ours, which names all there is: it uses nothing."""
    try:
        if not path.is_file():  # opening a pipe might never end
            return False
        with path.open("rb", buffering=0) as file:
            return file.read(len(START)) == START
    except OSError:
        return False


def _pieces(path: Path, workspace: Path) -> Iterator[bytes]:
    """The file as it was when it was opened. Raises _CannotRead when it was written meanwhile."""
    if not _is_inside(path, workspace):
        raise _CannotRead("it leads outside the workspace")
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise _CannotRead("it is a link to a directory, which is searched only when named")
    if not stat.S_ISREG(mode):  # opening a pipe might never end
        raise _CannotRead("it is not a file")
    with path.open("rb", buffering=0) as file:
        before = os.fstat(file.fileno())
        unread = before.st_size
        while unread and (piece := file.read(min(_PIECE, unread))):
            unread -= len(piece)
            yield piece
        after = os.fstat(file.fileno())
    if unread or (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise _CannotRead("it was changed while it was read: let what writes it come to its end")


def _paths(patterns: Sequence[str], workspace: Path, doubts: list[Doubt]) -> dict[Path, bool]:
    """Everything that the patterns match, also what cannot be searched, and whether it was named.

    Directories below them that cannot be read are added to the doubts.
    """
    paths: dict[Path, bool] = {}
    for pattern in patterns:
        parts = PurePosixPath(pattern).parts
        if not pattern.strip() or ".." in parts or pattern.startswith("/"):
            raise ProtectFromError.not_inside(pattern)
        matches = _matches(parts, workspace, doubts)
        if not matches:
            raise ProtectFromError.no_match(pattern)
        for path, is_named in matches.items():
            paths[path] = is_named or paths.get(path, False)
    return paths


def _matches(parts: Sequence[str], workspace: Path, doubts: list[Doubt]) -> dict[Path, bool]:
    """What one pattern matches: the parts without wildcards lead to where the search begins."""
    fixed = next((i for i, part in enumerate(parts) if is_pattern(part)), len(parts))
    top = workspace.joinpath(*parts[:fixed])
    if not _is_inside(top, workspace):
        return {top: True}
    try:
        is_directory = stat.S_ISDIR(top.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ProtectFromError.not_searched(_shown(top, workspace), str(error.strerror)) from error
    if is_directory:
        below = sorted(_below(top, workspace, doubts))
        return {p: False for p in below if _fits(p.relative_to(top).parts, parts[fixed:])}
    return {top: True} if fixed == len(parts) else {}


def _below(top: Path, workspace: Path, doubts: list[Doubt]) -> Iterator[Path]:
    """All files and links below a directory, save those of git; links are not followed."""

    def unreadable(error: OSError) -> None:
        if error.filename == str(top):
            raise ProtectFromError.not_searched(_shown(top, workspace), str(error.strerror))
        name = _shown(Path(error.filename), workspace)
        doubts.append(Doubt(name, f"was not searched: {error.strerror}"))

    for directory, folders, files in os.walk(top, onerror=unreadable):
        folders[:] = [name for name in folders if name != ".git"]
        links = [name for name in folders if _is_link(Path(directory, name))]
        yield from (Path(directory, name) for name in (*files, *links) if name != ".git")


def _is_link(path: Path) -> bool:
    """Of what may not be looked at no: then it is walked into, and the refusal is told."""
    try:
        return path.is_symlink()
    except OSError:
        return False


def _fits(names: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether the parts of a pattern match a path or a directory above it."""
    if not parts:
        return True
    if parts[0] == "**":
        return _fits(names, parts[1:]) or (bool(names) and _fits(names[1:], parts))
    return bool(names) and fnmatchcase(names[0], parts[0]) and _fits(names[1:], parts[1:])


def _is_inside(path: Path, workspace: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(workspace)


def _shown(path: Path, workspace: Path) -> str:
    """The path as places name it; bytes that are no UTF-8 as `\\xff`."""
    name = os.fsencode(path.relative_to(workspace).as_posix())
    return name.decode("utf-8", "backslashreplace")
