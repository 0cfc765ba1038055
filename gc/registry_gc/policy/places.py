"""How much of a policy's builds is kept: the builds take places, newest first.

`why_kept` says which places are kept, and is where a new way of keeping goes; `count` says which
tags share a place and which take none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from registry_gc.policy import ordering
from registry_gc.policy.calendar import kept_by_calendar
from registry_gc.policy.reasons import days
from registry_gc.registry.manifests import Graph, build_of, children_of, digests_of
from registry_gc.registry.versions import Version, newest_first
from registry_gc.settings.parse import MOST_DAYS, Policy


@dataclass(frozen=True, slots=True)
class Roots:
    """What is kept for its own sake."""

    kept: dict[int, str]
    """A version's id -> why it is kept."""
    until: dict[int, datetime]
    """A kept version's id -> when it goes; only of those that nothing but their age keeps."""
    rests_on: frozenset[int]
    """The ids of the tags whose digests this rests on; those that were not read are to be."""


def why_kept(
    places: Sequence[Version], policy: Policy, now: datetime, group: str = ""
) -> tuple[str, ...]:
    """Why each of the places of a group, newest first, is kept; "" where nothing keeps it.

    Each place is given as the newest of the tags that share it. Where digests were not read, each
    tag has one: so once enough is kept, no older place may change what the newer ones get.
    """
    by_calendar = kept_by_calendar(places, policy, now)
    whose = _whose(policy, group)

    def reason(number: int, place: Version) -> str:
        if number <= policy.keep_latest:
            return f"keep-latest {number}/{policy.keep_latest}{whose}"
        if is_younger(place.created, policy.keep_days, now):
            return f"younger than {days(policy.keep_days)}"
        return by_calendar[place.id] + whose if place.id in by_calendar else ""

    return tuple(reason(number, place) for number, place in enumerate(places, 1))


def beyond(tag: str, policy: Policy) -> str:
    """Why a tag that nothing keeps goes."""
    kinds = ("daily", "weekly", "monthly", "yearly")
    figures = [(kind, getattr(policy, f"keep_{kind}")) for kind in kinds]
    kept = [f"keep-latest {policy.keep_latest}", *(f"keep-{k} {n}" for k, n in figures if n)]
    whose = _whose(policy, _group_of(tag, policy))
    return f"beyond {', '.join(kept)}{whose} and older than {days(policy.keep_days)}"


def count(
    tags: Sequence[Version], parts: Iterable[str], graph: Graph, policy: Policy, now: datetime
) -> Roots:
    """What a policy keeps of its tags, which come newest first.

    A tag with the digest of a newer one in its group shares its place. A part, that is a child of
    a newer one or one of `parts`, takes none: it stays with the index it is part of. After the
    last place that is kept comes one that is not, and all tags from there on go, whatever they
    hold: so nothing older needs to be read, and a name that is long out of date goes like any
    other. Not so where there are groups or versions: all is read, and a build keeps its names, for
    `1` comes after `1.2` and moves with it.
    """
    parts = set(parts)
    groups: dict[str, list[Version]] = {}
    for tag in tags:
        if parts.isdisjoint(digests_of(tag, graph)):
            groups.setdefault(_group_of(tag.name, policy), []).append(tag)
        parts.update(child.digest for child in children_of(tag, graph))
    kept: dict[int, str] = {}
    until: dict[int, datetime] = {}
    rests_on: set[int] = set()
    for name, members in groups.items():
        counted = _count_group(name, members, graph, policy, now)
        kept |= counted.kept
        until |= counted.until
        rests_on |= counted.rests_on
    if kept and _is_read_whole(policy):
        rests_on = {tag.id for tag in tags}
    return Roots(kept, until, frozenset(rests_on))


def _count_group(
    name: str, tags: list[Version], graph: Graph, policy: Policy, now: datetime
) -> Roots:
    """What is kept of the tags of one group, which come newest first and are no parts."""
    if policy.by_version:
        tags = sorted(tags, key=lambda tag: _version(tag.name), reverse=True)
    opened: dict[str, list[int]] = {}  # a build -> the positions of its tags
    for position, tag in enumerate(tags):
        opened.setdefault(build_of(tag, graph), []).append(position)
    builds = list(opened.values())
    places = [newest_first(tags[at] for at in build)[0] for build in builds]
    why = why_kept(places, policy, now, name)
    last = max((number for number, reason in enumerate(why) if reason), default=-1)
    if last < 0:
        return Roots({}, {}, frozenset())
    is_last = last + 1 == len(builds) or _is_read_whole(policy)
    end = len(tags) if is_last else builds[last + 1][0]
    kept: dict[int, str] = {}
    until: dict[int, datetime] = {}
    ageless = why_kept(places, replace(policy, keep_days=-MOST_DAYS), now)
    for place, build, reason, other in zip(places, builds, why, ageless, strict=True):
        ids = [tags[at].id for at in build if reason and at < end]
        kept |= dict.fromkeys(ids, reason)
        if not other:
            until |= dict.fromkeys(ids, place.created + timedelta(days=policy.keep_days))
    return Roots(kept, until, frozenset(tag.id for tag in tags[: end + 1]))


def _is_read_whole(policy: Policy) -> bool:
    """Whether each of its tags may change what the others get."""
    return bool(policy.group_by) or policy.by_version


def _group_of(tag: str, policy: Policy) -> str:
    return ordering.group(tag, policy.group_by) if policy.group_by else ""


def _version(tag: str) -> tuple[bool, ordering.Key]:
    """What tags are ordered by as versions: what is none comes last, and keeps its order."""
    key = ordering.order(tag)
    return key is not None, key or ((), (), ())


def _whose(policy: Policy, group: str) -> str:
    patterns = f" of {policy}" if policy.tags else ""
    return f"{patterns}, group {group}" if policy.group_by else patterns


def is_younger(created: datetime, age: int, now: datetime) -> bool:
    """Whether what was created then is at most so many days old."""
    return now - created <= timedelta(days=age)
