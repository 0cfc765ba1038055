"""The main scenarios, on the sandbox always and unchanged on a running server (`make live`).

A real server cannot backdate a push, so the clock of the run is set ahead instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from registry_gc.report.report import State
from registry_gc.run import check
from registry_gc.run.look import look_again
from registry_gc.run.plan import Plan
from registry_gc.run.reader import Reader
from registry_gc.settings.parse import Policy
from tests.harness import Outcome, run_gc
from tests.sandbox.weekly import Weekly

from .conftest import Server

LATER = datetime.now(UTC) + timedelta(days=400)


def clean(server: Server, image: str, **changes: Any) -> Outcome:
    """A run 400 days from now, that keeps no tag for its age."""
    values = {"keep_days": 30, "keep_latest": 2, "now": LATER, **changes}
    with patch.object(
        check, "moment", lambda now, listings: now
    ):  # the server's clock is not ahead
        return run_gc(server, package=(image,), **values)


def tags(server: Server, image: str) -> set[str]:
    """The image's tags, attachments too; fails when one of them does not pull whole."""
    names = {name for name in server.rows(image) if not name.startswith("sha256:")}
    missing = [line for name in names for line in server.pusher.missing(image, name)]
    assert missing == []
    return names


def push_weekly(server: Server, image: str, weeks: int) -> None:
    """Two-platform builds, `latest` moving along, and a pin of the third."""
    for week in range(weeks):
        _, children = server.pusher.multiarch(image, f"sha-{week}", week)
        parts = list(zip(children, ("amd64", "arm64"), strict=True))
        server.pusher.index(image, "latest", parts)
        if week == 2:
            server.pusher.index(image, f"corpus-{week}", parts)


@pytest.mark.parametrize("measure_space", [True, False])
def test_weekly_builds_leave_what_is_kept_whole_and_nothing_else(
    server: Server, measure_space: bool
) -> None:
    image = server.image()
    push_weekly(server, image, 8)
    before = server.rows(image)
    dry = clean(server, image, dry_run=True, measure_space=measure_space)
    assert server.rows(image) == before
    real = clean(server, image, measure_space=measure_space)
    assert real.exit_code == 0, real.text
    assert dry.names(State.DOOMED) == real.names(State.DELETED)
    assert tags(server, image) == {"sha-6", "sha-7", "latest", "corpus-2"}
    assert len(server.rows(image)) == 4 + 3 * 2
    again = clean(server, image, measure_space=measure_space)
    assert (again.exit_code, again.names(State.DELETED)) == (0, set())


def test_of_weekly_builds_six_stay_whole_besides_pins_and_latest(server: Server) -> None:
    """Sixty on a running server, and in tests/run."""
    weekly = Weekly(60 if "GITEA_URL" in os.environ else 12, pins=(0, 4))
    image = server.image()
    weekly.push(server.pusher, image)
    real = clean(server, image, keep_latest=6, keep_days=0)
    assert real.exit_code == 0, real.text
    named = {name for name in tags(server, image) if not name.startswith("sha256-")}
    assert named == weekly.newest(6) | {"latest", "corpus-0", "corpus-4"}
    assert real.report.count_builds(State.KEPT) == 6 + 2  # latest is the newest by another name
    assert real.report.count_builds(State.DELETED) == weekly.weeks - 8
    assert len(server.rows(image)) == real.report.count(State.KEPT)


def test_in_portions_the_oldest_weeks_go_whole_until_nothing_is_due(server: Server) -> None:
    """Six builds are due, of which the third stays under another name."""
    image = server.image()
    push_weekly(server, image, 8)
    for waiting in ({"sha-4", "sha-5"}, set[str]()):
        dry, real = (
            clean(server, image, delete_at_most=4, dry_run=is_dry) for is_dry in (True, False)
        )
        assert real.exit_code == 0, real.text
        assert dry.names(State.DOOMED) == real.names(State.DELETED)
        assert tags(server, image) == {"sha-6", "sha-7", "latest", "corpus-2"} | waiting
    assert len(server.rows(image)) == 4 + 3 * 2


def test_a_release_under_four_names_takes_one_place(server: Server) -> None:
    image = server.image()
    server.pusher.multiarch(image, "1.2.2", 1)
    names = ("1.2.3", "1.2", "1", "stable")
    for name in names:
        server.pusher.multiarch(image, name, 2)
    server.pusher.multiarch(image, "1.3.0", 3)
    assert clean(server, image).exit_code == 0
    assert tags(server, image) == {*names, "1.3.0"}


def test_tagged_parts_stay_as_long_as_the_tag_they_make(server: Server) -> None:
    image = server.image()
    for tag in ("v1", "v2"):
        for arch in ("amd64", "arm64"):
            server.pusher.image(image, f"{tag}-{arch}", seed=tag, arch=arch)
        server.pusher.manifest_create(image, tag, [f"{tag}-amd64", f"{tag}-arm64"])
    clean(server, image, keep_latest=0, protect=("v2",))
    assert tags(server, image) == {"v2", "v2-amd64", "v2-arm64"}


def test_attachments_live_as_long_as_their_subject(server: Server) -> None:
    image = server.image()
    old, _ = server.pusher.multiarch(image, "v1", 1)
    new, _ = server.pusher.multiarch(image, "v2", 2)
    for digest in (old, new):
        server.pusher.signature(image, digest)
        server.pusher.referrers(image, digest)
    clean(server, image, keep_latest=1)
    subject = new.replace(":", "-")
    assert tags(server, image) == {"v2", subject, f"{subject}.sig"}
    assert len(server.rows(image)) == 3 + 2 + 1


def test_streams_of_tags_are_kept_by_their_own_policies(server: Server) -> None:
    image = server.image()
    for number in range(4):
        for stream in ("v1.", "pr-", "t"):
            server.pusher.multiarch(image, f"{stream}{number}", f"{stream}{number}")
    policies = (Policy(("v1.*",), 2, 0), Policy(("pr-*",), 0, 30))
    clean(server, image, keep_latest=1, policies=policies)
    assert tags(server, image) == {"v1.2", "v1.3", "t3"}


def test_a_neighbour_with_the_same_prefix_is_not_touched(server: Server) -> None:
    image = server.image()
    for name in (image, f"{image}-base", f"{image}/sub"):
        for number in range(3):
            server.pusher.image(name, f"t{number}", number)
    clean(server, f"{image}/sub", keep_latest=1)
    clean(server, image, keep_latest=1)
    assert tags(server, image) == {"t2"}
    assert tags(server, f"{image}/sub") == {"t2"}
    assert tags(server, f"{image}-base") == {"t0", "t1", "t2"}


def test_more_versions_than_a_page_are_all_seen(server: Server) -> None:
    image = server.image()
    for number in range(120):
        server.pusher.image(image, f"t{number}", seed=number)
    clean(server, image, keep_latest=3)
    assert tags(server, image) == {"t117", "t118", "t119"}


def test_an_unknown_image_is_said_and_is_no_failure(server: Server) -> None:
    image = server.image()
    outcome = clean(server, image)
    assert outcome.exit_code == 0
    assert outcome.warnings == [f"No versions found for {server.owner}/{image}: check the name."]


@pytest.mark.parametrize("look", [1, 2])
def test_what_is_pushed_before_a_look_survives_with_all_it_needs(server: Server, look: int) -> None:
    """Look 1 precedes the tags, look 2 the untagged versions; each may come too late for a tag."""
    image = server.image()
    _, children = server.pusher.multiarch(image, "old", 1)
    server.pusher.multiarch(image, "new", 2)
    looks: list[int] = []

    def push() -> None:
        server.pusher.index(image, "again", [(children[0], "amd64"), (children[1], "arm64")])
        server.pusher.multiarch(image, "old", 1)

    with patch("registry_gc.run.sweep.look_again", _after(push, look, looks)):
        outcome = clean(server, image, keep_latest=1)
    assert outcome.exit_code == 0, outcome.text
    assert tags(server, image) == {"old", "new", "again"}


def _after(
    push: Callable[[], object], look: int, looks: list[int]
) -> Callable[[Reader, Plan], Plan]:
    def pushed_then_looked(reader: Reader, plan: Plan) -> Plan:
        looks.append(1)
        if len(looks) == look:
            push()
        return look_again(reader, plan)

    return pushed_then_looked
