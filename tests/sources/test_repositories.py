"""What the repositories of protect-from-repositories refer to counts as in use, all of it."""

from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from registry_gc.errors import Interrupted
from registry_gc.sources.repositories import LARGEST
from registry_gc.sources.source import Found
from tests.harness import in_process
from tests.sandbox import Answer, Box, CutBody, Drop, HalfJson, first

from .searching import PIN, add, searched, unsearched


@pytest.fixture
def box() -> Iterator[Box]:
    with in_process() as made:
        made.store.add_owner("ops")
        yield made


def test_a_mention_has_its_repository_branch_path_and_line(box: Box) -> None:
    add(box, "ops/deploy", {"apps/front/values.yaml": "a: b\n\n" + PIN}, default_branch="prod")
    found = searched(box, "ops/deploy")
    assert found.tags == {"app": {"v1": "ops/deploy@prod: apps/front/values.yaml:3"}}


def test_patterns_name_repositories_of_an_owner_or_of_all(box: Box) -> None:
    for name in ("acme/deploy-a", "acme/deploy-b", "acme/other", "ops/deploy-c"):
        add(box, name, {"a.yaml": PIN})

    def looked(*patterns: str) -> set[str]:
        box.faults.log.clear()
        searched(box, *patterns)
        paths = [t for _, t in box.faults.log if "/git/trees/" in t]
        return {"/".join(path.split("/")[4:6]) for path in paths}

    assert looked("acme/*") == {"acme/deploy-a", "acme/deploy-b", "acme/other"}
    assert looked("acme/deploy-?", "acme/other") == looked("acme/*")
    assert looked("*/deploy-*") == {"acme/deploy-a", "acme/deploy-b", "ops/deploy-c"}
    assert looked("ops/deploy-c", "*/other") == {"ops/deploy-c", "acme/other"}


def test_archived_private_and_empty_repositories_are_looked_at(box: Box) -> None:
    add(box, "acme/old", {"a.yaml": PIN}, archived=True)
    add(box, "acme/private", {"a.yaml": "acme/web:v2"}, private=True)
    add(box, "acme/empty")
    found = searched(box, "acme/*")
    assert found.tags["app"] == {"v1": "acme/old@main: a.yaml:1"}
    assert found.tags["web"] == {"v2": "acme/private@main: a.yaml:1"}


def test_repositories_are_looked_up_as_they_are_written_on_the_server(box: Box) -> None:
    add(box, "acme/Deploy", {"a.yaml": PIN})
    assert searched(box, "acme/deploy").tags["app"] == {"v1": "acme/Deploy@main: a.yaml:1"}
    assert searched(box, "acme/dep*").tags["app"] == {"v1": "acme/Deploy@main: a.yaml:1"}


def test_each_repository_is_a_root_of_its_own(box: Box) -> None:
    add(box, "acme/one", {"a.yaml": PIN.replace(":v1", ":v3")})
    add(box, "acme/two", {"a.yaml": PIN.replace("app:v1", "web:v2")})
    found = searched(box, "acme/*")
    assert {image: set(tags) for image, tags in found.tags.items()} == {
        "app": {"v3"},
        "web": {"v2"},
    }


def test_what_was_looked_at_and_left_out_is_counted_with_its_moment(box: Box) -> None:
    files: dict[str, str | bytes] = {"a.yaml": PIN, "b.bin": b"\0\1", "link": "a.yaml", "sub": "x"}
    repository = add(box, "acme/one", {**files, "c.txt": "y"})
    repository.links, repository.submodules = {"link"}, {"sub"}
    add(box, "acme/two", {"big.json": "x" * (LARGEST + 1)})
    found = searched(box, "acme/*")
    assert list(map(str, found.looked_at)) == [
        "2 repositories (at 2026-06-01 12:00:00 UTC)",
        "2 files in them",
        "1 binary file left out",
        "1 file over 10 MiB left out",
        "1 symbolic link left out",
        "1 submodule left out",
    ]
    assert found.sentences() == ["acme/two@main: big.json: not searched, for it is over 10 MiB."]


def test_nothing_is_asked_when_no_repository_is_named(box: Box) -> None:
    assert searched(box) == Found()
    assert box.faults.log == []


@pytest.mark.parametrize("pattern", ["acme/none", "acme/deploy-*", "*/none", "nobody/*"])
def test_a_pattern_that_names_none_ends_the_search(box: Box, pattern: str) -> None:
    add(box, "acme/deploy", {"a.yaml": PIN})
    assert pattern in unsearched(box, "acme/deploy", pattern)


def test_a_hidden_repository_of_the_owner_ends_the_search_though_no_row_tells_of_it(
    box: Box,
) -> None:
    add(box, "acme/deploy", {"a.yaml": PIN})
    add(box, "acme/secret", {"a.yaml": PIN}, private=True)
    token = box.store.add_token("bob", "all")
    box.store.add_owner("bob")
    assert "1 of 2 could be seen" in unsearched(box, "acme/*", token=token)
    assert searched(box, "acme/deploy", token=token).tags
    assert "may the token's user read" in unsearched(box, "acme/secret", token=token)


def test_a_repository_whose_code_may_not_be_read_ends_the_search(box: Box) -> None:
    add(box, "acme/deploy", {"a.yaml": PIN})
    add(box, "acme/wiki", {"a.yaml": PIN}, has_code=False)
    text = unsearched(box, "acme/*")
    assert text.startswith("protect-from-repositories: acme/wiki was not searched.")
    assert "a user who may read its code" in text


def test_a_default_branch_that_is_not_there_ends_the_search(box: Box) -> None:
    add(box, "acme/deploy", {"a.yaml": PIN}).default_branch = "gone"
    assert "sha not found [refs/heads/gone]" in unsearched(box, "acme/deploy")


@pytest.mark.parametrize(
    ("scopes", "pattern", "missing"),
    [
        (("write:package",), "acme/deploy", "the scope read:repository,"),
        (("write:package",), "*/deploy", "the scope read:repository,"),
        (("write:package", "read:repository"), "acme/*", "read:repository and read:user"),
    ],
)
def test_a_missing_scope_is_named(
    box: Box, scopes: tuple[str, ...], pattern: str, missing: str
) -> None:
    add(box, "acme/deploy", {"a.yaml": PIN})
    assert missing in unsearched(box, pattern, token=box.store.add_token("acme", *scopes))


@pytest.mark.parametrize(
    "part", ["/repos/acme/deploy", "/users/acme/repos", "/git/trees/", "/git/blobs/"]
)
@pytest.mark.parametrize(
    "fault",
    [
        Answer(500),
        Answer(200, "<html>Please log in</html>"),
        Answer(200, '{"message": 1}'),
        Answer(200, "[]"),
        HalfJson(),
        CutBody(),
        Drop(),
    ],
)
def test_an_answer_that_is_none_ends_the_search(box: Box, part: str, fault: Any) -> None:
    add(box, "acme/deploy", {"a.yaml": PIN})
    box.faults.plan = first(99, fault, containing=part)
    unsearched(box, "acme/deploy", "acme/*")


def test_an_interruption_is_passed_on(box: Box) -> None:
    add(box, "acme/deploy", {"a.yaml": PIN})
    stop = Event()
    stop.set()
    with pytest.raises(Interrupted):
        searched(box, "acme/*", stop=stop)
