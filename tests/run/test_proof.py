"""After the sweep, less than a listing proves what is there, and finds all that a listing finds."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from registry_gc.report.report import State
from tests.harness import (
    NOW,
    Outcome,
    age_all,
    deletions,
    in_process,
    names_in,
    once_before,
)
from tests.run.tidying import tidy_anew as tidy
from tests.sandbox import Answer, Box, Fault, HalfJson, LoseAnswer, Request

UNTAGGED = "/sha256%3A"


@pytest.fixture
def box() -> Iterator[Box]:
    """Pages of five."""
    with in_process() as box:
        box.store.max_items = 5
        yield box


@pytest.fixture
def parts(box: Box) -> list[str]:
    """The untagged children of `old`, which goes with them; `new` with its own and ten others stay:
    thirteen versions, so a listing has three pages."""
    _, parts = box.push.multiarch("app", "old", 1)
    box.push.multiarch("app", "new", 2)
    for n in range(10):
        box.push.image("app", f"v{n}", f"v{n}")
    age_all(box, 1)
    age_all(box, 400, ("old", *parts))
    return parts


def after(box: Box) -> list[str]:
    """What was asked after the last deletion, without a token: newest, page, tags or another."""
    methods = [method for method, _ in box.faults.log]
    last = len(methods) - methods[::-1].index("DELETE")
    asked = [target for _, target in box.faults.log[last:]]
    return [_kind(target) for target in asked if not target.startswith("/v2/token?")]


def _kind(target: str) -> str:
    if "page=" in target:
        return "newest" if target.endswith("limit=1") else "page"
    return "tags" if target.endswith("/tags/list") else target


PROOF, LISTING = ["newest", "tags"], ["page"] * 3


def lie(box: Box, name: str, status: int = 204, action: Callable[[], object] | None = None) -> None:
    """The server says that a version is gone and does nothing; meanwhile someone else does."""

    def plan(request: Request) -> Fault | None:
        if request.method != "DELETE" or name not in request.path.replace("%3A", ":"):
            return None
        if action:
            action()
        done = 202 if request.path.startswith("/v2/") else 204
        return Answer(done if status == 204 else status, "")

    box.faults.plan = plan


def forget(box: Box, name: str) -> Callable[[], None]:
    return lambda: box.store.delete_version("acme", "app", name)


def at_the_end(box: Box, *actions: Callable[[], object], nth: int = 2) -> None:
    """Before the last deletion: no look but the one that proves comes after it."""
    once_before(box, lambda: [act() for act in actions], "DELETE", UNTAGGED, nth)


def errors_of(outcome: Outcome) -> list[str]:
    rows = (row for _, row in outcome.report.rows())
    return [row.error for row in rows if row.state is State.FAILED]


# --- what it costs


def test_what_is_there_is_proved_by_the_newest_row_and_the_names_of_the_tags(
    box: Box, parts: list[str]
) -> None:
    outcome = tidy(box)
    assert outcome.names(State.DELETED) == {("app", name) for name in ("old", *parts)}
    assert after(box) == PROOF
    assert (outcome.errors, outcome.warnings, outcome.exit_code) == ([], [], 0)


def test_where_a_listing_costs_no_more_it_is_listed(box: Box, parts: list[str]) -> None:
    for n in range(4):
        forget(box, f"v{n}")()
    assert tidy(box).exit_code == 0
    assert after(box) == ["page"] * 2


def test_a_tag_that_was_pushed_meanwhile_and_taken_in_costs_no_listing(
    box: Box, parts: list[str]
) -> None:
    once_before(box, lambda: box.push.image("app", "v3", "again"), "DELETE", "/old", 1)
    outcome = tidy(box)
    assert outcome.why("app", "v3") == "pushed again during the run"
    asked = [_kind(target) for _, target in box.faults.log]
    assert (asked.count("page"), after(box)) == (4 + 2 + 1, ["newest", "page", "tags"])
    assert outcome.exit_code == 0


@pytest.mark.parametrize(("others", "asked"), [(1, ["newest", "tags", "tags"]), (2, ["page"] * 4)])
def test_several_images_share_the_look(
    box: Box, parts: list[str], others: int, asked: list[str]
) -> None:
    """Four pages, and a request for each image."""
    for n in range(10, 14):
        box.push.image("app", f"v{n}", f"v{n}")
    for n in range(others):
        box.push.image(f"app-{n}", "old", 1)
        box.push.image(f"app-{n}", "new", 2)
        age_all(box, 1, image=f"app-{n}")
        box.store.age(f"app-{n}", "old", 400)
    box.store.now += timedelta(seconds=2)
    outcome = tidy(box, package=("app*",))
    assert len(deletions(box)) == 3 + others
    assert (after(box), outcome.exit_code) == (asked, 0)


@pytest.mark.parametrize(
    "fault",
    [Answer(404), Answer(401), Answer(403), Answer(200, "<html>"), Answer(200, "[]"), HalfJson()],
)
def test_a_server_that_does_not_tell_its_tags_is_listed(
    box: Box, parts: list[str], fault: Fault
) -> None:
    box.faults.plan = lambda request: fault if request.path.endswith("/tags/list") else None
    outcome = tidy(box)
    assert list(dict.fromkeys(after(box))) == [*PROOF, "page"]
    assert after(box).count("page") == len(LISTING)
    assert (outcome.errors, outcome.warnings, outcome.exit_code) == ([], [], 0)


# --- what a listing finds


@pytest.mark.parametrize("status", [204, 404])
@pytest.mark.parametrize("is_tag", [True, False])
def test_what_is_said_to_be_deleted_and_is_not(
    box: Box, parts: list[str], is_tag: bool, status: int
) -> None:
    name = "old" if is_tag else parts[1]
    lie(box, name, status)
    outcome = tidy(box)
    assert outcome.names(State.FAILED) == {("app", name)}
    assert errors_of(outcome) == ["the server said that it was deleted, and still lists it"]
    assert outcome.exit_code == 1


@pytest.mark.parametrize("other", ["v3", "gone"])
def test_the_same_of_a_tag_while_someone_else_deletes_another(
    box: Box, parts: list[str], other: str
) -> None:
    """The total is right then; the names tell, also when what goes instead is untagged."""
    for name in ("old", *parts):
        forget(box, name)()
    box.push.image("app", "plain", "plain")
    box.store.age("app", "plain", 400)
    digest = next(name for name in names_in(box) if name.startswith("sha256:"))
    lie(box, "plain", action=forget(box, digest if other == "gone" else "v3"))
    outcome = tidy(box)
    assert outcome.names(State.FAILED) == {("app", "plain")}
    assert after(box) == PROOF + LISTING
    assert outcome.exit_code == 1


def test_a_deletion_that_was_done_without_an_answer(box: Box, parts: list[str]) -> None:
    def plan(request: Request) -> Fault | None:
        if not request.path.endswith("/old"):
            return None
        return LoseAnswer() if request.method == "DELETE" else Answer(400)

    box.faults.plan = plan
    outcome = tidy(box)
    assert outcome.names(State.DELETED) == {("app", "old")}
    assert "newest" not in after(box)


def test_what_was_kept_and_someone_else_deleted(box: Box, parts: list[str]) -> None:
    at_the_end(box, forget(box, "v3"))
    outcome = tidy(box)
    assert outcome.warnings == ["v3 was kept and is gone: someone else deleted it meanwhile."]
    assert after(box) == PROOF + LISTING


def test_the_same_and_a_push_that_makes_the_total_right(box: Box, parts: list[str]) -> None:
    push = lambda: box.push.image("app", "fresh", "fresh")  # noqa: E731
    at_the_end(box, forget(box, "v3"), push)
    outcome = tidy(box)
    assert outcome.warnings == ["v3 was kept and is gone: someone else deleted it meanwhile."]
    assert outcome.why("app", "fresh") == "pushed during the run"


def test_a_part_that_what_stays_lost(box: Box, parts: list[str]) -> None:
    child = next(n for n in names_in(box) if n.startswith("sha256") and n not in parts)
    at_the_end(box, forget(box, child))
    outcome = tidy(box)
    (error,) = outcome.errors
    assert error.startswith("new: linux/") and "was lost during this run" in error
    assert outcome.exit_code == 1


def test_a_part_that_a_push_lost_after_the_last_look(box: Box, parts: list[str]) -> None:
    children = [(digest, f"arch{n}") for n, digest in enumerate(parts)]
    at_the_end(box, lambda: box.push.index("app", "fresh", children), nth=1)
    outcome = tidy(box)
    assert all(error.startswith("fresh: linux/arch") for error in outcome.errors)
    assert outcome.errors and outcome.exit_code == 1


def test_a_part_whose_tag_went_in_the_moment_in_which_it_was_pushed(
    box: Box, parts: list[str]
) -> None:
    at_the_end(box, lambda: box.push.image("app", None, "stray"))
    outcome = tidy(box)
    (warning,) = outcome.warnings
    assert warning.startswith("Pushed during the run, and no tag refers to it: sha256:")


@pytest.mark.parametrize("is_compensated", [True, False])
def test_a_push_that_is_dated_long_ago(box: Box, parts: list[str], is_compensated: bool) -> None:
    def push() -> None:
        box.store.now = NOW - timedelta(days=200)
        box.push.image("app", "fresh", "fresh")
        box.store.now = NOW
        if is_compensated:
            forget(box, "v3")()

    at_the_end(box, push)
    outcome = tidy(box)
    assert outcome.why("app", "fresh") == "pushed during the run"
    assert bool(outcome.warnings) is is_compensated
    assert after(box)[:5] == PROOF + LISTING
