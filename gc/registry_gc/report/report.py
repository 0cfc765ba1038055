"""What a run did, for its three faces: the log, the job summary and the JSON report."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from registry_gc.registry.versions import Version


class State(StrEnum):
    """What became of a version."""

    KEPT = "kept"
    DELETED = "deleted"
    FAILED = "failed"  # its deletion was tried and failed
    DOOMED = "doomed"  # to be deleted, and not tried: a dry run, a refusal or an interruption


@dataclass(frozen=True, slots=True)
class Row:
    """One version."""

    version: Version
    state: State
    reason: str  # of the verdict: why it is kept, or why nothing keeps it
    error: str = ""  # why the deletion failed
    digest: str = ""  # "" when it was not read
    size: int | None = None  # bytes of all its blobs, shared ones too; None when it was not read


@dataclass(frozen=True, slots=True)
class Problem:
    """A sentence people must read: what happened, the likely cause, what to change."""

    text: str
    is_error: bool = True  # an error ends the run with exit 1, a warning does not


@dataclass(frozen=True, slots=True)
class Image:
    """One image of the run."""

    name: str
    rows: tuple[Row, ...]  # newest first
    problems: tuple[Problem, ...] = ()
    held: int | None = None  # bytes of all its blobs before the run; None when not all were read
    freed: int | None = None  # bytes of the blobs that only versions deleted (or doomed) in it use

    def count(self, state: State) -> int:
        """How many of its versions have this state."""
        return sum(row.state is state for row in self.rows)


@dataclass(frozen=True, slots=True)
class Report:
    """The whole run."""

    server_url: str
    owner: str
    settings: Mapping[str, Any]  # by input, without the token
    started: datetime  # UTC
    images: tuple[Image, ...] = ()
    problems: tuple[Problem, ...] = ()  # those that belong to no one image
    freed: int | None = None  # as Image.freed, a blob shared by several images counted once
    is_dry_run: bool = False

    @property
    def goes(self) -> State:
        """The state of the versions a headline counts: deleted, or doomed in a dry run."""
        return State.DOOMED if self.is_dry_run else State.DELETED

    def rows(self) -> Iterator[tuple[Image, Row]]:
        """Every version with its image."""
        return ((image, row) for image in self.images for row in image.rows)

    def count(self, state: State) -> int:
        """How many versions of all images have this state."""
        return sum(image.count(state) for image in self.images)

    def all_problems(self) -> Iterator[tuple[str, Problem]]:
        """Every problem with the name of its image, or "" for the run's own; errors first."""
        found = [("", p) for p in self.problems]
        found += [(image.name, p) for image in self.images for p in image.problems]
        return iter(sorted(found, key=lambda pair: not pair[1].is_error))

    @property
    def exit_code(self) -> int:
        """0 when all was done, 1 when something failed or was refused."""
        return int(any(p.is_error for _, p in self.all_problems()) or self.count(State.FAILED) > 0)
