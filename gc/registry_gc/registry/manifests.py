"""What versions hold and refer to, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass

from registry_gc.registry.version_names import is_digest
from registry_gc.registry.versions import Version


@dataclass(frozen=True, slots=True)
class Child:
    """An entry of an index."""

    digest: str
    """Of any algorithm."""
    platform: str
    """`linux/arm64`, or "" when the index does not say."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a version holds."""

    digests: tuple[str, ...]
    """One; after re-pushes to 1.25.0 and 1.25.1 several, newest first."""
    children: tuple[Child, ...]
    """Of an index, else none; of several manifests those of the newest, which a pull gets."""
    blobs: tuple[tuple[str, int], ...]
    """Digest and size in bytes of each file, manifests too."""
    older: tuple[Child, ...] = ()
    """The children of all manifests but the newest: they are pulled by digest alone."""

    @property
    def refers_to(self) -> tuple[Child, ...]:
        """All that must stay with it."""
        return self.children + self.older


Graph = Mapping[int, Manifest]
"""A version's id -> its manifest; what was not read is not in it."""


def digests_of(version: Version, graph: Graph) -> tuple[str, ...]:
    """The digests a version can be pulled by, as far as they are known."""
    if version.id in graph:
        return graph[version.id].digests
    return (version.name,) if is_digest(version.name) else ()


def digest_of(version: Version, graph: Graph) -> str:
    """The digest of what a pull gets, or "" where it is not known."""
    return next(iter(digests_of(version, graph)), "")


def build_of(version: Version, graph: Graph) -> str:
    """What the names of a build have in common, that digest; one that was not read has its name."""
    return digest_of(version, graph) or version.name


def children_of(version: Version, graph: Graph) -> tuple[Child, ...]:
    """The entries of an index that a pull gets; none for an image, or for what was not read."""
    return graph[version.id].children if version.id in graph else ()
