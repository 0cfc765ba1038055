"""What a run tells beside its verdicts, and what it tries again before it does."""

from collections.abc import Iterator

import pytest

from registry_gc.settings.parse import Policy
from tests.harness import age_all, deletions, in_process, names_in, once_before
from tests.run.tidying import tidy
from tests.sandbox import Answer, Box, first


@pytest.fixture
def box() -> Iterator[Box]:
    """`old` and its untagged children go, `new` stays with its own."""
    with in_process() as box:
        box.push.multiarch("app", "old", 1)
        age_all(box, 400)
        box.push.multiarch("app", "new", 2)
        yield box


# --- what is gone when it is read


@pytest.mark.parametrize("text", ["/app/new/files", "/v2/acme/app/manifests/"])
@pytest.mark.parametrize("times", [1, 2])
def test_what_is_gone_when_it_is_read_is_listed_and_read_anew(
    box: Box, text: str, times: int
) -> None:
    box.faults.plan = first(times, Answer(404), "GET", text)
    outcome = tidy(box)
    assert names_in(box) == {"new", *(name for name in names_in(box) if ":" in name)}
    assert len(deletions(box)) == 3
    assert (outcome.errors, outcome.exit_code) == ([], 0)


def test_what_is_gone_each_time_it_is_read_leaves_its_image_alone(box: Box) -> None:
    box.faults.plan = first(3, Answer(404), "GET", "/app/new/files")
    outcome = tidy(box)
    assert deletions(box) == []
    assert len(names_in(box)) == 6
    (error,) = outcome.errors
    assert error.startswith("Nothing of app was deleted, for it could not be understood.")


def test_what_was_pushed_again_before_it_was_read_is_judged_as_it_is_now(box: Box) -> None:
    def push_again() -> None:
        box.push.multiarch("app", "old", 1)
        box.faults.plan = first(1, Answer(404), "GET", "/files")

    once_before(box, push_again, "GET", "/files", 1)
    outcome = tidy(box)
    assert outcome.why("app", "old") == "keep-latest 1/1"
    assert "old" in names_in(box)


# --- what may be a mistake


def test_patterns_that_match_no_tag_are_told_each(box: Box) -> None:
    policies = (Policy(("v*", "ol?"), 1, 0), Policy(("pr-*",), 0, 7))
    outcome = tidy(box, protect=("typo", "new", "sha256:*"), policies=policies)
    assert outcome.warnings == [
        "protect: typo matches no tag. Is it misspelt?",
        "protect: sha256:* matches no tag. Is it misspelt?",
        "policies: v* matches no tag. Is it misspelt?",
        "policies: pr-* matches no tag. Is it misspelt?",
    ]
    assert outcome.exit_code == 0


def test_the_default_of_protect_is_nobodys_mistake(box: Box) -> None:
    assert tidy(box).warnings == []


def test_patterns_of_a_run_without_any_tag_are_no_mistake(box: Box) -> None:
    for name in ("old", "new"):
        box.store.delete_version("acme", "app", name)
    outcome = tidy(box, protect=("typo",))
    assert outcome.warnings == ["app has no tag at all and was left alone."]


def test_parts_that_were_pushed_without_a_tag_while_tags_went_are_told(box: Box) -> None:
    pushed: list[str] = []
    once_before(
        box, lambda: pushed.append(box.push.image("app", None, 7)), "DELETE", "/sha256%3A", 1
    )
    outcome = tidy(box)
    assert len(outcome.warnings) == 1
    assert outcome.warnings[0].startswith(
        f"Pushed during the run, and no tag refers to it: {pushed[0][:19]}. "
    )
    assert outcome.exit_code == 0


def test_parts_whose_tag_was_pushed_with_them_are_not_told(box: Box) -> None:
    once_before(box, lambda: box.push.multiarch("app", "newer", 7), "DELETE", "/sha256%3A", 1)
    assert tidy(box).warnings == []


def test_parts_that_were_pushed_while_no_tag_went_are_not_told(box: Box) -> None:
    box.push.image("app", None, 8)
    age_all(box, 400, [name for name in names_in(box) if ":" in name])
    box.store.delete_version("acme", "app", "old")
    once_before(box, lambda: box.push.image("app", None, 7), "DELETE", "/sha256%3A", 1)
    outcome = tidy(box)
    assert deletions(box)
    assert outcome.warnings == []
