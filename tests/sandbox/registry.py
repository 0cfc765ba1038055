"""The sandbox's /v2."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, jsonify, request

from .access import JWT, may_read, may_write, registry_token, store
from .manifests import DIGEST, Refused
from .rows import File

NAME = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*")
IMAGE = "/<name>/<path:image>"


class Bare(Response):
    """An answer without a type of its own is plain text."""

    default_mimetype = "text/plain"


room = Blueprint("registry", __name__, url_prefix="/v2")


@room.errorhandler(Refused)
def refusal(error: Refused) -> Response:
    """The registry's JSON, or plain text where Gitea sends that."""
    if error.code:
        response = jsonify({"errors": [{"code": error.code, "message": error.message}]})
    else:
        response = Bare(error.message)
    response.status_code = error.status
    return response


@room.get("")
def ping() -> Response:
    # Basic does not count here on a real server: docker always asks for a bearer token first
    if request.headers.get("Authorization", "").startswith("Bearer "):
        registry_token()
        return _answer(200)
    challenge = f'Bearer realm="{request.host_url}v2/token",service="container_registry",scope="*"'
    response = refusal(Refused(401, "UNAUTHORIZED"))
    response.headers["WWW-Authenticate"] = challenge
    return response


@room.get("/token")
def token() -> dict[str, str]:
    registry_token()
    assert request.authorization
    return {"token": f"{JWT}{request.authorization.password}"}


@room.post(f"{IMAGE}/blobs/uploads")
def start_upload(name: str, image: str) -> Response:
    owner, image = _enter(name, image, write=True)
    base = f"/v2/{owner}/{image}/blobs"
    mount, digest = request.args.get("mount", ""), request.args.get("digest", "")
    if mount and store().mount_blob(owner, image, mount, request.args.get("from", "")):
        return _answer(201, Location=f"{base}/{mount}", digest=mount)
    if digest:
        store().put_blob(owner, image, request.get_data(), digest)
        return _answer(201, Location=f"{base}/{digest}", digest=digest)
    return _answer(202, Location=f"{base}/uploads/{store().start_upload()}")


@room.route(f"{IMAGE}/blobs/uploads/<key>", methods=["GET", "PATCH", "PUT", "DELETE"])
def upload(name: str, image: str, key: str) -> Response:
    owner, image = _enter(name, image, write=True)
    base = f"/v2/{owner}/{image}/blobs"
    if request.method == "DELETE":
        store().end_upload(key)
        return _answer(204)
    content = store().append_upload(key, request.get_data())
    if request.method == "PUT":
        digest = request.args.get("digest", "")
        store().put_blob(owner, image, content, digest)
        store().end_upload(key)
        return _answer(201, Location=f"{base}/{digest}", digest=digest)
    status = 204 if request.method == "GET" else 202
    extra = {"Range": f"0-{len(content) - 1}"} if content else {}
    return _answer(status, Location=f"{base}/uploads/{key}", **extra)


@room.get(f"{IMAGE}/blobs/<digest>")
def blob(name: str, image: str, digest: str) -> Response:
    owner, image = _enter(name, image)
    return _file(store().blob(owner, image, digest))


@room.get(f"{IMAGE}/manifests/<reference>")
def manifest(name: str, image: str, reference: str) -> Response:
    owner, image = _enter(name, image)
    return _file(store().manifest(owner, image, reference, count=request.method == "GET"))


@room.put(f"{IMAGE}/manifests/<reference>")
def put_manifest(name: str, image: str, reference: str) -> Response:
    owner, image = _enter(name, image, write=True)
    kind = request.headers.get("Content-Type", "")
    digest = store().put_manifest(owner, image, reference, request.get_data(), kind)
    return _answer(201, Location=f"/v2/{owner}/{image}/manifests/{reference}", digest=digest)


@room.delete(f"{IMAGE}/manifests/<reference>")
def delete_manifest(name: str, image: str, reference: str) -> Response:
    owner, image = _enter(name, image, write=True)
    store().delete_manifest(owner, image, reference)
    return _answer(202)


@room.get(f"{IMAGE}/tags/list")
def tags(name: str, image: str) -> dict[str, Any]:
    owner, image = _enter(name, image)
    found = [tag for tag in store().tags(owner, image) if tag > request.args.get("last", "")]
    return {"name": f"{owner}/{image}", "tags": found[: request.args.get("n", None, int)]}


def _enter(name: str, image: str, write: bool = False) -> tuple[str, str]:
    """Names of owner and image, or Gitea's refusal: 401 for every lack of right."""
    token = registry_token()
    owner = store().owner(name)
    allowed = may_write if write else may_read
    if not token.allows("write:package" if write else "read:package") or not allowed(token, owner):
        raise Refused(401, "", "reqPackageAccess")
    image = image.replace("%2F", "/")
    if not NAME.fullmatch(image):
        raise Refused(400, "NAME_INVALID")
    return owner.name.lower(), image


def _file(file: File) -> Response:
    assert DIGEST.fullmatch(file.blob.digest)
    response = _answer(200, digest=file.blob.digest)
    response.set_data(file.blob.content)
    response.headers["Content-Type"] = file.media_type or "application/octet-stream"
    return response


def _answer(status: int, digest: str = "", **headers: str) -> Response:
    response = Bare(status=status, headers=headers)
    response.headers["Docker-Distribution-Api-Version"] = "registry/2.0"
    if digest:
        response.headers["Docker-Content-Digest"] = digest
        response.headers["ETag"] = f'"{digest}"'
    return response
