"""The files a run writes: tried before its first request, and whole or not at all at its end."""

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from registry_gc.errors import RegistryGcError, UsageError
from registry_gc.registry.cache import START

_REPORT = b'{\n "schema":'  # how every JSON report begins


class NoPlace(UsageError):
    """A file of the program's cannot, or must not, be written where a setting asks for it."""

    def __init__(self, setting: str, path: str, cause: str) -> None:
        super().__init__((f"{setting}: {path} {cause}",))

    @classmethod
    def outside(cls, setting: str, path: str, workspace: Path) -> "NoPlace":
        """A path that leads out of the workspace, or to what git keeps there."""
        return cls(
            setting,
            path,
            f"is not a path in the workspace ({workspace}), or is one in its .git: write it from "
            f"the workspace's top, such as gc-{setting}.json.",
        )

    @classmethod
    def foreign(cls, setting: str, path: str) -> "NoPlace":
        """A file that something else wrote."""
        return cls(
            setting,
            path,
            f"is there already and is no {setting} of registry-gc, so it is not overwritten: "
            "choose another name, or remove that file.",
        )


class NotWritten(RegistryGcError):
    """A file could not be written when the run was over."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"{path} cannot be written: {error.strerror}.")


class NotWritable(UsageError):
    """A file of the runner's is there, or could be, and cannot be written."""

    def __init__(self, path: Path, cause: str) -> None:
        super().__init__(
            (f"{path} cannot be written: {cause}. It is the runner's file: look at its disk.",)
        )


@dataclass(frozen=True, slots=True)
class Files:
    """Where a run writes; None is nowhere."""

    report: Path | None
    """The JSON report, links resolved."""
    output: Path | None
    """The runner's file of outputs."""
    summary: Path | None
    """The runner's file of the job summary."""
    missing: tuple[str, ...]
    """A sentence for each that is left out."""
    cache: Path | None = None
    """What one run remembers for the next, links resolved."""


def tried(
    report: str, workspace: Path, output: Path | None, summary: Path | None, cache: str = ""
) -> Files:
    """The files, each but the cache tried for writing, which changes nothing.

    `report` and `cache` are paths in the workspace, or "". A file of the runner's whose directory
    is not here is left out: in host mode a runner names paths of its host. So is a cache that is
    something else. Raises NoPlace and NotWritable.
    """
    place = _report(report, workspace) if report else None
    here = [file if file and _can_append(file) else None for file in (output, summary)]
    missing = tuple(
        f"{file} is not written, for its directory is not here (a runner in host mode)."
        for file in (output, summary)
        if file and file not in here
    )
    kept, doubts = _cache(cache, workspace) if cache else (None, ())
    return Files(place, here[0], here[1], (*missing, *doubts), kept)


def replace(path: Path, parts: Iterable[str]) -> None:
    """Writes the whole file, part by part, or leaves what was there, by way of one beside it.

    Raises NotWritten.
    """
    beside = path.with_name(f".registry-gc-{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("x", encoding="utf-8") as file:
            file.writelines(parts)
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise NotWritten(path, error) from error


def append(path: Path, text: str) -> None:
    """Adds all of the text or nothing: half an output would spoil the others. Raises NotWritten."""
    try:
        _append(path, text)
    except OSError as error:
        raise NotWritten(path, error) from error


def _append(path: Path, text: str) -> None:
    with path.open("ab", buffering=0) as file:
        before = os.fstat(file.fileno()).st_size
        rest = memoryview(text.encode(errors="surrogateescape"))  # a path may be no UTF-8
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError:
            with suppress(OSError):  # a device has no end to cut off
                file.truncate(before)
            raise


def _report(report: str, workspace: Path) -> Path:
    """Where the report goes, tried for writing. Raises NoPlace."""
    path = _place("report", report, workspace)
    try:
        if not workspace.is_dir():
            cause = f"cannot be written: the workspace {workspace} is not here."
            raise NoPlace("report", report, cause)
        if not _is_ours(path, _REPORT):
            raise NoPlace.foreign("report", report)
        _try_to_make(path)
    except OSError as error:
        raise NoPlace("report", report, f"cannot be written: {error.strerror}.") from error
    return path


def _cache(cache: str, workspace: Path) -> tuple[Path | None, tuple[str, ...]]:
    """Where the cache is, or a sentence why nowhere: no run fails for it. Raises NoPlace."""
    path = _place("cache", cache, workspace)
    try:
        if _is_ours(path, START):
            return path, ()
        return None, (str(NoPlace.foreign("cache", cache)),)
    except OSError as error:
        return None, (str(NoPlace("cache", cache, f"cannot be read: {error.strerror}.")),)


def _place(setting: str, given: str, workspace: Path) -> Path:
    """The path in the workspace, links resolved. Raises NoPlace."""
    top = Path(os.path.realpath(workspace))
    path = Path(os.path.realpath(workspace / given))
    if not path.is_relative_to(top):
        raise NoPlace.outside(setting, given, top)
    if ".git" in f"{given}/{path.relative_to(top)}".lower().split("/"):
        raise NoPlace.outside(setting, given, top)
    return path


def _is_ours(path: Path, start: bytes) -> bool:
    """Whether nothing, an empty file or one that begins so is there. Raises OSError."""
    if not path.exists():
        return True
    if not path.is_file():  # a directory, or a pipe, which would block
        return False
    with path.open("rb") as file:
        return file.read(len(start)) in (b"", start)


def _can_append(path: Path) -> bool:
    """False when its directory is not here. Raises NotWritable when that is, and it cannot."""
    try:
        if not path.parent.exists():
            return False
        if not path.exists():
            _try_to_make(path)
        elif path.is_file() or path.is_char_device():
            path.open("ab").close()
        else:
            raise NotWritable(path, "it is no file")
    except OSError as error:
        raise NotWritable(path, str(error.strerror)) from error
    return True


def _try_to_make(path: Path) -> None:
    """Writes to a file without a name in the folder of the path, which is not there for longer than
    that when it was not before. Raises OSError."""
    missing = [folder for folder in path.parents if not folder.exists()]
    made: list[Path] = []
    try:
        for folder in reversed(missing):
            folder.mkdir()
            made.append(folder)
        with TemporaryFile(dir=path.parent) as file:
            file.write(b" ")
            file.flush()
        path.exists()  # raises OSError for a name that is too long
    finally:
        for folder in reversed(made):
            folder.rmdir()
