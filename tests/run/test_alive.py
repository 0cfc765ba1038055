"""What is alive stays, takes no place, and what cannot be told leaves its image alone."""

from collections.abc import Iterator
from typing import Any

import pytest

from registry_gc.report.report import State
from registry_gc.settings.policies import lines as policies
from tests.harness import age_all, in_process, names_in, run_gc
from tests.sandbox import Box
from tests.sandbox.repositories import Repository

STRICT: dict[str, Any] = {"keep_days": 0, "keep_latest": 0, "repository": "acme/app"}


@pytest.fixture
def box() -> Iterator[Box]:
    with in_process() as made:
        yield made


@pytest.fixture
def app(box: Box) -> Repository:
    return box.store.forge.add(box.store.owner("acme"), "app", {"README.md": "hello"})


def push(box: Box, *tags: str, image: str = "app") -> None:
    """Two-platform images, a year old."""
    for tag in tags:
        box.push.multiarch(image, tag, f"{image}:{tag}")
    age_all(box, 365, image=image)


def tags_in(box: Box, image: str = "app") -> set[str]:
    return {name for name in names_in(box, image) if not name.startswith("sha256:")}


def test_previews_of_open_pull_requests_stay_whole_and_those_of_closed_ones_go(
    box: Box, app: Repository
) -> None:
    app.pulls = {1: "closed", 2: "open", 12: "open"}
    push(box, "pr-1", "pr-2", "pr-12-head", "pr-13", "latest")
    outcome = run_gc(box, **STRICT, policies=policies("tags=pr-{pull}*,keep-days=0"))
    assert outcome.exit_code == 0, outcome.text
    assert tags_in(box) == {"pr-2", "pr-12-head", "latest"}
    assert [box.push.missing("app", tag) for tag in tags_in(box)] == [[], [], []]
    assert outcome.why("app", "pr-12-head") == "pull request #12 is open"
    assert "keep-latest 0 of pr-{pull}*" in outcome.why("app", "pr-1")


def test_alive_tags_take_no_place(box: Box, app: Repository) -> None:
    app.branches |= {"dev": {}, "next": {}}
    push(box, "old-1", "old-2", "main", "dev", "next")
    run_gc(box, **STRICT, policies=policies("tags={branch},keep-latest=1"))
    assert tags_in(box) == {"main", "dev", "next", "old-2"}


def test_alive_under_any_pattern_is_alive_whichever_policy_takes_the_tag(
    box: Box, app: Repository
) -> None:
    app.branches["pr-9"] = {}
    push(box, "pr-9", "pr-8", "latest")
    lines = "tags=pr-*,keep-days=0\ntags={branch},keep-days=0"
    outcome = run_gc(box, **STRICT, policies=policies(lines))
    assert tags_in(box) == {"pr-9", "latest"}
    assert outcome.why("app", "pr-9") == "branch pr-9 exists"


def test_an_image_whose_repository_cannot_be_read_is_left_alone_and_others_are_not(
    box: Box, app: Repository
) -> None:
    push(box, "pr-1", "pr-2", "latest")
    push(box, "pr-1", "pr-2", "latest", image="web")
    app.pulls = {2: "open"}
    box.store.owner("acme").images["app"].repository = "app"
    box.store.owner("acme").images["web"].repository = "none"
    before = names_in(box, "web")
    outcome = run_gc(
        box,
        **{**STRICT, "repository": ""},
        package=("app", "web"),
        policies=policies("tags=pr-{pull}*"),
        own_repository="acme/ops",
    )
    assert tags_in(box) == {"pr-2", "latest"}
    assert names_in(box, "web") == before
    assert outcome.exit_code == 1
    [error] = outcome.errors
    assert error.startswith("Nothing of web was deleted")
    assert "name it in the input repository" in error
    assert outcome.names(State.DELETED) >= {("app", "pr-1")}


def test_a_dry_run_asks_the_same_and_says_the_same(box: Box, app: Repository) -> None:
    app.tags = {"v1.2.0"}
    push(box, "v1.2.0", "1.2", "v1.1.0", "latest")
    choices = {**STRICT, "policies": policies("tags=v{tag}\ntags={tag},keep-days=0")}
    dry = run_gc(box, **choices, dry_run=True)
    real = run_gc(box, **choices)
    assert dry.names(State.DOOMED) == real.names(State.DELETED)
    assert tags_in(box) == {"v1.2.0", "1.2", "latest"}


def test_a_run_without_placeholders_needs_no_repository(box: Box) -> None:
    push(box, "v1", "latest")
    outcome = run_gc(box, **{**STRICT, "repository": "acme/none"}, policies=policies("tags=v*"))
    assert outcome.exit_code == 0
    assert box.faults.count("GET", "/repos/") == 0
