"""What was read of an owner's versions, in this run and in those before it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from registry_gc.registry.listing import Listing
from registry_gc.registry.manifests import Child, Manifest
from registry_gc.registry.versions import Version

Indexes = dict[tuple[str, str], tuple[Child, ...]]
"""(image, digest) -> children of that manifest."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Filled while reading, from any thread, so that nothing is read twice."""

    indexes: Indexes = field(default_factory=dict)
    """Each is fetched once; none of an image."""
    rows: dict[Version, Manifest] | None = None
    """What versions hold, without children. A version is the same only with the same id, image,
    name and date: a database that was put back gives its ids to others. None where nothing is
    remembered from one run to the next."""
    listed: set[int] = field(default_factory=set)
    """The ids of the versions that this run saw: of no others anything is remembered."""

    def see(self, listings: Iterable[Listing]) -> None:
        """These are there."""
        for listing in listings:
            self.listed.update(listing.ids)

    def recall(self, version: Version) -> Manifest | None:
        """What the version holds, without its children, if that is known."""
        return self.rows.get(version) if self.rows else None

    def add(self, version: Version, manifest: Manifest) -> None:
        """What was just read of a version, without its children."""
        if self.rows is not None:
            self.rows[version] = manifest
            self.listed.add(version.id)
