"""What is kept and why: the README's rules on plain data."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from registry_gc.policy.decide import reach
from registry_gc.settings.parse import Policy
from tests.policy.registries import (
    NOW,
    OLD,
    Row,
    attachment,
    digest,
    kept,
    registry,
    rules,
    tags,
    untagged,
    verdicts,
)

LAST = "the image's last tag"


# --- rules 1 to 4: what is kept for its own sake


def test_the_newest_stay_the_young_stay_and_the_rest_goes_with_its_reason() -> None:
    assert verdicts(tags("f", "e", "d", "c", "b", age=9), rules(latest=2, days=11)) == (
        {
            "f": "keep-latest 1/2",
            "e": "keep-latest 2/2",
            "d": "younger than 11 days",
        },
        {
            "c": "beyond keep-latest 2 and older than 11 days",
            "b": "beyond keep-latest 2 and older than 11 days",
        },
    )


def test_one_day_is_one_day() -> None:
    assert verdicts(tags("b", "a", age=1), rules(days=1)) == (
        {"b": "younger than 1 day"},
        {"a": "beyond keep-latest 0 and older than 1 day"},
    )


@pytest.mark.parametrize(
    ("days", "stays"), [(30, True), (30 + 1 / 86400, False), (0, True), (-1, True)]
)
def test_what_is_exactly_keep_days_old_stays(days: float, stays: bool) -> None:
    rows = [*tags("new", age=-2), Row("a", 9, age=days)]
    assert ("a" in kept(rows, rules(latest=1, days=int(max(days, 0))))) is stays


def test_of_equal_dates_the_higher_id_is_the_newer() -> None:
    rows = [Row(name, place, age=9) for place, name in enumerate(["a", "b", "c"])]
    assert kept(rows, rules(latest=2)) == {"c": "keep-latest 1/2", "b": "keep-latest 2/2"}
    assert kept(rows, rules()) == {"c": LAST}


def test_the_order_of_the_listing_does_not_count() -> None:
    rows = tags("c", "b", "a")
    assert kept(rows[::-1], rules(latest=2)) == kept(rows, rules(latest=2))


def test_what_is_protected_stays_and_uses_up_no_place() -> None:
    rows = tags("Latest", "corpus-9", "c", "b", "a")
    assert kept(rows, rules(latest=1, protect="latest corpus-*")) == {
        "Latest": "protected by latest",
        "corpus-9": "protected by corpus-*",
        "c": "keep-latest 1/1",
    }


def test_what_is_in_use_stays_and_uses_up_no_place() -> None:
    rows = [*tags("D", "c", "b"), untagged(7), untagged(8)]
    used = replace(
        rules(latest=1),
        tags_in_use={"d": "compose.yaml:12"},
        digests_in_use={digest(2): "k8s.yaml:3", digest(7): "k8s.yaml:4"},
    )
    assert kept(rows, used) == {
        "D": "in use: compose.yaml:12",
        "c": "in use: k8s.yaml:3",
        "b": "keep-latest 1/1",
        digest(7): "in use: k8s.yaml:4",
    }


def test_what_is_alive_stays_and_uses_up_no_place() -> None:
    alive = replace(rules(latest=1), alive={"d": "branch d exists"})
    assert kept(tags("D", "c", "b"), alive) == {"D": "branch d exists", "c": "keep-latest 1/1"}


def test_patterns_and_tags_in_use_speak_of_no_untagged_version() -> None:
    used = replace(
        rules(protect="*"),
        tags_in_use={digest(7): "compose.yaml:1"},
        alive={digest(7): "branch x exists"},
    )
    assert kept([*tags("a"), untagged(7)], used) == {"a": "protected by *"}


def test_a_tag_belongs_to_the_first_policy_that_matches() -> None:
    rows = tags("v3", "v2", "pr-2", "b", "v1", "pr-1", "a")
    streams = rules(
        1,
        0,
        releases=Policy(("v*", "release-*"), 2, 0),
        requests=Policy(("pr-*", "v*"), 0, 403),
    )
    assert verdicts(rows, streams) == (
        {
            "v3": "keep-latest 1/2 of v*, release-*",
            "v2": "keep-latest 2/2 of v*, release-*",
            "pr-2": "younger than 403 days",
            "b": "keep-latest 1/1",
        },
        {
            "v1": "beyond keep-latest 2 of v*, release-* and older than 0 days",
            "pr-1": "beyond keep-latest 0 of pr-*, v* and older than 403 days",
            "a": "beyond keep-latest 1 and older than 0 days",
        },
    )


def test_untagged_versions_and_attachments_never_count_and_have_their_own_days() -> None:
    rows = [
        untagged(7, age=5),
        untagged(8, age=11),
        Row(attachment(99), 9, age=5),
        Row(attachment(98), 10, age=11),
        *tags("b", "a", age=20),
    ]
    assert verdicts(rows, rules(latest=1, days=15, untagged_days=10)) == (
        {
            digest(7): "untagged, younger than 10 days",
            attachment(99): "attachment, younger than 10 days",
            "b": "keep-latest 1/1",
        },
        {
            digest(8): "unreachable",
            attachment(98): "its subject is nowhere in acme",
            "a": "beyond keep-latest 1 and older than 15 days",
        },
    )


# --- rule 5: what is kept for another's sake


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(
            [Row("v1", 1, (2, 3)), untagged(2), untagged(3), untagged(4)],
            {digest(2): "part of v1", digest(3): "part of v1"},
            id="untagged-children",
        ),
        pytest.param(
            [Row("v1", 1, (2, 3)), Row("v1-amd64", 2), Row("v1-arm64", 3), Row("v0-arm64", 4)],
            {"v1-amd64": "part of v1", "v1-arm64": "part of v1"},
            id="tags-as-children",
        ),
        pytest.param(
            [Row("v1", 1, (2,)), Row("a", 2), Row("b", 2), untagged(2)],
            {"a": "part of v1", "b": "part of v1", digest(2): "part of v1"},
            id="every-name-of-a-child",
        ),
        pytest.param(
            [Row("v1", 1, (2,)), untagged(2), Row("v0", 9, (2, 8)), untagged(8), untagged(9, (2,))],
            {digest(2): "part of v1"},
            id="a-child-shared-with-what-goes",
        ),
        pytest.param(
            [Row("v1", 1), Row(attachment(1), 5), Row(attachment(2), 6)],
            {attachment(1): "attached to v1"},
            id="a-signature",
        ),
        pytest.param(
            [Row("v1", 1, (2,)), untagged(2), Row(attachment(2, ".att"), 5)],
            {digest(2): "part of v1", attachment(2, ".att"): "attached to v1"},
            id="a-signature-of-a-child",
        ),
        pytest.param(
            [Row("v1", 1), Row(attachment(1), 5), Row(attachment(5), 6), Row(attachment(6), 7)],
            {
                attachment(1): "attached to v1",
                attachment(5): "attached to v1",
                attachment(6): "attached to v1",
            },
            id="a-chain",
        ),
        pytest.param(
            [
                Row("v1", 1),
                Row(attachment(1, ""), 5, (6,)),
                untagged(6),
                Row(attachment(6, ""), 7, (8,)),
                untagged(8),
                Row(attachment(8), 9),
            ],
            {
                attachment(1, ""): "attached to v1",
                digest(6): "part of v1",
                attachment(6, ""): "attached to v1",
                digest(8): "part of v1",
                attachment(8): "attached to v1",
            },
            id="referrers-of-referrers",
        ),
        pytest.param(
            [Row("v1", 1, (2,)), Row("v1-amd64", 2), Row(attachment(2), 5)],
            {"v1-amd64": "part of v1", attachment(2): "attached to v1-amd64"},
            id="the-nearest-tag-is-named",
        ),
        pytest.param(
            [Row("v1", 1), Row("x", 9), Row("v0", 1, age=OLD + 1), Row(attachment(1), 5)],
            {attachment(1): "attached to v1"},
            id="a-subject-that-goes-under-its-other-name",
        ),
        pytest.param(
            [Row("v1", 1, also=(4,)), Row(attachment(4), 5)],
            {attachment(4): "attached to v1"},
            id="an-older-manifest-of-the-same-row",
        ),
        pytest.param(
            [Row("v1", 1, (2,), also=(4,), older=(5,)), untagged(2), untagged(5), Row("v0", 5)],
            {digest(2): "part of v1", digest(5): "part of v1", "v0": "part of v1"},
            id="the-parts-of-an-older-manifest",
        ),
        pytest.param(
            [Row("v1", 1, (77,)), Row("v0", 2, (78,)), untagged(78)], {}, id="a-missing-child"
        ),
    ],
)
def test_what_a_kept_version_needs_stays_and_nothing_else(
    rows: list[Row], expected: dict[str, str]
) -> None:
    v1, *rest = rows
    found, doomed = verdicts([replace(v1, age=1), *rest], rules(latest=1))
    assert found == {"v1": "keep-latest 1/1", **expected}
    assert set(doomed) == {row.name for row in rest} - set(expected)


def test_a_young_index_without_a_tag_keeps_its_parts() -> None:
    rows = [Row("v1", 1, age=1), untagged(5, (6, 7), age=2), untagged(6), Row("x", 7)]
    assert kept(rows, rules(latest=1, untagged_days=3)) == {
        "v1": "keep-latest 1/1",
        digest(5): "untagged, younger than 3 days",
        digest(6): f"part of {digest(5)[:19]}",
        "x": f"part of {digest(5)[:19]}",
    }


def test_circles_come_to_an_end() -> None:
    rows = [Row("a", 1, (2,)), Row("b", 2, (1,)), Row(attachment(3), 3)]
    assert kept(rows, rules(latest=1)).keys() == {"a", "b"}


def test_reach_adds_to_the_roots_and_changes_none() -> None:
    versions, graph = registry([Row("v1", 1, (2,)), untagged(2), untagged(3)])
    assert reach(versions, {1: "because", 2: "too"}, graph) == {1: "because", 2: "too"}
    assert reach(versions, {}, graph) == {}
    assert reach(versions, {99: "gone"}, graph) == {99: "gone"}
    roots = {1: "because"}
    assert reach(versions, roots, graph) == {1: "because", 2: "part of v1"}
    assert roots == {1: "because"}


# --- guards


def test_an_image_keeps_its_last_tag_and_what_it_needs() -> None:
    rows = [Row("a", 1, (2,)), untagged(2), Row("older", 3, age=OLD + 1), untagged(4)]
    assert verdicts(rows, rules()) == (
        {"a": LAST, digest(2): "part of a"},
        {"older": "beyond keep-latest 0 and older than 0 days", digest(4): "unreachable"},
    )


def test_a_tag_that_stays_for_another_reason_is_tag_enough() -> None:
    rows = [untagged(1, (2,), age=1), *tags("newest"), Row("part", 2, age=OLD + 5)]
    found = kept([rows[0], replace(rows[1], holds=9), rows[2]], rules(untagged_days=2))
    assert found.keys() == {digest(1), "part"}


def test_an_image_without_any_tag_is_left_alone() -> None:
    rows = [untagged(1), untagged(2, (1,)), Row(attachment(2), 3)]
    found, doomed = verdicts(rows, rules())
    assert not doomed
    assert set(found.values()) == {"left alone: the image has no tag"}
    assert verdicts([], rules()) == ({}, {})


# --- the original script


def original(
    images: Iterable[tuple[str, datetime]], days: int, latest: int, now: datetime
) -> set[str]:
    """What the script this action stands in for kept, written from its description."""
    stays, others = set(), 0
    for tag, created in sorted(images, key=lambda pair: pair[1], reverse=True):
        if tag == "latest" or tag.startswith("corpus-"):
            stays.add(tag)
        elif others < latest:
            others += 1
            stays.add(tag)
        elif created >= now - timedelta(days=days):
            stays.add(tag)
    return stays


AGES = [0, 1, 2, 5, 29, 29.99, 30, 30.01, 31, 60, 90, 179, 179.99, 180, 180.01, 200, 365, 900]
TAGS = {
    **{f"c0ffee{place}": float(age) for place, age in enumerate(AGES)},
    "latest": 300.0,
    "corpus-old": 2000.0,
    "corpus-new": 0.5,
    "latest-2": 250.0,
    "corpus": 251.0,
}


@pytest.mark.parametrize(
    ("days", "latest"), [(180, 6), (30, 3), (0, 6), (0, 0), (180, 0), (5, 100), (3650, 1)]
)
def test_plain_images_are_judged_tag_for_tag_as_by_the_original_script(
    days: int, latest: int
) -> None:
    rows = [Row(name, place, age=age) for place, (name, age) in enumerate(TAGS.items())]
    expected = original(
        ((name, NOW - timedelta(days=age)) for name, age in TAGS.items()), days, latest, NOW
    )
    assert kept(rows, rules(latest, days, days, protect="latest corpus-*")).keys() == expected
    assert {"latest", "corpus-old"} <= expected
