"""What is kept and what is deleted: pure, no I/O, no clock.

`judge` knows the policy (protect, in use, policies, ages), `reach` what the kept versions need,
`decide` puts both together, `unread` says which versions' manifests must be known before that.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from registry_gc.registry.graph import Graph
from registry_gc.registry.version_names import (
    first_match,
    is_digest,
    is_plain_tag,
    short,
    subject_of,
)
from registry_gc.registry.versions import Version
from registry_gc.settings.parse import Policy


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings the decision needs."""

    protect: tuple[str, ...]
    policies: tuple[Policy, ...]  # the first that matches takes the tag; the default policy last
    keep_untagged_days: int
    tags_in_use: Mapping[str, str] = field(default_factory=dict)  # tag -> the place that uses it
    digests_in_use: Mapping[str, str] = field(default_factory=dict)


Reasons = Mapping[int, str]  # a version's id -> why


@dataclass(frozen=True, slots=True)
class Decision:
    """One reason for every version, in one of two mappings."""

    kept: Reasons
    doomed: Reasons


def decide(versions: Sequence[Version], graph: Graph, rules: Rules, now: datetime) -> Decision:
    """One verdict a version. `graph` may be empty: then nothing is known of what refers to what."""
    tags = [v for v in versions if is_plain_tag(v.name)]
    if not tags:
        return Decision({v.id: "left alone: the image has no tag" for v in versions}, {})
    kept = reach(versions, judge(versions, graph, rules, now), graph)
    if not any(tag.id in kept for tag in tags):
        newest = min(tags, key=_newest_first)
        kept = reach(versions, {**kept, newest.id: "the image's last tag"}, graph)
    return Decision(kept, {v.id: _lost(v, rules) for v in versions if v.id not in kept})


def judge(versions: Iterable[Version], graph: Graph, rules: Rules, now: datetime) -> dict[int, str]:
    """The roots and why: protected, in use, among the newest of a policy, or young."""
    kept: dict[int, str] = {}
    counted: dict[Policy, int] = {}
    for version in sorted(versions, key=_newest_first):
        reason = _stands_out(version, graph, rules)
        if not reason and is_plain_tag(version.name):
            policy = _policy_of(version, rules)
            place = counted[policy] = counted.get(policy, 0) + 1
            if place <= policy.keep_latest:
                of = f" of {policy}" if policy.tags else ""
                reason = f"keep-latest {place}/{policy.keep_latest}{of}"
            elif _is_younger(version, policy.keep_days, now):
                reason = f"younger than {_days(policy.keep_days)}"
        elif not reason and _is_younger(version, rules.keep_untagged_days, now):
            kind = "untagged" if is_digest(version.name) else "attachment"
            reason = f"{kind}, younger than {_days(rules.keep_untagged_days)}"
        if reason:
            kept[version.id] = reason
    return kept


def reach(versions: Iterable[Version], roots: Reasons, graph: Graph) -> dict[int, str]:
    """The roots and all they reach: children of indexes, and attachments of what is kept."""
    versions = list(versions)
    holders: dict[str, list[Version]] = {}
    attachments: dict[str, list[Version]] = {}
    for version in versions:
        for digest in digests_of(version, graph):
            holders.setdefault(digest, []).append(version)
        if subject := subject_of(version.name):
            attachments.setdefault(subject, []).append(version)

    kept = dict(roots)
    queue = deque((v, short(v.name)) for v in versions if v.id in kept)
    while queue:
        version, root = queue.popleft()
        manifest = graph.get(version.id)
        children = [c.digest for c in manifest.children] if manifest else []
        reached = [(v, f"part of {root}") for digest in children for v in holders.get(digest, ())]
        for digest in digests_of(version, graph):
            reached += [(v, f"attached to {root}") for v in attachments.get(digest, ())]
        for other, reason in reached:
            if other.id not in kept:
                kept[other.id] = reason
                queue.append((other, short(other.name) if is_plain_tag(other.name) else root))
    return kept


def unread(
    versions: Iterable[Version], kept: Reasons, graph: Graph, rules: Rules, everything: bool
) -> list[Version]:
    """The versions whose manifests must still be read before the rest may be called unreachable.

    Unless everything is wanted: what is kept, for it may be an index; and all tags once an index
    is kept or a digest is in use, for its children or that digest may have no other name.
    """
    versions = list(versions)
    if everything:
        return [v for v in versions if v.id not in graph]
    children = [c for i in kept if i in graph for c in graph[i].children]
    leaves = {c.digest for c in children if c.is_leaf}
    with_tags = bool(children or rules.digests_in_use)
    return [
        v
        for v in versions
        if v.id not in graph
        and v.name not in leaves
        and (v.id in kept or (with_tags and not is_digest(v.name)))
    ]


def digests_of(version: Version, graph: Graph) -> tuple[str, ...]:
    """The digests a version can be pulled by, as far as they are known."""
    if version.id in graph:
        return graph[version.id].digests
    return (version.name,) if is_digest(version.name) else ()


def _stands_out(version: Version, graph: Graph, rules: Rules) -> str | None:
    """Protected or in use: a reason that no policy counts."""
    if not is_digest(version.name):
        if pattern := first_match(version.name, rules.protect):
            return f"protected by {pattern}"
        if place := rules.tags_in_use.get(version.name.lower()):
            return f"in use: {place}"
    in_use = (rules.digests_in_use.get(digest) for digest in digests_of(version, graph))
    place = next((p for p in in_use if p), None)
    return f"in use: {place}" if place else None


def _policy_of(tag: Version, rules: Rules) -> Policy:
    return next(p for p in rules.policies if not p.tags or first_match(tag.name, p.tags))


def _lost(version: Version, rules: Rules) -> str:
    """Why a version that nothing keeps goes."""
    if not is_plain_tag(version.name):
        return "unreachable"
    policy = _policy_of(version, rules)
    of = f" of {policy}" if policy.tags else ""
    return f"beyond keep-latest {policy.keep_latest}{of} and older than {_days(policy.keep_days)}"


def _newest_first(version: Version) -> tuple[float, int]:
    return -version.created.timestamp(), -version.id


def _is_younger(version: Version, days: int, now: datetime) -> bool:
    return now - version.created <= timedelta(days=days)


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"
