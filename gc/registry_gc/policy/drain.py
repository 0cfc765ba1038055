"""How much of what is due goes in one run: the oldest builds, whole. The rest waits. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from registry_gc.registry.builds import Build, builds_of
from registry_gc.registry.manifests import Graph, digests_of
from registry_gc.registry.trash_names import is_in_trash
from registry_gc.registry.version_names import is_digest, is_plain_tag
from registry_gc.registry.versions import Version


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

    age: tuple[datetime, int]
    """When the newest tag of it was pushed, and its id: the least is the oldest."""
    roots: frozenset[int]
    """The ids from which all of it is reached."""


def waiting(images: Sequence[Due], most: int) -> list[frozenset[int]]:
    """For each image the ids that must be kept, so that of all portions the oldest `most` go."""
    found = [(portion, place) for place, due in enumerate(images) for portion in portions(due)]
    found.sort(key=lambda pair: pair[0].age)
    left: list[set[int]] = [set() for _ in images]
    for portion, place in found[most:]:
        left[place] |= portion.roots
    return [frozenset(ids) for ids in left]


def portions(due: Due) -> list[Portion]:
    """What is due, as what people count: builds first.

    A name whose build stays is a portion by itself, and so is what no tag leads to: an index with
    what it lists, or an attachment whose subject is not due. What is in the trash is none, nor what
    only that needs: it came there in portions.
    """
    going = [v for v in due.versions if v.id in due.doomed]
    builds = builds_of(going, due.graph)
    thrown = builds_of(going, due.graph, is_tag=is_in_trash)
    rest = _without(going, (*builds, *thrown))
    for is_root in (is_digest, _is_any):
        more = builds_of(rest, due.graph, is_tag=is_root)
        builds += more
        rest = _without(rest, more)
    stays = _held_by_tags((v for v in due.versions if v.id not in due.doomed), due.graph)
    return [p for build in builds for p in _portions(build, stays)]


def _portions(build: Build, stays: Collection[str]) -> list[Portion]:
    """One; of names whose build stays one each, so that the oldest of them goes first.

    For the policies take a name for out of date as long as something newer goes.
    """
    if build.digest in stays:
        return [Portion((tag.created, tag.id), frozenset({tag.id})) for tag in build.tags]
    named = [v for v in build.versions if is_plain_tag(v.name)]
    age = max((v.created, v.id) for v in named or build.tags)
    return [Portion(age, frozenset(tag.id for tag in build.tags))]


def _held_by_tags(versions: Iterable[Version], graph: Graph) -> set[str]:
    tags = (v for v in versions if is_plain_tag(v.name))
    return {digest for tag in tags for digest in digests_of(tag, graph)}


def _without(versions: Iterable[Version], builds: Iterable[Build]) -> list[Version]:
    """Those versions that belong to none of the builds; the trash is one itself."""
    told = {v.id for build in builds for v in build.versions}
    return [v for v in versions if v.id not in told]


def _is_any(_name: str) -> bool:
    return True
