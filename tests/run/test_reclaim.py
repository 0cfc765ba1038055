"""The space is freed when that was asked for and something went; a failure is told, and exit 1."""

from collections.abc import Iterator
from typing import Any

import pytest

from registry_gc.settings.parse import Limit
from tests.harness import Outcome, age_all, fail_to_delete, in_process, names_in, run_gc
from tests.sandbox import Answer, Box, Drop, Fault, LoseAnswer


@pytest.fixture
def box() -> Iterator[Box]:
    """Image `app` has 3 versions of which 2 go, and its owner's token may do all."""
    with in_process() as box:
        for n in range(3):
            box.push.image("app", f"v{n}", n)
        age_all(box, 400)
        box.store.admins = {"acme"}
        box.token = box.store.add_token("acme", "write:package", "write:admin")
        yield box


def tidy(box: Box, **changes: Any) -> Outcome:
    return run_gc(box, **{"keep_latest": 1, "reclaim": True, **changes})


def clean_ups(box: Box) -> int:
    """How often the server was asked to free the space."""
    return box.faults.count("POST", "/admin/cron/cleanup_packages")


def test_it_is_asked_for_once_after_all_deletions(box: Box) -> None:
    assert tidy(box).exit_code == 0
    assert clean_ups(box) == 1
    deleted = [place for place, (method, _) in enumerate(box.faults.log) if method == "DELETE"]
    asked = [place for place, (method, _) in enumerate(box.faults.log) if method == "POST"]
    assert deleted[-1] < asked[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"reclaim": False},
        {"dry_run": True},
        {"keep_latest": 3},
        {"max_delete": Limit(1, False)},
        {"package": ("none",)},
    ],
)
def test_it_is_not_asked_for_when_nothing_was_deleted(box: Box, changes: dict[str, Any]) -> None:
    tidy(box, **changes)
    assert clean_ups(box) == 0


def test_it_is_not_asked_for_when_every_deletion_failed(box: Box) -> None:
    box.faults.plan = lambda request: Answer(400) if request.method == "DELETE" else None
    assert tidy(box).exit_code == 1
    assert (len(names_in(box)), clean_ups(box)) == (3, 0)


def test_it_is_asked_for_when_only_some_deletions_failed(box: Box) -> None:
    fail_to_delete(box, "v0", Answer(400))
    assert tidy(box).exit_code == 1
    assert clean_ups(box) == 1


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Answer(403, '{"message": "no admin"}'), "needs the token of a site admin"),
        (Answer(401), "needs the token of a site admin"),
        (Answer(404), "not there (404)"),
        (Answer(500), "the server answered 500"),
        (Answer(307, "", {"Location": "/elsewhere"}), "was redirected"),
        (Answer(200, "<html>"), "the server answered 200"),
        (Drop(), "the connection failed"),
        (LoseAnswer(), "the connection failed"),
    ],
)
def test_a_refusal_or_a_failure_is_told_and_exit_1(box: Box, fault: Fault, says: str) -> None:
    box.faults.plan = lambda request: fault if request.method == "POST" else None
    outcome = tidy(box)
    assert names_in(box) == {"v2"}
    (error,) = outcome.errors
    assert error.startswith("reclaim: ")
    assert says in error
    assert (outcome.exit_code, clean_ups(box)) == (1, 1)
