"""The sandbox's /api/v1 for repositories: what the contract tests write."""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import unquote

from flask import request

from .access import api_token, store
from .forge import READ, REPOSITORY, WRITE, pull_of, repository_of, room, row_of
from .manifests import Refused

__all__ = ["room"]

_NO_REF_NAME = re.compile(r"[\x00-\x20~^:?*\[\\\x7f]|\.\.|@\{|//|\.lock$|^/|/$|\.$|^-")


@room.post("/user/repos")
def create() -> tuple[dict[str, Any], int]:
    api_token("write:user")
    token, given = api_token(WRITE), _given()
    known = {k: given[k] for k in ("private", "default_branch") if k in given}
    return row_of(store().forge.add(store().owner(token.user), given["name"], **known)), 201


@room.get("/repositories/<int:number>")
def by_id(number: int) -> dict[str, Any]:
    api_token(READ)
    known = store().forge.repositories.values()
    return row_of(next(found for found in known if found.id == number))


@room.patch(REPOSITORY)
def edit(owner: str, name: str) -> dict[str, Any]:
    found = repository_of(owner, name, WRITE)
    for key in {"archived", "private", "has_pull_requests"} & set(_given()):
        setattr(found, key, _given()[key])
    if "name" in _given():
        store().forge.rename(found, _given()["name"])
    return row_of(found)


@room.delete(REPOSITORY)
def delete(owner: str, name: str) -> tuple[str, int]:
    found = repository_of(owner, name, WRITE)
    del store().forge.repositories[found.owner.name.lower(), found.name.lower()]
    return "", 204


@room.post(f"{REPOSITORY}/contents/<path:path>")
def write_file(owner: str, name: str, path: str) -> tuple[dict[str, Any], int]:
    found, given = repository_of(owner, name, WRITE), _given()
    branch = given.get("branch", found.default_branch)
    files = dict(found.branches.get(branch, {}))
    files[unquote(path)] = base64.b64decode(given["content"])
    found.branches[given.get("new_branch", branch)] = files
    return {"content": {"path": unquote(path)}}, 201


@room.post(f"{REPOSITORY}/branches")
def add_branch(owner: str, name: str) -> tuple[dict[str, Any], int]:
    found, given = repository_of(owner, name, WRITE), _given()
    branch = given["new_branch_name"]
    if _NO_REF_NAME.search(branch):
        raise Refused(422, "", "[BranchName]: GitRefName")
    found.branches[branch] = found.branches[given.get("old_branch_name", found.default_branch)]
    return {"name": branch}, 201


@room.delete(f"{REPOSITORY}/branches/<path:branch>")
def drop_branch(owner: str, name: str, branch: str) -> tuple[str, int]:
    del repository_of(owner, name, WRITE).branches[unquote(branch)]
    return "", 204


@room.post(f"{REPOSITORY}/tags")
def add_tag(owner: str, name: str) -> tuple[dict[str, Any], int]:
    repository_of(owner, name, WRITE).tags.add(_given()["tag_name"])
    return {"name": _given()["tag_name"]}, 201


@room.post(f"{REPOSITORY}/pulls")
def add_pull(owner: str, name: str) -> tuple[dict[str, Any], int]:
    found = repository_of(owner, name, WRITE)
    number = len(found.pulls) + 1
    found.pulls[number] = "open"
    return pull_of(found, number), 201


@room.patch(f"{REPOSITORY}/pulls/<int:number>")
def edit_pull(owner: str, name: str, number: int) -> tuple[dict[str, Any], int]:
    found = repository_of(owner, name, WRITE)
    found.pulls[number] = _given()["state"]
    return pull_of(found, number), 201


def _given() -> dict[str, Any]:
    body = request.get_json()
    assert isinstance(body, dict)
    return body
