"""After the deletions one more listing tells what became of what stays."""

from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from registry_gc.report.report import State
from tests.harness import (
    Outcome,
    age_all,
    deletions,
    fail_to_delete,
    in_process,
    names_in,
    run_gc,
)
from tests.run.tidying import RULES
from tests.sandbox import Answer, Box, Fault, Request


@pytest.fixture
def box() -> Iterator[Box]:
    """Two images of which `old` goes with its parts, and `new` stays with its own."""
    with in_process() as box:
        for image in ("app", "web"):
            box.push.multiarch(image, "old", f"{image} 1")
            age_all(box, 400, image=image)
            box.push.multiarch(image, "new", f"{image} 2")
        yield box


def tidy(box: Box, **changes: Any) -> Outcome:
    return run_gc(box, **{**RULES, "package": ("app", "web"), **changes})


def test_a_stop_in_the_last_look_is_told_once_whatever_the_number_of_images(box: Box) -> None:
    stop = Event()

    def before(request: Request) -> None:
        if "page=1&" in request.target and len(deletions(box)) == 6:
            stop.set()

    box.faults.before = before
    outcome = tidy(box, stop=stop)
    assert outcome.errors == ["The run was interrupted."]
    assert len(outcome.names(State.DELETED)) == 6


def test_a_token_that_is_taken_away_before_a_look_ends_the_run_with_one_sentence(box: Box) -> None:
    """Between the tags of the first image and the rest of it."""

    def plan(request: Request) -> Fault | None:
        return Answer(401) if request.method == "GET" and deletions(box) else None

    box.faults.plan = plan
    outcome = tidy(box)
    assert deletions(box) == [("app", "old")]
    (error,) = outcome.errors
    assert "write:package" in error
    assert "The run ended there, without a last look at what stays" in error


def test_an_image_that_is_not_there_any_more_takes_nothing_of_its_neighbours(box: Box) -> None:
    def before(request: Request) -> None:
        if "page=1&" in request.target and len(deletions(box)) == 6 and names_in(box):
            for name in names_in(box):
                box.store.delete_version("acme", "app", name)
            box.push.image("my-app", "fresh", 7)

    box.faults.before = before
    outcome = tidy(box)
    assert "new was kept and is gone: someone else deleted it meanwhile." in outcome.warnings
    assert "fresh" not in {row.version.name for _, row in outcome.report.rows()}


def test_a_deletion_that_failed_is_not_called_done_whatever_was_spared_for_it(box: Box) -> None:
    fail_to_delete(box, "old", Answer(500))
    outcome = tidy(box)
    assert outcome.names(State.FAILED) == {("app", "old"), ("web", "old")}
    assert not [error for error in outcome.errors if "deleted after all" in error]
