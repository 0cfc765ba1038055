"""How much of what is due goes in one run: the oldest builds, whole. The rest waits. Pure."""

from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass

from registry_gc.registry.links import Links
from registry_gc.registry.manifests import Graph, build_of
from registry_gc.registry.trash_names import is_in_trash
from registry_gc.registry.version_names import is_plain_tag
from registry_gc.registry.versions import Pushed, Version


@dataclass(frozen=True, slots=True)
class Due:
    """What is due in one image."""

    versions: Sequence[Version]
    """All of the image."""
    graph: Graph
    """What they hold; all that is due was read."""
    doomed: Collection[int]
    """The ids of those that are due."""


@dataclass(frozen=True, slots=True)
class Portion:
    """What goes as one, with all that only it needs."""

    age: tuple[Pushed, Pushed]
    """Of the newest tag of it; two may share that as a part: then of their newest root."""
    roots: frozenset[int]
    """The ids from which all of it is reached."""


def waiting(images: Sequence[Due], most: int) -> list[frozenset[int]]:
    """For each image the ids that must be kept, so that of all portions the oldest `most` go."""
    found = [(portion, place) for place, due in enumerate(images) for portion in portions(due)]
    found.sort(key=lambda pair: pair[0].age)
    waits: list[set[int]] = [set() for _ in images]
    for portion, place in found[most:]:
        waits[place] |= portion.roots
    return [frozenset(ids) for ids in waits]


def portions(due: Due) -> list[Portion]:
    """What is due, as what people count: what nothing else leads to, with all that it leads to.

    Mostly a build, under all its names. A name whose build stays is a portion by itself, and so is
    what no tag leads to: an index with what it lists, or an attachment of something that is not
    due. What is in the trash is none, nor what only that needs: it came there in portions.
    """
    going = [v for v in due.versions if v.id in due.doomed]
    thrown = _reached((v for v in going if is_in_trash(v.name)), Links(going, due.graph))
    thrown_ids = {v.id for v in thrown if not is_plain_tag(v.name)}
    rest = [v for v in going if v.id not in thrown_ids]
    links = Links(rest, due.graph)
    stays = _held_by_tags((v for v in due.versions if v.id not in due.doomed), due.graph)
    found: dict[int, Portion] = {}  # a root's id -> its portion
    seen: set[int] = set()
    for names in _together(rest, due.graph, stays):
        roots = [v for v in names if v.id not in seen]
        if roots:
            reached = _reached(roots, links)
            for version in reached:
                found.pop(version.id, None)  # it belongs to this one
            seen |= {v.id for v in reached}
            found |= dict.fromkeys((v.id for v in roots), _portion(roots, reached))
    return list(dict.fromkeys(found.values()))


def _portion(roots: Sequence[Version], reached: Iterable[Version]) -> Portion:
    tags = [v for v in reached if is_plain_tag(v.name)]
    return Portion((_newest(tags or roots), _newest(roots)), frozenset(v.id for v in roots))


def _newest(versions: Iterable[Version]) -> Pushed:
    return max(version.pushed for version in versions)


def _together(
    versions: Iterable[Version], graph: Graph, stays: Container[str]
) -> Iterable[list[Version]]:
    """The tags that hold one digest, and one by one what is no tag.

    The names of a build that stays go one by one too, so that the oldest goes first: the policies
    take a name for out of date as long as something newer goes.
    """
    groups: dict[str | int, list[Version]] = {}
    for version in versions:
        build = build_of(version, graph)
        is_alone = not is_plain_tag(version.name) or build in stays
        groups.setdefault(version.id if is_alone else build, []).append(version)
    return groups.values()


def _reached(roots: Iterable[Version], links: Links) -> list[Version]:
    """These versions and all that they lead to."""
    found = list(roots)
    seen = {v.id for v in found}
    for version in found:
        for other in (*links.listed(version), *links.attached(version)):
            if other.id not in seen:
                seen.add(other.id)
                found.append(other)
    return found


def _held_by_tags(versions: Iterable[Version], graph: Graph) -> set[str]:
    """What is pulled by these tags."""
    return {build_of(v, graph) for v in versions if is_plain_tag(v.name)}
