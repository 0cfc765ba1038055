"""Of what is due the oldest builds go first, whole; what is no build has its place too."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from registry_gc.policy.decide import Rules, decide
from registry_gc.policy.drain import Due, waiting
from registry_gc.settings.parse import Policy
from tests.policy.registries import NOW, OLD, Row, attachment, registry, rules, tags, untagged


def runs(rows: Sequence[Row], rules: Rules, most: int) -> list[set[str]]:
    """What each of the runs deletes, until nothing is due."""
    versions, graph = registry(rows)
    gone: list[set[str]] = []
    while doomed := decide(versions, graph, rules, NOW).doomed:
        (ids,) = waiting([Due(versions, graph, doomed)], most)
        now = decide(versions, graph, replace(rules, waiting=ids), NOW).doomed
        gone.append({v.name for v in versions if v.id in now})
        assert gone[-1]
        versions = [v for v in versions if v.id not in now]
    return gone


def test_the_oldest_builds_of_all_images_go_first() -> None:
    first, second = registry(tags("c", "a", age=10)), registry(tags("d", "b", age=9.5))
    every = [{1, 2}, {1, 2}]
    dues = [Due(*image, ids) for image, ids in zip((first, second), every, strict=True)]
    assert waiting(dues, 4) == [frozenset(), frozenset()]
    assert waiting(dues, 3) == [frozenset(), frozenset({1})]
    assert waiting(dues, 1) == [frozenset({1}), frozenset({1, 2})]


def test_a_build_goes_with_its_names_parts_children_and_attachments() -> None:
    """It is as old as the newest of its names and parts."""
    rows = [
        Row("1.0", 11, (1, 2), age=30),
        Row("1", 11, (1, 2), age=12),
        Row("1.0-arm", 2, age=30),
        untagged(1),
        Row(attachment(11), 21),
        Row("main", 3, age=20),
        Row("latest", 4, age=0),
    ]
    first, second = runs(rows, rules(latest=1), 1)
    assert first == {"main"}
    assert second == {"1.0", "1", "1.0-arm", untagged(1).name, attachment(11)}


@pytest.mark.parametrize("stays", [Row("latest", 9, age=0, also=(1,)), untagged(1, age=0)])
def test_a_build_goes_whole_while_what_stays_holds_it_under_no_name_that_is_pulled(
    stays: Row,
) -> None:
    """As the older manifest of a row, or untagged."""
    rows = [Row("main", 8, age=0), stays, Row("b", 1, age=20), Row("a", 1, age=21)]
    keeping = rules(latest=1, untagged_days=5, latest_too=Policy(("latest",), 1, 0))
    assert runs(rows, keeping, 1) == [{"a", "b"}]


def test_of_builds_that_share_their_newest_tag_as_a_part_the_older_goes_first() -> None:
    rows = [
        Row("part", 1, age=10),
        Row("v2", 12, (1,), age=30),
        Row("v1", 11, (1,), age=31),
        Row("latest", 4, age=0),
    ]
    for order in (rows, rows[::-1]):
        assert runs(order, rules(latest=1), 1) == [{"v1"}, {"v2", "part"}]


def test_what_a_waiting_build_shares_stays_with_it() -> None:
    rows = [
        Row("v2", 12, (1, 2), age=20),
        Row("v1", 11, (1, 3), age=30),
        *(untagged(n) for n in (1, 2, 3)),
        Row("latest", 4, age=0),
    ]
    versions, graph = registry(rows)
    ids = frozenset({1})
    decision = decide(versions, graph, replace(rules(latest=1), waiting=ids), NOW)
    kept = {v.name: decision.kept[v.id] for v in versions if v.id in decision.kept}
    left = "left for the next run: beyond keep-latest 1 and older than 0 days"
    assert kept == {
        "latest": "keep-latest 1/1",
        "v2": left,
        untagged(1).name: "part of v2",
        untagged(2).name: "part of v2",
    }


def test_names_go_before_the_newer_build_for_which_they_are_out_of_date() -> None:
    """Else they would be the newest names again, and stay for ever."""
    rows = [
        Row("v3", 1, age=10),
        Row("x3", 1, age=11),
        Row("v2", 2, age=20),
        Row("v1", 1, age=30),
    ]
    keeping = rules(latest=1, x=Policy(("x*",), 0, 0))
    assert runs(rows, keeping, 4) == [{"x3", "v2", "v1"}]
    assert runs(rows, keeping, 1) == [{"v1"}, {"v2"}, {"x3"}]


def test_what_no_tag_leads_to_counts_like_a_build() -> None:
    """An index with what it lists, and an attachment of nothing."""
    rows = [
        Row("latest", 9, age=0),
        untagged(11, (1, 2), age=20),
        untagged(1, age=40),
        untagged(2, age=40),
        untagged(3, age=30),
        Row(attachment(77), 21, age=25),
    ]
    first, second, third = runs(rows, rules(latest=1), 1)
    assert first == {untagged(3).name}
    assert second == {attachment(77)}
    assert third == {untagged(n).name for n in (11, 1, 2)}


def test_what_something_younger_leads_to_waits_with_it_and_holds_up_nothing() -> None:
    """Else it would be the oldest in each run, and never go: here v1, listed by an attachment."""
    rows = [
        Row("latest", 9, age=0),
        untagged(11, (12,), age=20),
        untagged(12, age=70),
        Row(attachment(11, ""), 21, (1, 13), age=20),
        Row("v1", 1, age=60),
        untagged(13, age=80),
        Row("v2", 2, age=50),
    ]
    first, second = runs(rows, rules(latest=1), 1)
    children = {untagged(n).name for n in (11, 12, 13)}
    assert first == {attachment(11, ""), "v1", *children}
    assert second == {"v2"}


def test_the_trash_goes_when_its_days_are_over_and_takes_no_portion() -> None:
    """It came there in portions; what only it needs goes with it."""
    rows = [
        Row("latest", 9, age=0),
        Row("gc-trash.v1", 11, (1,), age=8),
        untagged(1),
        Row("gc-trash.v2", 12, (2,), age=8),
        untagged(2),
        Row("v4", 4, age=OLD),
        Row("v2-arm", 2, age=OLD - 1),
    ]
    keeping = replace(rules(latest=1), trash_days=7)
    trash = {"gc-trash.v1", untagged(1).name, "gc-trash.v2", untagged(2).name}
    assert runs(rows, keeping, 1) == [trash | {"v4"}, {"v2-arm"}]
