"""A build whose deletion comes about in part is as young as it was: its newest name goes last."""

from collections import deque
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from registry_gc.policy.decide import Rules
from registry_gc.registry.manifests import Child, Manifest
from registry_gc.registry.versions import Version
from registry_gc.report.report import State
from registry_gc.run.look import with_needed
from registry_gc.run.plan import Plan
from registry_gc.run.reader import Reader
from registry_gc.run.sweep import turns
from registry_gc.server.client import Client
from registry_gc.server.transport import Transport
from tests.harness import NOW, age_all, deletions, fail_to_delete, names_in, once_before, run_gc
from tests.oracle import whole
from tests.run.test_growth import progress
from tests.run.tidying import tidy
from tests.sandbox import Answer, Box, Request
from tests.sandbox.push import IMAGE

MONTHS: dict[str, Any] = {"keep_latest": 0, "keep_days": 0, "keep_monthly": 2, "concurrency": 4}


@pytest.fixture
def months(box: Box) -> Box:
    """Two builds of the last month, of which `last` stays, and `v3` of an older one.

    The other, of the names `again` and `first`, goes: the older name is of the month of `v3`, and
    newer than that.
    """
    box.push.image("app", "first", 1)
    box.push.image("app", "again", 1)
    box.push.image("app", "last", 2)
    box.push.image("app", "v3", 3)
    for tag, days in {"last": 30, "again": 31, "first": 65, "v3": 66}.items():
        age_all(box, days, (tag,))
    return box


def test_the_names_of_a_build_that_goes_are_deleted_oldest_first(months: Box) -> None:
    assert run_gc(months, **MONTHS).exit_code == 0
    assert [name for _, name in deletions(months)] == ["first", "again"]
    assert names_in(months) == {"last", "v3"}


@pytest.mark.parametrize("trash_days", [0, 7])
def test_a_newer_name_stays_when_an_older_one_cannot_be_deleted(
    months: Box, trash_days: int
) -> None:
    fail_to_delete(months, "first", Answer(500))
    outcome = run_gc(months, **MONTHS, trash_days=trash_days)
    assert outcome.exit_code == 1
    assert outcome.names(State.FAILED) == {("app", "first")}
    assert outcome.why("app", "again") == "the same build as first, whose deletion failed"
    assert {"again", "first", "last", "v3"} <= names_in(months)


def test_a_name_that_went_is_not_kept_for_an_older_one_that_cannot_be_deleted() -> None:
    """On 1.25.0 and 1.25.1 its row may hold that build as the older one, and go before."""
    old, new = (Version(n, "app", f"v{n}", NOW + timedelta(days=n)) for n in (1, 2))
    graph = {1: Manifest(("sha256:1",), (), ()), 2: Manifest(("sha256:2", "sha256:1"), (), ())}
    ids = frozenset(graph)
    plan = Plan("app", "app", NOW, ids, ids, Rules((), (), 0), NOW, (new, old), graph)
    plan = replace(plan, doomed={1: "why", 2: "why"}, failed={1: "why"}, deleted=frozenset({2}))
    client = Client(Transport(1, Event()), "http://git.test", "acme", "token", 1)
    assert with_needed(Reader(client, progress, measure_space=True), plan).kept == {}


def test_a_build_that_went_in_part_takes_no_place_of_an_older_one(months: Box) -> None:
    fail_to_delete(months, "first", Answer(500))
    run_gc(months, **MONTHS)
    months.faults.reset()
    assert run_gc(months, **MONTHS).exit_code == 0
    assert names_in(months) == {"last", "v3"}


def test_an_older_name_goes_when_the_newest_cannot_be_deleted(months: Box) -> None:
    fail_to_delete(months, "again", Answer(500))
    assert run_gc(months, **MONTHS).exit_code == 1
    assert names_in(months) == {"again", "last", "v3"}


def test_a_run_that_ends_between_two_names_of_a_build_leaves_the_newest(months: Box) -> None:
    stop = Event()

    def end(request: Request) -> None:
        if request.method == "DELETE":
            stop.set()

    months.faults.before = end
    run_gc(months, stop, **{**MONTHS, "concurrency": 1})
    assert names_in(months) == {"again", "last", "v3"}
    months.faults.reset()
    assert run_gc(months, **MONTHS).exit_code == 0
    assert names_in(months) == {"last", "v3"}


@pytest.mark.parametrize("fails", ["outer", "alias", "inner"])
@pytest.mark.parametrize("oldest", ["outer", "alias", "inner", "part", "other"])
@pytest.mark.parametrize("concurrency", [1, 4])
def test_an_index_that_fails_to_go_keeps_the_indexes_in_it_under_a_name(
    box: Box, fails: str, oldest: str, concurrency: int
) -> None:
    """Whatever was pushed again last."""
    part, _ = box.push.multiarch("app", "part", 1)
    box.push.multiarch("app", "other", 1)
    inner = box.push.index("app", "inner", [(part, "amd64")], called=IMAGE)
    for tag in ("outer", "alias"):
        box.push.index("app", tag, [(inner, "amd64")], called=IMAGE)
    age_all(box, 400)
    age_all(box, 401, (oldest,))
    box.push.image("app", "new", 2)
    fail_to_delete(box, fails, Answer(500))
    assert tidy(box, concurrency=concurrency).exit_code == 1
    assert fails in whole(box.store, "app")
    box.faults.reset()
    assert tidy(box).exit_code == 0
    assert names_in(box) == {"new"}


def test_an_index_that_lists_what_its_own_row_holds_goes_before_its_other_parts() -> None:
    """On 1.25.0 and 1.25.1 a row may hold an index and, pushed over it, one of its parts."""
    index, part = (Version(n, "app", f"v{n}", NOW) for n in (1, 2))
    listed = (Child("sha256:2", ""), Child("sha256:1", ""))
    held = {
        1: Manifest(("sha256:1", "sha256:9"), (), (), listed),
        2: Manifest(("sha256:2",), (), ()),
    }
    assert turns([part, index], held) == [deque([index]), deque([part])]


def test_attachments_of_one_subject_do_not_wait_for_each_other(box: Box) -> None:
    """They are no names that people pull: one that fails keeps no other."""
    digest = box.push.image("app", "old", 1)
    name = digest.replace(":", "-")
    box.push.image("app", f"{name}.sig", 5)
    box.push.image("app", f"{name}.att", 5)
    age_all(box, 400)
    box.push.image("app", "new", 2)
    fail_to_delete(box, f"{name}.sig", Answer(500))
    assert tidy(box).exit_code == 1
    assert f"{name}.att" not in names_in(box)


def test_by_a_name_that_is_pushed_again_before_it_is_read_nothing_else_goes(box: Box) -> None:
    """Its old date with its new content was there at no moment."""
    for tag, seed, days in (("v1", 1, 400), ("v3", 2, 399), ("v2", 2, 181)):
        box.push.image("app", tag, seed)
        age_all(box, days, (tag,))
    once_before(box, lambda: box.push.image("app", "v2", 9), "GET", "/files", 1)
    outcome = run_gc(box, keep_latest=0, keep_days=0, keep_yearly=2)
    assert names_in(box) == {"v1", "v2", "v3"}, outcome.text
    assert outcome.why("app", "v3") == "the newest of year 2025, 2/2"
    assert outcome.exit_code == 0
