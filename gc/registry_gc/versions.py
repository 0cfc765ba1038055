"""The versions of a registry: the complete listing, and the second look at its newest pages."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from registry_gc.errors import RegistryGcError
from registry_gc.names import first_match, is_valid

if TYPE_CHECKING:  # the client loads requests, which --help and wrong settings need not wait for
    from registry_gc.client import Client

TRIES = 3


@dataclass(frozen=True, slots=True)
class Version:
    """One row of the package API."""

    id: int  # new for every push of a tag, even of the same digest (Gitea 1.25.0 and .1 excepted)
    image: str
    name: str  # a tag, or `sha256:<hex>` when untagged
    created: datetime  # UTC


@dataclass(frozen=True, slots=True)
class Listing:
    """All versions whose image's name contains `query`, at one moment."""

    query: str
    versions: tuple[Version, ...]  # newest first
    ids: frozenset[int]  # of all its rows, unclear ones too
    unclear: Mapping[str, str]  # image -> what of its rows could not be understood
    at: datetime  # the server's clock when the listing began


def list_versions(client: "Client", query: str) -> Listing:
    """Every version, complete or not at all (GET /api/v1/packages/{owner}).

    Rows shift between pages while others push and delete, and on 1.21 rows of one second have no
    order: only distinct ids that equal an unchanged X-Total-Count prove that none was missed.
    Raises RegistryGcError when that does not come out in three tries.
    """
    for _ in range(TRIES):
        first = client.packages(query, 1)
        pages = [first]
        if first.rows:
            last = -(-first.total // len(first.rows))
            pages += client.in_order(lambda page: client.packages(query, page), range(2, last + 1))
        rows = {_id(row): row for page in pages for row in page.rows}
        if {page.total for page in pages} == {len(rows)}:
            return _listing(query, rows.values(), first.at)
    raise RegistryGcError(
        f"The listing of {client.owner} changed {TRIES} times while it was read: {len(rows)} of "
        f"{first.total} versions were seen. Nothing was decided on it. Run again at a quieter time."
    )


def newer(client: "Client", query: str, known: Collection[int], at: datetime) -> Listing:
    """What was pushed or pushed again since a listing begun `at`: the rows with unknown ids.

    Reads pages, newest first, until one has only known rows and reaches back before that listing:
    what was pushed in its very second may stand below older rows of that second.
    """
    for _ in range(TRIES):
        fresh: dict[int, dict[str, Any]] = {}
        totals = set()
        number, more = 1, True
        while more:
            page = client.packages(query, number)
            totals.add(page.total)
            unknown = {_id(row): row for row in page.rows if _id(row) not in known}
            fresh |= unknown
            number += 1
            more = bool(page.rows) and (bool(unknown) or _created(page.rows[-1]) >= at)
        if len(totals) == 1:
            return _listing(query, fresh.values(), at)
    raise RegistryGcError(
        f"The newest versions of {client.owner} changed {TRIES} times while they were read. "
        "Run again at a quieter time."
    )


def select(listings: Iterable[Listing], patterns: Collection[str]) -> dict[str, Listing]:
    """The listing of each image whose name a pattern matches, with that image's versions only."""
    images: dict[str, Listing] = {}
    for listing in listings:
        versions: dict[str, list[Version]] = {image: [] for image in listing.unclear}
        for version in listing.versions:
            versions.setdefault(version.image, []).append(version)
        for image in sorted(versions):
            if first_match(image, patterns):
                images.setdefault(image, replace(listing, versions=tuple(versions[image])))
    return images


def _listing(query: str, rows: Iterable[dict[str, Any]], at: datetime) -> Listing:
    versions, ids, unclear = [], [], {}
    for row in rows:
        ids.append(_id(row))
        image = row.get("name")
        if not isinstance(image, str) or not image:
            raise RegistryGcError(f"The server listed a version without an image's name: {row!r}.")
        try:
            versions.append(_version(image, row))
        except ValueError as error:
            unclear[image] = str(error)
    return Listing(query, tuple(versions), frozenset(ids), unclear, at)


def _version(image: str, row: dict[str, Any]) -> Version:
    name = row.get("version")
    if not isinstance(name, str) or not is_valid(name):
        raise ValueError(f"The server listed a version with a name no registry accepts: {name!r}.")
    try:
        return Version(row["id"], image, name, _created(row))
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        shown = row.get("created_at")
        raise ValueError(f"The date of {name} could not be understood: {shown!r}.") from error


def _created(row: dict[str, Any]) -> datetime:
    created = datetime.fromisoformat(row["created_at"])
    if created.tzinfo is None:
        raise ValueError("a date without an offset")
    return created.astimezone(UTC)


def _id(row: dict[str, Any]) -> int:
    if not isinstance(row, dict) or type(row.get("id")) is not int:
        raise RegistryGcError(f"The server listed a version without an id: {row!r}.")
    return int(row["id"])
