"""However a server gives the files of a repository, all of them are searched, in few requests."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness import in_process
from tests.sandbox import Answer, Box, HalfJson, Request, first

from .searching import PIN, add, searched, unsearched

REFUSED_ROOTS = {"1.28": 1}  # of the archives asked for by an id, those that are 404
REFUSED_FOLDERS = {"1.27": 1, "1.28": 1}
Kind = str  # a profile of the sandbox


@pytest.fixture(params=["1.21", "1.25", "1.27", "1.28"])
def kind(request: pytest.FixtureRequest) -> Kind:
    return str(request.param)


@pytest.fixture
def box(kind: Kind) -> Iterator[Box]:
    with in_process(kind) as made:
        yield made


def many(count: int, size: int = 100) -> dict[str, str | bytes]:
    """Files with nothing in them that matters."""
    return {f"src/{n % 7}/f{n}.txt": f"x{n} ".ljust(size, "y") for n in range(count)}


@pytest.mark.parametrize("others", [0, 2, 40])
def test_every_text_is_searched_however_it_is_read(box: Box, others: int) -> None:
    files = {"a.yaml": PIN, "z/y/x.yaml": PIN.replace("v1", "v2"), "pröd/b#?.yaml": "acme/web:v1"}
    add(box, "acme/deploy", {**files, **many(others)})
    found = searched(box, "acme/deploy")
    assert found.tags["app"].keys() == {"v1", "v2"}
    assert found.tags["web"] == {"v1": "acme/deploy@main: pröd/b#?.yaml:1"}


def test_files_that_an_archive_leaves_out_or_changes_are_searched_too(box: Box, kind: Kind) -> None:
    attributes = "secret/* export-ignore\nwindows/* working-tree-encoding=UTF-16LE\n"
    files = {"secret/a.yaml": PIN, "windows/b.txt": "acme/web:v2", ".gitattributes": attributes}
    add(box, "acme/deploy", {**files, **many(40)})
    found = searched(box, "acme/deploy")
    assert found.tags["app"]["v1"] == "acme/deploy@main: secret/a.yaml:1"
    assert found.tags["web"]["v2"] == "acme/deploy@main: windows/b.txt:1"
    assert box.faults.count("GET", "/archive/") == 1 + REFUSED_ROOTS.get(kind, 0)
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


@pytest.mark.parametrize("names", [("deploy", "ops"), ("-x", ":y"), ("a*b", "a[b]/d d")])
def test_of_a_repository_with_much_else_in_it_folders_are_taken(
    box: Box, kind: Kind, names: tuple[str, str]
) -> None:
    heavy: dict[str, str | bytes] = {f"assets/{n}.data": b"\0" * 2_000_000 for n in range(4)}
    files = {f"{name}/f{n}.yaml": PIN for name in names for n in range(10)}
    files[f"{names[1]}/z.yaml"] = "acme/web:v2"
    add(box, "acme/game", {**heavy, **files}, default_branch="Feature/x#2")
    found = searched(box, "acme/game")
    assert found.tags["web"] == {"v2": f"acme/game@Feature/x#2: {names[1]}/z.yaml:1"}
    assert box.faults.count("GET", "/archive/") == 2 + REFUSED_FOLDERS.get(kind, 0)
    assert box.faults.count("GET", "/blobs/") == len(heavy)


def test_what_is_pushed_between_tree_and_archive_does_not_replace_what_was_there(box: Box) -> None:
    repository = add(box, "acme/deploy", {"a.yaml": PIN, **many(20)})
    old = repository.branches["main"]

    def push(request: Request) -> None:
        if "/archive/" in request.target:
            repository.branches = {"main": {**old, "a.yaml": b"nothing"}, "before": old}

    box.faults.before = push
    assert searched(box, "acme/deploy").tags["app"] == {"v1": "acme/deploy@main: a.yaml:1"}


@pytest.mark.parametrize(("size", "pages"), [(990, 1), (991, 2)])
def test_many_files_of_a_repository_are_listed_in_pages(box: Box, size: int, pages: int) -> None:
    add(box, "acme/mono", {"zz/last.yaml": PIN, **many(size, 10)})  # nine folders more
    assert searched(box, "acme/mono").tags["app"]["v1"].endswith("zz/last.yaml:1")
    assert box.faults.count("GET", "/git/trees/") == pages


@pytest.mark.parametrize("later", ["none", "empty", "the first again"])
def test_a_page_with_nothing_new_while_files_are_missing_ends_the_search(
    box: Box, later: str
) -> None:
    repository = add(box, "acme/mono", many(20))
    rows = repository.tree(repository.branches["main"])
    pages = {"none": None, "empty": [], "the first again": rows}

    def plan(request: Request) -> Answer | None:
        if "/git/trees/" not in request.target:
            return None
        page = rows if request.target.endswith("page=1") else pages[later]
        body = {"sha": "main", "tree": page, "truncated": False, "total_count": 2 * len(rows)}
        return Answer(200, json.dumps(body))

    box.faults.plan = plan
    assert "acme/mono was not searched" in unsearched(box, "acme/mono")


def test_a_renamed_repository_ends_the_search(box: Box) -> None:
    box.store.forge.rename(add(box, "acme/deploy", {"a.yaml": PIN}), "ops")
    assert "redirected to /api/v1/repos/acme/ops" in unsearched(box, "acme/deploy")


def test_a_file_that_the_server_gives_no_content_of_ends_the_search(box: Box) -> None:
    box.store.max_blob = 10
    add(box, "acme/deploy", {"a.yaml": PIN})
    assert "DEFAULT_MAX_BLOB_SIZE" in unsearched(box, "acme/deploy")


@pytest.mark.parametrize("content", ["é", "YQ", "@@@@", 7])
def test_a_file_whose_content_is_no_base64_ends_the_search(box: Box, content: object) -> None:
    add(box, "acme/deploy", {"a.yaml": PIN})
    answer = Answer(200, json.dumps({"content": content, "size": 1}))
    box.faults.plan = first(99, answer, containing="/git/blobs/")
    assert "did not answer as Gitea" in unsearched(box, "acme/deploy")
