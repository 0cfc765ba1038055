"""How much of a registry is read, and that this decides nothing."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry_gc.policy.decide import Decision, Rules, decide, unread
from registry_gc.registry.manifests import Graph
from registry_gc.registry.version_names import is_plain_tag
from registry_gc.settings.parse import Policy
from tests.policy.registries import (
    NOW,
    OLD,
    Row,
    attachment,
    digest,
    kept,
    registries,
    registry,
    rules,
    tags,
    untagged,
    verdicts,
)


def reading(rows: Sequence[Row], rules: Rules, everything: bool) -> tuple[list[set[str]], Decision]:
    """The names read round by round, and the decision, when only what is asked for is read."""
    versions, whole = registry(rows)
    graph: Graph = {}
    rounds = []
    while todo := unread(versions, decide(versions, graph, rules, NOW), graph, rules, everything):
        assert not {v.id for v in todo} & graph.keys()
        rounds.append({v.name for v in todo})
        graph = {**graph, **{v.id: whole[v.id] for v in todo}}
    return rounds, decide(versions, graph, rules, NOW)


def test_of_plain_images_those_that_stay_are_read_and_the_first_that_goes() -> None:
    """For it could be a further name of one that stays."""
    rows = [*tags("d", "c", "b", "a"), untagged(9), Row(attachment(1), 5), Row(attachment(3), 6)]
    assert reading(rows, rules(latest=2), False)[0] == [{"d", "c", "b"}, {attachment(1)}]


def test_tags_are_read_newest_first_until_the_places_are_full() -> None:
    rows = [Row("d1", 4, age=1), Row("d2", 4, age=2), Row("d3", 4, age=3), Row("c1", 3, age=4)]
    rows += [Row("c2", 3, age=5), Row("b1", 2, age=6), Row("b2", 2, age=7), Row("a", 1, age=8)]
    rounds, decision = reading(rows, rules(latest=2), False)
    assert rounds == [{"d1", "d2", "d3"}, {"c1", "c2"}, {"b1"}]
    assert decision.kept.keys() == {1, 2, 3, 4, 5}


def test_nothing_is_read_for_a_policy_that_keeps_nothing() -> None:
    rows = [*tags("v2", "v1"), Row("latest", 9)]
    found = reading(rows, rules(protect="latest"), False)
    assert found[0] == [{"latest"}]


def test_once_an_index_stays_all_tags_and_its_parts_are_read() -> None:
    rows = [*tags("b"), Row("a", 10, (11, 12), OLD + 1), untagged(11), Row("x", 12, age=OLD + 2)]
    rows += [untagged(13), untagged(14, (15,)), Row("y", 16, (14,), OLD + 3)]
    assert reading(rows, rules(latest=2), False)[0] == [{"b", "a", "x"}, {"y", digest(11)}]


def test_a_part_is_read_for_it_may_be_an_index_whatever_the_index_above_calls_it() -> None:
    rows = [Row("a", 10, (11,)), untagged(11, (12,)), untagged(12), untagged(13)]
    rounds, decision = reading(rows, rules(latest=1), False)
    assert rounds == [{"a"}, {digest(11)}, {digest(12)}]
    assert decision.kept.keys() == {1, 2, 3}


@pytest.mark.parametrize("used", [{}, {digest(12): "f:1"}])
def test_what_is_found_nowhere_is_looked_for_under_every_name(used: dict[str, str]) -> None:
    """A server takes a manifest under the digest of another."""
    rows = [Row("a", 10, () if used else (12,)), untagged(13), Row(digest(11), 12)]
    rounds, decision = reading(rows, replace(rules(latest=1), digests_in_use=used), False)
    assert rounds == [{"a"}, {digest(11), digest(13)}]
    assert decision.kept.keys() == {1, 3}
    assert decision.doomed.keys() == {2}


def test_once_a_digest_is_in_use_all_tags_are_read() -> None:
    used = replace(rules(latest=1), digests_in_use={digest(2): "f:1"})
    rounds, decision = reading([*tags("b", "a"), untagged(9)], used, False)
    assert rounds == [{"b", "a"}]
    assert decision.kept[2] == "in use: f:1"


def test_everything_is_read_at_once_when_the_space_is_measured() -> None:
    rows = [*tags("c", "b"), untagged(9)]
    assert reading(rows, rules(latest=1), True)[0] == [{"c", "b", digest(9)}]


@st.composite
def any_rules(draw: st.DrawFn) -> Rules:
    few = st.integers(0, 3)
    stream = [Policy(("v*",), draw(few), draw(few))] if draw(st.booleans()) else []
    return Rules(
        ("latest",) if draw(st.booleans()) else (),
        (*stream, Policy((), draw(few), draw(few))),
        draw(few),
        {"b1": "f:1"} if draw(st.booleans()) else {},
        {digest(n): "f:2" for n in draw(st.sets(st.sampled_from([1, 3, 11]), max_size=1))},
    )


@settings(deadline=None, max_examples=150)
@given(registries(), any_rules())
def test_reading_less_decides_the_same(rows: list[Row], rules: Rules) -> None:
    assert reading(rows, rules, False)[1] == reading(rows, rules, True)[1]


@settings(deadline=None, max_examples=150)
@given(registries(), any_rules())
def test_nothing_that_stays_needs_anything_that_goes(rows: list[Row], rules: Rules) -> None:
    found, doomed = verdicts(rows, rules)
    assert found.keys() | doomed.keys() == {row.name for row in rows}
    assert not found.keys() & doomed.keys()
    stays = [row for row in rows if row.name in found]
    needed = {n for row in stays for n in row.children}
    held = {row.holds for row in stays}
    for row in rows:
        if row.holds in needed or row.name in {
            attachment(n, k) for n in held for k in ("", ".sig")
        }:
            assert row.name in found
    if any(is_plain_tag(row.name) for row in rows):
        assert any(is_plain_tag(name) for name in found)
    else:
        assert not doomed


@settings(deadline=None, max_examples=150)
@given(registries(), any_rules())
def test_a_second_run_deletes_nothing(rows: list[Row], rules: Rules) -> None:
    found = kept(rows, rules)
    assert not verdicts([row for row in rows if row.name in found], rules)[1]
