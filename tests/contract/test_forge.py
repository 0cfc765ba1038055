"""What the program relies on in a server's repositories: files, branches, pull requests, tags."""

from __future__ import annotations

import base64
import io
import tarfile
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.sandbox.repositories import blob_id

from .conftest import Server

FILES = {
    "app.yaml": "image: app:v1\n",
    "deploy/my values.yaml": "tag: v1.2.0\n",
    "deploy/pröd/a#b?.yaml": "tag: v1.3.0\n",
}


def write(server: Server, repo: str, path: str, text: str, **where: str) -> None:
    """Commits a file, to the branch main unless told otherwise."""
    body = {"content": base64.b64encode(text.encode()).decode(), "message": "a file", **where}
    answer = server.forge("POST", f"/repos/{repo}/contents/{quote(path)}", json=body)
    assert answer.status_code == 201, answer.text


def filled(server: Server) -> str:
    """A repository with FILES on main."""
    repo = server.repository()
    for path, text in FILES.items():
        write(server, repo, path, text)
    return repo


def tree(server: Server, repo: str, ref: str = "refs/heads/main", **params: Any) -> dict[str, Any]:
    path = f"/repos/{repo}/git/trees/{quote(ref, safe='')}"
    answer = server.forge("GET", path, params={"recursive": "1", **params})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def archived(answer: requests.Response) -> dict[str, str]:
    """The files of an archive without the folder that all of them are in."""
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        names = [member for member in tar if member.isfile()]
        read = ((m.name.partition("/")[2], tar.extractfile(m)) for m in names)
        return {name: file.read().decode() for name, file in read if file}


def archive(server: Server, repo: str, ref: str, folder: str = "") -> requests.Response:
    """The archive of a commit, a branch or a tree, or of no more of it than a folder."""
    path = {"path": f":(literal){folder}"} if folder else {}
    return server.forge("GET", f"/repos/{repo}/archive/{quote(ref, safe='')}.tar.gz", params=path)


def packed(server: Server, repo: str, sha: str, folder: str = "") -> dict[str, str]:
    """The files of a folder of main, by its id or, where the server takes none, by its path."""
    answer = archive(server, repo, sha)
    if answer.status_code == 200:
        return archived(answer)
    assert answer.status_code == 404
    texts = archived(archive(server, repo, "refs/heads/main", folder))
    return {path.removeprefix(f"{folder}/"): text for path, text in texts.items()}


def test_a_tree_has_every_file_with_its_size_and_the_name_git_gives_it(server: Server) -> None:
    body = tree(server, filled(server))
    assert body["truncated"] is False
    files = {
        e["path"]: (e["mode"], e["size"], e["sha"]) for e in body["tree"] if e["type"] == "blob"
    }
    texts = {path: text.encode() for path, text in FILES.items()}
    assert files == {p: ("100644", len(t), blob_id(t)) for p, t in texts.items()}
    assert {e["path"] for e in body["tree"] if e["type"] == "tree"} == {"deploy", "deploy/pröd"}


def test_a_tree_comes_in_pages_and_each_says_how_many_entries_there_are(server: Server) -> None:
    repo = filled(server)
    first = tree(server, repo, per_page=3, page=1)
    second, third = (tree(server, repo, first["sha"], per_page=3, page=page) for page in (2, 3))
    assert [page["total_count"] for page in (first, second, third)] == [5, 5, 5]
    paths = [entry["path"] for entry in first["tree"] + second["tree"]]
    assert (len(paths), len(set(paths))) == (5, 5)
    assert not third["tree"]


def test_a_tree_is_of_the_branch_and_not_of_a_tag_of_the_same_name(server: Server) -> None:
    repo = filled(server)
    write(server, repo, "new.yaml", "a", branch="main", new_branch="v1/next")
    server.forge("POST", f"/repos/{repo}/tags", json={"tag_name": "v1/next", "target": "main"})
    paths = {entry["path"] for entry in tree(server, repo, "refs/heads/v1/next")["tree"]}
    assert "new.yaml" in paths


def test_a_blob_comes_in_base64(server: Server) -> None:
    repo = filled(server)
    sha = blob_id(FILES["app.yaml"].encode())
    body = server.forge("GET", f"/repos/{repo}/git/blobs/{sha}").json()
    assert body["encoding"] == "base64"
    assert base64.b64decode(body["content"]).decode() == FILES["app.yaml"]


def test_an_archive_of_a_commit_holds_its_files_but_those_to_be_ignored(server: Server) -> None:
    repo = filled(server)
    write(server, repo, "secret.yaml", "tag: v9\n")
    write(
        server, repo, ".gitattributes", "secret.yaml export-ignore\n.gitattributes export-ignore\n"
    )
    body = tree(server, repo)
    assert "secret.yaml" in {entry["path"] for entry in body["tree"]}
    assert packed(server, repo, body["sha"]) == FILES


def test_an_archive_may_be_of_a_folder_and_has_contents_as_attributes_say(server: Server) -> None:
    repo = filled(server)
    write(server, repo, "win/.gitattributes", "*.txt working-tree-encoding=UTF-16LE\n")
    write(server, repo, "win/a.txt", "v1")
    folder = next(e["sha"] for e in tree(server, repo)["tree"] if e["path"] == "win")
    assert packed(server, repo, folder, "win")["a.txt"] == "v\x001\x00"


def test_an_archive_of_a_branch_holds_the_folder_asked_for_under_its_whole_path(
    server: Server,
) -> None:
    repo, branch = filled(server), "Feature/x#2"
    write(server, repo, ":a[b]/c d/e.yaml", "new", branch="main", new_branch=branch)
    texts = archived(archive(server, repo, f"refs/heads/{branch}", ":a[b]/c d"))
    assert texts.pop(":a[b]/c d/e.yaml") == "new"
    assert texts in ({}, FILES)  # a server that knows no `path` has the whole branch


def test_refs_are_all_on_one_page(server: Server) -> None:
    repo = filled(server)
    branches = ["main", "Feature/Login_Page#2", *(f"b-{n:02}" for n in range(55))]
    for branch in branches[1:]:
        body = {"new_branch_name": branch, "old_branch_name": "main"}
        assert server.forge("POST", f"/repos/{repo}/branches", json=body).status_code == 201
    assert server.forge("GET", f"/repos/{repo}/git/refs/tags").status_code == 404
    for name in ("v1.0.0", "api/v2"):
        body = {"tag_name": name, "target": "main"}
        assert server.forge("POST", f"/repos/{repo}/tags", json=body).status_code == 201
    heads = {row["ref"] for row in server.forge("GET", f"/repos/{repo}/git/refs/heads").json()}
    assert heads == {f"refs/heads/{branch}" for branch in branches}
    everything = {row["ref"] for row in server.forge("GET", f"/repos/{repo}/git/refs").json()}
    assert everything == heads | {"refs/tags/v1.0.0", "refs/tags/api/v2"}


def test_no_branch_has_a_space_in_its_name(server: Server) -> None:
    body = {"new_branch_name": "Feature/Login Page#2", "old_branch_name": "main"}
    repo = filled(server)
    assert server.forge("POST", f"/repos/{repo}/branches", json=body).status_code == 422


def test_open_pull_requests_come_oldest_first_in_pages_with_their_total(server: Server) -> None:
    repo = filled(server)
    numbers = []
    for branch in ("one", "two", "three"):
        write(server, repo, f"{branch}.yaml", branch, branch="main", new_branch=branch)
        body = {"head": branch, "base": "main", "title": branch}
        made = server.forge("POST", f"/repos/{repo}/pulls", json=body)
        assert made.status_code == 201, made.text
        numbers.append(made.json()["number"])
    server.forge("PATCH", f"/repos/{repo}/pulls/{numbers[1]}", json={"state": "closed"})
    pages = [
        server.forge("GET", f"/repos/{repo}/pulls", params=OPEN | {"page": page, "limit": 1})
        for page in (1, 2, 3)
    ]
    assert [[row["number"] for row in page.json()] for page in pages] == [
        [numbers[0]],
        [numbers[2]],
        [],
    ]
    assert {page.headers["X-Total-Count"] for page in pages} == {"2"}


OPEN = {"state": "open", "sort": "oldest"}


def test_an_empty_repository_says_so_and_has_nothing_to_read(server: Server) -> None:
    repo = server.repository()
    assert server.forge("GET", f"/repos/{repo}").json()["empty"] is True
    parts = ("git/refs", "git/refs/heads", "pulls?state=open", "archive/main.tar.gz")
    for part in parts:
        assert server.forge("GET", f"/repos/{repo}/{part}").status_code == 404, part
    assert server.forge("GET", f"/repos/{repo}/git/trees/refs%2Fheads%2Fmain").status_code >= 400


def test_pull_requests_that_are_turned_off_are_not_there(server: Server) -> None:
    repo = filled(server)
    assert server.forge("GET", f"/repos/{repo}/pulls", params=OPEN).json() == []
    server.forge("PATCH", f"/repos/{repo}", json={"has_pull_requests": False})
    assert server.forge("GET", f"/repos/{repo}/pulls", params=OPEN).status_code == 404


def test_a_row_tells_the_full_name_the_default_branch_and_whether_it_is_empty(
    server: Server,
) -> None:
    repo = filled(server)
    row = server.forge("GET", f"/repos/{repo.upper()}").json()
    assert (row["full_name"], row["default_branch"], row["empty"]) == (repo, "main", False)


def test_an_archived_repository_is_listed_and_read_like_any_other(server: Server) -> None:
    repo = filled(server)
    server.forge("PATCH", f"/repos/{repo}", json={"archived": True})
    body = tree(server, repo)
    assert packed(server, repo, body["sha"]) == FILES
    assert repo in listed(server, f"/users/{server.owner}/repos")
    server.forge("PATCH", f"/repos/{repo}", json={"archived": False})


def listed(server: Server, path: str, **params: str) -> dict[str, int]:
    """Every repository of a listing, with the total that its page told."""
    found: dict[str, int] = {}
    page = 1
    while True:
        answer = server.forge("GET", path, params={**params, "page": page, "limit": 3})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        rows = body["data"] if isinstance(body, dict) else body
        if not rows:
            return found
        found |= {row["full_name"]: int(answer.headers["X-Total-Count"]) for row in rows}
        page += 1


def test_the_repositories_of_an_owner_come_in_pages_with_their_total(server: Server) -> None:
    made = {server.repository() for _ in range(4)}
    found = listed(server, f"/users/{server.owner}/repos")
    assert made <= found.keys()
    assert set(found.values()) == {len(found)}


def test_all_repositories_come_in_pages_with_their_total(server: Server) -> None:
    made = {server.repository() for _ in range(4)}
    found = listed(server, "/repos/search", sort="id", order="asc")
    assert made <= found.keys()
    assert set(found.values()) == {len(found)}


@pytest.mark.parametrize("part", ["", "/git/refs", "/git/trees/main", "/pulls?state=open"])
def test_a_renamed_repository_is_a_redirect_and_an_unknown_one_is_404(
    server: Server, part: str
) -> None:
    repo = filled(server)
    assert server.forge("GET", f"/repos/{repo}-none{part}").status_code == 404
    assert server.forge("GET", f"/repos/{repo.replace('/', '-none/')}{part}").status_code == 404
    new = f"{repo.partition('/')[2]}-new"
    assert server.forge("PATCH", f"/repos/{repo}", json={"name": new}).status_code == 200
    answer = server.forge("GET", f"/repos/{repo}{part}")
    assert answer.status_code in (301, 307)
    assert answer.headers["Location"].endswith(f"/api/v1/repos/{server.owner}/{new}{part}")


def test_the_repositories_of_an_unknown_owner_are_404(server: Server) -> None:
    assert server.forge("GET", f"/users/{server.owner}-none/repos").status_code == 404


def test_rows_of_a_linked_image_name_the_repository(server: Server) -> None:
    repo, image = server.repository(), server.image()
    server.pusher.image(image, "v1", seed=1)
    assert server.rows(image)["v1"]["repository"] is None
    answer = server.api("POST", f"/container/{image}/-/link/{repo.partition('/')[2]}")
    if answer.status_code == 404:
        pytest.skip("this server links no image through its API")
    assert answer.status_code == 201, answer.text
    assert server.rows(image)["v1"]["repository"]["full_name"] == repo
