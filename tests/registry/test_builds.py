"""A build: a digest with its names, parts, children and attachments."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from hypothesis import given, settings

from registry_gc.policy.decide import reach
from registry_gc.registry.builds import Build, builds_of
from registry_gc.registry.manifests import Graph
from registry_gc.registry.version_names import is_plain_tag
from registry_gc.registry.versions import Version
from tests.policy.registries import Row, attachment, digest, registries, registry, untagged


def names(found: Sequence[Version]) -> list[str]:
    return [version.name for version in found]


def only(rows: Sequence[Row]) -> Build:
    found = builds_of(*registry(rows))
    assert len(found) == 1
    return found[0]


def tags_of(rows: Sequence[Row], alone: Collection[int] = ()) -> list[list[str]]:
    return [names(build.tags) for build in builds_of(*registry(rows), alone)]


def test_the_names_of_a_digest_are_one_build_newest_first() -> None:
    rows = [
        Row("1.2", 7, age=2),
        Row("other", 8, age=2.5),
        Row("1.2.3", 7, age=3),
        Row("1", 7, (), 1),
    ]
    assert tags_of(rows) == [["1", "1.2", "1.2.3"], ["other"]]


def test_a_build_has_the_parts_and_children_that_its_index_lists() -> None:
    build = only([Row("v1", 1, (2, 3, 77)), Row("v1-amd64", 2), untagged(3), untagged(9)])
    assert (names(build.parts), names(build.children)) == (["v1-amd64"], [digest(3)])
    assert build.attachments == ()
    assert names(build.versions) == ["v1", "v1-amd64", digest(3)]


def test_what_is_attached_to_any_of_it_belongs_to_it_to_the_end_of_the_chain() -> None:
    rows = [
        Row("v1", 1, (2,)),
        untagged(2),
        Row(attachment(1), 5),
        Row(attachment(2, ""), 6, (7,)),
        untagged(7),
        Row(attachment(5, ".att"), 8),
        Row(attachment(99), 9),
    ]
    build = only(rows)
    assert set(names(build.attachments)) == {row.name for row in rows[2:6]}
    assert names(build.children) == [digest(2)]


def test_a_child_may_belong_to_several_builds() -> None:
    first, second = builds_of(*registry([Row("v2", 1, (3,), 1), Row("v1", 2, (3,)), untagged(3)]))
    assert names(first.children) == names(second.children) == [digest(3)]


def test_a_part_is_a_build_of_its_own_only_when_it_is_said_to_be() -> None:
    rows = [Row("v1", 1, (2,)), Row("v1-amd64", 2)]
    assert tags_of(rows) == [["v1"]]
    assert sorted(tags_of(rows, alone={2})) == [["v1"], ["v1-amd64"]]


def test_tags_that_were_not_read_are_builds_by_themselves() -> None:
    versions, _ = registry([Row("a", 1, (2,)), Row("b", 1), Row("c", 2), untagged(2)])
    found = builds_of(versions, {})
    assert [names(build.versions) for build in found] == [["c"], ["b"], ["a"]]


def test_platforms_are_those_of_the_index_without_its_attestations() -> None:
    versions, graph = registry([Row("v1", 1, (2, 3, 4, 5))])
    platforms = ("linux/amd64", "linux/arm64", "unknown/unknown", "linux/amd64")
    index = graph[1]
    children = zip(index.children, platforms, strict=True)
    known = replace(index, children=tuple(replace(c, platform=p) for c, p in children))
    assert builds_of(versions, {1: known})[0].platforms == ("linux/amd64", "linux/arm64")
    assert builds_of(versions, {1: replace(index, children=())})[0].platforms == ()


@settings(deadline=None, max_examples=100)
@given(registries())
def test_every_version_belongs_to_a_build_or_no_tag_leads_to_it(rows: list[Row]) -> None:
    versions, graph = registry(rows)
    found = builds_of(versions, graph)
    belonging = {version.id for build in found for version in build.versions}
    tags = {v.id: "" for v in versions if is_plain_tag(v.name)}
    assert belonging == reach(versions, tags, graph).keys()
    check_each_once(found, graph)


def check_each_once(found: Sequence[Build], graph: Graph) -> None:
    for build in found:
        ids = [version.id for version in build.versions]
        assert len(set(ids)) == len(ids)
        assert len({graph[tag.id].digests[0] for tag in build.tags}) == 1
    tags = [tag.id for build in found for tag in build.tags]
    assert len(set(tags)) == len(tags)
