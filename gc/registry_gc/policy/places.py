"""How much of a policy's builds is kept: the builds take places, newest first.

`reasons` says which places are kept, and is where a new way of keeping goes; `count` says which
tags share a place and which take none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from registry_gc.registry.manifests import Graph, children_of, digests_of
from registry_gc.registry.versions import Version
from registry_gc.settings.parse import MOST_DAYS, Policy


@dataclass(frozen=True, slots=True)
class Place:
    """One build among those of a policy."""

    created: datetime
    """When the newest of its tags was pushed; UTC."""
    id: int
    """The id of that tag: of two pushed in one second, the higher is the newer."""
    tags: tuple[str, ...]
    """The names that it has in this policy, newest first."""


@dataclass(frozen=True, slots=True)
class Roots:
    """What is kept for its own sake."""

    kept: dict[int, str]
    """A version's id -> why it is kept."""
    until: dict[int, datetime]
    """A kept version's id -> when it goes; only of those that nothing but their age keeps."""
    rests_on: frozenset[int]
    """The ids of the tags whose digests this rests on; those that were not read are to be."""


def reasons(places: Sequence[Place], policy: Policy, now: datetime) -> tuple[str, ...]:
    """Why each of the places, newest first, is kept; "" where nothing keeps it.

    Places may stand for tags whose digests were not read, each for one: so once enough is kept,
    no older place may change what the newer ones get.
    """
    return tuple(_reason(number, place, policy, now) for number, place in enumerate(places, 1))


def count(
    tags: Sequence[Version], parts: Iterable[str], graph: Graph, policy: Policy, now: datetime
) -> Roots:
    """What a policy keeps of its tags, which come newest first.

    A tag with the digest of a newer one shares its place. A part, that is a child of a newer one
    or one of `parts`, takes none: it stays with the index it is part of. After the last place that
    is kept comes one that is not, and all tags from there on go, whatever they hold: so nothing
    older needs to be read, and a name that is long out of date goes like any other.
    """
    parts = set(parts)
    opened: dict[str, list[int]] = {}  # a digest -> the positions of its tags
    for position, tag in enumerate(tags):
        digests = digests_of(tag, graph) or (tag.name,)  # one not read is a build of its own
        if parts.isdisjoint(digests):
            opened.setdefault(digests[0], []).append(position)
        parts.update(child.digest for child in children_of(tag, graph))
    groups = list(opened.values())
    places = [
        Place(tags[group[0]].created, tags[group[0]].id, tuple(tags[at].name for at in group))
        for group in groups
    ]
    why = reasons(places, policy, now)
    last = max((number for number, reason in enumerate(why) if reason), default=-1)
    if last < 0:
        return Roots({}, {}, frozenset())
    end = groups[last + 1][0] if last + 1 < len(groups) else len(tags)
    kept: dict[int, str] = {}
    until: dict[int, datetime] = {}
    ageless = reasons(places, replace(policy, keep_days=-MOST_DAYS), now)
    for place, group, reason, other in zip(places, groups, why, ageless, strict=True):
        ids = [tags[at].id for at in group if reason and at < end]
        kept |= dict.fromkeys(ids, reason)
        if not other:
            until |= dict.fromkeys(ids, place.created + timedelta(days=policy.keep_days))
    return Roots(kept, until, frozenset(tag.id for tag in tags[: end + 1]))


def _reason(number: int, place: Place, policy: Policy, now: datetime) -> str:
    if number <= policy.keep_latest:
        patterns = f" of {policy}" if policy.tags else ""
        return f"keep-latest {number}/{policy.keep_latest}{patterns}"
    if is_younger(place.created, policy.keep_days, now):
        return f"younger than {days(policy.keep_days)}"
    return ""


def is_younger(created: datetime, age: int, now: datetime) -> bool:
    """Whether what was created then is at most so many days old."""
    return now - created <= timedelta(days=age)


def days(count: int) -> str:
    """`1 day`, `2 days`."""
    return "1 day" if count == 1 else f"{count} days"
