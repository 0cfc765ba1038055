"""Asks the sources what is in use and what is alive, for the rules of each image."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from registry_gc.policy.decide import Rules
from registry_gc.registry.listing import Listing
from registry_gc.run.owners import Owner
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

    def rules(self, settings: Settings, owner: Owner, image: str) -> Rules:
        """What the decision on an image goes by."""
        own, title = settings.for_image(image), owner.prefix + image
        return Rules(
            own.protect,
            (*own.policies, own.default_policy),
            own.keep_untagged_days,
            self.found.tags.get(title.lower(), {}),
            self.found.digests.get(title.lower(), {}),
            alive=self.living.tags.get(title, {}),
            trash_days=settings.trash_days,
            owner=owner.name,
        )

    def checked(self, owner: Owner, image: str) -> Listing:
        """The image's listing, in which it is unclear if it cannot be told what of it is alive."""
        listing, error = owner.images[image], self.living.unknown.get(owner.prefix + image)
        reasons = {image: str(error)} if error else {}
        return replace(listing, unclear={**listing.unclear, **reasons})


def ask_sources(
    reader: Reader,
    settings: Settings,
    workspace: Path,
    own_repository: str,
    owners: Sequence[Owner],
) -> Use:
    """What all the sources say of the images of all owners, each known by its title.

    Raises RegistryGcError when one of them cannot tell what is in use: nothing is deleted then.
    """
    images = {
        owner.prefix + image: (image, listing)
        for owner in owners
        for image, listing in owner.images.items()
    }
    names = {title: [v.name for v in listing.versions] for title, (_, listing) in images.items()}
    linked = {title: found.repositories.get(image, "") for title, (image, found) in images.items()}
    in_files = files.search(settings.protect_from, workspace, settings.only_owner, names)
    in_repositories = repositories.search(
        reader.client, settings.protect_from_repositories, names, reader.progress
    )
    by_title = {title: settings.for_image(image) for title, (image, _) in images.items()}
    given = {title: own.repository for title, own in by_title.items()}
    homes = alive.Homes(settings.only_owner, given, linked, own_repository)
    policies = {title: own.policies for title, own in by_title.items()}
    living = alive.look(reader.client, policies, names, homes)
    return Use(together([in_files, in_repositories]), living)
