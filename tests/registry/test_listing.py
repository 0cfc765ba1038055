"""Listings are complete or an error, and nothing that was just pushed is overlooked."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from threading import Event
from typing import Any

import pytest
import requests_mock as rm

from registry_gc.errors import RegistryGcError
from registry_gc.registry.listing import Listing, list_versions, newer, select
from registry_gc.registry.versions import Version
from registry_gc.server.client import Client
from registry_gc.server.transport import Transport
from tests.sandbox import Answer, Box, Request, serve

DATE = "2026-06-01T12:00:00Z"


def client_of(box: Box, concurrency: int = 4) -> Client:
    transport = Transport(concurrency, Event(), wait=lambda seconds: None)
    return Client(transport, box.url, box.owner, box.token, concurrency)


def push(box: Box, count: int, image: str = "app", prefix: str = "t") -> None:
    """Plain images, each a minute after the one before."""
    for number in range(count):
        box.push.image(image, f"{prefix}{number}", number)
        box.store.now += timedelta(minutes=1)


def names(listing: Listing) -> list[str]:
    return [v.name for v in listing.versions]


def at_page(box: Box, page: int, times: int, *actions: Any) -> None:
    """Do this right before the first `times` requests for the page are answered."""
    remaining = [times]

    def before(request: Request) -> None:
        if f"page={page}&" in request.target and remaining[0]:
            remaining[0] -= 1
            for action in actions:
                action(remaining[0])

    box.faults.before = before


def answer(box: Box, *rows: Any) -> None:
    """The first page says this, whatever there is, and all others are empty."""
    headers = {"X-Total-Count": str(len(rows))}
    box.faults.plan = lambda request: Answer(
        200, json.dumps(rows if "page=1&" in request.target else []), headers
    )


def row(id: Any = 1, name: Any = "app", version: Any = "v1", created_at: Any = DATE) -> Any:
    return {"id": id, "name": name, "version": version, "created_at": created_at}


# --- the complete listing


@pytest.mark.parametrize("cap", [50, 7, 500])
@pytest.mark.parametrize("count", [0, 1, 50, 51, 201])
def test_every_version_is_listed_newest_first_and_no_page_is_asked_for_twice(
    box: Box, count: int, cap: int
) -> None:
    box.store.max_items = cap
    push(box, count)
    found = list_versions(client_of(box), "app")
    assert names(found) == [f"t{n}" for n in reversed(range(count))]
    assert found.ids == set(box.store.versions("app").values()) == {v.id for v in found.versions}
    assert box.faults.count() == max(1, -(-count // cap))
    assert (found.query, found.at, dict(found.unclear)) == ("app", box.store.now, {})


def test_neighbours_whose_name_holds_the_same_text_are_listed_and_not_selected(box: Box) -> None:
    for image in ("my_app", "my_app-2", "team/my_app", "myxapp"):
        push(box, 2, image)
    found = list_versions(client_of(box), "my_app")
    assert len(found.versions) == 8
    assert list(select([found], ["my_app"])) == ["my_app"]
    assert {v.image for v in select([found], ["my_app"])["my_app"].versions} == {"my_app"}


def test_an_unknown_image_has_no_versions(box: Box) -> None:
    push(box, 1)
    assert list_versions(client_of(box), "nothing").versions == ()


def test_a_push_between_two_pages_is_not_missed(box: Box) -> None:
    push(box, 60)
    at_page(box, 2, 1, lambda _: box.push.image("app", "new", 99))
    found = list_versions(client_of(box), "app")
    assert (len(found.versions), names(found)[0]) == (61, "new")


def test_a_deletion_between_two_pages_hides_nothing(box: Box) -> None:
    push(box, 101)
    at_page(box, 2, 1, lambda _: box.store.delete_version("acme", "app", "t100"))
    assert set(names(list_versions(client_of(box), "app"))) == {f"t{n}" for n in range(100)}


def test_a_push_and_a_deletion_that_leave_the_total_alike_hide_nothing(box: Box) -> None:
    push(box, 101)
    at_page(
        box,
        2,
        1,
        lambda _: box.push.image("app", "new", 99),
        lambda _: box.store.delete_version("acme", "app", "t0"),
    )
    found = set(names(list_versions(client_of(box, 1), "app")))
    assert found == {"new", *(f"t{n}" for n in range(1, 101))}


def test_a_listing_that_never_settles_is_an_error_with_its_figures(box: Box) -> None:
    push(box, 60)
    at_page(box, 2, 99, lambda remaining: box.push.image("app", f"new{remaining}", remaining))
    with pytest.raises(RegistryGcError, match=r"changed each time .* \d+ of \d+ versions"):
        list_versions(client_of(box), "app")


def test_a_total_without_rows_is_not_believed(box: Box) -> None:
    box.faults.plan = lambda request: Answer(200, "[]", {"X-Total-Count": "5"})
    with pytest.raises(RegistryGcError, match="0 of 5 versions were seen"):
        list_versions(client_of(box), "app")


@pytest.mark.parametrize(("count", "descending"), [(70, {1, 2, 5}), (120, {0, 4})])
def test_rows_of_one_second_that_change_places_are_all_found_in_several_passes(
    count: int, descending: set[int]
) -> None:
    """None of the passes sees them all, whether or not it begins with the newest."""
    with serve("1.21") as box:
        for number in range(count):
            box.push.image("app", f"t{number}", number)
        # page 2 is cut from the other end: rows of page 1 come again, others never
        box.store.ties_descend = lambda n: n in descending
        found = list_versions(client_of(box, 1), "app")
        assert set(names(found)) == {f"t{n}" for n in range(count)}
        assert [v.id for v in found.versions] == sorted(found.ids, reverse=True)
        assert box.faults.count() == 6


def test_each_pass_cuts_the_pages_elsewhere(box: Box) -> None:
    """Else rows of one second that change places could hide at the same cut in all of them."""
    push(box, 60)
    at_page(box, 2, 99, lambda remaining: box.push.image("app", f"new{remaining}", remaining))
    with suppress(RegistryGcError):
        list_versions(client_of(box), "app")
    sizes = [t.rpartition("limit=")[2] for _, t in box.faults.log if "page=1&" in t]
    assert sizes == ["1000", "47", "43", "41", "37"]


def test_what_comes_and_goes_between_passes_is_not_mixed(box: Box) -> None:
    push(box, 120)
    swaps = iter(range(99))

    def swap(_: int) -> None:
        number = next(swaps)
        box.store.delete_version("acme", "app", f"t{number}")
        box.push.image("app", f"new{number}", number)

    at_page(box, 3, 2, swap)
    found = list_versions(client_of(box, 1), "app")
    assert found.ids == set(box.store.versions("app").values())


def test_dates_of_any_offset_are_one_moment(box: Box) -> None:
    push(box, 1)
    moments = set()
    for zone in (UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-3, minutes=-30))):
        box.store.zone = zone
        moments.add(list_versions(client_of(box), "app").versions[0].created)
    assert moments == {datetime(2026, 6, 1, 12, tzinfo=UTC)}
    assert {moment.tzinfo for moment in moments} == {UTC}


# --- rows that are not as they should be

BAD_DATES: list[Any] = [
    "yesterday",
    "",
    None,
    5,
    [],
    "2026-06-01T12:00:00",
    "2026-13-01T12:00:00Z",
    "0001-01-01T00:00:00+05:00",
]


@pytest.mark.parametrize("date", BAD_DATES)
def test_a_date_that_cannot_be_read_marks_its_image_only(box: Box, date: Any) -> None:
    answer(box, row(1, created_at=date), row(2), row(3, "web"))
    found = list_versions(client_of(box), "")
    assert list(found.unclear) == ["app"]
    assert "The date of v1 could not be understood" in found.unclear["app"]
    assert found.ids == {1, 2, 3}
    assert set(select([found], ["*"])) == {"app", "web"}


@pytest.mark.parametrize("name", ["", "..", "a/b", "v1?x", None, 7])
def test_a_name_that_no_registry_accepts_marks_its_image_only(box: Box, name: Any) -> None:
    answer(box, row(1, version=name), row(2, "web"))
    found = list_versions(client_of(box), "")
    assert [v.image for v in found.versions] == ["web"]
    assert repr(name) in found.unclear["app"]


@pytest.mark.parametrize(
    "bad", [row(None), row("7"), row(True), row(1.5), {}, [], None, "x", row(1, None), row(1, "")]
)
def test_a_row_without_an_id_or_an_image_is_an_error(box: Box, bad: Any) -> None:
    answer(box, row(2, "web"), bad)
    with pytest.raises(RegistryGcError, match="a version without an"):
        list_versions(client_of(box), "")


# --- the second look


def test_when_nothing_was_pushed_one_row_says_so(box: Box) -> None:
    push(box, 120)
    listing = list_versions(client_of(box), "app")
    box.faults.log.clear()
    assert newer(client_of(box), "app", listing.ids, listing.since).versions == ()
    (asked,) = box.faults.log
    assert asked[1].endswith("limit=1")


@pytest.mark.parametrize("count", [1, 50, 51])
def test_what_was_pushed_and_pushed_again_since_is_seen(box: Box, count: int) -> None:
    push(box, 60)
    listing = list_versions(client_of(box), "app")
    push(box, count, prefix="new")
    box.push.image("app", "t3", 3)
    found = newer(client_of(box), "app", listing.ids, listing.since)
    assert set(names(found)) == {"t3", *(f"new{n}" for n in range(count))}
    assert found.ids == set(box.store.versions("app").values()) - listing.ids
    assert found.ids.isdisjoint(listing.ids)


def test_what_was_pushed_while_the_listing_was_on_its_way_is_seen() -> None:
    """In the second before the one that the answer tells, below an older row of that second."""
    rows = [row(created_at="2026-06-01T11:59:59Z"), row(9, "app", "v2", "2026-06-01T11:59:59Z")]
    when = {"Date": "Mon, 01 Jun 2026 12:00:00 GMT"}
    transport = Transport(1, Event(), wait=lambda seconds: None)
    client = Client(transport, "http://git.example", "acme", "token", 1)
    with rm.Mocker() as web:
        web.get(rm.ANY, json=rows[:1], headers={"X-Total-Count": "1", **when})
        before = list_versions(client, "app")
        answers = [
            {"json": found, "headers": {"X-Total-Count": "2", **when}}
            for found in (rows[:1], rows, [])
        ]
        web.get(rm.ANY, answers)
        assert names(newer(client, "app", before.ids, before.since)) == ["v2"]


@pytest.mark.parametrize("profile", ["1.21", "1.22", "1.25"])
def test_what_was_pushed_in_the_second_of_the_listing_is_seen(profile: str) -> None:
    with serve(profile) as box:
        box.store.ties_descend = lambda n: False
        for number in range(120):
            box.push.image("app", f"t{number}", number)
        listing = list_versions(client_of(box), "app")
        box.push.image("app", "new", 999)
        assert names(newer(client_of(box), "app", listing.ids, listing.since)) == ["new"]


def test_a_push_of_a_clock_that_was_set_back_is_seen_where_it_is_the_newest(box: Box) -> None:
    push(box, 3)
    listing = list_versions(client_of(box), "app")
    box.store.now -= timedelta(seconds=30)
    box.push.image("app", "new", 99)
    assert names(newer(client_of(box), "app", listing.ids, listing.since)) == ["new"]


def test_a_second_look_during_which_something_is_pushed_is_begun_again(box: Box) -> None:
    push(box, 60)
    listing = list_versions(client_of(box), "app")
    push(box, 50, prefix="new")
    at_page(box, 2, 1, lambda _: box.push.image("app", "last", 99))
    found = newer(client_of(box), "app", listing.ids, listing.since)
    assert set(names(found)) == {"last", *(f"new{n}" for n in range(50))}


def test_a_second_look_that_never_settles_is_an_error(box: Box) -> None:
    push(box, 60)
    listing = list_versions(client_of(box), "app")
    push(box, 50, prefix="new")
    at_page(box, 2, 99, lambda remaining: box.push.image("app", f"more{remaining}", remaining))
    with pytest.raises(RegistryGcError, match="changed 3 times"):
        newer(client_of(box), "app", listing.ids, listing.since)


def test_a_new_row_that_cannot_be_read_marks_its_image(box: Box) -> None:
    answer(box, row(9, created_at="yesterday"))
    found = newer(client_of(box), "app", {1}, datetime(2026, 6, 1, tzinfo=UTC))
    assert list(found.unclear) == ["app"]


@pytest.mark.parametrize("date", BAD_DATES)
def test_an_old_row_that_cannot_be_read_is_no_accident_of_the_second_look(
    box: Box, date: Any
) -> None:
    answer(box, row(2), row(1, "app-x", created_at=date))
    newer(client_of(box), "app", {1, 2}, datetime(2026, 6, 2, tzinfo=UTC))


def test_below_a_row_whose_date_cannot_be_read_a_push_is_seen(box: Box) -> None:
    """It may be the one of a neighbour, and of any age."""
    answer(box, row(2, "app-x", created_at="yesterday"), row(9), row(1))
    found = newer(client_of(box), "app", {1, 2}, datetime(2026, 6, 2, tzinfo=UTC))
    assert found.rows == {"app": {9}}


def test_a_server_that_shows_one_page_for_ever_does_not_hold_the_run(box: Box) -> None:
    stop = Event()

    def plan(request: Request) -> Answer:
        if request.number > 50:
            stop.set()
        return Answer(200, json.dumps([row(9)]), {"X-Total-Count": "1"})

    box.faults.plan = plan
    client = Client(Transport(1, stop, lambda seconds: None), box.url, "acme", box.token, 1)
    with suppress(RegistryGcError):
        newer(client, "app", {1}, datetime(2026, 6, 2, tzinfo=UTC))
    assert not stop.is_set()


def test_where_the_server_tells_no_time_every_page_is_looked_at() -> None:
    headers = {"X-Total-Count": "2"}
    pages: list[list[Any]] = [[row(1)], [row(2, version="new")], []]
    transport = Transport(1, Event(), wait=lambda seconds: None)
    client = Client(transport, "http://git.example", "acme", "token", 1)
    with rm.Mocker() as web:
        web.get(rm.ANY, json=[row(1)], headers={"X-Total-Count": "1"})
        before = list_versions(client, "app")
        web.get(rm.ANY, [{"json": page, "headers": headers} for page in pages])
        assert names(newer(client, "app", before.ids, before.since)) == ["new"]


@pytest.mark.parametrize("query", ["app", "a_p", "p-", "", "_pp-x", "team/app", "none", "my_app"])
def test_the_rows_of_a_query_are_those_that_the_server_lists_for_it(box: Box, query: str) -> None:
    for image in ("app", "app-x", "axp", "team/app", "my_app", "myxapp", "web.1"):
        push(box, 2, image)
    everything = list_versions(client_of(box), "")
    assert everything.ids_for(query) == list_versions(client_of(box), query).ids
    assert everything.ids_for("") == everything.ids


def test_a_second_look_says_how_many_rows_there_are_now(box: Box) -> None:
    push(box, 60)
    listing = list_versions(client_of(box), "app")
    assert listing.total == 60
    push(box, 3, prefix="new")
    box.store.delete_version("acme", "app", "t0")
    assert newer(client_of(box), "app", listing.ids, listing.since).total == 62


# --- selecting


def listing(query: str, *images: str, unclear: tuple[str, ...] = ()) -> Listing:
    moment = datetime(2026, 6, 1, tzinfo=UTC)
    versions = tuple(Version(n, image, "v1", moment) for n, image in enumerate(images, 1))
    rows = {image: frozenset(v.id for v in versions if v.image == image) for image in images}
    return Listing(query, versions, rows, dict.fromkeys(unclear, "why"), moment, len(versions))


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (("*",), ["app", "app-x", "bad", "team/app"]),
        (("app",), ["app"]),
        (("app*", "bad"), ["app", "app-x", "bad"]),
        (("*/*",), ["team/app"]),
        (("none",), []),
    ],
)
def test_images_are_selected_by_their_whole_name(patterns: list[str], expected: list[str]) -> None:
    all_of_them = listing("", "app", "app-x", "team/app", "app", unclear=("bad",))
    found = select([all_of_them], patterns)
    assert list(found) == expected
    for image, part in found.items():
        assert {v.image for v in part.versions} <= {image}
        assert (part.ids, part.unclear) == (all_of_them.ids, all_of_them.unclear)


def test_an_image_that_two_listings_hold_is_taken_from_the_first() -> None:
    found = select([listing("app", "app", "app-x"), listing("app-x", "app-x")], ["app", "app-x"])
    assert {image: part.query for image, part in found.items()} == {"app": "app", "app-x": "app"}
