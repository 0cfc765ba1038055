"""An owner to whose packages the token has no right is named and left alone; the others go on."""

from collections.abc import Iterator
from typing import Any

import pytest

from registry_gc.report.report import Outcome as Ended
from registry_gc.report.report import State
from tests.harness import Outcome, in_process, run_gc
from tests.sandbox import Answer, Box, Pusher, Request

STRICT: dict[str, Any] = {"keep_days": 0, "keep_latest": 1, "package": ("*",)}
ALONE = "left alone: the server refused the token"


@pytest.fixture
def box() -> Iterator[Box]:
    """acme may write to its own packages and gamma's, and only read those of beta."""
    with in_process() as made:
        made.store.add_owner("beta", readers=["acme"])
        made.store.add_owner("gamma", ["acme"])
        made.token = made.store.add_token("acme", "write:package", "read:user", "read:organization")
        for owner in ("acme", "beta", "gamma"):
            for number, tag in enumerate(("v1", "v2", "v3")):
                Pusher.into(made.store, owner).image("app", tag, f"{owner}:{tag}")
                made.store.age("app", tag, 365 - number, owner)
        yield made


def tags_of(box: Box, *owners: str) -> list[set[str]]:
    return [set(box.store.versions("app", owner)) for owner in owners]


def deletions_in(box: Box, owner: str) -> int:
    return box.faults.count("DELETE", f"/{owner}/")


def check_beta_is_left_alone(box: Box, outcome: Outcome) -> None:
    assert tags_of(box, "acme", "beta", "gamma") == [{"v3"}, {"v1", "v2", "v3"}, {"v3"}]
    assert {outcome.why("beta/app", tag) for tag in ("v1", "v2")} == {ALONE}
    assert outcome.report.count(State.FAILED) == 0


@pytest.mark.parametrize("trash_days", [0, 7])
def test_it_is_an_error_for_one_that_the_input_names(box: Box, trash_days: int) -> None:
    outcome = run_gc(box, **STRICT, owner="acme, beta, *a", trash_days=trash_days)
    assert outcome.report.count(State.FAILED) == 0
    assert tags_of(box, "beta") == [{"v1", "v2", "v3"}]
    assert "v1" not in tags_of(box, "gamma")[0]
    (error,) = outcome.errors
    assert error.startswith("beta was left alone. ")
    assert (
        "or its user may not push packages of beta" if trash_days else "answered 403: "
    ) in error
    assert (outcome.exit_code, outcome.report.outcome) == (1, Ended.FAILED)


def test_it_is_a_warning_for_one_that_only_a_pattern_fits(box: Box) -> None:
    outcome = run_gc(box, **STRICT, owner="*")
    check_beta_is_left_alone(box, outcome)
    (warning,) = outcome.warnings
    assert warning.startswith("beta was left alone. The token may not delete packages of beta")
    assert (outcome.exit_code, outcome.report.outcome) == (0, Ended.DONE)


def test_the_first_refusal_is_the_last_deletion_of_that_owner(box: Box) -> None:
    for n in range(60):
        Pusher.into(box.store, "beta").image("app", f"old{n}", n)
        box.store.age("app", f"old{n}", 400, "beta")
    outcome = run_gc(box, **STRICT, owner="acme, beta, *a", concurrency=1)
    assert (deletions_in(box, "beta"), outcome.report.count(State.FAILED)) == (
        2,
        0,
    )  # by /v2 and by the API


def test_it_is_an_error_when_nothing_could_be_deleted_anywhere(box: Box) -> None:
    """It may be the token that lacks the scope: such a job would do nothing, week by week."""
    box.token = box.store.add_token("acme", "read:package", "read:user", "read:organization")
    outcome = run_gc(box, **STRICT, owner="*")
    assert len(outcome.errors) == 3
    assert outcome.exit_code == 1


def test_one_that_may_not_even_be_listed_is_left_alone_too(box: Box) -> None:
    box.store.add_owner("hidden", ["someone"], public=False)
    outcome = run_gc(box, **STRICT, owner="acme, hidden, gamma")
    assert tags_of(box, "acme", "gamma") == [{"v3"}, {"v3"}]
    (error,) = outcome.errors
    assert error.startswith("hidden was left alone. The token may not read packages of hidden")


def test_one_that_was_removed_since_a_pattern_fitted_it_is_a_warning(box: Box) -> None:
    def plan(request: Request) -> Answer | None:
        return Answer(404) if request.path.endswith("/packages/gamma") else None

    box.faults.plan = plan
    outcome = run_gc(box, **STRICT, owner="acme, g*")
    assert [text.partition(". ")[0] for text in outcome.warnings] == ["gamma was left alone"]
    assert (outcome.errors, tags_of(box, "acme", "gamma")) == ([], [{"v3"}, {"v1", "v2", "v3"}])


def test_when_none_can_be_listed_the_run_fails_and_says_why(box: Box) -> None:
    box.token = "wrong"
    outcome = run_gc(box, **STRICT, owner="acme, beta")
    (error,) = outcome.errors
    assert error.startswith("The server refused the token")


def test_one_that_refuses_in_the_middle_ends_the_run(box: Box) -> None:
    """What was deleted of it is reported as such; the cause may be the token itself."""

    def plan(request: Request) -> Answer | None:
        is_beta = "/beta/" in request.path and request.path.endswith("/v1")
        return Answer(403) if is_beta and request.method == "DELETE" else None

    box.store.owner("beta").members.add("acme")
    box.faults.plan = plan
    outcome = run_gc(box, **STRICT, owner="acme, beta, gamma", concurrency=1)
    assert tags_of(box, "acme", "gamma") == [{"v3"}, {"v1", "v2", "v3"}]
    assert tags_of(box, "beta") == [{"v1", "v3"}]
    assert outcome.exit_code == 1
    assert "The run ended there" in outcome.errors[0]


def test_an_only_owner_that_refuses_fails_as_ever(box: Box) -> None:
    outcome = run_gc(box, **STRICT, owner="beta")
    assert outcome.report.count(State.FAILED) > 0
    assert "The token may not delete packages of beta" in outcome.errors[0]
    assert "The run ended there" in outcome.errors[0]


def test_a_token_whose_scopes_are_told_is_refused_before_anything_is_listed() -> None:
    with in_process("1.27") as box:
        box.token = box.store.add_token("acme", "read:package")
        outcome = run_gc(box, **STRICT, owner="acme, beta")
    assert "The token may not delete packages of acme, beta" in outcome.errors[0]
    assert box.faults.count("GET", "/packages/") == 0


def test_what_is_left_alone_keeps_what_it_held_from_being_called_free(box: Box) -> None:
    outcome = run_gc(box, **STRICT, owner="*")
    beta = next(image for image in outcome.report.images if image.name == "beta/app")
    assert (beta.freed, beta.count(State.KEPT)) == (0, 3)
    assert deletions_in(box, "beta") > 0
