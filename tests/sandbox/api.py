"""The sandbox's /api/v1."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, jsonify, request

from .access import api_token, may_read, may_write, store
from .forge import row_of, sees
from .manifests import Refused
from .rows import Image, Owner, Version

ROOT_URL = "http://registry.invalid"  # as behind a proxy: links into it lead nowhere
FORBIDDEN = "user should have specific permission or be a site admin"
PACKAGE = "/packages/<name>/<kind>/<image>"

room = Blueprint("api", __name__, url_prefix="/api/v1")


class Moved(Exception):
    """The owner has another name now."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.target = target


@room.errorhandler(Moved)
def redirect(moved: Moved) -> Response:
    return Response(status=307, headers={"Location": moved.target})


@room.errorhandler(Refused)
def refuse(error: Refused) -> Response:
    response = jsonify({"message": error.message, "url": f"{ROOT_URL}/api/swagger"})
    response.status_code = error.status
    return response


@room.get("/version")
def version() -> dict[str, str]:
    return {"version": store().profile.version}


@room.get("/settings/api")
def settings() -> dict[str, int]:
    return {
        "max_response_items": store().max_items,
        "default_paging_num": store().page_size,
        "default_git_trees_per_page": 1000,
        "default_max_blob_size": 10485760,
    }


@room.get("/user")
def user() -> dict[str, Any]:
    return user_row(store().owner(api_token("read:user").user))


@room.get("/token")
def token() -> dict[str, Any]:
    """Of the token that asks; a job's is none (1.27 on)."""
    asking = api_token()
    if not store().profile.tells_scopes or not store().is_owner(asking.user):
        abort(404)
    return {
        "id": 1,
        "name": "gc",
        "scopes": sorted(asking.scopes),
        "created_at": "2026-01-01T00:00:00Z",
        "last_used_at": "2026-01-01T00:00:00Z",
        "user": user_row(store().owner(asking.user)),
    }


@room.get("/packages/<name>")
def packages(name: str) -> Response:
    api_token("read:package")
    return _page(name, request.args.get("type", "container"), request.args.get("q", ""))


@room.get(PACKAGE)
def versions(name: str, kind: str, image: str) -> Response:
    if not store().profile.lists_by_name:
        abort(404)
    api_token("read:package")
    return _page(name, kind, _plain(image).lower(), exact=True)


@room.delete(PACKAGE)
def delete_image(name: str, kind: str, image: str) -> tuple[str, int]:
    if not store().profile.deletes_whole_image:
        abort(405 if store().profile.lists_by_name else 404)
    token = api_token("write:package")
    owner = _owner(name)
    if not may_write(token, owner):
        raise Refused(403, "", FORBIDDEN)
    store().delete_image(owner.name, _plain(image))
    return "", 204


@room.get(f"{PACKAGE}/<ref>")
def package(name: str, kind: str, image: str, ref: str) -> dict[str, Any]:
    api_token("read:package")
    return _package(_version(name, kind, image, ref))


@room.delete(f"{PACKAGE}/<ref>")
def delete(name: str, kind: str, image: str, ref: str) -> tuple[str, int]:
    token = api_token("write:package")
    row = _version(name, kind, image, ref)
    if not may_write(token, row.image.owner):
        raise Refused(403, "", FORBIDDEN)
    store().delete_version(row.image.owner.name, row.image.name, row.name)
    return "", 204


@room.get(f"{PACKAGE}/<ref>/files")
def files(name: str, kind: str, image: str, ref: str) -> Response:
    api_token("read:package")
    key = store().profile.size_key
    return jsonify(
        [
            {"id": file.id, key: len(file.blob.content), "name": file.name, **file.blob.hashes}
            for file in list(_version(name, kind, image, ref).files)
        ]
    )


@room.post(f"{PACKAGE}/-/link/<repository>")
def link(name: str, kind: str, image: str, repository: str) -> tuple[str, int]:
    if not store().profile.lists_by_name:
        abort(404)
    api_token("write:package")
    _owner(name).images[_plain(image)].repository = repository
    return "", 201


@room.post("/admin/cron/<task>")
def cron(task: str) -> tuple[str, int]:
    token = api_token("write:admin")
    if token.user not in store().admins:
        raise Refused(403, "", "user should be the site admin")
    if task != "cleanup_packages":
        raise Refused(404, "", "not found")
    store().cleanup()
    return "", 204


def _page(name: str, kind: str, q: str, exact: bool = False) -> Response:
    owner = _owner(name)
    page, limit = (request.args.get(key, 0, int) for key in ("page", "limit"))
    rows, total = store().listing(owner.name, q, page, limit, exact)
    if kind not in ("container", "all", ""):
        rows, total = [], 0
    response = jsonify([_package(row) for row in rows])
    response.headers["X-Total-Count"] = str(total)
    if rows and len(rows) < total:
        query = urlencode({**request.args, "page": max(page, 1) + 1})
        response.headers["Link"] = f'<{ROOT_URL}{request.path}?{query}>; rel="next"'
    return response


def _owner(name: str) -> Owner:
    name = _plain(name)
    new = store().renamed(name)
    if new:
        target = request.environ["RAW_URI"].replace(f"/packages/{name}", f"/packages/{new}", 1)
        raise Moved(target)
    owner = store().owner(name)
    if not may_read(api_token(), owner):
        raise Refused(403, "", FORBIDDEN)
    return owner


def _version(name: str, kind: str, image: str, ref: str) -> Version:
    owner = _owner(name)
    if kind != "container":
        raise Refused(404, "", "GetVersionByNameAndVersion: package does not exist")
    return store().version(owner.name, _plain(image), _plain(ref))


def _plain(segment: str) -> str:
    """A path segment with its escaped slashes put back."""
    return segment.replace("%2F", "/")


def _package(row: Version) -> dict[str, Any]:
    owner = user_row(row.image.owner)
    name = row.image.name
    return {
        "id": row.id,
        "owner": owner,
        "repository": _linked(row.image),
        "creator": owner,
        "type": "container",
        "name": name,
        "version": row.name,
        "html_url": f"{ROOT_URL}/{owner['login']}/-/packages/container/{name}/{row.name}",
        "created_at": row.created_at.astimezone(store().zone).isoformat().replace("+00:00", "Z"),
    }


def _linked(image: Image) -> dict[str, Any] | None:
    """The repository, null also when the asking user does not see it."""
    key = image.owner.name.lower(), image.repository.lower()
    found = store().forge.repositories.get(key) if image.repository else None
    return row_of(found) if found and sees(api_token(), found) else None


def user_row(owner: Owner) -> dict[str, Any]:
    return {"id": owner.id, "login": owner.name, "full_name": "", "username": owner.name}
