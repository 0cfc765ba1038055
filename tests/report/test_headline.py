"""The sentences and words that the faces share."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from registry_gc.registry.builds import Build as Found
from registry_gc.registry.versions import Version
from registry_gc.report.report import Build, Image, Problem, Report, State, next_to_go
from registry_gc.report.wording import attached, contents, headline, upcoming
from tests.report import samples as reports
from tests.report.samples import NOW


def with_waiting() -> Image:
    """A build waits for the next run, and a name of one that stays."""
    due, name = (reports.row(n, 9, State.KEPT, "left for the next run") for n in ("v1", "old"))
    child = reports.row(reports.digest("v1"), 9, State.KEPT, "part of v1")
    kept = reports.row("v2", 1, State.KEPT, "keep-latest 1/1")
    gone = reports.row("v0", 20, State.DELETED, "beyond")
    builds = [reports.build(kept, name), reports.build(due, others=[child]), reports.build(gone)]
    waiting = frozenset(row.version.id for row in (due, child, name))
    return reports.image("app", builds, waiting=waiting)


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (reports.nothing_to_do, "Nothing to delete: all 3 builds (3 versions) of app stay."),
        (
            reports.dry_run,
            "Would delete 5 of 12 builds of app (22 of 51 versions); up to 598.0 MB would be "
            "freed.",
        ),
        (reports.deletions, "Deleted 5 of 12 builds of app (22 of 51 versions)."),
        (
            reports.failures,
            "Deleted 2 of 12 builds of app (16 of 51 versions), 6 deletions failed; "
            "up to 419.0 MB will be freed tonight.",
        ),
        (
            reports.refused,
            "Deleted nothing: Refused by max-delete: 22 of 51 versions (43.1%) of app would be "
            "deleted, and max-delete allows 30%.",
        ),
        (
            reports.refused_dry_run,
            "5 of 12 builds of app (22 of 51 versions) are due for deletion, but: Refused by "
            "max-delete: 22 of 51 versions (43.1%) of app would be deleted, and max-delete allows "
            "30%.",
        ),
        (
            reports.interrupted,
            "Stopped early: deleted 5 of 12 builds of app (5 of 51 versions), 17 were not tried; "
            "up to 179.0 MB will be freed tonight. 1 error.",
        ),
        (
            reports.unreachable,
            "Failed: https://git.example.org does not answer: connection refused.",
        ),
        (reports.report, "Nothing to do: no image was found."),
        (
            reports.many_images,
            "Deleted 7 of 26 builds of 7 images (32 of 95 versions); up to 837.0 MB will be freed "
            "tonight.",
        ),
        (
            lambda: reports.report(
                reports.image(
                    "app",
                    [reports.build(reports.row("v1", 1, State.KEPT, "keep-latest 1/6"))],
                    [reports.row(reports.digest("x"), 9, State.DELETED, "unreachable")],
                )
            ),
            "Deleted none of 1 build of app (1 of 2 versions).",
        ),
        (
            lambda: reports.report(reports.small(State.FAILED, "500")),
            "Deleted nothing of app, 1 deletion failed.",
        ),
        (
            lambda: reports.report(reports.small(State.DELETED), freed=0),
            "Deleted 1 of 3 builds of app (1 of 3 versions); no space is freed, for other "
            "versions use the same blobs.",
        ),
        (
            lambda: reports.report(with_waiting(), freed=5),
            "Deleted 1 of 3 builds of app (1 of 5 versions), 1 build (3 versions) is left for the "
            "next run; up to 5 B will be freed tonight.",
        ),
        (
            lambda: reports.report(
                reports.small(State.DELETED),
                freed=5,
                settings={"reclaim": True},
                problems=(Problem("One."), Problem("Two."), Problem("Three.", False)),
            ),
            "Deleted 1 of 3 builds of app (1 of 3 versions); up to 5 B will be freed by tonight. "
            "2 errors and 1 warning.",
        ),
    ],
)
def test_the_headline_says_it_all(sample: Callable[[], Report], expected: str) -> None:
    """One sentence is what most people read, and it must not promise too much."""
    assert headline(sample()) == expected


def test_what_goes_next_is_the_first_day_on_which_a_kept_build_grows_too_old() -> None:
    """Builds that something else keeps too have no such day."""

    def built(name: str, state: State, days: float | None) -> Build:
        until = None if days is None else NOW + timedelta(days=days)
        return reports.build(reports.row(name, 1, state, "young", until=until))

    rows = [("a", 9), ("b", 8.2), ("c", 8.8), ("d", None)]
    builds = [built(name, State.KEPT, days) for name, days in rows]
    builds.append(built("e", State.DELETED, 3))
    mixed = reports.build(
        reports.row("f", 1, State.KEPT, "young", until=NOW),
        reports.row("latest", 1, State.KEPT, "protected by latest"),
    )
    image = reports.image("app", [*builds, mixed])
    day = (NOW + timedelta(days=8)).date()
    assert next_to_go([image]) == (day, 2)
    assert upcoming([image]) == "Next: 2 builds on 2026-11-10, unless something else keeps them."
    assert (next_to_go([]), upcoming([])) == (None, "")


def test_a_build_is_what_becomes_of_its_tags() -> None:
    """Kept while one name is; gone when all are; failed or untried while one is that."""
    kept, failed, doomed, deleted = (
        reports.row(state, 1, state, f"because {state}") for state in State
    )
    for tags, state in (
        ((deleted, kept), "kept"),
        ((deleted, failed, doomed), "failed"),
        ((deleted, doomed), "doomed"),
        ((deleted,), "deleted"),
    ):
        build = reports.build(*tags)
        assert (build.state, build.reason) == (state, f"because {state}")


def test_what_a_build_is_made_of_in_words() -> None:
    """Platforms as people say them, what is attached, and parts that are tags."""
    versions = [
        Version(number, "app", name, NOW)
        for number, name in enumerate(
            [
                "v1",
                *(f"sha256-{'a' * 64}{ending}" for ending in ("", ".sig", ".sbom", ".att")),
                f"SHA256-{'b' * 64}.sig",
                f"sha256:{'c' * 64}",
            ]
        )
    ]
    found = Found((versions[0],), (), (), tuple(versions[1:]), (), 2)
    assert attached(found) == ("SBOM", "attested (3)", "referrers", "signed (2)")
    tag = reports.row("v1", 1, State.KEPT, "")
    build = reports.build(
        tag,
        parts=(tag, tag),
        platforms=("linux/amd64", "linux/arm/v7", "windows/amd64"),
        attached=("signed",),
    )
    assert contents(build) == "amd64 arm/v7 windows/amd64, signed, 2 tagged parts"
    assert contents(reports.build(tag)) == ""
