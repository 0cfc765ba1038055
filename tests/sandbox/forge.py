"""The sandbox's /api/v1 for repositories: what the program reads.

As Gitea 1.25.4 and 1.26.2 answer (read from their sources and measured); what differs elsewhere
is in profiles.py.
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote, unquote, urlencode

from flask import Blueprint, Response, jsonify, request

from .access import api_token, may_read, may_write, store
from .manifests import Refused
from .repositories import Repository, blob_id
from .rows import Token

ROOT_URL = "http://registry.invalid"  # as behind a proxy: links into it lead nowhere
LITERAL = ":(literal)"  # before a pathspec of git's that is a path as it stands
READ, WRITE = "read:repository", "write:repository"
REPOSITORY = "/repos/<owner>/<name>"
NOT_READER = "user should have specific read permission or be a repo admin or a site admin"
TREES_PER_PAGE = 1000


class Renamed(Exception):
    """The repository has another name now, or its owner."""

    def __init__(self, target: str, status: int) -> None:
        super().__init__(target)
        self.target, self.status = target, status


room = Blueprint("forge", __name__, url_prefix="/api/v1")


@room.errorhandler(Renamed)
def redirect(moved: Renamed) -> Response:
    return Response(status=moved.status, headers={"Location": moved.target})


@room.errorhandler(Refused)
def refuse(error: Refused) -> Response:
    response = jsonify({"message": error.message, "url": f"{ROOT_URL}/api/swagger"})
    response.status_code = error.status
    return response


@room.get("/repos/search")
def search() -> Response:
    token = api_token(READ)
    known = store().forge.repositories.values()
    rows = [r for r in known if sees(token, r) and request.args.get("q", "").lower() in r.name]
    page = page_of(rows)
    return listed({"ok": True, "data": [row_of(r) for r in page]}, len(rows))


@room.get("/users/<owner>/repos")
def repositories_of_owner(owner: str) -> Response:
    """The total counts the repositories that the asking user does not see, the rows do not."""
    api_token("read:user")
    token, holder = api_token(READ), store().owner(owner)
    rows = [r for r in store().forge.repositories.values() if r.owner is holder]
    return listed([row_of(r) for r in page_of(rows) if sees(token, r)], len(rows))


@room.get(REPOSITORY)
def repository(owner: str, name: str) -> dict[str, Any]:
    return row_of(repository_of(owner, name))


@room.get(f"{REPOSITORY}/git/trees/<ref>")
def tree(owner: str, name: str, ref: str) -> Response:
    found = repository_of(owner, name, code=True)
    ref = unquote(ref)
    commit = found.files(ref)
    files = found.below(ref) if commit is None else commit
    if files is None:
        raise Refused(400, "", f"sha not found [{ref}]")
    profile = store().profile
    is_tree = commit is None or profile.tells_tree
    entries = found.tree(files)
    size = request.args.get("per_page", 0, int)
    size = size if 0 < size <= TREES_PER_PAGE else TREES_PER_PAGE
    page = max(request.args.get("page", 1, int), 1)
    shown = entries[(page - 1) * size : page * size]
    is_more = page * size < len(entries)
    if profile.says_last_is_truncated:
        is_more = bool(shown) and size < len(entries)
    body = {
        "sha": found.root(files) if is_tree else found.commit(files),
        "url": f"{ROOT_URL}{request.path}",
        "tree": shown or None,
        "truncated": is_more,
        "page": page,
        "total_count": len(entries),
    }
    return listed(body, len(entries))


@room.get(f"{REPOSITORY}/git/blobs/<sha>")
def blob(owner: str, name: str, sha: str) -> dict[str, Any]:
    found = repository_of(owner, name, code=True)
    for files in found.branches.values():
        for content in files.values():
            if blob_id(content) == sha:
                is_small = len(content) <= store().max_blob
                text = base64.b64encode(content).decode() if is_small else None
                encoding = "base64" if is_small else None
                return {"content": text, "encoding": encoding, "sha": sha, "size": len(content)}
    raise Refused(400, "", f"object does not exist [id: {sha}, rel_path: ]")


@room.get(f"{REPOSITORY}/archive/<path:file>")
def archive(owner: str, name: str, file: str) -> Response:
    found = repository_of(owner, name, code=True)
    ref = file.removesuffix(".tar.gz")
    if ref == file:
        raise Refused(400, "", f"unknown format: {file}")
    ref, profile = unquote(ref), store().profile
    files = found.files(ref)
    if files is None and profile.archives_trees:
        files = found.below(ref)
    if files is None:
        raise Refused(404, "", f"unrecognized repository reference: {ref}")
    path = request.args.get("path", "") if profile.archives_paths else ""
    if path.startswith("-"):
        raise Refused(500, "", f'failed to stream: broken git command argument "{path}"')
    folder = path.removeprefix(LITERAL)
    if folder and not any(held.startswith(f"{folder}/") for held in files):
        raise Refused(400, "", "path doesn't exist or is invalid")
    return Response(found.archive(files, folder), content_type="application/octet-stream")


@room.get(f"{REPOSITORY}/git/refs")
@room.get(f"{REPOSITORY}/git/refs/<path:under>")
def refs(owner: str, name: str, under: str = "") -> Response:
    found = repository_of(owner, name, code=True)
    start = f"refs/{under}".rstrip("/")
    rows = [{"ref": ref, "object": {"type": "commit"}} for ref in found.refs()]
    rows = [row for row in rows if str(row["ref"]).startswith(f"{start}/") or row["ref"] == start]
    if not rows:
        raise Refused(404, "", "not found")
    return jsonify(rows)


@room.get(f"{REPOSITORY}/pulls")
def pulls(owner: str, name: str) -> Response:
    found = repository_of(owner, name, code=True)
    if not (found.has_pull_requests and found.branches):
        raise Refused(404, "", "not found")
    state = request.args.get("state", "open")
    rows = [pull_of(found, n) for n in sorted(found.pulls) if state in ("all", found.pulls[n])]
    if request.args.get("sort") != "oldest":
        rows.reverse()
    return listed(page_of(rows), len(rows))


def repository_of(owner: str, name: str, scope: str = READ, code: bool = False) -> Repository:
    token = api_token(scope)
    key = owner.lower(), name.lower()
    known = store().forge
    if new := store().renamed(owner):
        raise Renamed(_target(owner, new), 307)
    store().owner(owner)  # 404 with the message of an unknown one
    if key not in known.repositories and key in known.moved:
        target = _target(f"{owner}/{name}", known.moved[key].full_name)
        raise Renamed(target, store().profile.redirect)
    found = known.repositories.get(key)
    if found is None or not sees(token, found):
        raise Refused(404, "", "not found")
    if scope == WRITE and not may_write(token, found.owner):
        raise Refused(403, "", "user should have a permission to write to a repo")
    if code and not found.has_code:
        raise Refused(403, "", NOT_READER)
    return found


def _target(old: str, new: str) -> str:
    return str(request.environ["RAW_URI"]).replace(f"/repos/{old}", f"/repos/{quote(new)}", 1)


def sees(token: Token, repository: Repository) -> bool:
    if repository.private:
        return may_write(token, repository.owner)
    return may_read(token, repository.owner)


def page_of(rows: list[Any]) -> list[Any]:
    page, limit = (request.args.get(key, 0, int) for key in ("page", "limit"))
    size = min(limit, store().max_items) if limit > 0 else store().page_size
    return rows[(max(page, 1) - 1) * size : max(page, 1) * size]


def listed(body: Any, total: int) -> Response:
    response = jsonify(body)
    response.headers["X-Total-Count"] = str(total)
    query = urlencode({**request.args, "page": request.args.get("page", 1, int) + 1})
    response.headers["Link"] = f'<{ROOT_URL}{request.path}?{query}>; rel="next"'
    return response


def row_of(repository: Repository) -> dict[str, Any]:
    return {
        "id": repository.id,
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.private,
        "empty": not repository.branches,
        "archived": repository.archived,
        "default_branch": repository.default_branch,
        "has_pull_requests": repository.has_pull_requests,
    }


def pull_of(repository: Repository, number: int) -> dict[str, Any]:
    return {"id": number, "number": number, "state": repository.pulls[number], "title": "a change"}
