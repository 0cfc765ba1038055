"""Builds: what people mean by an image that was built, put together from its versions."""

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from registry_gc.registry.links import Links
from registry_gc.registry.manifests import Graph, build_of, children_of, digests_of
from registry_gc.registry.version_names import is_plain_tag
from registry_gc.registry.versions import Version, newest_first


@dataclass(frozen=True, slots=True)
class Build:
    """One digest under all its names, with all that belongs to it."""

    tags: tuple[Version, ...]
    """The tags that hold the digest, newest first; one at least."""
    parts: tuple[Version, ...]
    """The tags that hold something that its index lists."""
    children: tuple[Version, ...]
    """The untagged versions that its index lists."""
    attachments: tuple[Version, ...]
    """What is attached to any of these, and what that refers to in turn."""
    platforms: tuple[str, ...]
    """As its index names them, such as `linux/arm64`; none for an image without an index."""
    attestations: int
    """Entries of its index that are no image, as buildx adds them (platform unknown/unknown)."""

    @property
    def versions(self) -> tuple[Version, ...]:
        """All of it. A version may belong to several builds."""
        return (*self.tags, *self.parts, *self.children, *self.attachments)


def builds_of(
    versions: Sequence[Version],
    graph: Graph,
    alone: Collection[int] = (),
    is_tag: Callable[[str], bool] = is_plain_tag,
) -> list[Build]:
    """The builds of one image, newest first; a tag that was not read is one by itself.

    Every tag belongs to one at least: what belongs to none is untagged or an attachment. The tags
    with the ids in `alone` are builds of their own, whatever index lists them. `is_tag` says which
    names make builds: those that people push to, or those of the trash.
    """
    tags = newest_first(v for v in versions if is_tag(v.name))
    listed = {child.digest for tag in tags for child in children_of(tag, graph)}
    named: dict[str, list[Version]] = {}
    for tag in tags:
        if tag.id in alone or listed.isdisjoint(digests_of(tag, graph)):
            named.setdefault(build_of(tag, graph), []).append(tag)
    links = Links(versions, graph)
    return [_build(tuple(aliases), links, graph) for aliases in named.values()]


def _build(tags: tuple[Version, ...], links: Links, graph: Graph) -> Build:
    """The build of these tags, with all that they reach."""
    seen = {tag.id for tag in tags}
    parts: list[Version] = []
    children: list[Version] = []
    attachments: list[Version] = []
    queue = deque((tag, False) for tag in tags)
    while queue:
        version, is_attached = queue.popleft()
        reached = [(other, is_attached) for other in links.listed(version)]
        reached += [(other, True) for other in links.attached(version)]
        for other, attached in reached:
            if other.id not in seen:
                seen.add(other.id)
                queue.append((other, attached))
                kind = parts if is_plain_tag(other.name) else children
                (attachments if attached else kind).append(other)
    platforms = [child.platform for child in children_of(tags[0], graph)]
    return Build(
        tags,
        tuple(parts),
        tuple(children),
        tuple(attachments),
        tuple(dict.fromkeys(p for p in platforms if p and not p.startswith("unknown"))),
        sum(platform.startswith("unknown") for platform in platforms),
    )
