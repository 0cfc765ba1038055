"""What a source is asked about, and what it answers: it says what is in use."""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

Images = Mapping[str, Collection[str]]
"""The images of the run, each with the names of its versions: tags, and `sha256:<hex>`."""

Place = tuple[str, int]
"""A text's name and a line of it, from 1."""

Progress = Callable[[str, int], AbstractContextManager[Callable[[], None]]]
"""Shows that something long goes on: progress("reading app", 500) as advance: advance(). What it
yields is called after each of so many steps."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that a source saw and cannot answer for: a warning of the report."""

    place: str
    """`deploy/compose.yaml:12`, or `my-org/deploy@main: app/values.yaml:7`"""
    text: str
    """What goes on after the place: `refers to app:${TAG}, which …`"""
    image: str = ""
    """The image it is about, or "" when that is not known or none."""


@dataclass(frozen=True, slots=True)
class LookedAt:
    """How much of what a source read: `3 files`."""

    count: int
    """How many."""
    noun: str
    """In the number that fits the count: `file`, `files`."""
    at: datetime | None = None
    """The server's clock when the first of it was read; None for what is here."""

    def __str__(self) -> str:
        moment = f" (at {self.at:%Y-%m-%d %H:%M:%S} UTC)" if self.at else ""
        return f"{self.count} {self.noun}{moment}"


def counted(count: int, one: str, many: str, at: datetime | None = None) -> LookedAt:
    """So many, with the noun in the number that fits."""
    return LookedAt(count, one if count == 1 else many, at)


@dataclass(frozen=True, slots=True)
class Found:
    """What a source answers."""

    tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """image -> tag -> the place that uses it, all in lower case"""
    digests: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """image -> `sha256:<hex>` -> the place that uses it. It may be the digest of an untagged
    version, of what a tag holds or of a part of either, or none that the image has."""
    doubts: tuple[Doubt, ...] = ()
    """What it cannot answer for."""
    looked_at: tuple[LookedAt, ...] = ()
    """How much it read."""

    def sentences(self) -> list[str]:
        """The doubts as the report tells them, each once."""
        return list(dict.fromkeys(f"{doubt.place} {doubt.text}." for doubt in self.doubts))


def together(answers: Iterable[Found]) -> Found:
    """The answers of several sources as one; where two know a place, the first is told."""
    tags: dict[str, Mapping[str, str]] = {}
    digests: dict[str, Mapping[str, str]] = {}
    doubts: list[Doubt] = []
    looked_at: list[LookedAt] = []
    for found in answers:
        for known, new in ((tags, found.tags), (digests, found.digests)):
            for image, places in new.items():
                known[image] = {**places, **known[image]} if image in known else places
        doubts += found.doubts
        looked_at += found.looked_at
    return Found(tags, digests, tuple(dict.fromkeys(doubts)), tuple(looked_at))
