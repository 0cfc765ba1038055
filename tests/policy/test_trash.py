"""What the trash takes in, what it keeps, and when it lets go."""

from dataclasses import replace

import pytest
from hypothesis import given

from registry_gc.policy.decide import Decision, Rules, decide, reach
from registry_gc.registry.trash_names import LONGEST, PREFIX, is_name_of, trash_name
from registry_gc.registry.version_names import is_plain_tag
from tests.policy.registries import (
    NOW,
    Row,
    attachment,
    digest,
    registries,
    registry,
    rules,
    tags,
    untagged,
)
from tests.policy.test_reading import reading

WEEK = replace(rules(latest=1), trash_days=7)


def decided(rows: list[Row], chosen: Rules = WEEK) -> tuple[dict[str, str], Decision]:
    """What is kept by name, and the decision."""
    versions, graph = registry(rows)
    decision = decide(versions, graph, chosen, NOW)
    names = {v.id: v.name for v in versions}
    return {names[i]: why for i, why in decision.kept.items()}, decision


def test_a_tag_that_goes_gets_a_name_in_the_trash_and_what_it_needs_stays() -> None:
    rows = [
        Row("v2", 2, age=1),
        Row("v1", 10, (11, 12)),
        untagged(11),
        Row("v1-arm", 12),
        untagged(13),
        Row(attachment(11), 20),
    ]
    kept, decision = decided(rows)
    assert kept == {
        "v2": "keep-latest 1/1",
        digest(11): "part of v1 in the trash",
        attachment(11): "attached to v1 in the trash",
    }
    assert decision.trash == {2: "gc-trash.v1", 4: "gc-trash.v1-arm"}
    assert decision.doomed[5] == "unreachable"


def test_the_trash_is_kept_for_its_days_with_what_it_needs_and_then_goes() -> None:
    rows = [
        *tags("v2", age=1),
        Row("gc-trash.young", 10, (11,), age=6.9),
        untagged(11),
        Row("gc-trash.old", 20, (21,), age=7.1),
        untagged(21),
    ]
    kept, decision = decided(rows)
    assert kept == {
        "v2": "keep-latest 1/1",
        "gc-trash.young": "in the trash",
        digest(11): "part of gc-trash.young",
    }
    assert decision.doomed == {4: "in the trash for more than 7 days", 5: "unreachable"}
    assert decision.trash == {}
    assert f"{decision.until[2]:%Y-%m-%d}" == "2026-06-01"


@pytest.mark.parametrize("untagged_days", [0, 180])
def test_no_other_days_keep_the_trash(untagged_days: int) -> None:
    chosen = replace(WEEK, keep_untagged_days=untagged_days)
    _, decision = decided([*tags("v1"), Row("gc-trash.old", 20, age=8)], chosen)
    assert decision.doomed == {2: "in the trash for more than 7 days"}


def test_every_tag_that_goes_is_read_for_its_name_in_the_trash() -> None:
    rounds, decision = reading([*tags("c", "b", "a"), untagged(9)], WEEK, False)
    assert rounds == [{"c", "b", "a"}]
    assert decision.trash == {2: "gc-trash.b", 3: "gc-trash.a"}


def test_what_an_older_manifest_of_such_a_tag_lists_is_looked_for_under_every_name() -> None:
    """As for what stays: less is read, and the same is decided."""
    rows = [*tags("v2", age=1), Row("v1", 10, also=(20,), older=(21,)), Row(digest(22), 21)]
    rounds, decision = reading(rows, WEEK, False)
    assert rounds == [{"v2", "v1"}, {digest(22)}]
    assert decision.kept[3] == "part of v1 in the trash"
    assert decision == reading(rows, WEEK, True)[1]


def test_the_trash_takes_no_place_and_is_neither_protected_nor_in_use() -> None:
    chosen = replace(WEEK, protect=("*",), tags_in_use={"gc-trash.old": "deploy.yaml:1"})
    kept, _ = decided([*tags("v1"), Row("gc-trash.old", 20, age=8)], chosen)
    assert kept == {"v1": "protected by *"}
    kept, _ = decided([Row("gc-trash.new", 20, age=1), *tags("v1")])
    assert kept["v1"] == "keep-latest 1/1"


def test_without_trash_days_nothing_goes_into_the_trash_and_nothing_out_of_it() -> None:
    rows = [*tags("v2", "v1"), Row("gc-trash.old", 20, (21,)), untagged(21)]
    kept, decision = decided(rows, rules(latest=1))
    assert kept["gc-trash.old"] == "in the trash, and trash-days is not set"
    assert kept[digest(21)] == "part of gc-trash.old"
    assert (set(decision.doomed), decision.trash) == ({2}, {})


def test_a_tag_left_beside_its_copy_in_the_trash_renews_that_copy() -> None:
    """A run that ended between the two: the copy, old as it may be, must not go with its tag."""
    kept, decision = decided([*tags("v2", age=1), Row("v1", 9), Row("gc-trash.v1", 9, age=30)])
    assert kept["gc-trash.v1"] == "in the trash, and put there again"
    assert decision.trash == {2: "gc-trash.v1"}


def test_a_copy_in_the_trash_keeps_no_tag_that_goes_there_itself() -> None:
    """A run that ended between an index and the tags it is made of: all of it goes in the end."""
    rows = [Row("v2", 2, age=1), Row("x", 10, (11,)), Row("x-arm", 11)]
    _, decision = decided([*rows, Row("gc-trash.x", 10, (11,), age=1)])
    assert decision.trash == {2: "gc-trash.x", 3: "gc-trash.x-arm"}


def test_a_tag_that_lacks_a_part_stays_for_no_registry_takes_it_under_another_name() -> None:
    rows = [*tags("v2", age=1), Row("v1", 10, (11, 12)), untagged(11)]
    kept, decision = decided(rows)
    assert kept["v1"] == "lacks a part, so that the trash cannot take it"
    assert kept[digest(11)] == "part of v1"
    assert (decision.trash, set(decision.doomed)) == ({}, set())
    assert set(decided(rows, rules(latest=1))[1].doomed) == {2, 3}


def test_nothing_in_the_trash_is_written_over_and_every_tag_has_a_name_there() -> None:
    kept, decision = decided([*tags("v2", age=1), Row("v1", 9), Row("gc-trash.v1", 8, age=1)])
    assert kept["gc-trash.v1"] == "in the trash"
    (name,) = decision.trash.values()
    assert name != "gc-trash.v1" and is_name_of(name, "v1", digest(9))
    assert not is_name_of(name, "v1", digest(8)) and not is_name_of(name, "v2", digest(9))


@pytest.mark.parametrize("length", [119, 120, 128])
def test_a_name_too_long_for_the_trash_is_cut_and_stays_its_own(length: int) -> None:
    one, other = "a" * length, "a" * (length - 1) + "b"
    names = {trash_name(tag, digest(1), {}) for tag in (one, other)}
    assert len(names) == 2
    assert all(len(name) <= LONGEST and name.startswith(PREFIX) for name in names)
    assert is_name_of(trash_name(one, digest(1), {}), one, digest(1))
    assert not any(map(is_plain_tag, names))


def test_the_last_tag_of_an_image_does_not_go_into_the_trash() -> None:
    kept, decision = decided(tags("v1"), replace(rules(), trash_days=7))
    assert (kept, decision.trash) == ({"v1": "the image's last tag"}, {})


@given(registries())
def test_the_trash_keeps_more_and_never_less(rows: list[Row]) -> None:
    """Tags go as they went without it, and each of them finds all that it needs in what stays."""
    versions, graph = registry(rows)
    without, with_trash = (decide(versions, graph, r, NOW) for r in (rules(latest=1), WEEK))
    assert without.kept.items() <= with_trash.kept.items()
    doomed = {v.id for v in versions if is_plain_tag(v.name) and v.id in with_trash.doomed}
    assert doomed == with_trash.trash.keys()
    were = {d for manifest in graph.values() for d in manifest.digests}
    broken = {i for i in graph if any(c.digest not in were for c in graph[i].children)}
    untaken = broken & with_trash.kept.keys()
    kept_for_them = reach(versions, dict.fromkeys(untaken, ""), graph).keys()
    assert (
        doomed
        == {v.id for v in versions if is_plain_tag(v.name) and v.id in without.doomed}
        - kept_for_them
    )
    assert not doomed & broken
    there = {d for i in with_trash.kept.keys() | doomed for d in graph[i].digests}
    for i in doomed:
        assert {c.digest for c in graph[i].children} <= there
