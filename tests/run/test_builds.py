"""Builds, from the push to the report."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from registry_gc.report import summary
from registry_gc.report.report import State, next_to_go
from registry_gc.settings.parse import Policy
from tests import oracle
from tests.harness import NOW, Outcome, age_all, in_process, names_in, run_gc
from tests.report.reading import check_counts
from tests.sandbox import Box
from tests.sandbox.weekly import Weekly

YEAR = Weekly(60, pins=(8, 28, 48))


@pytest.fixture
def box() -> Iterator[Box]:
    with in_process() as box:
        yield box


def clean(box: Box, **changes: Any) -> Outcome:
    """A run whose report agrees with itself, and after which all is whole that is there."""
    choices: dict[str, Any] = {"keep_latest": 6, "keep_days": 0, **changes}
    outcome = run_gc(box, **choices)
    check_counts(outcome.report)
    assert oracle.whole(box.store, "app") == names_in(box)
    return outcome


def builds(outcome: Outcome) -> tuple[int, int]:
    """How many are kept and deleted."""
    kept, deleted = (outcome.report.count_builds(s) for s in (State.KEPT, State.DELETED))
    return kept, deleted


def push_year(box: Box) -> None:
    def before(week: int) -> None:
        box.store.now = NOW - timedelta(weeks=YEAR.weeks - week)

    YEAR.push(box.push, "app", before)
    box.store.now = NOW


@pytest.mark.parametrize("measure_space", [True, False])
def test_of_sixty_weekly_builds_six_stay_whole_besides_pins_and_latest(
    box: Box, measure_space: bool
) -> None:
    push_year(box)
    outcome = clean(box, measure_space=measure_space)
    assert outcome.exit_code == 0, outcome.text
    tags = {name for name in names_in(box) if not name.startswith("sha256")}
    assert tags == YEAR.newest(6) | {"latest", "corpus-8", "corpus-28", "corpus-48"}
    assert builds(outcome) == (6 + 3, 60 - 9)  # latest is the newest by another name
    signatures = {name for name in names_in(box) if name.endswith(".sig")}
    assert len(signatures) == 4  # of the pins, and of week 56


def test_what_people_look_at_first_fits_one_screen(box: Box) -> None:
    push_year(box)
    text = summary.render(clean(box).report)
    assert text.startswith("## Deleted 51 of 60 builds of app (")
    shown, folded = text.split("<details>", 1)
    lines = [line for line in shown.split("\n") if line]
    assert lines.index("```mermaid") <= 6
    assert lines[-1] == "```"
    assert folded.count("<details>") == folded.count("</details>") - 1


def test_the_report_says_on_which_day_how_many_builds_go_next(box: Box) -> None:
    push_year(box)
    outcome = clean(box, keep_latest=1, keep_days=30)
    day = (NOW + timedelta(days=2)).date()  # the build of four weeks ago is 28 days old
    assert next_to_go(outcome.report.images) == (day, 1)
    assert f"Next: 1 build on {day}" in outcome.text
    for passed, goes in ((timedelta(days=2), 0), (timedelta(days=2, hours=1), 1)):
        box.store.now = NOW + passed
        later = run_gc(box, now=box.store.now, keep_latest=1, keep_days=30)
        assert builds(later)[1] == goes


def test_a_name_that_goes_says_under_which_its_build_stays(box: Box) -> None:
    for tag in ("v1", "v2"):
        box.push.multiarch("app", tag, seed=1)
    box.push.image("app", "v3", 3)
    age_all(box, 400)
    age_all(box, 300, ["v3"])
    outcome = clean(box, protect=("v1",), keep_latest=1)
    assert {name for name in names_in(box) if ":" not in name} == {"v1", "v3"}
    assert "its build stays as v1" in outcome.text
    assert builds(outcome) == (2, 0)


def test_a_part_that_stays_without_its_build_is_one_of_its_own(box: Box) -> None:
    for arch in ("amd64", "arm64"):
        box.push.image("app", f"v1-{arch}", "v1", arch)
    box.push.manifest_create("app", "v1", ["v1-amd64", "v1-arm64"])
    box.push.image("app", "v2", 2)
    age_all(box, 400)
    age_all(box, 300, ["v2"])
    outcome = clean(box, keep_latest=1, policies=(Policy(("*-arm64",), 1, 0),))
    assert names_in(box) == {"v2", "v1-arm64"}
    assert builds(outcome) == (2, 1)
