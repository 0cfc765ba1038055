"""Groups and versions: each group has the figures for itself, and the newest may be the highest."""

from registry_gc.policy.decide import decide, unread
from registry_gc.settings.parse import Policy
from tests.policy.registries import NOW, Row, kept, registry, rules, tags, verdicts

MINOR = Policy(("v*",), 2, 0, group_by="minor")


def test_two_patches_of_each_minor_and_kind_stay() -> None:
    patches = [
        f"v{major}.{minor}.{patch}" for major in (1, 2) for minor in (0, 1) for patch in range(4)
    ]
    kinds = ("", "-rc.1", "-alpine", "-rc.1-alpine")
    rows = tags(*(f"{patch}{kind}" for patch in patches[::-1] for kind in kinds))
    stays = {
        f"v{minor}.{patch}{kind}"
        for minor in ("1.0", "1.1", "2.0", "2.1")
        for patch in (2, 3)
        for kind in kinds
    }
    assert set(kept(rows, rules(releases=MINOR))) == stays


def test_a_reason_names_the_group() -> None:
    rows = tags("v1.2.3", "v1.2.2-alpine", "v1.2.2", "v1.2.1", "vnext")
    minor = Policy(("v*",), 1, 0, 1, group_by="minor")
    assert verdicts(rows, rules(releases=minor)) == (
        {
            "v1.2.3": "keep-latest 1/1 of v*, group 1.2",
            "v1.2.2-alpine": "keep-latest 1/1 of v*, group 1.2-alpine",
            "vnext": "keep-latest 1/1 of v*, group without a version",
        },
        {
            "v1.2.2": "beyond keep-latest 1, keep-daily 1 of v*, group 1.2 and older than 0 days",
            "v1.2.1": "beyond keep-latest 1, keep-daily 1 of v*, group 1.2 and older than 0 days",
        },
    )


def test_a_calendar_reason_names_policy_and_group() -> None:
    rows = [Row("main-2", 1, age=1), Row("dev-1", 2, age=2), Row("main-1", 3, age=3)]
    daily = Policy(("*-*",), 0, 0, 1, group_by=r"(.*)-\d+")
    assert kept(rows, rules(builds=daily)) == {
        "main-2": "the newest of day 2026-05-31, 1/1 of *-*, group main",
        "dev-1": "the newest of day 2026-05-30, 1/1 of *-*, group dev",
    }


def test_the_newest_is_the_highest_version_where_the_policy_says_so() -> None:
    rows = tags("v1.9.1", "v2.0.0", "vnext", "v1.10.0", "v2.0.0-rc.2", "v1.9", "vlast")
    by_version = Policy(("v*",), 4, 0, by_version=True)
    assert kept(rows, rules(releases=by_version)) == {
        "v2.0.0": "keep-latest 1/4 of v*",
        "v2.0.0-rc.2": "keep-latest 2/4 of v*",
        "v1.10.0": "keep-latest 3/4 of v*",
        "v1.9.1": "keep-latest 4/4 of v*",
    }
    more = Policy(("v*",), 6, 0, by_version=True)
    assert set(kept(rows, rules(releases=more))) >= {"v1.9", "vnext"}


def test_ages_and_dates_count_for_versions_as_for_all_else() -> None:
    rows = tags("v1.0.1", "v2.0.0", "v1.0.0", age=9)
    by_version = Policy(("v*",), 1, 9, 2, by_version=True)
    assert kept(rows, rules(releases=by_version)) == {
        "v2.0.0": "keep-latest 1/1 of v*",
        "v1.0.1": "younger than 9 days",
    }


def test_a_build_keeps_its_moving_names_however_versions_order_them() -> None:
    rows = [Row(name, 1, age=9) for name in ("v1", "v1.3", "v1.3.0")]
    rows += [Row("v1.2.9", 2, age=3), Row("v1.2.8", 3, age=2)]
    by_version = Policy(("v*",), 1, 0, by_version=True)
    assert set(kept(rows, rules(releases=by_version))) == {"v1", "v1.3", "v1.3.0"}


def test_a_build_with_names_in_two_groups_takes_a_place_in_each() -> None:
    rows = [Row(name, 3, age=1) for name in ("v1", "v1.3", "v1.3.0")]
    rows += [Row("v1.2", 2, age=2), Row("v1.2.9", 2, age=2), Row("v1.2.8", 4, age=3)]
    one = Policy(("v*",), 1, 0, group_by="minor")
    assert kept(rows, rules(releases=one)) == {
        "v1": "keep-latest 1/1 of v*, group 1",
        "v1.3": "keep-latest 1/1 of v*, group 1.3",
        "v1.3.0": "keep-latest 1/1 of v*, group 1.3",
        "v1.2": "keep-latest 1/1 of v*, group 1.2",
        "v1.2.9": "keep-latest 1/1 of v*, group 1.2",
    }


def test_a_part_takes_no_place_in_any_group() -> None:
    rows = [
        Row("v1.1", 1, (11,), age=1),
        Row("v1.1-amd64", 11, age=2),
        Row("v1.0", 2, (12,), age=3),
        Row("v1.0-amd64", 12, age=4),
    ]
    major = Policy(("v*",), 1, 0, group_by="major")
    assert kept(rows, rules(releases=major)) == {
        "v1.1": "keep-latest 1/1 of v*, group 1",
        "v1.1-amd64": "part of v1.1",
    }


def test_all_tags_of_a_policy_with_groups_are_read() -> None:
    rows = tags("v1.1", "v1.0", "v0.9", "b", "a")
    major = Policy(("v*",), 1, 0, group_by="major")
    versions, _ = registry(rows)
    found = decide(versions, {}, rules(1, releases=major), NOW)
    todo = unread(versions, found, {}, rules(1, releases=major), everything=False)
    assert [v.name for v in todo] == ["v1.1", "v1.0", "v0.9", "b", "a"]
