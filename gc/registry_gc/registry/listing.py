"""The versions of a registry: the complete listing, and the second look at its newest pages."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from registry_gc.errors import RegistryGcError
from registry_gc.registry.version_names import first_match
from registry_gc.registry.versions import Version
from registry_gc.server import packages
from registry_gc.server.client import Client
from registry_gc.server.packages import Page
from registry_gc.server.references import is_valid

LIMITS = (1000, 47, 43, 41, 37)  # page sizes asked for; the server caps them, at 50 by default
TRIES = 3


@dataclass(frozen=True, slots=True)
class Listing:
    """All versions whose image's name contains `query`, at one moment."""

    query: str
    """The text asked for; the server takes `_` and `%` in it for any character and any text."""
    versions: tuple[Version, ...]
    """Newest first."""
    ids: frozenset[int]
    """Of all its rows, unclear ones too."""
    unclear: Mapping[str, str]
    """Image -> what of its rows could not be understood."""
    at: datetime
    """The server's clock when the listing began."""
    repositories: Mapping[str, str] = field(default_factory=dict)
    """Image -> `my-org/app`, the repository it is linked to, where the token's user sees it."""


def list_versions(client: Client, query: str) -> Listing:
    """Every version, complete or not at all (GET /api/v1/packages/{owner}).

    Rows shift between pages while others push and delete; only distinct ids that equal an unchanged
    X-Total-Count prove that none was missed. On 1.21 rows of one second have no order, so that
    pages may repeat some and miss others: then it takes several passes, with pages cut elsewhere.
    Raises RegistryGcError when that does not come out.
    """
    rows: dict[int, dict[str, Any]] = {}
    total, at = -1, datetime.min.replace(tzinfo=UTC)
    for limit in LIMITS:
        pages = _pages(client, query, limit)
        seen = {_id(row): row for page in pages for row in page.rows}
        totals = {page.total for page in pages}
        # A push would show as a higher id, a deletion as another total: both begin anew.
        if totals != {total} or max(seen, default=0) > max(rows, default=0):
            rows, at = {}, pages[0].at
            total = pages[0].total if len(totals) == 1 else -1
        rows |= seen
        if totals == {len(rows)}:
            return _listing(query, rows.values(), at)
    raise RegistryGcError(
        f"The listing of {client.owner}'s images changed each time it was read, {len(LIMITS)} "
        f"times; at last {len(rows)} of {pages[0].total} versions were seen. Nothing was decided "
        "on it. Run again at a quieter time."
    )


def _pages(client: Client, query: str, limit: int) -> list[Page]:
    """The first page, and at once all others that its total says there are."""
    first = packages.page(client, query, 1, limit)
    last = -(-first.total // len(first.rows)) if first.rows else 1
    others = range(2, last + 1)
    return [first, *client.in_order(lambda page: packages.page(client, query, page, limit), others)]


def newer(client: Client, query: str, known: Collection[int], at: datetime) -> Listing:
    """What was pushed or pushed again since a listing begun `at`: the rows with unknown ids.

    Reads pages, newest first, until one has only known rows and reaches back before that listing:
    what was pushed in its very second may stand below older rows of that second.
    """
    for _ in range(TRIES):
        fresh: dict[int, dict[str, Any]] = {}
        totals = set()
        number, last = 1, 1
        while number <= last:
            page = packages.page(client, query, number, LIMITS[0])
            totals.add(page.total)
            unknown = {_id(row): row for row in page.rows if _id(row) not in known}
            fresh |= unknown
            number += 1
            if page.rows and (unknown or not _is_before(page.rows[-1], at)):
                last = max(last, -(-page.total // len(page.rows)))
            else:
                last = 0
        if len(totals) == 1:
            return _listing(query, fresh.values(), at)
    raise RegistryGcError(
        f"The newest versions of {client.owner}'s images changed {TRIES} times while they "
        "were read. Run again at a quieter time."
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
    repositories: dict[str, str] = {}
    for row in rows:
        ids.append(_id(row))
        image = row.get("name")
        if not isinstance(image, str) or not image:
            raise RegistryGcError(f"The server listed a version without an image's name: {row!r}.")
        if isinstance(linked := row.get("repository"), dict) and linked.get("full_name"):
            repositories[image] = str(linked["full_name"])
        try:
            versions.append(_version(image, row))
        except ValueError as error:
            unclear[image] = str(error)
    versions.sort(key=lambda v: (v.created, v.id), reverse=True)
    return Listing(query, tuple(versions), frozenset(ids), unclear, at, repositories)


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


def _is_before(row: dict[str, Any], at: datetime) -> bool:
    try:
        return _created(row) < at
    except (ValueError, TypeError, KeyError, OverflowError):
        return False


def _id(row: dict[str, Any]) -> int:
    if not isinstance(row, dict) or type(row.get("id")) is not int:
        raise RegistryGcError(f"The server listed a version without an id: {row!r}.")
    return int(row["id"])
