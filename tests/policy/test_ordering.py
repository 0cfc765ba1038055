"""Tags as versions: their order, and the groups they are in."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version as Pep440

from registry_gc.policy.ordering import group, order, parsed

SEMVER = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11"]
ASCENDING = [
    [*SEMVER, "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0-rc1", "2.0.0"],
    ["v1", "v1.1", "v1.1.1", "v2", "v10"],
    ["3.8.0a1", "3.8.0b1", "3.8.0b4", "3.8.0rc1", "3.8.0", "3.8.1"],
    ["2.0-SNAPSHOT", "2.0-M1", "2.0-RC1", "2.0", "2.0-1", "2.0-2", "2.0-r10"],
    ["2024.9.30", "2024.10.1", "2024.10.01-1", "2024.11"],
    ["2024-09-30", "2024-10-01", "2025-01-01"],
    ["20240930", "20241001", "20241001-0930", "20241001-1200"],
    ["release-1.9", "release-v1.10.0-rc.2-alpine3.19", "release-1.10-alpine3.18"],
    ["pr-9", "pr-12", "pr-100"],
]


@pytest.mark.parametrize("tags", ASCENDING, ids=lambda tags: tags[0])
def test_versions_come_in_their_order(tags: list[str]) -> None:
    keys = [order(tag) for tag in tags]
    assert None not in keys
    for (tag, lower), (other, higher) in itertools.pairwise(zip(tags, keys, strict=True)):
        assert lower is not None and higher is not None
        assert lower < higher, f"{tag} before {other}"


NUMBERS = st.lists(st.integers(0, 11), min_size=1, max_size=4).map(
    lambda numbers: ".".join(map(str, numbers))
)
STAGES = st.tuples(st.sampled_from(["-alpha", "-beta.", "-rc", "-rc.", "-dev"]), st.integers(0, 11))
ENDS = st.sampled_from(["", "", "-1", "-2", "-r3"]) | STAGES.map(lambda s: f"{s[0]}{s[1]}")
KNOWN = st.tuples(st.sampled_from(["", "v"]), NUMBERS, ENDS).map("".join)


@given(KNOWN, KNOWN)
def test_the_order_is_that_of_pep_440_where_that_knows_the_tags(one: str, other: str) -> None:
    left, right = order(one), order(other)
    assert left is not None and right is not None
    assert (left < right) == (Pep440(one) < Pep440(other))
    assert (left == right) == (Pep440(one) == Pep440(other))


@pytest.mark.parametrize(
    ("tag", "major", "minor"),
    [
        ("v1.2", "1", "1.2"),
        ("V1.2.3", "1", "1.2"),
        ("1.2.3", "1", "1.2"),
        ("1", "1", "1"),
        ("1.2.3-alpine", "1-alpine", "1.2-alpine"),
        ("1.2-alpine3.19", "1-alpine3.19", "1.2-alpine3.19"),
        ("1.2.3-bookworm-slim", "1-bookworm-slim", "1.2-bookworm-slim"),
        ("1.2.3-rc.1", "1 pre-releases", "1.2 pre-releases"),
        ("1.2.3-rc.1-alpine3.19", "1-alpine3.19 pre-releases", "1.2-alpine3.19 pre-releases"),
        ("1.2.3-beta", "1 pre-releases", "1.2 pre-releases"),
        ("1.2.3-beta-slim", "1-slim pre-releases", "1.2-slim pre-releases"),
        ("2.0-SNAPSHOT", "2 pre-releases", "2.0 pre-releases"),
        ("1.2.3-4", "1", "1.2"),
        ("1.2.3-devel", "1-devel", "1.2-devel"),
        ("1.2.3_debug", "1-debug", "1.2-debug"),
        ("1.2.3-4-gabc1234", "1-gabc1234", "1.2-gabc1234"),
        ("2024.10.1", "2024", "2024.10"),
        ("2024.01.1", "2024", "2024.1"),
        ("2024-10-01", "2024", "2024"),
        ("release-1.2.3", "release-1", "release-1.2"),
        ("release-v1.2.3", "release-1", "release-1.2"),
        ("web-ui-v1.2.3-alpine", "web-ui-1-alpine", "web-ui-1.2-alpine"),
    ],
)
def test_a_tag_is_in_the_group_of_its_major_or_minor_version(
    tag: str, major: str, minor: str
) -> None:
    assert (group(tag, "major"), group(tag, "minor")) == (major, minor)


@pytest.mark.parametrize(
    "tag",
    ["main", "latest", "sha-3f2a1bc", "3f2a1bc", "1a2b3c4", "12ab", "v", "1.", "1-", "alpine3"],
)
def test_what_is_no_version_has_no_place_among_versions_and_a_group_of_its_own(tag: str) -> None:
    assert parsed(tag) is None
    assert order(tag) is None
    assert group(tag, "minor") == "without a version"


def test_a_group_can_be_what_an_expression_finds() -> None:
    assert group("Main-12", r"(.*)-\d+") == "main"
    assert group("latest", r"(.*)-\d+") == "without a match"


@given(st.text("v1.-_rcalphb0", max_size=128))
def test_any_tag_has_a_group_at_once(tag: str) -> None:
    for by in ("major", "minor", r"^v?(\d+)"):
        assert isinstance(group(tag, by), str)
