"""What the repositories of protect-from-repositories refer to counts as in use, all of it."""

from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from registry_gc.errors import Interrupted
from registry_gc.server.client import Client
from registry_gc.server.transport import Transport
from registry_gc.sources.repositories import LARGEST, Unsearched, search
from registry_gc.sources.source import Found
from tests.harness import Time, in_process
from tests.sandbox import Answer, Box, CutBody, Drop, HalfJson, first
from tests.sandbox.repositories import Repository

IMAGES = {"app": ("v1", "v2", "v3"), "web": ("v1", "v2")}
PIN = "image: git.example.org/acme/app:v1\n"


@pytest.fixture
def box() -> Iterator[Box]:
    with in_process() as made:
        made.store.add_owner("ops")
        yield made


def add(
    box: Box, name: str, files: dict[str, str | bytes] | None = None, **about: Any
) -> Repository:
    owner, _, name = name.partition("/")
    return box.store.forge.add(box.store.owner(owner), name, files, **about)


def searched(box: Box, *patterns: str, token: str = "", stop: Event | None = None) -> Found:
    time = Time()
    transport = Transport(4, stop or Event(), time.wait, time.clock)
    client = Client(transport, box.url, "acme", token or box.token, 4)
    return search(client, patterns, IMAGES)


def unsearched(box: Box, *patterns: str, **options: Any) -> str:
    with pytest.raises(Unsearched) as caught:
        searched(box, *patterns, **options)
    return str(caught.value)


def many(count: int, size: int = 100) -> dict[str, str | bytes]:
    """Files with nothing in them that matters."""
    return {f"src/{n % 7}/f{n}.txt": f"x{n} ".ljust(size, "y") for n in range(count)}


def test_a_mention_has_its_repository_branch_path_and_line(box: Box) -> None:
    add(box, "ops/deploy", {"apps/front/values.yaml": "a: b\n\n" + PIN}, default_branch="prod")
    found = searched(box, "ops/deploy")
    assert found.tags == {"app": {"v1": "ops/deploy@prod: apps/front/values.yaml:3"}}


@pytest.mark.parametrize("others", [0, 2, 40])
def test_every_text_is_searched_however_it_is_read(box: Box, others: int) -> None:
    files = {"a.yaml": PIN, "z/y/x.yaml": PIN.replace("v1", "v2"), "pröd/b#?.yaml": "acme/web:v1"}
    add(box, "acme/deploy", {**files, **many(others)})
    found = searched(box, "acme/deploy")
    assert found.tags["app"].keys() == {"v1", "v2"}
    assert found.tags["web"] == {"v1": "acme/deploy@main: pröd/b#?.yaml:1"}


def test_files_that_an_archive_leaves_out_or_changes_are_searched_too(box: Box) -> None:
    attributes = "secret/* export-ignore\nwindows/* working-tree-encoding=UTF-16LE\n"
    files = {"secret/a.yaml": PIN, "windows/b.txt": "acme/web:v2", ".gitattributes": attributes}
    add(box, "acme/deploy", {**files, **many(40)})
    found = searched(box, "acme/deploy")
    assert found.tags["app"]["v1"] == "acme/deploy@main: secret/a.yaml:1"
    assert found.tags["web"]["v2"] == "acme/deploy@main: windows/b.txt:1"
    assert box.faults.count("GET", "/archive/") == 1
    assert box.faults.count("GET", "/blobs/") == 2


def test_a_binary_file_in_an_archive_is_not_asked_for_once_more(box: Box) -> None:
    add(box, "acme/deploy", {"core.data": b"\0" * 300_000, **many(40)})
    assert "1 binary file left out" in map(str, searched(box, "acme/deploy").looked_at)
    assert box.faults.count("GET", "/blobs/") == 0


@pytest.mark.parametrize(
    "fault",
    [Answer(404), Answer(200, "<html>Please log in</html>"), HalfJson(), Answer(200, "")],
)
def test_an_archive_that_is_none_or_damaged_is_made_up_for_file_by_file(
    box: Box, fault: Any
) -> None:
    add(box, "acme/deploy", {"a.yaml": PIN, **many(20), "z.yaml": PIN.replace("v1", "v2")})
    box.faults.plan = first(99, fault, containing="/archive/")
    assert searched(box, "acme/deploy").tags["app"].keys() == {"v1", "v2"}


def test_a_repository_with_much_else_in_it_is_not_taken_as_a_whole(box: Box) -> None:
    heavy = {f"assets/{n}.data": b"\0" * 3_000_000 for n in range(9)}
    deploy = {f"deploy/f{n}.yaml": PIN for n in range(30)}
    add(box, "acme/game", {**heavy, **deploy})
    assert searched(box, "acme/game").tags["app"] == {"v1": "acme/game@main: deploy/f0.yaml:1"}
    archives = [target for _, target in box.faults.log if "/archive/" in target]
    assert len(archives) == 1
    assert len(box.faults.log) == 1 + 1 + 1 + len(heavy)


def test_many_files_of_a_repository_are_listed_in_pages(box: Box) -> None:
    add(box, "acme/mono", {"zz/last.yaml": PIN, **many(1200, 10)})
    assert searched(box, "acme/mono").tags["app"]["v1"].endswith("zz/last.yaml:1")
    assert box.faults.count("GET", "/git/trees/") == 2


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


def test_a_renamed_repository_ends_the_search(box: Box) -> None:
    box.store.forge.rename(add(box, "acme/deploy", {"a.yaml": PIN}), "ops")
    assert "redirected to /api/v1/repos/acme/ops" in unsearched(box, "acme/deploy")


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


def test_a_file_that_the_server_gives_no_content_of_ends_the_search(box: Box) -> None:
    box.store.max_blob = 10
    add(box, "acme/deploy", {"a.yaml": PIN})
    assert "DEFAULT_MAX_BLOB_SIZE" in unsearched(box, "acme/deploy")


def test_an_interruption_is_passed_on(box: Box) -> None:
    add(box, "acme/deploy", {"a.yaml": PIN})
    stop = Event()
    stop.set()
    with pytest.raises(Interrupted):
        searched(box, "acme/*", stop=stop)
