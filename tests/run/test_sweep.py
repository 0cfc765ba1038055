"""The moments of a run that matter: pushes around each look, deletions that fail, interruptions."""

from threading import Event

import pytest

from registry_gc.report.report import State
from tests.harness import (
    Time,
    age_all,
    contents,
    deletions,
    fail_to_delete,
    names_in,
    once_before,
    run_gc,
)
from tests.oracle import all_whole, whole
from tests.run.tidying import RULES, last_first, tidy
from tests.sandbox import Answer, Box, Drop, Fault, LoseAnswer, Request, first, serve

UNTAGGED = "/sha256%3A"


@pytest.fixture
def parts(box: Box) -> list[str]:
    """The untagged children of `old`, which goes with them; `new` stays with its own."""
    _, parts = box.push.multiarch("app", "old", 1)
    age_all(box, 400)
    box.push.multiarch("app", "new", 2)
    return parts


def push_index(box: Box, tag: str, parts: list[str]) -> None:
    box.push.index("app", tag, [(digest, f"arch{n}") for n, digest in enumerate(parts)])


def fill(box: Box) -> None:
    """Eight untagged versions that go, and a tag that stays."""
    for n in range(8):
        box.push.image("app", None, n)
    box.push.image("app", "new", "new")
    age_all(box, 400)


# --- pushes during the run


@pytest.mark.parametrize("look", [2, 3])
def test_a_push_before_a_look_rescues_the_old_children_it_refers_to(
    box: Box, parts: list[str], look: int
) -> None:
    once_before(box, lambda: push_index(box, "fresh", parts[:1]), "GET", "page=1&", look)
    outcome = tidy(box)
    assert {"fresh", "new", parts[0]} < whole(box.store, "app")
    assert not {"old", parts[1]} & names_in(box)
    assert outcome.why("app", parts[0]) == "part of fresh"
    assert outcome.why("app", "fresh") == "pushed during the run"
    assert outcome.exit_code == 0


@pytest.mark.parametrize("profile", ["1.22", "1.25"])
def test_a_look_goes_on_to_the_oldest_page_that_can_hold_something_new(profile: str) -> None:
    """Others of the same second may stand above it, older servers list them first."""
    with serve(profile) as box:
        _, parts = box.push.multiarch("app", "old", 1)
        age_all(box, 400)
        for n in range(5):
            box.push.image("app", f"v{n}", n)
        box.store.max_items = 2

        def push() -> None:
            push_index(box, "fresh", parts)
            for n in range(5, 10):
                box.push.image("app", f"v{n}", n)

        once_before(box, push, "GET", "page=1&", 2)
        assert tidy(box).exit_code == 0
        assert {"fresh", *parts} < whole(box.store, "app")


def test_a_push_after_the_last_look_is_an_error_that_names_it(box: Box, parts: list[str]) -> None:
    once_before(box, lambda: push_index(box, "fresh", parts), "DELETE", UNTAGGED, 1)
    outcome = tidy(box)
    assert "fresh" not in whole(box.store, "app")
    assert outcome.exit_code == 1
    assert len(outcome.errors) == 2
    assert all(error.startswith("fresh: linux/arch") for error in outcome.errors)
    assert all(parts[n][:19] in error for n, error in enumerate(outcome.errors))


def test_a_push_between_the_deletion_of_tags_and_the_second_look_is_an_error_when_it_lost_a_tag(
    box: Box,
) -> None:
    """Its child was the tag `old`, which went after the first look."""
    digest = box.push.image("app", "old", 1)
    box.push.image("app", "older", 2)
    age_all(box, 400)
    box.push.image("app", "new", 3)
    once_before(box, lambda: push_index(box, "fresh", [digest]), "DELETE", "/old", 1)
    outcome = tidy(box)
    assert outcome.exit_code == 1
    assert any("fresh: linux/arch0" in error for error in outcome.errors)


def test_a_doomed_tag_pushed_again_before_the_first_look_survives_with_its_parts(
    box: Box, parts: list[str]
) -> None:
    once_before(box, lambda: push_index(box, "old", parts), "GET", "page=1&", 2)
    outcome = tidy(box)
    assert outcome.why("app", "old") == "pushed again during the run"
    assert [row.version.name for _, row in outcome.report.rows()].count("old") == 1
    assert {"old", "new", *parts} < whole(box.store, "app")
    assert deletions(box) == []
    assert outcome.exit_code == 0


def test_a_doomed_part_pushed_again_before_the_second_look_survives(
    box: Box, parts: list[str]
) -> None:
    once_before(box, lambda: box.push.image("app", None, 1), "GET", "page=1&", 3)
    outcome = tidy(box)
    assert parts[0] in names_in(box)
    assert parts[1] not in names_in(box)
    assert outcome.exit_code == 0


def test_a_kept_part_that_someone_else_deletes_is_an_error_that_names_tag_and_platform(
    box: Box, parts: list[str]
) -> None:
    _, kept = box.push.multiarch("app", "new", 2)

    def delete() -> None:
        box.store.delete_version("acme", "app", kept[1])

    once_before(box, delete, "DELETE", "", 1)
    outcome = tidy(box)
    assert [error.partition(" was lost")[0] for error in outcome.errors] == [
        f"new: linux/arm64 ({kept[1][:19]})"
    ]
    assert outcome.exit_code == 1


def test_what_was_broken_before_is_a_warning_that_names_tag_and_platform(
    box: Box, parts: list[str]
) -> None:
    _, kept = box.push.multiarch("app", "new", 2)
    box.store.delete_version("acme", "app", kept[1])
    outcome = tidy(box)
    assert any(f"new: linux/arm64 ({kept[1][:19]}) was missing" in w for w in outcome.warnings)
    assert outcome.exit_code == 0
    assert not {"old", *parts} & names_in(box)


# --- deletions that fail


@pytest.mark.parametrize("measure_space", [True, False])
@pytest.mark.parametrize("fault", [Answer(500), Answer(200, "<html>"), Drop(), Answer(400)])
def test_an_index_that_fails_to_go_keeps_its_untagged_parts(
    box: Box, parts: list[str], fault: Fault, measure_space: bool
) -> None:
    fail_to_delete(box, "old", fault)
    outcome = tidy(box, measure_space=measure_space)
    assert "old" in whole(box.store, "app")
    assert outcome.names(State.FAILED) == {("app", "old")}
    assert outcome.exit_code == 1
    box.faults.reset()
    assert tidy(box).exit_code == 0
    assert not {"old", *parts} & names_in(box)


@pytest.mark.parametrize("older", ["old", "old-amd64"])
@pytest.mark.parametrize("concurrency", [1, 4])
def test_an_index_that_fails_to_go_keeps_the_tags_it_is_made_of(
    box: Box, concurrency: int, older: str
) -> None:
    """With measure_space, which reads what is doomed; without, the README names it as a gap."""
    tags = ["old-amd64", "old-arm64"]
    for tag in tags:
        box.push.image("app", tag, tag)
    box.push.manifest_create("app", "old", tags)
    age_all(box, 400)
    age_all(box, 500, (older,))
    box.push.image("app", "new", 2)
    fail_to_delete(box, "old", Answer(500))
    outcome = tidy(box, concurrency=concurrency)
    assert "old" in whole(box.store, "app"), outcome.text
    assert outcome.exit_code == 1
    box.faults.reset()
    assert tidy(box).exit_code == 0
    assert names_in(box) == {"new"}


@pytest.mark.parametrize("older", [0, 1])
def test_an_untagged_index_that_fails_to_go_keeps_its_parts(box: Box, older: int) -> None:
    index, parts = box.push.multiarch("app", None, 1)
    age_all(box, 400)
    age_all(box, 500, ((index, parts[0])[older],))
    box.push.image("app", "new", 2)
    fail_to_delete(box, index.replace(":", "%3A"), Answer(500))
    assert tidy(box).exit_code == 1
    assert {index, *parts} < whole(box.store, "app")


@pytest.mark.parametrize("image", ["app", "web"])
@pytest.mark.parametrize("status", [401, 403])
def test_the_first_refusal_of_a_deletion_ends_the_run_with_one_sentence(
    box: Box, parts: list[str], status: int, image: str
) -> None:
    box.push.multiarch("web", "old", 1)
    age_all(box, 400, image="web")
    box.push.image("web", "new", 2)
    box.faults.plan = first(100, Answer(status), "DELETE", f"/{image}/")
    before = names_in(box, image)
    outcome = tidy(box, package=("app", "web"))
    assert deletions(box)[-1] == (image, "old")
    assert len(deletions(box)) == (2 if image == "app" else 5)  # by /v2, and as the API says why
    assert names_in(box, image) == before
    (error,) = outcome.errors
    assert "write:package" in error and "/user/settings/applications" in error
    assert outcome.exit_code == 1


def test_after_a_refusal_no_deletion_begins_although_nobody_took_note_of_it_yet(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(box)
    monkeypatch.setattr("registry_gc.server.parallel.as_done", last_first)
    box.faults.plan = lambda request: (
        Answer(401) if request.method == "DELETE" and box.faults.count("DELETE") > 2 else None
    )
    outcome = tidy(box)
    assert (len(deletions(box)), len(outcome.names(State.DELETED))) == (3, 2)


def test_a_deletion_that_is_not_sent_again_after_a_refusal_hides_none_of_its_cause(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(box)
    stop, time = Event(), Time()
    monkeypatch.setattr(time, "wait", lambda _: stop.wait(20))  # until another was refused
    box.faults.plan = lambda request: (
        Answer(429 if box.faults.count("DELETE") == 1 else 401)
        if request.method == "DELETE"
        else None
    )
    outcome = run_gc(box, stop, time=time, **RULES | {"concurrency": 2})
    (error,) = outcome.errors
    assert "the server answered 401" in error
    assert len(deletions(box)) == 2


def test_what_someone_else_deleted_first_counts_as_deleted(box: Box, parts: list[str]) -> None:
    once_before(box, lambda: box.store.delete_version("acme", "app", "old"), "DELETE", "/old", 1)
    outcome = tidy(box)
    assert ("app", "old") in outcome.names(State.DELETED)
    assert outcome.exit_code == 0


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("fault", [LoseAnswer(), Drop(), Answer(503), Answer(429), Answer(500)])
def test_what_passes_by_changes_nothing(
    box: Box, parts: list[str], method: str, fault: Fault
) -> None:
    box.faults.plan = first(3, fault, method)
    outcome = tidy(box)
    assert outcome.exit_code == 0
    assert not {"old", *parts} & names_in(box)
    assert "new" in whole(box.store, "app")


# --- interruptions


@pytest.mark.parametrize("answered", [0, 1, 2])
def test_a_server_that_dies_during_the_deletions_is_reported_and_the_next_run_completes(
    box: Box, parts: list[str], answered: int
) -> None:
    def plan(request: Request) -> Fault | None:
        return Drop() if box.faults.count("DELETE") > answered else None

    box.faults.plan = plan
    outcome = tidy(box)
    gone = {("app", "old"), *(("app", part) for part in parts)} - contents(box).keys()
    assert outcome.names(State.DELETED) == gone
    assert len(gone) == answered
    assert outcome.exit_code == 1
    assert all_whole(box.store) == contents(box).keys()
    box.faults.reset()
    assert tidy(box).exit_code == 0
    assert not {"old", *parts} & names_in(box)


@pytest.mark.parametrize("fault", [None, LoseAnswer()])
@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_run_that_is_stopped_at_any_request_reports_what_it_did(
    box: Box, parts: list[str], concurrency: int, fault: Fault | None
) -> None:
    for number in range(1, 40):
        box.reset()
        box.push.multiarch("app", "old", 1)
        age_all(box, 400)
        box.push.multiarch("app", "new", 2)
        box.faults.log.clear()
        before, stop = contents(box), Event()

        def plan(request: Request, number: int = number, stop: Event = stop) -> Fault | None:
            if request.number == number:
                stop.set()
                return fault
            return None

        box.faults.plan = plan
        outcome = tidy(box, stop=stop, concurrency=concurrency)
        after = contents(box)
        if outcome.report.images:
            deleted = outcome.names(State.DELETED)
            assert before.keys() - after.keys() == deleted, f"{number}: {outcome.text}"
        assert all_whole(box.store) == after.keys()
        if outcome.exit_code == 0:
            assert not {"old", *parts} & names_in(box)
            return
    raise AssertionError("the run never came to its end")


def test_an_image_that_cannot_be_looked_at_again_hides_nothing_of_the_others(
    box: Box, parts: list[str]
) -> None:
    _, children = box.push.multiarch("web", "stays", 7)
    box.push.image("web", "goes", 8)
    box.store.age("web", "goes", 400)

    def plan(request: Request) -> Fault | None:
        return Answer(404) if "/app/late/files" in request.target else None

    def late() -> None:
        box.push.image("app", "late", 9)
        box.store.delete_version("acme", "web", children[0])

    box.faults.plan = plan
    once_before(box, late, "DELETE", "/goes", 1)
    outcome = tidy(box, package=("app", "web"))
    assert any("could not be looked at again" in error for error in outcome.errors)
    assert any("stays" in error and "lost during this run" in error for error in outcome.errors)
