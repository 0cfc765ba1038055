"""Before a deletion a look is ten seconds old at most, whatever throttles the run."""

from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from registry_gc.report.report import State
from tests.harness import Outcome, Time, age_all, deletions, in_process, names_in, run_gc
from tests.oracle import whole
from tests.run.tidying import RULES
from tests.sandbox import Answer, Box, Fault, Request


class Watch:
    """What was asked when, by the clock that the run goes by."""

    def __init__(self, box: Box) -> None:
        self.time = Time()
        self.looks: list[float] = []
        self.deletions: list[float] = []
        self.takes: dict[str, float] = {}  # method -> seconds until its answer
        box.faults.before = self.note

    def note(self, request: Request) -> None:
        if "page=1&" in request.target:
            self.looks.append(self.time.seconds)
        elif request.method == "DELETE":
            self.deletions.append(self.time.seconds)
        self.time.wait(self.takes.get(request.method, 0.0))

    def ages(self) -> list[float]:
        """How old the last look was before each deletion."""
        return [
            min(moment - look for look in self.looks if look <= moment) for moment in self.deletions
        ]


@pytest.fixture
def box() -> Iterator[Box]:
    """Of `app` twelve tags go, and one stays."""
    with in_process() as box:
        for n in range(12):
            box.push.image("app", f"old{n}", n)
        age_all(box, 400)
        box.push.image("app", "new", "new")
        box.store.age("app", "new", 1)
        yield box


def tidy(box: Box, watch: Watch, **changes: Any) -> Outcome:
    return run_gc(box, time=watch.time, **{**RULES, **changes})


@pytest.mark.parametrize("seconds", [0.5, 3.0, 9.0, 11.0, 40.0])
def test_a_server_that_takes_long_for_deletions_is_looked_at_again_and_again(
    box: Box, seconds: float
) -> None:
    watch = Watch(box)
    watch.takes = {"DELETE": seconds}
    outcome = tidy(box, watch)
    assert names_in(box) == {"new"}
    assert max(watch.ages()) <= 10
    assert len(deletions(box)) == 12
    assert (outcome.errors, outcome.exit_code) == ([], 0)


@pytest.mark.parametrize(
    "fault", [Answer(429, "", {"Retry-After": "7"}), Answer(503, "", {"Retry-After": "25"})]
)
def test_a_deletion_that_is_sent_again_has_a_fresh_look_before_it_too(
    box: Box, fault: Fault
) -> None:
    watch, refused = Watch(box), {"old3": 2, "old4": 2, "old11": 3}

    def plan(request: Request) -> Fault | None:
        name = request.path.rpartition("/")[2]
        if request.method != "DELETE" or not refused.get(name):
            return None
        refused[name] -= 1
        return fault

    box.faults.plan = plan
    outcome = tidy(box, watch)
    assert names_in(box) == {"new"}
    assert max(watch.ages()) <= 10
    assert (outcome.errors, outcome.exit_code) == ([], 0)


def test_a_push_while_a_deletion_waits_to_be_sent_again_keeps_what_it_needs(box: Box) -> None:
    part = box.push.image("app", None, "part")
    box.store.age("app", part, 400)
    watch, is_first = Watch(box), [True]

    def plan(request: Request) -> Fault | None:
        if "/sha256%3A" not in request.target or request.method != "DELETE" or not is_first.pop():
            return None
        box.push.index("app", "fresh", [(part, "amd64")])
        return Answer(503, "", {"Retry-After": "20"})

    is_first += [False] * 9
    is_first.reverse()
    box.faults.plan = plan
    outcome = tidy(box, watch)
    assert "fresh" in whole(box.store, "app")
    assert outcome.why("app", part) == "part of fresh"
    assert (outcome.errors, outcome.exit_code) == ([], 0)


def test_a_deletion_that_never_comes_about_fails_with_its_cause_and_ends(box: Box) -> None:
    watch = Watch(box)

    def plan(request: Request) -> Fault | None:
        is_it = request.method == "DELETE" and request.path.endswith("/old3")
        return Answer(503, "", {"Retry-After": "20"}) if is_it else None

    box.faults.plan = plan
    outcome = tidy(box, watch)
    assert names_in(box) == {"new", "old3"}
    (row,) = [row for _, row in outcome.report.rows() if row.state is State.FAILED]
    assert row.error == (
        "it did not come about within 10 s of a look, 5 times: the server answered 503"
    )
    assert [name for _, name in deletions(box)].count("old3") == 5
    assert max(watch.ages()) <= 10


def test_a_look_that_had_to_wait_for_its_turn_is_as_old_as_its_last_try(box: Box) -> None:
    watch, throttled = Watch(box), [3]

    def plan(request: Request) -> Fault | None:
        if watch.deletions or len(watch.looks) < 2 or not throttled[0]:
            return None
        throttled[0] -= 1
        return Answer(429, "", {"Retry-After": "30"})

    box.faults.plan = plan
    assert tidy(box, watch).exit_code == 0
    assert watch.deletions[0] >= 90
    assert max(watch.ages()) <= 10
    assert len(watch.looks) == 1 + 3 + 1 + 1  # the listings, the throttled looks and the one


def test_a_look_of_several_pages_is_as_old_as_its_first(box: Box) -> None:
    """What was pushed while the others were read stands on that one."""
    box.store.max_items = 1
    watch = Watch(box)
    watch.takes = {"GET": 3.0, "DELETE": 3.0}

    def before(request: Request) -> None:
        if request.method == "GET" and len(watch.looks) == 1 and "page=1&" in request.target:
            box.push.image("app", "fresh", "fresh")
        watch.note(request)

    box.faults.before = before
    assert tidy(box, watch).exit_code == 0
    assert names_in(box) == {"new", "fresh"}
    assert max(watch.ages()) <= 10


def test_a_server_that_never_looks_in_time_loses_nothing_and_does_not_hold_the_run(
    box: Box,
) -> None:
    watch = Watch(box)
    watch.takes = {"GET": 11.0}
    outcome = tidy(box, watch)
    assert deletions(box) == []
    assert len(names_in(box)) == 13
    (error,) = outcome.errors
    assert error.startswith(
        "The deletions in app ended early. Looking for new pushes took 11 s, and more than 10 s 3 "
        "times in a row"
    )
    assert len(watch.looks) == 1 + 3
    assert outcome.exit_code == 1


def test_a_server_whose_looks_grow_late_after_some_deletions_does_not_hold_the_run_either(
    box: Box,
) -> None:
    watch, stop = Watch(box), Event()
    watch.takes = {"DELETE": 11.0}

    def plan(request: Request) -> Fault | None:
        if len(watch.deletions) == 3:
            watch.takes["GET"] = 11.0
        if request.number > 60:  # it never ends
            stop.set()
        return None

    box.faults.plan = plan
    outcome = run_gc(box, stop, time=watch.time, **RULES)
    assert len(deletions(box)) == 3
    (error,) = outcome.errors
    assert error.startswith("The deletions in app ended early. Looking for new pushes took 11 s")
    assert outcome.exit_code == 1
