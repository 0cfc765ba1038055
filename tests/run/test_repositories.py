"""What repositories deploy stays; one that cannot be read, and nothing is deleted."""

from collections.abc import Iterator
from typing import Any

import pytest

from registry_gc.report.report import State
from tests.harness import age_all, contents, in_process, names_in, run_gc
from tests.sandbox import Box

STRICT: dict[str, Any] = {
    "keep_days": 0,
    "keep_latest": 0,
    "package": ("*",),
    "protect_from_repositories": ("acme/*",),
}
IMAGES = ("app", "web", "db")


@pytest.fixture
def box() -> Iterator[Box]:
    """Three images with four builds each; an archived and a living repository use some."""
    with in_process() as made:
        digests = {}
        for image in IMAGES:
            for tag in ("v1", "v2", "v3", "latest"):
                digests[image, tag], _ = made.push.multiarch(image, tag, f"{image}:{tag}")
            age_all(made, 365, image=image)
        acme, add = made.store.owner("acme"), made.store.forge.add
        add(acme, "deploy", {"compose.yaml": f"image: g/acme/app@{digests['app', 'v1']}\n"})
        add(acme, "helm", {"values.yaml": "repository: acme/web\n", "prod.yaml": "tag: v2\n"})
        add(acme, "old", {"flux.yaml": "image: acme/db:v3\n"}, archived=True)
        add(acme, "empty")
        yield made


def test_what_repositories_pin_stays_whole_and_the_rest_goes(box: Box) -> None:
    outcome = run_gc(box, **STRICT)
    assert outcome.exit_code == 0, outcome.text
    stays = {i: {n for n in names_in(box, i) if not n.startswith("sha256:")} for i in IMAGES}
    assert stays == {"app": {"v1", "latest"}, "web": {"v2", "latest"}, "db": {"v3", "latest"}}
    assert [box.push.missing(i, tag) for i in IMAGES for tag in stays[i]] == [[]] * 6
    assert outcome.why("app", "v1") == "in use: acme/deploy@main: compose.yaml:1"
    assert outcome.why("web", "v2") == "in use: acme/helm@main: prod.yaml:1"
    assert outcome.why("db", "v3") == "in use: acme/old@main: flux.yaml:1"
    assert "Looked at 4 repositories (at 2026-06-01 12:00:00 UTC), 4 files in them." in outcome.text


def test_one_repository_that_cannot_be_read_and_nothing_is_deleted(box: Box) -> None:
    box.store.forge.repositories["acme", "old"].has_code = False
    before = contents(box)
    for dry_run in (True, False):
        outcome = run_gc(box, **STRICT, dry_run=dry_run)
        assert outcome.exit_code == 1
        assert outcome.errors[0].startswith("protect-from-repositories: acme/old was not searched.")
        assert outcome.names(State.DOOMED) == set()
    assert contents(box) == before
    assert box.faults.count("DELETE") == 0
