"""Nothing is gone for a week: what goes is in the trash first, and can be put back from there."""

from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from registry_gc.report.report import State
from tests.harness import (
    NOW,
    Outcome,
    age_all,
    contents,
    deletions,
    names_in,
    once_before,
    run_gc,
)
from tests.oracle import all_whole, whole
from tests.sandbox import Answer, Box, Drop, Fault, LoseAnswer, Request, first, serve

RULES: dict[str, Any] = {"keep_latest": 1, "keep_days": 30, "trash_days": 7, "concurrency": 1}


@pytest.fixture
def box(running: Box) -> Box:
    """An image with `new`, and `old` of two platforms that goes."""
    running.reset()
    running.push.multiarch("app", "old", 1)
    age_all(running, 400)
    running.push.multiarch("app", "new", 2)
    return running


def tidy(box: Box, **changes: Any) -> Outcome:
    return run_gc(box, **{**RULES, **changes})


def days_later(box: Box, days: float) -> None:
    """The clock of the server, and of the next run, goes on."""
    box.store.now = NOW + timedelta(days=days)


def later(box: Box, days: float, **changes: Any) -> Outcome:
    days_later(box, days)
    return tidy(box, now=box.store.now, **changes)


def digest_of(box: Box, name: str) -> str:
    return box.store.manifest(box.owner, "app", name).blob.digest


def make_of_tags(box: Box) -> None:
    """An index `x` whose parts are the tags `x-amd64` and `x-arm64`."""
    for tag in ("x-amd64", "x-arm64"):
        box.push.image("app", tag, tag)
    box.push.manifest_create("app", "x", ["x-amd64", "x-arm64"])
    age_all(box, 400, ("x", "x-amd64", "x-arm64"))


def test_what_goes_pulls_whole_from_the_trash_and_is_put_back_with_the_same_digest(
    box: Box,
) -> None:
    before, digest = names_in(box), digest_of(box, "old")
    outcome = tidy(box)
    assert outcome.exit_code == 0, outcome.text
    assert names_in(box) == before - {"old"} | {"gc-trash.old"}
    assert "gc-trash.old" in whole(box.store, "app")
    assert outcome.why("app", "old").endswith(", into the trash as gc-trash.old")
    back = tidy(box, restore=("app:old",))
    assert back.exit_code == 0
    assert back.report.restored == ("app:old from gc-trash.old",)
    assert "Put back app:old from gc-trash.old" in back.text
    assert digest_of(box, "old") == digest
    assert {"old", "gc-trash.old"} < whole(box.store, "app")


def test_after_its_days_the_trash_goes_with_what_only_it_reached(box: Box) -> None:
    tidy(box)
    assert later(box, 6.9).names(State.DELETED) == set()
    assert later(box, 7.1).exit_code == 0
    assert names_in(box) == {"new", *names_of_parts(box)}
    assert all_whole(box.store) == contents(box).keys()


def names_of_parts(box: Box) -> set[str]:
    return {name for name in names_in(box) if name.startswith("sha256:")}


def test_without_faults_a_second_run_deletes_nothing_and_moves_nothing(box: Box) -> None:
    tidy(box)
    before = contents(box)
    box.faults.log.clear()
    outcome = tidy(box)
    assert contents(box) == before
    assert {method for method, _ in box.faults.log} == {"GET"}
    assert outcome.exit_code == 0


def test_a_dry_run_says_where_it_goes_and_puts_nothing_there(box: Box) -> None:
    before = contents(box)
    outcome = tidy(box, dry_run=True)
    assert contents(box) == before
    assert "into the trash as gc-trash.old" in outcome.text
    assert outcome.report.freed == 0


@pytest.mark.parametrize("fault", [Answer(400), Answer(500), Drop(), LoseAnswer()])
def test_what_could_not_be_put_into_the_trash_is_not_deleted(box: Box, fault: Fault) -> None:
    """A push whose answers are all lost may have been done: what counts is what is read back."""
    box.faults.plan = first(100, fault, "PUT")
    outcome = tidy(box)
    if "gc-trash.old" in names_in(box):
        assert outcome.exit_code == 0
    else:
        assert outcome.names(State.FAILED) == {("app", "old")}
        assert "could not be put into the trash" in outcome.text
        assert deletions(box) == []
        assert outcome.exit_code == 1
    assert all_whole(box.store) == contents(box).keys()


def test_an_index_that_could_not_be_put_into_the_trash_keeps_the_tags_it_is_made_of(
    box: Box,
) -> None:
    make_of_tags(box)
    box.faults.plan = lambda request: (
        Answer(400) if request.method == "PUT" and request.path.endswith("/gc-trash.x") else None
    )
    outcome = tidy(box)
    assert outcome.names(State.FAILED) == {("app", "x")}
    assert {"x", "x-amd64", "x-arm64"} < whole(box.store, "app")


def test_a_run_that_ends_between_the_two_leaves_both_and_the_next_one_ends_it(box: Box) -> None:
    box.faults.plan = first(100, Drop(), "DELETE")
    assert tidy(box).exit_code == 1
    assert {"old", "gc-trash.old"} < whole(box.store, "app")
    box.faults.reset()
    assert later(box, 8).exit_code == 0
    assert "old" not in names_in(box)
    assert "gc-trash.old" in whole(box.store, "app")


def test_tagged_parts_too_are_ended_by_the_run_after_one_that_died(box: Box) -> None:
    make_of_tags(box)
    box.faults.plan = first(100, Drop(), "DELETE")
    tidy(box)
    box.faults.reset()
    assert later(box, 8).exit_code == 0
    assert names_in(box) & {"x", "x-amd64", "x-arm64"} == set()
    assert "gc-trash.x" in whole(box.store, "app")
    later(box, 16)
    assert {name for name in names_in(box) if name.startswith("gc-trash")} == set()


def test_a_tag_pushed_again_while_its_copy_is_made_stays(box: Box) -> None:
    once_before(box, lambda: box.push.image("app", "old", 9), "PUT", "", 1)
    outcome = tidy(box)
    assert outcome.why("app", "old") == "pushed again during the run"
    assert {"old", "gc-trash.old"} < whole(box.store, "app")
    assert deletions(box) == []


def test_tagged_parts_go_into_the_trash_and_the_index_still_pulls_whole(box: Box) -> None:
    make_of_tags(box)
    assert tidy(box).exit_code == 0
    trash = {"gc-trash.x", "gc-trash.x-amd64", "gc-trash.x-arm64"}
    assert trash < whole(box.store, "app")
    assert not {"x", "x-amd64", "x-arm64"} & names_in(box)
    assert tidy(box, restore=("app:x",)).exit_code == 0
    assert "x" in whole(box.store, "app")


def test_restoring_never_writes_over_other_content_and_puts_back_all_or_nothing(box: Box) -> None:
    box.push.image("app", "older", 3)
    box.store.age("app", "older", 300)
    tidy(box)
    box.push.image("app", "old", 9)
    before = contents(box)
    outcome = tidy(box, restore=("app:older", "app:old"))
    assert outcome.exit_code == 1
    assert "app:old exists and holds something else than gc-trash.old" in outcome.text
    assert contents(box) == before


@pytest.mark.parametrize("fault", [Answer(400), Answer(401), Answer(403), Drop()])
def test_a_restore_that_fails_in_between_says_what_is_back_and_what_is_not(
    box: Box, fault: Fault
) -> None:
    box.push.image("app", "older", 3)
    box.store.age("app", "older", 300)
    tidy(box)
    box.faults.plan = first(100, fault, "PUT", "/older")
    outcome = tidy(box, restore=("app:old", "app:older"))
    assert "old" in names_in(box)
    assert "older" not in names_in(box)
    assert outcome.report.restored == ("app:old from gc-trash.old",)
    (error,) = outcome.errors
    assert error.startswith("app:older could not be put back. ")
    assert outcome.exit_code == 1
    box.faults.reset()
    assert tidy(box, restore=("app:old", "app:older")).exit_code == 0
    assert {"old", "older"} < whole(box.store, "app")


def test_a_restore_that_is_interrupted_says_what_is_back(box: Box) -> None:
    box.push.image("app", "older", 3)
    box.store.age("app", "older", 300)
    tidy(box)
    stop = Event()
    once_before(box, stop.set, "HEAD", "/manifests/old", 3)
    outcome = tidy(box, restore=("app:old", "app:older"), stop=stop)
    assert {"old", "older"} & names_in(box) == {"old"}
    assert outcome.report.restored == ("app:old from gc-trash.old",)
    assert "app:older could not be put back. The run was interrupted." in outcome.text
    assert outcome.exit_code == 1


def test_restoring_what_the_trash_does_not_have_says_what_it_has(box: Box) -> None:
    tidy(box)
    outcome = tidy(box, restore=("app:v9", "web:v1"))
    assert "app:v9 is not in the trash: there are old." in outcome.text
    assert "web:v1 is not in the trash: there is nothing of that image." in outcome.text
    assert outcome.exit_code == 1


def test_restoring_twice_and_restoring_in_a_dry_run_change_nothing(box: Box) -> None:
    tidy(box)
    before = contents(box)
    assert tidy(box, restore=("app:old",), dry_run=True).exit_code == 0
    assert contents(box) == before
    tidy(box, restore=("app:old",))
    before = contents(box)
    assert "which was there already" in tidy(box, restore=("app:old",)).text
    assert contents(box) == before


def test_a_restored_tag_is_new_and_the_trash_is_no_reason_to_keep_or_count(box: Box) -> None:
    tidy(box)
    tidy(box, restore=("app:old",))
    outcome = tidy(box)
    assert outcome.why("app", "old") == "keep-latest 1/1"
    assert outcome.why("app", "new") == "younger than 30 days"


def test_the_cron_of_the_server_leaves_the_trash_whole() -> None:
    with serve("forgejo") as box:
        box.push.multiarch("app", "old", 1)
        age_all(box, 400)
        box.push.multiarch("app", "new", 2)
        assert tidy(box).exit_code == 0
        box.store.now = NOW + timedelta(days=3)
        box.store.cleanup()
        assert "gc-trash.old" in whole(box.store, "app")


def test_an_interrupted_move_deletes_nothing(box: Box) -> None:
    stop = Event()

    def plan(request: Request) -> Fault | None:
        if request.method == "PUT":
            stop.set()
        return None

    box.faults.plan = plan
    assert tidy(box, stop=stop).exit_code == 1
    assert deletions(box) == []
    assert all_whole(box.store) == contents(box).keys()
