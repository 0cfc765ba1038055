"""The sandbox's /api/v1 for the releases of a repository, as Gitea 1.25.4 answers."""

from __future__ import annotations

from typing import Any

from flask import current_app, request

from .forge import REPOSITORY, WRITE, repository_of
from .manifests import Refused
from .owners import room

__all__ = ["room"]


def _pages() -> dict[str, dict[str, Any]]:
    """Tag -> its release, with the content of each file."""
    found: dict[str, dict[str, Any]] = current_app.extensions.setdefault("releases", {})
    return found


def _page(id_: int) -> dict[str, Any]:
    return next(page for page in _pages().values() if page["id"] == id_)


@room.get(f"{REPOSITORY}/releases/tags/<tag>")
def by_tag(owner: str, name: str, tag: str) -> dict[str, Any]:
    repository_of(owner, name, WRITE)
    if tag not in _pages():
        raise Refused(404, "", "The target couldn't be found.")
    return _pages()[tag]


@room.post(f"{REPOSITORY}/releases")
def add(owner: str, name: str) -> tuple[dict[str, Any], int]:
    repository_of(owner, name, WRITE)
    given = request.get_json()
    if given["tag_name"] in _pages():
        raise Refused(409, "", "Release is has no Tag")
    address = f"{request.host_url}{owner}/{name}/releases/tag/{given['tag_name']}"
    page = {"id": len(_pages()) + 1, "html_url": address, "assets": [], **given}
    _pages()[given["tag_name"]] = page
    return page, 201


@room.post(f"{REPOSITORY}/releases/<int:id_>/assets")
def attach(owner: str, name: str, id_: int) -> tuple[dict[str, Any], int]:
    repository_of(owner, name, WRITE)
    assets = _page(id_)["assets"]
    file = request.files["attachment"]
    size = len(file.read())
    asset = {"id": max([0, *(a["id"] for a in assets)]) + 1, "name": request.args["name"]}
    assets.append(asset | {"size": size})
    return asset, 201


@room.delete(f"{REPOSITORY}/releases/<int:id_>/assets/<int:asset>")
def detach(owner: str, name: str, id_: int, asset: int) -> tuple[str, int]:
    repository_of(owner, name, WRITE)
    page = _page(id_)
    page["assets"] = [known for known in page["assets"] if known["id"] != asset]
    return "", 204
