"""What is kept and what is deleted: pure, no I/O, no clock.

`judge` knows the policy (protect, in use, policies, ages), `reach` what the kept versions need,
`decide` puts both together, `unread` says which versions' manifests must be known before that.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from registry_gc.policy import reasons
from registry_gc.policy.places import Roots, beyond, count, is_younger
from registry_gc.policy.subjects import astray, why
from registry_gc.policy.trash import gone_on, names_for, refused, staying
from registry_gc.registry.links import Links
from registry_gc.registry.manifests import Child, Graph, children_of, digests_of
from registry_gc.registry.trash_names import is_in_trash
from registry_gc.registry.version_names import (
    first_match,
    is_digest,
    is_plain_tag,
    short,
)
from registry_gc.registry.versions import Version, newest_first
from registry_gc.settings.parse import Policy


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings the decision needs."""

    protect: tuple[str, ...]
    """Patterns: what they match is kept."""
    policies: tuple[Policy, ...]
    """The first that matches takes the tag; the default policy comes last."""
    keep_untagged_days: int
    """Until what age untagged versions and attachments are kept for themselves."""
    tags_in_use: Mapping[str, str] = field(default_factory=dict)
    """tag -> the place that uses it"""
    digests_in_use: Mapping[str, str] = field(default_factory=dict)
    """digest -> the place that uses it"""
    alive: Mapping[str, str] = field(default_factory=dict)
    """tag -> why: `branch feature/login exists`"""
    trash_days: int = 0
    """How long what goes stays in the trash; 0 when nothing goes there."""
    owner: str = ""
    """Whose images these are."""
    elsewhere: Mapping[str, str] | None = None
    """digest -> the image that holds it, of all the owner's; None: that is not known."""
    waiting: frozenset[int] = frozenset()
    """The ids of what is due by these rules and left for the next run; what they need is too."""


Reasons = Mapping[int, str]
"""A version's id -> why."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One reason for every version, in one of two mappings."""

    kept: Reasons
    """Why what stays does."""
    doomed: Reasons
    """Why the rest goes."""
    rests_on: frozenset[int] = field(default=frozenset(), compare=False)
    """The tags that the places of the policies rest on: to be read before this is final."""
    until: Mapping[int, datetime] = field(default_factory=dict, compare=False)
    """When what only its age keeps goes, unless something else keeps it then."""
    trash: Mapping[int, str] = field(default_factory=dict)
    """The id of each doomed tag that goes into the trash first -> its name there."""
    subjects: frozenset[str] = frozenset()
    """Digests to be looked for in the owner's other images before this is final."""


def decide(versions: Sequence[Version], graph: Graph, rules: Rules, now: datetime) -> Decision:
    """One verdict a version. `graph` may be empty: then nothing is known of what refers to what."""
    tags = [v for v in versions if is_plain_tag(v.name)]
    if not tags:
        return Decision({v.id: reasons.LEFT_ALONE for v in versions}, {})
    strays = astray(versions, graph)
    roots = judge(versions, graph, rules, now, strays)
    kept = reach(versions, roots.kept, graph)
    if not any(tag.id in kept for tag in tags):
        newest = newest_first(tags)[0]
        kept = reach(versions, {**kept, newest.id: reasons.LAST_TAG}, graph)
    due_later = [v for v in versions if v.id in rules.waiting]
    kept |= {v.id: reasons.waiting(_lost(v, rules, strays)) for v in due_later}
    kept, names = _with_trash(versions, kept, graph, rules, now)
    ageless = {i: reason for i, reason in kept.items() if i in roots.kept and i not in roots.until}
    for_good = reach(versions, ageless, graph)
    until = {i: moment for i, moment in roots.until.items() if i not in for_good}
    in_trash = [v for v in versions if kept.get(v.id) == reasons.IN_TRASH]
    until |= {v.id: gone_on(v.created, rules.trash_days) for v in in_trash}
    doomed = {v.id: _lost(v, rules, strays) for v in versions if v.id not in kept}
    subjects = frozenset(s for i, s in strays.items() if kept.get(i) == reasons.SUBJECT_UNKNOWN)
    return Decision(kept, doomed, roots.rests_on, until, names, subjects)


def _with_trash(
    versions: Sequence[Version], kept: dict[int, str], graph: Graph, rules: Rules, now: datetime
) -> tuple[dict[int, str], dict[int, str]]:
    """What is kept with what the trash keeps, and the name in the trash of each tag that goes."""
    if rules.trash_days:
        kept = reach(versions, kept | refused(_going(versions, kept), versions, graph), graph)
    going = _going(versions, kept)
    into = going if rules.trash_days else []
    names = names_for(into, versions, graph)
    # What the trash needs of these it finds in their copies.
    others = [v for v in versions if v.id not in names]
    kept = reach(others, kept | staying(versions, names, rules.trash_days, now), graph)
    # What a tag that goes needs must be there when it is put back.
    needed = reach(versions, dict.fromkeys((v.id for v in into), ""), graph)
    gone = {v.id for v in going}
    decided = kept.keys() | gone
    more = {i: reasons.for_trash(root) for i, root in needed.items() if i not in decided}
    return kept | more, names


def _going(versions: Sequence[Version], kept: Reasons) -> list[Version]:
    """The tags that nothing keeps."""
    return [v for v in versions if is_plain_tag(v.name) and v.id not in kept]


def judge(
    versions: Iterable[Version],
    graph: Graph,
    rules: Rules,
    now: datetime,
    strays: Mapping[int, str],
) -> Roots:
    """What is kept for its own sake: protected, in use, among the newest of a policy, or young.

    And of the attachments in `strays` those that belong to another image.
    """
    versions = newest_first(versions)
    kept = _apart(versions, graph, rules)
    parts = {c.digest for v in versions if v.id in kept for c in _parts_of(v, graph)}
    until: dict[int, datetime] = {}
    belonging: dict[Policy, list[Version]] = {}
    young = rules.keep_untagged_days
    for version in versions:
        if version.id in kept:
            continue
        if is_plain_tag(version.name):
            belonging.setdefault(_policy_of(version, rules), []).append(version)
        elif not is_in_trash(version.name) and is_younger(version.created, young, now):
            kept[version.id] = reasons.young(is_digest(version.name), young)
            until[version.id] = version.created + timedelta(days=young)
        elif version.id in strays and (reason := why(strays[version.id], rules.elsewhere)):
            kept[version.id] = reason
    rests_on: set[int] = set()
    for policy, tags in belonging.items():
        counted = count(tags, parts, graph, policy, now)
        kept |= counted.kept
        until |= counted.until
        rests_on |= counted.rests_on
    return Roots(kept, until, frozenset(rests_on))


def reach(versions: Iterable[Version], roots: Reasons, graph: Graph) -> dict[int, str]:
    """The roots and all they reach: children of indexes, and attachments of what is kept."""
    versions = list(versions)
    links = Links(versions, graph)
    kept = dict(roots)
    queue = deque((v, short(v.name)) for v in versions if v.id in kept)
    while queue:
        version, root = queue.popleft()
        reached = [(other, reasons.part_of(root)) for other in links.listed(version)]
        reached += [(other, reasons.attached_to(root)) for other in links.attached(version)]
        for other, reason in reached:
            if other.id not in kept:
                kept[other.id] = reason
                queue.append((other, short(other.name) if is_plain_tag(other.name) else root))
    return kept


def unread(
    versions: Iterable[Version], found: Decision, graph: Graph, rules: Rules, everything: bool
) -> list[Version]:
    """The versions whose manifests must still be read before what was found is final.

    Unless everything is wanted: what is kept, for it may be an index, whatever another index calls
    it; what the places of the policies rest on; and all tags once an index is kept or a digest is
    in use, for its children or that digest may have no other name. When one of them is found
    nowhere, all the rest too: a server may hold a manifest under the digest of another. When
    nothing else is needed, all tags for the subjects of attachments, which any of them may be.
    """
    versions = list(versions)
    wanted = [v for v in versions if v.id not in graph]
    if everything:
        return wanted
    stays = found.kept.keys() | found.trash.keys()
    searched = {c.digest for i in stays if i in graph for c in graph[i].refers_to}
    searched |= rules.digests_in_use.keys()
    with_tags = bool(searched or rules.trash_days)  # what goes into the trash needs its parts too
    stays = {i for i in found.kept if found.kept[i] != reasons.SUBJECT_UNKNOWN} | found.rests_on
    needed = [v for v in wanted if v.id in stays or (with_tags and not is_digest(v.name))]
    if found.subjects and not needed:
        needed = [v for v in wanted if not is_digest(v.name)]
    known = {digest for v in versions for digest in digests_of(v, graph)}
    return needed or (wanted if searched - known else [])


def _apart(versions: Iterable[Version], graph: Graph, rules: Rules) -> dict[int, str]:
    """What is protected, in use or alive, and why: no policy counts it."""
    found = ((v.id, _stands_out(v, graph, rules)) for v in versions)
    return {i: reason for i, reason in found if reason}


def _stands_out(version: Version, graph: Graph, rules: Rules) -> str | None:
    """Protected, in use or alive: a reason that no policy counts."""
    if not is_digest(version.name) and not is_in_trash(version.name):
        if pattern := first_match(version.name, rules.protect):
            return reasons.protected(pattern)
        if place := rules.tags_in_use.get(version.name.lower()):
            return reasons.in_use(place)
        if reason := rules.alive.get(version.name.lower()):
            return reason
    in_use = (rules.digests_in_use.get(digest) for digest in digests_of(version, graph))
    place = next((p for p in in_use if p), None)
    return reasons.in_use(place) if place else None


def _parts_of(version: Version, graph: Graph) -> tuple[Child, ...]:
    """What a tag, and no other version, makes parts of itself."""
    return children_of(version, graph) if is_plain_tag(version.name) else ()


def _policy_of(tag: Version, rules: Rules) -> Policy:
    return next(p for p in rules.policies if not p.tags or first_match(tag.name, p.tags))


def _lost(version: Version, rules: Rules, strays: Collection[int]) -> str:
    """Why a version that nothing keeps goes."""
    if is_in_trash(version.name):
        return reasons.out_of_trash(rules.trash_days)
    if version.id in strays:
        return reasons.subject_nowhere(rules.owner)
    if not is_plain_tag(version.name):
        return reasons.UNREACHABLE
    return beyond(version.name, _policy_of(version, rules))
