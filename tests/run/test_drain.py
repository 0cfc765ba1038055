"""A large clean-up in portions: so many builds a run, and the report says what is left."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from registry_gc.report.report import State
from registry_gc.report.wording import headline
from registry_gc.settings.parse import Limit
from tests import oracle
from tests.harness import Outcome, age_all, contents, in_process, names_in, run_gc
from tests.report.reading import check_counts, logged, parsed
from tests.sandbox import Box
from tests.sandbox.push import INDEX

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "report.schema.json"


@pytest.fixture
def box() -> Iterator[Box]:
    """Two images with four builds of two platforms each and one of one, a day between two."""
    with in_process() as box:
        for image in ("app", "web"):
            for number in range(1, 6):
                push = box.push.multiarch if number < 5 else box.push.image
                push(image, f"v{number}", seed=number)
                age_all(box, 400 - number - (image == "web") / 2, {f"v{number}"}, image)
            age_all(box, 500, {n for n in names_in(box, image) if ":" in n}, image)
        yield box


def drain(box: Box, most: int = 3, **changes: Any) -> Outcome:
    """A run that keeps one build of each image."""
    chosen = {"package": ("*",), "keep_latest": 1, "keep_days": 0, "delete_at_most": most}
    return run_gc(box, **{**chosen, **changes})


def tags(box: Box) -> set[str]:
    return {f"{image}:{name}" for image, name in contents(box) if ":" not in name}


LATER = {"app:v3", "app:v4", "web:v2", "web:v3", "web:v4"}  # after app:v1, web:v1, app:v2
KEPT = {"app:v5", "web:v5"}


@pytest.mark.parametrize("measure_space", [True, False])
def test_the_oldest_go_and_the_headline_tells_the_rest(box: Box, measure_space: bool) -> None:
    dry = drain(box, dry_run=True, measure_space=measure_space)
    outcome = drain(box, measure_space=measure_space)
    assert (dry.exit_code, outcome.exit_code) == (0, 0)
    check_counts(outcome.report)
    assert tags(box) == LATER | KEPT
    assert oracle.all_whole(box.store) == contents(box).keys()
    assert dry.names(State.DOOMED) == outcome.names(State.DELETED)
    told = "3 of 10 builds of 2 images (9 of 26 versions), 5 builds (15 versions) are left for the "
    assert headline(dry.report).startswith(f"Would delete {told}next run")
    assert headline(outcome.report).startswith(f"Deleted {told}next run")
    body = parsed(outcome.report)
    jsonschema.validate(body, json.loads(SCHEMA.read_text("utf-8")))
    assert body["totals"]["waiting"] == {"builds": 5, "versions": 15}
    assert "2 builds (6 versions) are left for the next run" in logged(outcome.report)
    reason = "left for the next run: beyond keep-latest 1 and older than 0 days"
    assert outcome.why("app", "v3") == reason


def test_runs_go_on_until_nothing_is_left(box: Box) -> None:
    waiting = [parsed(drain(box).report)["totals"].get("waiting", {}) for _ in range(4)]
    assert [found.get("builds") for found in waiting] == [5, 2, None, None]
    assert tags(box) == KEPT
    assert headline(drain(box).report) == "Nothing to delete: all 2 builds (2 versions) of 2 " + (
        "images stay."
    )


def test_max_delete_judges_all_that_is_due(box: Box) -> None:
    """A mistake is one in portions too."""
    before = contents(box)
    outcome = drain(box, max_delete=Limit(23, False))
    assert "left for the next run" in outcome.text  # what the error calls the list above
    assert outcome.exit_code == 1
    assert contents(box) == before
    (error,) = outcome.errors
    assert "24 of 26 versions of this run are due, and max-delete allows 23" in error
    assert "it judges all that is due, of which delete-at-most lets the oldest go" in error
    assert len(outcome.names(State.DOOMED)) == 24  # all that it judges is shown
    assert drain(box, max_delete=Limit(24, False)).exit_code == 0


def test_what_waits_may_be_broken_already(box: Box) -> None:
    """It goes soon: that is neither an error nor worth a warning."""
    index = json.loads(box.push.registry.manifest("app", "v4") or "")
    box.store.delete_version(box.owner, "app", index["manifests"][0]["digest"])
    outcome = drain(box)
    assert (outcome.errors, outcome.warnings) == ([], [])
    assert "app:v4" in tags(box)


def test_a_waiting_build_that_is_pushed_again_meanwhile_stays(box: Box) -> None:
    def push_again(request: Any) -> None:
        if request.method == "DELETE" and "v3" not in pushed:
            pushed.append("v3")
            raw = box.push.registry.manifest("app", "v3")
            assert raw
            box.push.registry.put_manifest("app", "v3", raw, INDEX)

    pushed: list[str] = []
    box.faults.before = push_again
    outcome = drain(box)
    assert outcome.exit_code == 0
    assert tags(box) == LATER | KEPT
    assert parsed(outcome.report)["totals"]["waiting"]["builds"] == 4


def test_into_the_trash_it_goes_in_portions_too(box: Box) -> None:
    outcome = drain(box, trash_days=7)
    assert outcome.exit_code == 0
    thrown = {"app:gc-trash.v1", "web:gc-trash.v1", "app:gc-trash.v2"}
    assert tags(box) == LATER | KEPT | thrown
    # What the trash needs of them is not due yet.
    assert parsed(outcome.report)["totals"]["waiting"] == {"builds": 5, "versions": 5}
