"""Asks the sources what is in use and what is alive, for the rules of each image."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from registry_gc.policy.decide import Rules
from registry_gc.registry.listing import Listing
from registry_gc.run.reader import Reader
from registry_gc.settings.inputs import Settings
from registry_gc.sources import alive, files, repositories
from registry_gc.sources.source import Found, LookedAt, together


@dataclass(frozen=True, slots=True)
class Use:
    """What the sources answered."""

    found: Found
    """What is in use."""
    living: alive.Alive
    """What is alive, and of which images that cannot be told."""

    @property
    def looked_at(self) -> tuple[LookedAt, ...]:
        """How much of what was read for it."""
        return (*self.found.looked_at, *self.living.looked_at)

    def rules(self, settings: Settings, image: str) -> Rules:
        """What the decision on an image goes by."""
        own = settings.for_image(image)
        return Rules(
            own.protect,
            (*own.policies, own.default_policy),
            own.keep_untagged_days,
            self.found.tags.get(image.lower(), {}),
            self.found.digests.get(image.lower(), {}),
            alive=self.living.tags.get(image, {}),
            trash_days=settings.trash_days,
            owner=settings.owner,
        )

    def checked(self, listing: Listing) -> Listing:
        """The listing, in which images of which it cannot be told what is alive are unclear."""
        reasons = {image: str(error) for image, error in self.living.unknown.items()}
        return replace(listing, unclear={**listing.unclear, **reasons})


def ask_sources(
    reader: Reader,
    settings: Settings,
    workspace: Path,
    own_repository: str,
    images: Mapping[str, Listing],
) -> Use:
    """What all the sources say of these images.

    Raises RegistryGcError when one of them cannot tell what is in use: nothing is deleted then.
    """
    names = {image: [v.name for v in listing.versions] for image, listing in images.items()}
    linked = {i: r for listing in images.values() for i, r in listing.repositories.items()}
    in_files = files.search(settings.protect_from, workspace, settings.owner, names)
    in_repositories = repositories.search(
        reader.client, settings.protect_from_repositories, names, reader.progress
    )
    by_image = {image: settings.for_image(image) for image in images}
    given = {image: own.repository for image, own in by_image.items()}
    homes = alive.Homes(settings.owner, given, linked, own_repository)
    policies = {image: own.policies for image, own in by_image.items()}
    living = alive.look(reader.client, policies, names, homes)
    return Use(together([in_files, in_repositories]), living)
