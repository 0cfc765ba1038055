"""An owner that has as many packages as the server allows is cleaned all the same, by a trash."""

from datetime import timedelta
from typing import Any

import pytest

from registry_gc.report.report import State
from tests.harness import NOW, age_all, contents, deletions, names_in, run_gc
from tests.oracle import all_whole
from tests.sandbox import Answer, Box, Fault, Request

RULES: dict[str, Any] = {"keep_latest": 1, "keep_days": 30, "trash_days": 7, "concurrency": 1}


@pytest.fixture
def box(running: Box) -> Box:
    """An image with `new`, and four older ones that go."""
    running.reset()
    for n in range(4):
        running.push.image("app", f"old{n}", n)
    age_all(running, 400)
    running.push.image("app", "new", "new")
    return running


def allow(box: Box, most: int) -> None:
    """As LIMIT_TOTAL_OWNER_COUNT: a manifest too many is refused, with 403 and no word (1.26.2)."""

    def plan(request: Request) -> Fault | None:
        is_new = request.path.rpartition("/")[2] not in names_in(box)
        is_over = len(contents(box)) + is_new > most
        return Answer(403) if request.method == "PUT" and is_over else None

    box.faults.plan = plan


def test_what_the_trash_takes_goes_and_the_rest_stays_with_the_cause(box: Box) -> None:
    allow(box, 7)
    outcome = run_gc(box, **RULES)
    gone = {name for _, name in outcome.names(State.DELETED)}
    stays = {name for _, name in outcome.names(State.FAILED)}
    assert (len(gone), len(stays)) == (2, 2)
    assert names_in(box) == {"new", *stays, *(f"gc-trash.{name}" for name in gone)}
    assert "answered 403" in outcome.text
    assert "LIMIT_TOTAL_OWNER_COUNT" in outcome.text
    assert "may not delete" not in outcome.text
    assert outcome.exit_code == 1


def test_run_by_run_all_goes_however_little_room_there_is(box: Box) -> None:
    allow(box, 6)
    for left in (3, 2, 1, 0):
        run_gc(box, **RULES)
        assert sum(name.startswith("old") for name in names_in(box)) == left


def test_all_names_of_a_build_go_one_after_the_other(box: Box) -> None:
    """The oldest first: a newer one stays while an older name of its build does."""
    for name in ("1.2.3", "1.2", "1"):
        box.push.image("multi", name, "same")
        box.store.age("multi", name, 401 - len(name) / 10)
    box.push.image("multi", "new", "new")
    allow(box, len(contents(box)) + 1)
    for _ in range(3):
        run_gc(box, **RULES, package=("multi",))
    assert names_in(box, "multi") == {"new", "gc-trash.1.2.3", "gc-trash.1.2", "gc-trash.1"}


def test_where_it_takes_nothing_no_tag_goes_and_what_needs_no_copy_does(box: Box) -> None:
    run_gc(box, **RULES, delete_at_most=2)
    before = {name for name in names_in(box) if not name.startswith("gc-trash.")}
    box.store.now = NOW + timedelta(days=8)
    allow(box, len(contents(box)))
    box.faults.log.clear()
    outcome = run_gc(box, **RULES, now=box.store.now)
    assert names_in(box) == before
    assert {name for _, name in deletions(box)} == {"gc-trash.old0", "gc-trash.old1"}
    assert outcome.report.count(State.FAILED) == 2
    assert outcome.exit_code == 1


def test_of_several_owners_none_is_said_to_lack_the_right(box: Box) -> None:
    box.store.add_owner("beta", ["acme"])
    allow(box, 0)
    outcome = run_gc(box, **RULES, owner="acme, beta")
    assert "left alone" not in outcome.text
    assert outcome.report.count(State.FAILED) == 4
    assert all_whole(box.store) == contents(box).keys()
