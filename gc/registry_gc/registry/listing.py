"""The versions of a registry: the complete listing, and the look at what is new since."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from registry_gc.errors import RegistryGcError
from registry_gc.registry.version_names import first_match
from registry_gc.registry.versions import Version, newest_first
from registry_gc.server import packages
from registry_gc.server.client import Client
from registry_gc.server.packages import Page
from registry_gc.server.references import is_valid

LIMITS = (1000, 47, 43, 41, 37)  # page sizes of the passes; the server caps them, at 50 by default
START = datetime.min.replace(tzinfo=UTC)
TRIES = 3  # of what others may have disturbed


@dataclass(frozen=True, slots=True)
class Listing:
    """All versions whose image's name contains `query`, at one moment."""

    query: str
    """The text asked for; the server takes `_` and `%` in it for any character and any text."""
    versions: tuple[Version, ...]
    """Newest first."""
    rows: Mapping[str, frozenset[int]]
    """Image -> the ids of all its rows, unclear ones too."""
    unclear: Mapping[str, str]
    """Image -> what of its rows could not be understood."""
    at: datetime
    """The server's clock when the listing began."""
    total: int
    """How many rows the server said there are; of `newer` more than it shows."""
    since: datetime = START
    """What was pushed since, and not before, may be missing in it: the server's clock, at the
    latest when the listing began."""
    page_size: int = 0
    """How many rows a page of it had at most."""
    repositories: Mapping[str, str] = field(default_factory=dict)
    """Image -> `my-org/app`, the repository it is linked to, where the token's user sees it."""

    @property
    def ids(self) -> frozenset[int]:
        """Of all rows."""
        return frozenset().union(*self.rows.values())

    def ids_for(self, query: str) -> frozenset[int]:
        """Of the rows that the server would have listed for this text."""
        found = (ids for image, ids in self.rows.items() if _contains(image, query))
        return frozenset().union(*found)

    def check(self, image: str) -> None:
        """Raises RegistryGcError when a row of this image could not be understood."""
        if image in self.unclear:
            raise RegistryGcError(self.unclear[image])


class Changing(RegistryGcError):
    """What is listed changes each time it is read."""

    @classmethod
    def whole(cls, owner: str, tries: int, seen: int, total: int) -> "Changing":
        """The complete listing, of which so many rows were seen the last time."""
        return cls(
            f"The listing of {owner}'s images changed each time it was read, {tries} times; at "
            f"last {seen} of {total} versions were seen. Nothing was decided on it. Run again at a "
            "quieter time."
        )

    @classmethod
    def newest(cls, owner: str, tries: int) -> "Changing":
        """Its newest pages."""
        return cls(
            f"The newest versions of {owner}'s images changed {tries} times while they were read. "
            "Run again at a quieter time."
        )


class NotARow(RegistryGcError):
    """A row that cannot even be told from others."""

    def __init__(self, what: str, row: object) -> None:
        super().__init__(f"The server listed a version without {what}: {row!r}.")


class Unclear(ValueError):
    """A row of which name or date cannot be understood: its image is left alone."""

    @classmethod
    def name(cls, name: object) -> "Unclear":
        """A version's name."""
        return cls(f"The server listed a version with a name no registry accepts: {name!r}.")

    @classmethod
    def date(cls, name: str, date: object) -> "Unclear":
        """When it was pushed."""
        return cls(f"The date of {name} could not be understood: {date!r}.")


def list_versions(client: Client, query: str) -> Listing:
    """Every version, complete or not at all (GET /api/v1/packages/{owner}).

    Rows shift between pages while others push and delete; only distinct ids that equal an unchanged
    X-Total-Count prove that none was missed. On 1.21 rows of one second have no order, so that
    pages may repeat some and miss others: then it takes several passes, with pages cut elsewhere.
    Raises RegistryGcError when that does not come out.
    """
    rows: dict[int, dict[str, Any]] = {}
    total, first = -1, Page([], 0, START, START)
    for limit in LIMITS:
        pages = _pages(client, query, limit)
        seen = {_id(row): row for page in pages for row in page.rows}
        totals = {page.total for page in pages}
        # A push would show as a higher id, a deletion as another total: both begin anew.
        if totals != {total} or max(seen, default=0) > max(rows, default=0):
            rows, first = {}, pages[0]
            total = first.total if len(totals) == 1 else -1
        rows |= seen
        if totals == {len(rows)}:
            return _listing(query, rows.values(), first)
    raise Changing.whole(client.owner, len(LIMITS), len(rows), pages[0].total)


def _pages(client: Client, query: str, limit: int) -> list[Page]:
    """The first page, and at once all others that its total says there are."""
    first = packages.page(client, query, 1, limit)
    last = -(-first.total // len(first.rows)) if first.rows else 1
    others = range(2, last + 1)
    return [first, *client.in_order(lambda page: packages.page(client, query, page, limit), others)]


def nothing_newer(
    client: Client,
    query: str,
    known: Collection[int],
    since: datetime,
    before: Callable[[], object] | None = None,
) -> Page | None:
    """The page of the newest row alone, when that proves that nothing was pushed since a listing.

    Rows come newest first. One that was pushed since has a date that is not before `since`, so it
    stands above every row that is older: when the first is known and older, there is none. One that
    is as young as the listing proves nothing: servers up to 1.23.0 may put a newer one of the same
    second below it. That the order is right, and the dates, only the total proves: it must be what
    was there before. `before` is called each time right before the row is asked for.
    """
    page = packages.page(client, query, 1, 1, before)
    first = page.rows[0] if page.rows else None
    is_proof = first is not None and _id(first) in known and _is_before(first, since)
    return page if is_proof else None


def newer(
    client: Client,
    query: str,
    known: Collection[int],
    since: datetime,
    before: Callable[[], object] | None = None,
) -> Listing:
    """What was pushed or pushed again since a listing: the rows with unknown ids.

    Where the newest row alone proves nothing, reads pages until one has only known rows and reaches
    back before `since`. `known` and the total together are complete then: see nothing_newer, also
    for `before`.
    """
    if page := nothing_newer(client, query, known, since, before):
        return _listing(query, (), page)
    for _ in range(TRIES):
        fresh: dict[int, dict[str, Any]] = {}
        pages: list[Page] = []
        last = 1
        while len(pages) < last:
            first = None if pages else before
            page = packages.page(client, query, len(pages) + 1, LIMITS[0], first)
            pages.append(page)
            unknown = {_id(row): row for row in page.rows if _id(row) not in known}
            fresh |= unknown
            if page.rows and (unknown or not _is_before(page.rows[-1], since)):
                last = max(last, -(-page.total // len(page.rows)))
            else:
                last = 0
        if len({page.total for page in pages}) == 1:
            return _listing(query, fresh.values(), pages[0])
    raise Changing.newest(client.owner, TRIES)


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


def _contains(image: str, query: str) -> bool:
    """Whether the server lists an image for a query: a part of its name, `_` any character."""
    if "_" not in query:
        return query in image
    return re.search(re.escape(query).replace("_", "."), image) is not None


def _listing(query: str, rows: Iterable[dict[str, Any]], first: Page) -> Listing:
    versions: list[Version] = []
    ids: dict[str, list[int]] = {}
    unclear: dict[str, str] = {}
    repositories: dict[str, str] = {}
    for row in rows:
        image = row.get("name")
        if not isinstance(image, str) or not image:
            raise NotARow("an image's name", row)
        ids.setdefault(image, []).append(_id(row))
        if isinstance(linked := row.get("repository"), dict) and linked.get("full_name"):
            repositories[image] = str(linked["full_name"])
        try:
            versions.append(_version(image, row))
        except Unclear as error:
            unclear[image] = str(error)
    by_image = {image: frozenset(found) for image, found in ids.items()}
    return Listing(
        query,
        tuple(newest_first(versions)),
        by_image,
        unclear,
        first.at,
        first.total,
        first.asked_at,
        len(first.rows),
        repositories,
    )


def _version(image: str, row: dict[str, Any]) -> Version:
    name = row.get("version")
    if not isinstance(name, str) or not is_valid(name):
        raise Unclear.name(name)
    try:
        return Version(row["id"], image, name, _created(row))
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise Unclear.date(name, row.get("created_at")) from error


def _created(row: dict[str, Any]) -> datetime:
    created = datetime.fromisoformat(row["created_at"])
    if created.tzinfo is None:
        raise ValueError("a date without an offset")
    return created.astimezone(UTC)


def _is_before(row: dict[str, Any], since: datetime) -> bool:
    try:
        return _created(row) < since
    except (ValueError, TypeError, KeyError, OverflowError):
        return False


def _id(row: dict[str, Any]) -> int:
    if not isinstance(row, dict) or type(row.get("id")) is not int:
        raise NotARow("an id", row)
    return int(row["id"])
