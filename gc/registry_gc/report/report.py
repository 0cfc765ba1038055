"""What a run did: the one model that every face of the report shows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from registry_gc.registry.version_names import is_plain_tag
from registry_gc.registry.versions import Version


class State(StrEnum):
    """What became of a version, or of a build: of a build's tags, the first that applies."""

    KEPT = "kept"
    FAILED = "failed"
    """Its deletion was tried and failed."""
    DOOMED = "doomed"
    """To be deleted, and not tried: in a dry run, or after a refusal or an interruption."""
    DELETED = "deleted"


_RANKS = {state: rank for rank, state in enumerate(State)}


class Outcome(StrEnum):
    """How a run ended, for a later step: some engines hide an action's exit code."""

    DONE = "done"
    DRY_RUN = "dry-run"
    NOTHING = "nothing"
    """There was nothing to delete."""
    REFUSED = "refused"
    """More would have gone than max-delete allows; nothing was deleted."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Row:
    """One version."""

    version: Version
    """As the registry lists it."""
    state: State
    """What became of it, or would."""
    reason: str
    """Of the verdict: why it is kept, or why nothing keeps it."""
    until: datetime | None = None
    """When it goes, if nothing but its age keeps it."""
    error: str = ""
    """Why its deletion failed."""
    digest: str = ""
    """What a pull gets; "" when it was not read."""
    size: int | None = None
    """Bytes of all its blobs, shared ones too; None when it was not read."""


@dataclass(frozen=True, slots=True)
class Build:
    """One digest under all its names, with all that belongs to it."""

    tags: tuple[Row, ...]
    """The tags that hold the digest, newest first; one at least."""
    parts: tuple[Row, ...] = ()
    """The tags that its index lists."""
    others: tuple[Row, ...] = ()
    """What else it is made of, and what is attached to it."""
    platforms: tuple[str, ...] = ()
    """As its index names them, such as `linux/arm64`; none for an image without an index."""
    attached: tuple[str, ...] = ()
    """What is attached to it, in words: `signed`, `2 attested`."""
    adds: int | None = None
    """Bytes of the blobs that no other build of the image uses; None when not all were read."""
    size: int | None = None
    """Bytes of all its blobs; None when not all were read."""

    @property
    def id(self) -> int:
        """The id of its newest tag: no other build of the image has it."""
        return self.tags[0].version.id

    @property
    def created(self) -> datetime:
        """When its newest tag was pushed; UTC."""
        return self.tags[0].version.created

    @property
    def state(self) -> State:
        """Kept while one of its tags is; gone when all of them are."""
        return min((row.state for row in self.tags), key=_RANKS.__getitem__)

    @property
    def deciding(self) -> tuple[Row, ...]:
        """The tags to which it owes its state."""
        state = self.state  # once: a digest may have thousands of tags
        return tuple(row for row in self.tags if row.state is state)

    @property
    def reason(self) -> str:
        """Of its verdict; of tags that differ, each."""
        return "; ".join(dict.fromkeys(row.reason for row in self.deciding))

    @property
    def until(self) -> datetime | None:
        """When it goes, if nothing but its age keeps it."""
        moments = [row.until for row in self.deciding if row.until]
        return max(moments) if len(moments) == len(self.deciding) else None

    @property
    def rows(self) -> tuple[Row, ...]:
        """All its versions, some of which may belong to other builds too."""
        return (*self.tags, *self.parts, *self.others)


@dataclass(frozen=True, slots=True)
class Group:
    """All versions of an image that share a state, each once."""

    state: State
    """That of all that is in it."""
    builds: tuple[Build, ...]
    """Those in this state."""
    names: tuple[Row, ...]
    """Tags in this state whose builds are in another: `v1` goes, and its build stays as `v2`."""
    leftovers: tuple[Row, ...]
    """What else is in this state and belongs to no build in it, nor to the trash."""
    versions: int
    """How many have this state."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A sentence people must read: what happened, the likely cause, what to change."""

    text: str
    """As people read it; not escaped."""
    is_error: bool = True
    """An error ends the run with exit 1, a warning does not."""
    is_refusal: bool = False
    """The settings allow less than what was to be done, and nothing was."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image of the run."""

    name: str
    """`team/app`; behind its owner's name where the run has several: `my-org/team/app`."""
    rows: tuple[Row, ...]
    """Its versions, newest first."""
    builds: tuple[Build, ...] = ()
    """Newest first; what belongs to none is unreachable, or too young to be called so."""
    problems: tuple[Problem, ...] = ()
    """Those of this image."""
    trash: tuple[Build, ...] = ()
    """What is in the trash and stays there for now, newest first; not among the builds."""
    waiting: frozenset[int] = frozenset()
    """The ids of its versions that are due and stay for the next run alone."""
    held: int | None = None
    """Bytes of all its blobs before the run; None when not all were read."""
    freed: int | None = None
    """Bytes of the blobs that only versions deleted (or doomed) in it use."""
    unreachable: int | None = None
    """As freed, of those versions alone that belong to no build."""
    owner: str = ""
    """Whose it is; "" where the run has one owner."""

    def count(self, state: State) -> int:
        """How many of its versions have this state."""
        return sum(row.state is state for row in self.rows)

    def count_builds(self, state: State) -> int:
        """How many of its builds have this state."""
        return sum(build.state is state for build in self.builds)

    def count_waiting(self) -> tuple[int, int]:
        """How many builds, and how many versions in all, are left for the next run."""
        builds = sum(all(tag.version.id in self.waiting for tag in b.tags) for b in self.builds)
        return builds, sum(row.version.id in self.waiting for row in self.rows)

    def groups(self) -> list[Group]:
        """Its versions by their state, what stays last; a state that none has is left out."""
        order = (State.FAILED, State.DELETED, State.DOOMED, State.KEPT)
        return [self._group(state) for state in order if self.count(state)]

    def _group(self, state: State) -> Group:
        builds = tuple(build for build in self.builds if build.state is state)
        shown = {row.version.id for build in (*builds, *self.trash) for row in build.rows}
        rest = [r for r in self.rows if r.state is state and r.version.id not in shown]
        names = tuple(row for row in rest if is_plain_tag(row.version.name))
        leftovers = tuple(row for row in rest if not is_plain_tag(row.version.name))
        return Group(state, builds, names, leftovers, self.count(state))


@dataclass(frozen=True, slots=True)
class Report:
    """The whole run."""

    server_url: str
    """The root of the instance."""
    owner: str
    """Of the images: a name, or several and patterns as the input has them."""
    settings: Mapping[str, Any]
    """By input, without the token."""
    started: datetime
    """UTC."""
    images: tuple[Image, ...] = ()
    """Each once."""
    problems: tuple[Problem, ...] = ()
    """Those that belong to no one image."""
    freed: int | None = None
    """As Image.freed, a blob shared by several images counted once."""
    is_dry_run: bool = False
    """Whether nothing was to be deleted."""
    looked_at: tuple[str, ...] = ()
    """How much was read to know what is in use or alive: `3 files`, `12 branches`."""
    restored: tuple[str, ...] = ()
    """What was put back from the trash, or in a dry run would be: `app:v1 from gc-trash.v1`."""

    @property
    def goes(self) -> State:
        """The state of what a headline counts: deleted, or doomed in a dry run."""
        return State.DOOMED if self.is_dry_run else State.DELETED

    def rows(self) -> Iterator[tuple[Image, Row]]:
        """Every version with its image."""
        return ((image, row) for image in self.images for row in image.rows)

    def count(self, state: State) -> int:
        """How many versions of all images have this state."""
        return sum(image.count(state) for image in self.images)

    def count_builds(self, state: State) -> int:
        """How many builds of all images have this state."""
        return sum(image.count_builds(state) for image in self.images)

    def all_problems(self) -> Iterator[tuple[str, Problem]]:
        """Every problem with the name of its image, or "" for the run's own; errors first."""
        found = [("", p) for p in self.problems]
        found += [(image.name, p) for image in self.images for p in image.problems]
        return iter(sorted(found, key=lambda pair: not pair[1].is_error))

    @property
    def exit_code(self) -> int:
        """0 when all was done, 1 when something failed or was refused."""
        return int(any(p.is_error for _, p in self.all_problems()) or self.count(State.FAILED) > 0)

    @property
    def outcome(self) -> Outcome:
        """In a word what the exit code and the counts say."""
        if any(p.is_refusal for _, p in self.all_problems()):
            return Outcome.REFUSED
        if self.exit_code:
            return Outcome.FAILED
        if self.is_dry_run:
            return Outcome.DRY_RUN
        is_done = self.restored or self.count(State.DELETED)
        return Outcome.DONE if is_done else Outcome.NOTHING


def count_waiting(images: Iterable[Image]) -> tuple[int, int] | None:
    """How many builds and versions delete-at-most leaves for the next run; None for nothing."""
    counts = [image.count_waiting() for image in images]
    builds, versions = (sum(figures) for figures in zip((0, 0), *counts, strict=True))
    return (builds, versions) if versions else None


def next_to_go(images: Iterable[Image]) -> tuple[date, int] | None:
    """The first day on which builds go that only their age keeps, and how many on that day."""
    days = [
        build.until.date()
        for image in images
        for build in image.builds
        if build.state is State.KEPT and build.until
    ]
    return (min(days), days.count(min(days))) if days else None
