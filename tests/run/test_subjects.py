"""Signatures that lie in another image than what they sign, as COSIGN_REPOSITORY puts them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from registry_gc.report.report import State
from tests.harness import Outcome, age_all, deletions, in_process, names_in, run_gc
from tests.sandbox import Answer, Box, Fault, Request, first

RULES: dict[str, Any] = {"keep_latest": 1, "keep_days": 30, "package": ("sigs",)}


@pytest.fixture
def box() -> Iterator[Box]:
    """In `sigs` lie a tag and the signatures of `app:v1`, of a part of `app:v2`, and of nothing."""
    with in_process() as box:
        box.push.image("sigs", "readme", "readme")
        signed = box.push.image("app", "v1", 1)
        index, parts = box.push.multiarch("app", "v2", 2)
        for digest in (signed, index, parts[1], f"sha256:{7:064}"):
            box.push.signature("sigs", digest)
        age_all(box, 400, image="sigs")
        box.faults.log.clear()
        yield box


def tidy(box: Box, **changes: Any) -> Outcome:
    return run_gc(box, **{**RULES, **changes})


LOST = f"sha256-{7:064}.sig"


@pytest.mark.parametrize("measure_space", [True, False])
@pytest.mark.parametrize("package", [("sigs",), ("sigs", "app"), ("*",)])
def test_a_signature_stays_while_any_image_of_the_owner_holds_what_it_signs(
    box: Box, package: tuple[str, ...], measure_space: bool
) -> None:
    before = names_in(box, "sigs")
    foreseen = tidy(box, package=package, measure_space=measure_space, dry_run=True)
    outcome = tidy(box, package=package, measure_space=measure_space)
    assert names_in(box, "sigs") == before - {LOST}
    assert foreseen.names(State.DOOMED) == outcome.names(State.DELETED) == {("sigs", LOST)}
    assert outcome.why("sigs", LOST) == "its subject is nowhere in acme"
    reasons = {outcome.why("sigs", name) for name in before - {LOST, "readme"}}
    assert reasons == {"its subject is in app"}
    assert (outcome.errors, outcome.warnings, outcome.exit_code) == ([], [], 0)


def test_a_signature_of_a_tag_of_its_own_image_is_attached_to_it_though_nothing_else_goes(
    box: Box,
) -> None:
    """What the tags hold is read for it, and no other image is looked at."""
    digest = box.push.image("web", "v1", "web")
    name = box.push.signature("web", digest)
    age_all(box, 400, image="web")
    outcome = tidy(box, package=("web",), measure_space=False)
    assert outcome.why("web", name) == "attached to v1"
    assert box.faults.count("GET", "q=&") == 0


def test_a_signature_that_is_young_stays_whatever_it_signs(box: Box) -> None:
    outcome = tidy(box, keep_untagged_days=500)
    assert outcome.why("sigs", LOST) == "attachment, younger than 500 days"
    assert LOST in names_in(box, "sigs")
    assert box.faults.count("GET", "/app/") == 0


def test_a_signature_goes_with_the_run_after_the_one_in_which_what_it_signs_went(box: Box) -> None:
    age_all(box, 400)
    rules = {"package": ("*",), "keep_days": 0, "protect": ("v2",), "keep_latest": 0}
    before = names_in(box, "sigs")
    tidy(box, **rules)
    assert "v1" not in names_in(box)
    assert names_in(box, "sigs") == before - {LOST}
    tidy(box, **rules)
    assert len(names_in(box, "sigs")) == len(before) - 2


def test_what_it_costs_is_a_listing_of_the_owner_and_each_tag_that_was_not_read(box: Box) -> None:
    for n in range(3):
        box.push.image("web", f"v{n}", f"web{n}")
    tidy(box, dry_run=True)
    assert box.faults.count("GET", "page=") == 2
    assert box.faults.count("GET", "/app/") == 2  # v1 and v2: the parts have their digest as name
    assert box.faults.count("GET", "/web/") == 3


def test_where_all_of_the_subjects_are_found_no_other_image_is_read(box: Box) -> None:
    box.store.delete_version("acme", "sigs", LOST)
    box.push.image("web", "v1", "web")
    box.store.age("web", "v1", 500)
    tidy(box, dry_run=True)
    assert box.faults.count("GET", "/app/") == 2
    assert box.faults.count("GET", "/web/") == 0


def test_an_owner_that_was_listed_and_read_anyway_costs_nothing_more(box: Box) -> None:
    age_all(box, 400)
    tidy(box, dry_run=True, package=("*",))
    assert box.faults.count("GET", "page=") == 1
    files = [target for _, target in box.faults.log if target.endswith("/files")]
    assert len(files) == len(set(files))


@pytest.mark.parametrize("status", [400, 404, 500])
def test_what_cannot_be_looked_up_stays_and_that_is_an_error(box: Box, status: int) -> None:
    box.push.image("sigs", "older", "older")
    box.store.age("sigs", "older", 500)
    box.faults.plan = first(99, Answer(status), "GET", "/app/v1/files")
    outcome = tidy(box)
    assert deletions(box) == [("sigs", "older")]
    assert LOST in names_in(box, "sigs")
    assert outcome.why("sigs", LOST) == "its subject may be in another image"
    (error,) = outcome.errors
    assert error.startswith("The subject of 4 attachments of sigs may be in another image, and")
    assert outcome.exit_code == 1


def test_a_refusal_while_other_images_are_looked_at_ends_the_run(box: Box) -> None:
    box.faults.plan = first(99, Answer(403), "GET", "/app/")
    outcome = tidy(box)
    assert deletions(box) == []
    assert len(outcome.errors) == 1
    assert outcome.exit_code == 1


def test_what_is_not_understood_in_another_image_may_be_what_is_signed(box: Box) -> None:
    box.push.image("web", "odd", 7)

    def plan(request: Request) -> Fault | None:
        if "q=&" not in request.target:
            return None
        rows, total = box.store.listing("acme", "", 1, 100)
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

    box.faults.plan = plan
    outcome = tidy(box)
    assert LOST in names_in(box, "sigs")
    (error,) = outcome.errors
    assert "The date of odd could not be understood" in error
