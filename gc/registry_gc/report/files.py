"""The files a run writes: tried before its first request, and whole or not at all at its end."""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from registry_gc.errors import RegistryGcError, UsageError

_OURS = b'{\n "schema":'  # how every JSON report begins


class NoReport(UsageError):
    """The report cannot, or must not, be written where it is asked for."""

    def __init__(self, report: str, cause: str) -> None:
        super().__init__((f"report: {report} {cause}",))

    @classmethod
    def outside(cls, report: str, workspace: Path) -> "NoReport":
        """A path that leads out of the workspace, or to what git keeps there."""
        return cls(
            report,
            f"is not a path in the workspace ({workspace}), or is one in its .git: write it from "
            "the workspace's top, such as gc-report.json.",
        )

    @classmethod
    def foreign(cls, report: str) -> "NoReport":
        """A file that something else wrote."""
        return cls(
            report,
            "is there already and is no report of registry-gc, so it is not overwritten: choose "
            "another name, or remove that file.",
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
    """A sentence for each of the runner's files that has no directory here."""


def tried(report: str, workspace: Path, output: Path | None, summary: Path | None) -> Files:
    """The files, each tried for writing, which changes nothing.

    `report` is a path in the workspace, or "". A file of the runner's whose directory is not here
    is left out: in host mode a runner names paths of its host. Raises NoReport and NotWritable.
    """
    place = _place(report, workspace) if report else None
    here = [file if file and _can_append(file) else None for file in (output, summary)]
    missing = tuple(
        f"{file} is not written, for its directory is not here (a runner in host mode)."
        for file in (output, summary)
        if file and file not in here
    )
    return Files(place, here[0], here[1], missing)


def replace(path: Path, text: str) -> None:
    """Writes the whole file or leaves what was there, by way of one beside it.

    Raises NotWritten.
    """
    beside = path.with_name(f".registry-gc-{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("x", encoding="utf-8") as file:
            file.write(text)
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


def _place(report: str, workspace: Path) -> Path:
    """Where the report goes, tried for writing. Raises NoReport."""
    top = Path(os.path.realpath(workspace))
    path = Path(os.path.realpath(workspace / report))
    if not path.is_relative_to(top):
        raise NoReport.outside(report, top)
    if ".git" in f"{report}/{path.relative_to(top)}".lower().split("/"):
        raise NoReport.outside(report, top)
    try:
        if not top.is_dir():
            raise NoReport(report, f"cannot be written: the workspace {top} is not here.")
        if not _is_ours(path):
            raise NoReport.foreign(report)
        _try_to_make(path)
    except OSError as error:
        raise NoReport(report, f"cannot be written: {error.strerror}.") from error
    return path


def _is_ours(path: Path) -> bool:
    """Whether nothing, an empty file or a report is there. Raises OSError."""
    if not path.exists():
        return True
    if not path.is_file():  # a directory, or a pipe, which would block
        return False
    with path.open("rb") as file:
        return file.read(len(_OURS)) in (b"", _OURS)


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
