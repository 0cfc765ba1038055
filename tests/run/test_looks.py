"""Looks for new pushes: nothing they miss, and what they cost."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Event

import pytest

from registry_gc.report.report import State
from tests.harness import (
    NOW,
    age_all,
    contents,
    deletions,
    fail_to_delete,
    in_process,
    names_in,
    once_before,
)
from tests.oracle import whole
from tests.run.tidying import tidy_anew as tidy
from tests.sandbox import Answer, Box, Fault, LoseAnswer, Request


@pytest.fixture
def box() -> Iterator[Box]:
    """Pages of five."""
    with in_process() as box:
        box.store.max_items = 5
        yield box


@pytest.fixture
def parts(box: Box) -> list[str]:
    """The untagged children of `old`, which goes with them; two pages of others stay."""
    _, parts = box.push.multiarch("app", "old", 1)
    for n in range(10):
        box.push.image("app", f"v{n}", f"v{n}")
    age_all(box, 1)
    age_all(box, 400, ("old", *parts))
    return parts


def pages(box: Box) -> int:
    return box.faults.count("GET", "page=")


def dated(box: Box, days: float, action: Callable[[], object]) -> Callable[[], None]:
    """Done while the server's clock is that far behind."""

    def behind() -> None:
        box.store.now = NOW - timedelta(days=days)
        action()
        box.store.now = NOW

    return behind


@pytest.mark.parametrize("days", [200, 500])
@pytest.mark.parametrize("look", [2, 3])
def test_a_push_that_is_dated_long_ago_is_seen_by_the_total(
    box: Box, parts: list[str], look: int, days: float
) -> None:
    """The server's clock was set back: the push stands on the last page."""
    children = [(digest, f"arch{n}") for n, digest in enumerate(parts)]
    push = dated(box, days, lambda: box.push.index("app", "fresh", children))
    once_before(box, push, "GET", "page=1&", look)
    outcome = tidy(box)
    assert {"fresh", *parts} < whole(box.store, "app")
    assert outcome.why("app", "fresh") == "pushed during the run"
    assert outcome.exit_code == 0


def test_what_someone_else_deletes_meanwhile_is_listed_once_and_no_matter(
    box: Box, parts: list[str]
) -> None:
    assert tidy(box, dry_run=True).exit_code == 0
    listed = pages(box)
    once_before(box, lambda: box.store.delete_version("acme", "app", "v3"), "GET", "page=1&", 2)
    outcome = tidy(box)
    # The two looks, the listing that the first of them takes and the last one, of what stays.
    assert (pages(box), listed) == (listed + 1 + 3 + 1 + 2, 3)
    assert not {"old", *parts} & names_in(box)
    assert outcome.warnings == ["v3 was kept and is gone: someone else deleted it meanwhile."]
    assert outcome.exit_code == 0


@pytest.mark.parametrize(
    "neighbours", [("app-x", "my-app"), ("a_p", "axp", "sub/app"), ("a/app", "a/app-x")]
)
def test_the_neighbours_of_an_image_make_no_look_dearer(
    box: Box, neighbours: tuple[str, ...]
) -> None:
    """The server's search knows parts of names, and `_` stands for any character."""
    for image in ("app", *neighbours):
        box.push.image(image, "v1", 1)
        box.push.image(image, "v2", 2)
        age_all(box, 1, image=image)
        box.store.age(image, "v1", 400)
    everything = -(-len(contents(box)) // 5)
    outcome = tidy(box, package=("*",))
    looks, there = 1 + len(neighbours), -(-len(contents(box)) // 5)
    assert pages(box) == everything + looks + there
    assert len(deletions(box)) == looks
    assert outcome.exit_code == 0


@pytest.mark.parametrize("measure_space", [True, False])
@pytest.mark.parametrize("look", [2, 3])
def test_what_was_pushed_is_read_however_little_else_is(
    box: Box, parts: list[str], look: int, measure_space: bool
) -> None:
    push = [(digest, f"arch{n}") for n, digest in enumerate(parts)]
    once_before(box, lambda: box.push.index("app", "fresh", push), "GET", "page=1&", look)
    outcome = tidy(box, measure_space=measure_space)
    assert {"fresh", *parts} < whole(box.store, "app")
    assert {outcome.why("app", part) for part in parts} == {"part of fresh"}
    assert outcome.why("app", "v9") == "keep-latest 1/1"
    assert outcome.exit_code == 0


def test_a_tagged_index_that_only_a_look_had_read_goes_too(box: Box) -> None:
    """Else it would stay without its parts, although nothing failed."""
    for tag, days in {"older": 500, "old": 400}.items():
        _, parts = box.push.multiarch("app", tag, tag)
        age_all(box, days, (tag, *parts))
    goes = names_in(box)
    box.push.image("app", "new", "new")
    box.store.age("app", "new", 1)
    once_before(box, lambda: box.push.multiarch("app", "fresh", "fresh"), "GET", "page=1&", 2)
    outcome = tidy(box, measure_space=False)
    assert outcome.names(State.DELETED) == {("app", name) for name in goes}
    assert not goes & names_in(box)
    assert (outcome.names(State.DOOMED), outcome.exit_code) == (set(), 0)


def test_what_is_pushed_to_a_neighbour_is_none_of_the_images_own(
    box: Box, parts: list[str]
) -> None:
    """The server lists it for the same text."""
    once_before(box, lambda: box.push.image("my-app", "old", 1), "GET", "page=1&", 2)
    outcome = tidy(box)
    assert outcome.names(State.DELETED) == {("app", name) for name in ("old", *parts)}
    assert "pushed" not in outcome.text
    assert outcome.exit_code == 0


def test_a_tag_that_comes_back_after_its_deletion_was_deleted_and_stays(
    box: Box, parts: list[str]
) -> None:
    once_before(box, lambda: box.push.image("app", "old", "another"), "GET", "page=1&", 3)
    outcome = tidy(box)
    assert outcome.names(State.DELETED) == {("app", name) for name in ("old", *parts)}
    assert outcome.why("app", "old") == "pushed during the run"
    assert "old" in whole(box.store, "app")
    assert outcome.exit_code == 0


def test_a_tag_that_is_pushed_again_after_its_deletion_failed_did_not_fail(
    box: Box, parts: list[str]
) -> None:
    stray = box.push.image("app", None, "stray")
    box.store.age("app", stray, 400)
    fail_to_delete(box, "old", Answer(400))
    once_before(box, lambda: box.push.image("app", "old", "another"), "GET", "page=1&", 3)
    outcome = tidy(box)
    assert outcome.names(State.FAILED) == set()
    assert outcome.why("app", "old") == "pushed again during the run"
    assert stray not in names_in(box)
    assert (outcome.errors, outcome.exit_code) == ([], 0)


def test_for_what_was_pushed_only_what_is_still_there_is_read(box: Box, parts: list[str]) -> None:
    """A tag that went may have been read never: of plain tags those that stay are."""
    box.push.image("app", "older", "older")
    box.store.age("app", "older", 500)
    push = [(parts[0], "amd64")]
    once_before(box, lambda: box.push.index("app", "fresh", push), "GET", "page=1&", 3)
    outcome = tidy(box, measure_space=False)
    assert {("app", "old"), ("app", "older")} <= outcome.names(State.DELETED)
    assert outcome.why("app", parts[0]) == "part of fresh"
    assert (outcome.errors, outcome.exit_code) == ([], 0)


def leave_unknown(box: Box, name: str) -> None:
    """The version goes, and neither that nor a look at it is answered."""

    def plan(request: Request) -> Fault | None:
        if not request.path.endswith(f"/{name}"):
            return None
        return LoseAnswer() if request.method == "DELETE" else Answer(400)

    box.faults.plan = plan


def test_a_deletion_that_was_done_without_an_answer_is_one(box: Box, parts: list[str]) -> None:
    box.push.image("app", "plain", 7)
    box.store.age("app", "plain", 400)
    leave_unknown(box, "plain")
    outcome = tidy(box)
    assert outcome.names(State.DELETED) == {("app", name) for name in ("old", "plain", *parts)}
    assert outcome.errors == []
    assert outcome.exit_code == 0


def test_what_was_spared_for_a_deletion_that_was_done_after_all_is_told(
    box: Box, parts: list[str]
) -> None:
    leave_unknown(box, "old")
    outcome = tidy(box)
    assert outcome.names(State.DELETED) == {("app", "old")}
    assert {outcome.why("app", part) for part in parts} == {"part of old, whose deletion failed"}
    (error,) = outcome.errors
    assert error.startswith("old: deleted after all, though the server did not say so.")
    assert outcome.exit_code == 1
    box.faults.reset()
    tidy(box)
    assert not set(parts) & names_in(box)


def test_a_deletion_that_is_said_to_be_done_and_was_not_is_an_error(
    box: Box, parts: list[str]
) -> None:
    def plan(request: Request) -> Fault | None:
        is_v2 = request.path.startswith("/v2/")
        return Answer(202 if is_v2 else 204) if request.path.endswith("/old") else None

    box.faults.plan = plan
    outcome = tidy(box)
    assert "old" in names_in(box)
    assert outcome.names(State.FAILED) == {("app", "old")}
    (row,) = [row for _, row in outcome.report.rows() if row.state is State.FAILED]
    assert row.error == "the server said that it was deleted, and still lists it"
    assert outcome.errors == []  # what a tag lacks that was to go is none
    assert outcome.exit_code == 1


@pytest.mark.parametrize("nth", [2, 4])
def test_a_row_that_cannot_be_understood_ends_what_rests_on_it(
    box: Box, parts: list[str], nth: int
) -> None:
    """In the look before the tags, and in the listing after all deletions."""

    def push() -> None:
        box.push.image("app", "odd", "odd")
        box.faults.plan = lambda request: _with_odd_date(box, request)

    once_before(box, push, "GET", "page=1&", nth)
    outcome = tidy(box)
    start = "The deletions in app ended early" if nth == 2 else "What stays of app could not be"
    assert len(outcome.errors) == 1
    assert outcome.errors[0].startswith(start)
    assert "The date of odd could not be understood" in outcome.errors[0]
    assert (set(parts) <= names_in(box)) is (nth == 2)
    assert outcome.exit_code == 1


def _with_odd_date(box: Box, request: Request) -> Fault | None:
    """The pages as they are, but for the date of app:odd."""
    if "page=" not in request.target:
        return None
    number = int(request.target.partition("page=")[2].partition("&")[0])
    rows, total = box.store.listing("acme", "app", number, 5)
    shown = [
        {
            "id": row.id,
            "name": row.image.name,
            "version": row.name,
            "created_at": "yesterday" if row.name == "odd" else row.created_at.isoformat(),
        }
        for row in rows
    ]
    return Answer(200, json.dumps(shown), {"X-Total-Count": str(total)})


@pytest.mark.parametrize("look", [2, 3])
def test_a_stop_in_a_look_deletes_nothing_more_and_is_told(
    box: Box, parts: list[str], look: int
) -> None:
    stop = Event()
    once_before(box, stop.set, "GET", "page=1&", look)
    outcome = tidy(box, stop=stop)
    assert deletions(box) == ([] if look == 2 else [("app", "old")])
    assert set(parts) <= names_in(box)
    (error,) = outcome.errors
    assert error.startswith("The run was interrupted. The run ended there")
    assert outcome.exit_code == 1
