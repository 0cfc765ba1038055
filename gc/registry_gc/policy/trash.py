"""The trash: what goes into it, under which name, and how long it stays there. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from registry_gc.policy import reasons
from registry_gc.policy.places import is_younger
from registry_gc.registry.manifests import Graph, children_of, digest_of, digests_of
from registry_gc.registry.trash_names import is_in_trash, trash_name
from registry_gc.registry.versions import Version


def names_for(
    going: Iterable[Version], versions: Iterable[Version], graph: Graph
) -> dict[int, str]:
    """The name in the trash for each tag that goes, by its id; none for one that was not read."""
    taken = {v.name: digest_of(v, graph) for v in versions if is_in_trash(v.name)}
    digests = ((tag, digest_of(tag, graph)) for tag in going)
    return {tag.id: trash_name(tag.name, digest, taken) for tag, digest in digests if digest}


def refused(going: Iterable[Version], versions: Iterable[Version], graph: Graph) -> dict[int, str]:
    """The tags that the trash cannot take, and so stay, and why.

    A registry takes no index that lists what it does not have (PUT on /v2, 1.25.4 and 1.26.2: 404),
    and what is left of such a build may still be pulled, platform by platform.
    """
    there = {digest for v in versions for digest in digests_of(v, graph)}
    return {
        tag.id: reasons.LACKS_A_PART
        for tag in going
        if any(child.digest not in there for child in children_of(tag, graph))
    }


def staying(
    versions: Sequence[Version], renewed: Mapping[int, str], trash_days: int, now: datetime
) -> dict[int, str]:
    """What of the trash stays, and why; `renewed` has the names that tags go into now.

    Without trash-days nobody said how long: then all of it stays.
    """
    kept: dict[int, str] = {}
    names = set(renewed.values())
    for version in versions:
        if not is_in_trash(version.name):
            continue
        if not trash_days:
            kept[version.id] = reasons.IN_TRASH_FOR_GOOD
        elif version.name in names:
            kept[version.id] = reasons.IN_TRASH_AGAIN
        elif is_younger(version.created, trash_days, now):
            kept[version.id] = reasons.IN_TRASH
    return kept


def gone_on(created: datetime, trash_days: int) -> datetime:
    """When what was put into the trash then goes for good."""
    return created + timedelta(days=trash_days)
