"""While deletions go on, looks at the newest row: what a push gains by them, what they cost."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread

import pytest

from registry_gc.registry.versions import Version
from registry_gc.run.reader import Reader
from registry_gc.run.stretch import Stretch
from registry_gc.server.client import Client
from registry_gc.server.transport import Transport
from tests.harness import (
    NOW,
    age_all,
    deletions,
    in_process,
    names_in,
    once_before,
)
from tests.run.test_growth import plan_of, progress
from tests.run.tidying import tidy
from tests.sandbox import Answer, Box, Fault, Request

GO = 14  # tags


@pytest.fixture(autouse=True)
def every_third(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry_gc.run.stretch.EVERY", 3)


@pytest.fixture
def box() -> Iterator[Box]:
    with in_process() as box:
        fill(box)
        yield box


def fill(box: Box) -> None:
    box.reset()
    for n in range(GO):
        box.push.image("app", f"old{n}", n)
    age_all(box, 400)
    box.push.image("app", "new", "new")
    box.store.age("app", "new", 1)
    box.faults.log.clear()


def kind(target: str, method: str) -> str:
    """D: a deletion, L: a look at the newest row, P: a page, "" for all else."""
    if method == "DELETE":
        return "D"
    return ("L" if target.endswith("limit=1") else "P") if "page=" in target else ""


def order(box: Box) -> str:
    return "".join(kind(target, method) for method, target in box.faults.log)


def test_the_newest_row_is_looked_at_after_every_few_deletions(box: Box) -> None:
    assert tidy(box).exit_code == 0
    assert order(box) == "P" + "L" + "DDDL" * 4 + "DD" + "P"


def push_before(box: Box, number: int, tag: str) -> None:
    """Pushes a tag again right before the request with this number."""

    def before(request: Request) -> None:
        if request.number == number:
            box.push.image("app", tag, "again")

    box.faults.before = before


@pytest.mark.parametrize("profile", ["1.21", "1.22", "1.25"])
def test_a_tag_that_is_pushed_again_before_a_look_is_not_deleted_after_it(profile: str) -> None:
    """At whatever moment it is pushed."""
    seen = 0
    with in_process(profile) as box:
        for moment in range(GO + 3, 2 * GO + 8):
            fill(box)
            push_before(box, moment, "old2")
            outcome = tidy(box)
            log = list(enumerate(box.faults.log, 1))
            look = next(n for n, (m, t) in log if n >= moment and kind(t, m) in ("L", "P"))
            gone = next((n for n, (m, t) in log if m == "DELETE" and t.endswith("/old2")), 0)
            assert not look < gone, f"{moment}: {outcome.text}"
            assert ("old2" in names_in(box)) is (gone < moment)
            if not gone:
                assert outcome.why("app", "old2") == "pushed again during the run"
            seen += not gone
            assert outcome.exit_code == 0
    assert seen == GO + 1  # moments until the last look before its turn, and one for a token


@pytest.mark.parametrize("concurrency", [2, 4])
def test_a_push_goes_unseen_for_no_more_than_two_looks_and_what_is_in_flight(
    box: Box, concurrency: int
) -> None:
    for moment in range(GO + 3, 2 * GO + 6):
        fill(box)
        push_before(box, moment, "old0")
        assert tidy(box, concurrency=concurrency).exit_code == 0
        after = [t for m, t in box.faults.log[moment - 1 :] if m == "DELETE"]
        place = next((n for n, target in enumerate(after) if target.endswith("/old0")), 0)
        assert place <= 2 * 3 + concurrency


def test_a_push_of_a_look_later_keeps_what_it_refers_to(box: Box) -> None:
    """Untagged versions that go are its parts; the second wave has begun."""
    parts = [box.push.image("app", None, f"part{n}") for n in range(8)]
    age_all(box, 400, parts)
    children = [(part, f"arch{n}") for n, part in enumerate(parts)]
    once_before(box, lambda: box.push.index("app", "fresh", children[:2]), "DELETE", "/sha256", 1)
    outcome = tidy(box)
    deleted = {name for _, name in deletions(box)}
    spared = {part for part in parts if outcome.why("app", part) == "part of fresh"}
    assert len(deleted & set(parts)) == 6 or outcome.exit_code == 1
    assert spared | deleted >= set(parts)


def test_below_a_row_that_is_dated_in_the_future_a_push_is_seen(box: Box) -> None:
    """The newest row is known then and proves nothing: pages are read instead."""
    box.store.age("app", "new", -1)
    once_before(box, lambda: box.push.image("app", "old2", "again"), "DELETE", "", 4)
    outcome = tidy(box)
    assert outcome.why("app", "old2") == "pushed again during the run"
    assert names_in(box) == {"new", "old2"}


def test_with_none_in_flight_a_push_that_is_dated_long_ago_is_seen_by_the_total(box: Box) -> None:
    digest = box.store.manifest("acme", "app", "old0").blob.digest

    def push() -> None:
        box.store.now = NOW - timedelta(days=200)
        box.push.index("app", "fresh", [(digest, "amd64")])
        box.store.now = NOW

    once_before(box, push, "DELETE", "", 4)
    outcome = tidy(box)
    assert outcome.why("app", "old0") == "part of fresh"
    assert names_in(box) == {"new", "fresh", "old0"}


def test_what_someone_else_deletes_hides_no_push_that_is_dated_long_ago(box: Box) -> None:
    """Fewer rows than there should be are no room for one that nobody saw."""
    others = ("other0", "other1")
    for name in others:
        box.push.image("app", name, name)
    age_all(box, 2, others)
    digest = box.store.manifest("acme", "app", "old0").blob.digest

    def before(request: Request) -> None:
        number = len(deletions(box))
        if request.method == "DELETE" and number == 5:
            for name in others:
                box.store.delete_version("acme", "app", name)
        elif request.method == "DELETE" and number == 8:
            box.store.now = NOW - timedelta(days=200)
            box.push.index("app", "fresh", [(digest, "amd64")])
            box.store.now = NOW

    box.faults.before = before
    outcome = tidy(box)
    assert outcome.why("app", "old0") == "part of fresh"
    assert names_in(box) == {"new", "fresh", "old0"}


def test_what_was_pushed_just_before_the_run_makes_only_its_first_look_dearer(box: Box) -> None:
    box.store.age("app", "new", 0)
    once_before(box, later(box, 2), "GET", "/files", 1)
    assert tidy(box).exit_code == 0
    assert order(box) == "P" + "LP" + "DDDL" * 4 + "DD" + "P"


def later(box: Box, seconds: float) -> Callable[[], None]:
    """The server's clock goes on."""

    def wait() -> None:
        box.store.now = NOW + timedelta(seconds=seconds)

    return wait


def test_a_version_that_someone_else_deletes_ends_nothing(box: Box) -> None:
    once_before(box, lambda: box.store.delete_version("acme", "app", "old2"), "DELETE", "", 5)
    outcome = tidy(box)
    assert names_in(box) == {"new"}
    assert (outcome.errors, outcome.warnings, outcome.exit_code) == ([], [], 0)


@pytest.mark.parametrize("fault", [Answer(400), Answer(200, "<html>"), Answer(200, "[]")])
def test_a_look_that_fails_is_made_again_before_anything_else_is_deleted(
    box: Box, fault: Fault
) -> None:
    is_first = [True]

    def plan(request: Request) -> Fault | None:
        is_it = request.target.endswith("limit=1") and box.faults.count("DELETE") == 6
        return fault if is_it and is_first and is_first.pop() else None

    box.faults.plan = plan
    assert tidy(box).exit_code == 0
    assert order(box) == "P" + "L" + "DDDL" * 2 + "L" + "DDDL" * 2 + "DD" + "P"
    assert names_in(box) == {"new"}


def test_deletions_wait_for_a_look_that_is_late() -> None:
    client = Client(Transport(1, Event(), lambda seconds: None), "http://x.test", "acme", "t", 1)
    reader = Reader(client, progress, measure_space=True, clock=lambda: 0.0)
    plan = plan_of(10)
    stretch = Stretch(reader, replace(plan, looked=0.0))
    due = deque(v for v in plan.versions if v.id in plan.doomed)
    taken: list[Version | None] = []
    thread = Thread(target=lambda: taken.extend(stretch.steps(due, plan.doomed)), daemon=True)
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()
    assert (stretch.begun, len(due)) == (6, 9)
    stretch.end()
    stretch.look()
    thread.join()
    assert (stretch.begun, len(due)) == (6, 9)
