"""The contents of repositories: what a branch holds, files one by one, and folders as archives."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
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

    commit: str
    """Its last commit."""
    folders: Mapping[str, str]
    """Path -> the name that git gives the folder; "" -> the commit."""
    files: tuple[File, ...]
    """Links among them, folders and submodules not."""
    submodules: tuple[str, ...]
    """Paths in which another repository stands."""
    at: datetime
    """The server's clock when it was read."""


def tree(client: Client, name: str, branch: str) -> Tree:
    """All that a branch holds, at one commit.

    GET /repos/{owner}/{repo}/git/trees/{ref}?recursive=1, 1,000 entries a page; 400 for a branch
    that is not there. It names every file, also those that an archive leaves out.
    """
    path = f"/git/trees/{quote(f'refs/heads/{branch}', safe='')}"
    answer = get(client, name, path, "tree", recursive="1", page=1)
    try:
        body = client.json(answer)
        commit, entries, number = str(body["sha"]), list(body["tree"] or ()), 1
        while body["truncated"]:
            number += 1
            path = f"/git/trees/{quote(commit, safe='')}"
            body = client.json(get(client, name, path, "tree", recursive="1", page=number))
            entries += body["tree"]  # a page that is empty, and not the last, is none
        files = tuple(
            File(str(e["path"]), int(e["size"]), str(e["sha"]), e["mode"] == "120000")
            for e in entries
            if e["type"] == "blob"
        )
        folders = {str(e["path"]): str(e["sha"]) for e in entries if e["type"] == "tree"}
        submodules = tuple(str(e["path"]) for e in entries if e["type"] == "commit")
        if len(files) + len(folders) + len(submodules) != body["total_count"]:
            raise ValueError("entries are missing")
    except (ValueError, TypeError, KeyError) as error:
        raise WrongAnswer.not_a_listing(client.server_url) from error
    return Tree(commit, {"": commit, **folders}, files, submodules, answer.at)


def blob(client: Client, name: str, sha: str) -> bytes:
    """The content of a file: GET /repos/{owner}/{repo}/git/blobs/{sha}, up to 10 MiB.

    The server leaves the content of larger ones out (DEFAULT_MAX_BLOB_SIZE): Unreadable.
    """
    body = client.json(get(client, name, f"/git/blobs/{quote(sha, safe='')}", "blob"))
    try:
        if body["content"] is None:
            raise Unreadable.too_large(name, sha, body["size"])
        return b64decode(body["content"], validate=True)
    except (binascii.Error, TypeError, KeyError) as error:
        raise WrongAnswer.not_a_listing(client.server_url) from error


def archive(client: Client, name: str, sha: str) -> bytes:
    """A commit or a folder as tar.gz: GET /repos/{owner}/{repo}/archive/{sha}.tar.gz.

    As `git archive` makes it: what .gitattributes calls export-ignore is not in it, and other
    attributes change contents. Until 1.24 it takes a second and stays on the server's disk for a
    day; from 1.25 on it is sent as it is made.
    """
    return get(client, name, f"/archive/{quote(sha, safe='')}.tar.gz", "archive").content
