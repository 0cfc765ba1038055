"""What keep-latest and keep-days count: builds, each of which takes one place."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from registry_gc.policy.decide import Rules, decide
from registry_gc.policy.places import why_kept
from registry_gc.registry.versions import Version
from registry_gc.settings.parse import Policy
from tests.policy.registries import (
    NOW,
    Row,
    attachment,
    digest,
    kept,
    registry,
    rules,
    untagged,
    verdicts,
)


def test_a_release_with_four_names_takes_one_place() -> None:
    names = ("stable", "1", "1.2", "1.2.3")
    rows = [Row(name, 1, age=age) for age, name in enumerate(names, 1)]
    rows += [Row("b", 2, age=8), Row("a", 3, age=9)]
    assert verdicts(rows, rules(latest=2)) == (
        {**dict.fromkeys(names, "keep-latest 1/2"), "b": "keep-latest 2/2"},
        {"a": "beyond keep-latest 2 and older than 0 days"},
    )


def test_names_of_one_build_share_a_place_though_other_builds_lie_between() -> None:
    rows = [Row("c", 3, age=1), Row("b", 2, age=2), Row("c-too", 3, age=3), Row("a", 1, age=4)]
    assert kept(rows, rules(latest=2)) == {
        "c": "keep-latest 1/2",
        "b": "keep-latest 2/2",
        "c-too": "keep-latest 1/2",
    }


def test_a_name_older_than_the_first_build_that_goes_goes_too() -> None:
    """It was counted out before anything was known of what it holds."""
    rows = [Row("c", 3, age=1), Row("b", 2, age=2), Row("was-c", 3, age=3)]
    assert kept(rows, rules(latest=1)) == {"c": "keep-latest 1/1"}


def test_names_of_one_build_take_a_place_in_each_policy_they_belong_to() -> None:
    rows = [Row("v1", 1, age=1), Row("main", 1, age=2), Row("v0", 9, age=3), Row("old", 8, age=4)]
    assert kept(rows, rules(1, releases=Policy(("v*",), 1, 0))) == {
        "v1": "keep-latest 1/1 of v*",
        "main": "keep-latest 1/1",
    }


def test_the_parts_of_an_index_take_no_place() -> None:
    rows = []
    for number, age in ((3, 10), (2, 20), (1, 30)):
        amd64, arm64 = number * 10, number * 10 + 1
        rows += [
            Row(f"v{number}", number, (amd64, arm64), age),
            Row(f"v{number}-amd64", amd64, age=age + 1),
            Row(f"v{number}-arm64", arm64, age=age + 2),
        ]
    found, doomed = verdicts(rows, rules(latest=2))
    assert found == {
        "v3": "keep-latest 1/2",
        "v3-amd64": "part of v3",
        "v3-arm64": "part of v3",
        "v2": "keep-latest 2/2",
        "v2-amd64": "part of v2",
        "v2-arm64": "part of v2",
    }
    assert set(doomed) == {"v1", "v1-amd64", "v1-arm64"}


def test_the_parts_of_a_protected_index_take_no_place_however_new_they_are() -> None:
    rows = [Row("latest-amd64", 2, age=1), Row("latest", 1, (2,), age=9)]
    rows += [Row("b", 8, age=10), Row("a", 9, age=11)]
    assert kept(rows, rules(latest=1, protect="latest")) == {
        "latest": "protected by latest",
        "latest-amd64": "part of latest",
        "b": "keep-latest 1/1",
    }


def test_a_part_pushed_again_after_its_index_counts_by_itself() -> None:
    """As version 1.0.0 kept it; its index is an older build."""
    rows = [Row("v1-amd64", 2, age=1), Row("v2", 5, age=2), Row("v1", 1, (2,), age=3)]
    assert kept(rows, rules(latest=2)) == {
        "v1-amd64": "keep-latest 1/2",
        "v2": "keep-latest 2/2",
    }
    assert kept(rows, rules(latest=3)).keys() == {"v1-amd64", "v2", "v1"}


def test_a_part_that_belongs_to_another_policy_than_its_index_counts_there() -> None:
    rows = [Row("v2", 1, (2,), 1), Row("v2-x", 2, age=2), Row("v1", 3, (4,), 3), Row("v1-x", 4)]
    parts = Policy(("*-x",), 2, 0)
    assert kept(rows, rules(latest=1, parts=parts)) == {
        "v2": "keep-latest 1/1",
        "v2-x": "keep-latest 1/2 of *-x",
        "v1-x": "keep-latest 2/2 of *-x",
    }


def test_a_build_is_as_young_as_its_newest_name() -> None:
    rows = [Row("moved", 1, age=1), Row("b", 2, age=2), Row("first", 1, age=4), Row("a", 3, age=5)]
    assert kept(rows, rules(days=3)) == dict.fromkeys(("moved", "b"), "younger than 3 days") | {
        "first": "younger than 3 days"
    }


def test_untagged_versions_and_what_only_they_list_share_no_places() -> None:
    rows = [untagged(1, (2,), age=1), Row("b", 2, age=2), Row("a", 3, age=3)]
    assert kept(rows, rules(latest=1)) == {"b": "keep-latest 1/1"}
    used = replace(rules(latest=1), digests_in_use={digest(1): "deploy.yaml:1"})
    assert kept(rows, used) == {digest(1): "in use: deploy.yaml:1", "b": "keep-latest 1/1"}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy((), 0, 0), ("", "", "")),
        (Policy((), 2, 0), ("keep-latest 1/2", "keep-latest 2/2", "")),
        (Policy(("v*", "w"), 1, 0), ("keep-latest 1/1 of v*, w", "", "")),
        (Policy((), 1, 401), ("keep-latest 1/1", "younger than 401 days", "")),
    ],
)
def test_each_place_has_its_reason(policy: Policy, expected: tuple[str, ...]) -> None:
    created = [NOW - timedelta(days=days) for days in (1, 400, 402)]
    places = [Version(number, "app", f"v{number}", at) for number, at in enumerate(created)]
    assert why_kept(places, policy, NOW) == expected


def until(rows: Sequence[Row], rules: Rules) -> dict[str, float]:
    """In how many days what only its age keeps goes, by name."""
    versions, graph = registry(rows)
    names = {v.id: v.name for v in versions}
    moments = decide(versions, graph, rules, NOW).until.items()
    return {names[i]: (moment - NOW).total_seconds() / 86400 for i, moment in moments}


def test_what_only_its_age_keeps_goes_when_its_days_are_over() -> None:
    rows = [Row("d", 4, age=1), Row("c", 3, age=2), Row("b", 2, age=2.5), Row("a", 1, age=4)]
    assert until(rows, rules(latest=1, days=3)) == {"c": 1, "b": 0.5}


def test_a_build_goes_under_all_its_names_when_its_newest_grows_old() -> None:
    rows = [Row("new", 1, age=1), Row("old", 1, age=2)]
    assert until(rows, rules(days=30)) == {"new": 29, "old": 29}


def test_untagged_versions_go_by_their_own_days_unless_something_needs_them() -> None:
    rows = [Row("v1", 1, (2,), 1), untagged(2, age=1), untagged(3, age=1), untagged(4, age=9)]
    assert until(rows, rules(latest=1, untagged_days=5)) == {digest(3): 4}
    assert until(rows, rules(days=3, untagged_days=5)) == {"v1": 2, digest(2): 4, digest(3): 4}


def test_what_is_needed_for_a_while_only_makes_nothing_else_stay_longer() -> None:
    rows = [Row("v1", 1, (2,), 1), untagged(2), Row(attachment(2), 5, age=1), Row("latest", 9)]
    chosen = rules(days=3, untagged_days=5, protect="latest")
    assert until(rows, chosen) == {"v1": 2, attachment(2): 4}
