"""What a run costs, in requests: known before it starts, and nothing twice."""

from collections import Counter
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from registry_gc.report.report import State
from tests.harness import Outcome, age_all, deletions, names_in, run_gc
from tests.sandbox import Box

RULES: dict[str, Any] = {"keep_latest": 2, "keep_days": 30}


@pytest.fixture
def box(running: Box) -> Box:
    """A registry that answers with pages of ten."""
    running.reset()
    running.store.max_items = 10
    return running


def plain(box: Box) -> None:
    for n in range(24):
        box.push.image("app", f"v{n}", n)
        box.store.age("app", f"v{n}", 400 - n)


def platforms(box: Box) -> None:
    for n in range(8):
        _, parts = box.push.multiarch("app", f"v{n}", n)
        age_all(box, 400 - n, (f"v{n}", *parts))


def pages(box: Box) -> list[int]:
    """The pages asked for, in order of arrival."""
    queries = [parse_qs(urlsplit(target).query) for _, target in box.faults.log]
    return [int(query["page"][0]) for query in queries if "page" in query]


def reads(box: Box, text: str) -> Counter[str]:
    """How often each path with this text was got."""
    return Counter(t for method, t in box.faults.log if method == "GET" and text in t)


def tidy(box: Box, **changes: Any) -> Outcome:
    box.faults.log.clear()
    return run_gc(box, **{**RULES, **changes})


def test_a_run_that_deletes_lists_twice_and_looks_at_the_first_page_twice(box: Box) -> None:
    platforms(box)
    assert tidy(box).exit_code == 0
    listed = Counter(pages(box))
    assert listed == {1: 4, 2: 1, 3: 1}  # six versions are left for the last listing
    assert len(names_in(box)) == 6


def test_the_last_listing_is_the_only_other_full_one(box: Box) -> None:
    platforms(box)
    tidy(box, keep_latest=6)
    assert Counter(pages(box)) == {1: 4, 2: 2, 3: 1}


def test_a_large_image_is_listed_once(box: Box) -> None:
    """The looks, and the proof at the end, cost a row each, whatever stays."""
    for n in range(95):
        box.push.image("app", f"v{n}", n)
        box.store.age("app", f"v{n}", 400 - n)
    assert tidy(box, keep_latest=60, measure_space=False).exit_code == 0
    asked = [target for _, target in box.faults.log if "page=" in target]
    rows = Counter(target.rpartition("limit=")[2] for target in asked)
    assert rows == {"1000": 10, "1": 1 + 35 // 25 + 1}
    assert box.faults.count("GET", "/tags/list") == 1


def test_without_anything_but_tags_to_delete_there_is_one_look(box: Box) -> None:
    plain(box)
    assert tidy(box).exit_code == 0
    assert Counter(pages(box)) == {1: 3, 2: 1, 3: 1}


@pytest.mark.parametrize("measure_space", [True, False])
@pytest.mark.parametrize("dry_run", [True, False])
def test_where_nothing_can_go_the_listing_is_all(
    box: Box, measure_space: bool, dry_run: bool
) -> None:
    platforms(box)
    outcome = tidy(box, keep_days=1000, dry_run=dry_run, measure_space=measure_space)
    assert outcome.exit_code == 0
    assert sorted(pages(box)) == [1, 2, 3]
    assert len(box.faults.log) == 4  # the first asks what the token may


def test_several_images_of_one_name_pattern_share_the_listing(box: Box) -> None:
    platforms(box)
    box.push.image("web", "v1", 1)
    tidy(box, package=("*",), dry_run=True)
    assert sorted(pages(box)) == [1, 2, 3]


def test_a_dry_run_reads_what_the_real_run_reads_and_does_nothing_else(box: Box) -> None:
    platforms(box)
    tidy(box, dry_run=True)
    foreseen = sorted(box.faults.log)
    assert {method for method, _ in foreseen} == {"GET"}
    tidy(box)
    rest = Counter(box.faults.log) - Counter(foreseen)
    assert not [target for method, target in rest if method == "GET" and "page=" not in target]


@pytest.mark.parametrize("measure_space", [True, False])
def test_each_version_is_read_once_and_each_index_fetched_once(
    box: Box, measure_space: bool
) -> None:
    platforms(box)
    box.push.registry.put_manifest("app", "was", box.push.registry.manifest("app", "v7") or b"", "")
    box.store.age("app", "was", 500)
    tags = {name for name in names_in(box) if not name.startswith("sha256:")}
    everything = names_in(box)
    assert tidy(box, measure_space=measure_space).exit_code == 0
    assert len(reads(box, "/files")) == len(everything if measure_space else tags | names_in(box))
    assert set(reads(box, "/files").values()) == {1}
    assert len(reads(box, "/manifests/")) == 8  # `was` is `v7`
    assert set(reads(box, "/manifests/").values()) == {1}


def test_a_deletion_is_one_request(box: Box) -> None:
    platforms(box)
    outcome = tidy(box)
    assert sorted(deletions(box)) == sorted(outcome.names(State.DELETED))
    assert len(deletions(box)) == 18


def test_without_measuring_a_plain_registry_only_what_the_places_need_is_read(box: Box) -> None:
    """What is kept, and the first that is not: it could be another name of the same build."""
    plain(box)
    assert tidy(box, measure_space=False).exit_code == 0
    read = {target.removesuffix("/files").rpartition("/")[2] for target in reads(box, "/files")}
    assert read == {"v21", "v22", "v23"}
    assert not reads(box, "/manifests/")


def test_without_measuring_untagged_versions_that_go_are_not_read(box: Box) -> None:
    platforms(box)
    assert tidy(box, measure_space=False).exit_code == 0
    read = {target.split("/")[-2] for target in reads(box, "sha256%3A")}
    assert read == {quote(name) for name in names_in(box) if name.startswith("sha256:")}
    assert len(reads(box, "/manifests/")) <= 8


def test_an_image_without_tags_is_not_read(box: Box) -> None:
    for n in range(5):
        box.push.image("app", None, n)
    age_all(box, 400)
    assert tidy(box).exit_code == 0
    assert [target for _, target in box.faults.log[1:] if "page=1" not in target] == []


def test_it_looks_again_after_every_so_many_deletions(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry_gc.run.stretch.BATCH", 20)
    for n in range(45):
        box.push.image("app", f"t{n}", seed=n)
        box.store.age("app", f"t{n}", 400)
    assert tidy(box, measure_space=False).exit_code == 0
    log = [(method, target) for method, target in box.faults.log if "/v2/token" not in target]
    order = ["D" if method == "DELETE" else "L" for method, target in log]
    runs = "".join(order).rstrip("L").split("L")
    assert [len(run) for run in runs if run] == [20, 20, 3]
