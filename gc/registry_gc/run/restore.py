"""Puts tags back from the trash, and deletes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from registry_gc.errors import Gone, RegistryGcError
from registry_gc.registry.listing import Listing, list_versions
from registry_gc.registry.trash_names import is_in_trash, is_marked, is_name_of, original
from registry_gc.registry.versions import Version
from registry_gc.report.report import Problem
from registry_gc.run import problems
from registry_gc.server import packages, parallel
from registry_gc.server.client import Client


@dataclass(frozen=True, slots=True)
class Found:
    """A tag in the trash."""

    image: str
    """Its image."""
    tag: str
    """Its name before, and when it is back."""
    name: str
    """Its name in the trash."""
    digest: str
    """What it holds."""
    is_back: bool
    """Whether the tag is there already with the same content."""

    def __str__(self) -> str:
        there = ", which was there already" if self.is_back else ""
        return f"{self.image}:{self.tag} from {self.name}{there}"


class NotRestored(RegistryGcError):
    """Nothing was put back, for something that was asked for cannot be."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(f"Nothing was put back from the trash. {' '.join(reasons)}")

    @classmethod
    def not_in_trash(cls, wanted: str, there: Sequence[str]) -> str:
        """A tag that the trash does not have, and what it has."""
        has = f"there are {', '.join(there[:20])}" if there else "there is nothing of that image"
        return f"{wanted} is not in the trash: {has}."

    @classmethod
    def overwriting(cls, wanted: str, name: str) -> str:
        """A tag that is there and holds something else."""
        return (
            f"{wanted} exists and holds something else than {name}: delete or rename that tag "
            "first, or pull it from the trash by that name."
        )


def restore(
    client: Client, wanted: Sequence[str], dry_run: bool
) -> tuple[list[Found], list[Problem]]:
    """Puts back the tags `image:tag`; what is back, and a problem for each that could not be.

    Begins only when all of them can be: raises NotRestored when one is not in the trash, or would
    write over other content. A server that fails, or an interruption, then ends it in between.
    """
    images = dict.fromkeys(text.rpartition(":")[0] for text in wanted)
    listings = {image: list_versions(client, image) for image in images}
    found: list[Found] = []
    reasons: list[str] = []
    for text in wanted:
        image, _, tag = text.rpartition(":")
        versions = _versions(listings[image], image)
        match = _in_trash(client, image, tag, versions)
        if not match:
            there = [original(v.name) for v in versions if is_in_trash(v.name)]
            reasons.append(NotRestored.not_in_trash(text, there))
        elif any(v.name == tag for v in versions) and not match.is_back:
            reasons.append(NotRestored.overwriting(text, match.name))
        else:
            found.append(match)
    if reasons:
        raise NotRestored(reasons)
    failed = {} if dry_run else _put_back(client, [f for f in found if not f.is_back])
    back = [f for f in found if f not in failed]
    return back, [problems.not_put_back(f"{f.image}:{f.tag}", e) for f, e in failed.items()]


def _put_back(client: Client, missing: Sequence[Found]) -> dict[Found, RegistryGcError]:
    """Puts these back, and says why some are not."""

    def put(found: Found) -> None:
        packages.copy(client, found.image, found.digest, found.tag)

    done = dict(parallel.as_done(min(client.concurrency, len(missing)), put, missing))
    return {f: error for f in missing if (error := done[f]) is not None}


def _in_trash(client: Client, image: str, tag: str, versions: Sequence[Version]) -> Found | None:
    """The newest version in the trash that is the tag's."""
    for version in versions:
        if is_in_trash(version.name) and _may_be(version.name, tag):
            try:
                digest = packages.digest(client, image, version.name)
            except Gone:
                continue
            if is_name_of(version.name, tag, digest):
                is_back = packages.holds(client, image, tag, digest)
                return Found(image, tag, version.name, digest, is_back)
    return None


def _may_be(name: str, tag: str) -> bool:
    """Whether it is worth asking for the digest of a name in the trash."""
    return original(name) == tag or is_marked(name, tag)


def _versions(listing: Listing, image: str) -> list[Version]:
    listing.check(image)
    return [v for v in listing.versions if v.image == image]
