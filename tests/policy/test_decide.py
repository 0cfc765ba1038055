"""What is kept and why: the README's rules on plain data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry_gc.policy.decide import Decision, Rules, decide, reach, unread
from registry_gc.registry.graph import Child, Graph, Manifest
from registry_gc.registry.version_names import is_plain_tag
from registry_gc.registry.versions import Version
from registry_gc.settings.parse import Policy

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
OLD = 400.0
LAST = "the image's last tag"


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def attachment(number: int, kind: str = ".sig") -> str:
    return digest(number).replace(":", "-") + kind


@dataclass(frozen=True)
class Row:
    """A version that holds manifest number `holds`, an index when there are children."""

    name: str
    holds: int
    children: tuple[int, ...] = ()
    age: float = OLD  # days
    also: tuple[int, ...] = ()  # older manifests, as 1.25.0 leaves them
    leaves: bool = True  # whether the index calls its children images


def untagged(holds: int, children: tuple[int, ...] = (), age: float = OLD) -> Row:
    return Row(digest(holds), holds, children, age)


def registry(rows: Sequence[Row]) -> tuple[list[Version], Graph]:
    """The rows with ids 1, 2, 3…, and their whole graph."""
    versions = [
        Version(place, "app", row.name, NOW - timedelta(days=row.age))
        for place, row in enumerate(rows, 1)
    ]
    graph = {
        place: Manifest(
            tuple(map(digest, (row.holds, *row.also))),
            tuple(Child(digest(n), "linux/amd64", row.leaves) for n in row.children),
            ((digest(row.holds), 1),),
        )
        for place, row in enumerate(rows, 1)
    }
    return versions, graph


def rules(
    latest: int = 0, days: int = 0, untagged_days: int = 0, *, protect: str = "", **streams: Policy
) -> Rules:
    named = tuple(streams.values())
    return Rules(tuple(protect.split()), (*named, Policy((), latest, days)), untagged_days)


def verdicts(rows: Sequence[Row], rules: Rules) -> tuple[dict[str, str], dict[str, str]]:
    """Reasons by name: (kept, doomed)."""
    versions, graph = registry(rows)
    decision = decide(versions, graph, rules, NOW)
    names = {v.id: v.name for v in versions}
    return (
        {names[i]: reason for i, reason in decision.kept.items()},
        {names[i]: reason for i, reason in decision.doomed.items()},
    )


def kept(rows: Sequence[Row], rules: Rules) -> dict[str, str]:
    return verdicts(rows, rules)[0]


def tags(*names: str, age: float = OLD) -> list[Row]:
    """Plain images, the first the newest, a day between two."""
    return [Row(name, place + 1, age=age + place) for place, name in enumerate(names)]


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
            attachment(98): "unreachable",
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
            [Row("v1", 1), Row("v0", 1), Row(attachment(1), 5)],
            {attachment(1): "attached to v1"},
            id="a-subject-that-goes-under-its-other-name",
        ),
        pytest.param(
            [Row("v1", 1, also=(4,)), Row(attachment(4), 5)],
            {attachment(4): "attached to v1"},
            id="an-older-manifest-of-the-same-row",
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


# --- what must be read


def reading(rows: Sequence[Row], rules: Rules, everything: bool) -> tuple[list[set[str]], Decision]:
    """The names read round by round, and the decision, when only what is asked for is read."""
    versions, whole = registry(rows)
    graph: Graph = {}
    rounds = []
    while todo := unread(
        versions, decide(versions, graph, rules, NOW).kept, graph, rules, everything
    ):
        assert not {v.id for v in todo} & graph.keys()
        rounds.append({v.name for v in todo})
        graph = {**graph, **{v.id: whole[v.id] for v in todo}}
    return rounds, decide(versions, graph, rules, NOW)


def test_of_plain_images_only_those_that_stay_are_read() -> None:
    rows = [*tags("c", "b", "a"), untagged(9), Row(attachment(1), 5), Row(attachment(3), 6)]
    assert reading(rows, rules(latest=2), False)[0] == [{"c", "b"}, {attachment(1)}]


def test_once_an_index_stays_all_tags_are_read_and_no_leaves() -> None:
    rows = [*tags("b"), Row("a", 10, (11, 12), OLD + 1), untagged(11), Row("x", 12, age=OLD + 2)]
    rows += [untagged(13), untagged(14, (15,)), Row("y", 16, (14,), OLD + 3)]
    assert reading(rows, rules(latest=2), False)[0] == [{"b", "a"}, {"x", "y"}]


def test_a_child_that_is_not_called_an_image_is_read() -> None:
    rows = [replace(Row("a", 10, (11,)), leaves=False), untagged(11, (12,)), untagged(12)]
    rounds, decision = reading([*rows, untagged(13)], rules(latest=1), False)
    assert rounds == [{"a"}, {digest(11)}]
    assert decision.kept.keys() == {1, 2, 3}


def test_once_a_digest_is_in_use_all_tags_are_read() -> None:
    used = replace(rules(latest=1), digests_in_use={digest(2): "f:1"})
    rounds, decision = reading([*tags("b", "a"), untagged(9)], used, False)
    assert rounds == [{"b", "a"}]
    assert decision.kept[2] == "in use: f:1"


def test_everything_is_read_at_once_when_the_space_is_measured() -> None:
    rows = [*tags("c", "b"), untagged(9)]
    assert reading(rows, rules(latest=1), True)[0] == [{"c", "b", digest(9)}]


# --- any registry


@st.composite
def registries(draw: st.DrawFn) -> list[Row]:
    """Images 1 to 6, and 11 to 14 that are indexes of some, under any names and of any age."""
    ages = st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0])
    images = {n: () for n in range(1, 7)}
    parts = st.lists(st.sampled_from([*range(1, 7), 77]), min_size=1, max_size=3, unique=True)
    manifests: dict[int, tuple[int, ...]] = {
        **images,
        **{n: tuple(draw(parts)) for n in range(11, 15)},
    }
    subjects = st.sampled_from([attachment(n, k) for n in (1, 2, 11, 12, 99) for k in ("", ".sig")])
    names = st.sampled_from(["latest", "v1", "v2", "v3", "b1", "b2", "b3"]) | subjects
    tagged = draw(st.dictionaries(names, st.sampled_from(list(manifests)), max_size=9))
    bare = draw(st.sets(st.sampled_from(list(manifests)), max_size=8))
    rows = [Row(name, n, manifests[n], draw(ages)) for name, n in tagged.items()]
    rows += [untagged(n, manifests[n], draw(ages)) for n in sorted(bare)]
    return draw(st.permutations(rows))


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
