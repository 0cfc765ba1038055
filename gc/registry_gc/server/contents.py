"""The contents of repositories: what a branch holds, files one by one, and folders as archives."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from registry_gc.errors import WrongAnswer
from registry_gc.server.client import Client
from registry_gc.server.forge import Unreadable, get


@dataclass(frozen=True, slots=True)
class File:
    """A file of a repository, or what is in a file's place there."""

    path: str
    """From the top of the repository."""
    size: int
    """Bytes."""
    sha: str
    """The name that git gives its content: SHA-1 or SHA-256 of it, with `blob <size>` before."""
    is_link: bool
    """A symbolic link; its content is where it leads."""


@dataclass(frozen=True, slots=True)
class Tree:
    """What a branch holds."""

    branch: str
    """Its name: `main`."""
    folders: Mapping[str, str]
    """Path -> the name that git gives the folder; "" -> that of the commit, on 1.28 of its tree."""
    files: tuple[File, ...]
    """Links among them, folders and submodules not."""
    submodules: tuple[str, ...]
    """Paths in which another repository stands."""
    at: datetime
    """The server's clock when it was read."""


def tree(client: Client, name: str, branch: str) -> Tree:
    """All that a branch holds, at one commit.

    GET /repos/{owner}/{repo}/git/trees/{ref}?recursive=1, 1,000 entries a page; 400 for a branch
    that is not there. It names every file, also those that an archive leaves out. `total_count`
    tells when all have come: `truncated` is true on the last of several pages too, on Gitea up to
    1.23 and on Forgejo (7.0, 14.0.5). `sha` is the commit, and on 1.28 its tree.
    """
    path = f"/git/trees/{quote(f'refs/heads/{branch}', safe='')}"
    answer = get(client, name, path, "tree", recursive="1", page=1)
    try:
        body = client.json(answer)
        sha, entries, number = str(body["sha"]), _by_path(body), 1
        while len(entries) < body["total_count"]:
            number += 1
            path = f"/git/trees/{quote(sha, safe='')}"
            body = client.json(get(client, name, path, "tree", recursive="1", page=number))
            page = _by_path(body)
            if page.keys() <= entries.keys():
                raise ValueError("nothing new, and entries are missing")
            entries |= page
        files = tuple(
            File(path, int(e["size"]), str(e["sha"]), e["mode"] == "120000")
            for path, e in entries.items()
            if e["type"] == "blob"
        )
        folders = {path: str(e["sha"]) for path, e in entries.items() if e["type"] == "tree"}
        submodules = tuple(path for path, e in entries.items() if e["type"] == "commit")
        if len(files) + len(folders) + len(submodules) != body["total_count"]:
            raise ValueError("entries are missing")
    except (ValueError, TypeError, KeyError) as error:
        raise WrongAnswer.not_a_listing(client.server_url) from error
    return Tree(branch, {"": sha, **folders}, files, submodules, answer.at)


def _by_path(page: Any) -> dict[str, dict[str, Any]]:
    return {str(entry["path"]): entry for entry in page["tree"] or ()}


def blob(client: Client, name: str, sha: str) -> bytes:
    """The content of a file: GET /repos/{owner}/{repo}/git/blobs/{sha}, up to 10 MiB.

    The server leaves the content of larger ones out (DEFAULT_MAX_BLOB_SIZE): Unreadable.
    """
    body = client.json(get(client, name, f"/git/blobs/{quote(sha, safe='')}", "blob"))
    try:
        if body["content"] is None:
            raise Unreadable.too_large(name, sha, body["size"])
        return b64decode(body["content"], validate=True)
    except (ValueError, TypeError, KeyError) as error:
        raise WrongAnswer.not_a_listing(client.server_url) from error


def archive(client: Client, name: str, ref: str, folder: str = "") -> bytes:
    """A commit or a folder by its id, or a branch by its full name, `refs/heads/main`, as tar.gz.

    GET /repos/{owner}/{repo}/archive/{ref}.tar.gz, as `git archive` makes it: what .gitattributes
    calls export-ignore is not in it, and other attributes change contents. Until 1.24 it takes a
    second and stays on the server's disk for a day; from 1.25 on it is sent as it is made.

    1.27 and 1.28 answer 404 for the id of a folder, and of a commit's tree. With `folder`, of a
    branch, paths begin at the top all the same, and from 1.26 on there is nothing else in it
    (1.26.2 to 1.28.0); older servers leave `path` aside.
    """
    path = f"/archive/{quote(ref, safe='')}.tar.gz"
    # a pathspec of git's: as a bare path `-x` would be an option, and 500
    below = {"path": f":(literal){folder}"} if folder else {}
    return get(client, name, path, "archive", **below).content
