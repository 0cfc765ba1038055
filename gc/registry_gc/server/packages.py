"""The registry's addresses: Gitea's package API, /v2 for manifests, and the task that cleans up."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from registry_gc.errors import Denied, Gone, NotAName, Right, UnknownOwner, WrongAnswer
from registry_gc.server.client import Client
from registry_gc.server.references import is_digest, is_valid, is_valid_image
from registry_gc.server.transport import Body

LARGEST_MANIFEST = 16 << 20  # bytes; Gitea takes none of more than 10 MiB (1.21 to 1.26)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing."""

    rows: list[dict[str, Any]]
    """What of them is read: id, name, version, created_at, and of the repository its full name."""
    total: int
    """X-Total-Count: how many rows all pages have."""
    at: datetime
    """The server's clock when it answered; the beginning of time when it does not tell."""
    asked_at: datetime
    """A whole second of it that began before the page was asked for."""


def page(
    client: Client,
    query: str,
    number: int,
    limit: int,
    before: Callable[[], object] | None = None,
) -> Page:
    """One page of the owner's container versions, newest first; past the end it is empty.

    GET /api/v1/packages/{owner} (1.21 to main). Lists an unknown image as []. `before` is called
    each time right before it is asked for. With a limit of 1 it costs the server one row and a
    count.
    """
    path = f"/packages/{quote(client.owner, safe='')}"
    parameters: dict[str, str | int] = {"type": "container", "q": query}
    parameters |= {"page": number, "limit": limit}
    try:
        asked = right(client, "read")
        kind = "list" if limit > 1 else "newest"
        answer = client.api("GET", path, kind, asked, parameters, before=before)
    except Gone as error:
        raise UnknownOwner(client.server_url, client.owner) from error
    rows, total = client.json(answer), answer.headers.get("X-Total-Count", "")
    if not isinstance(rows, list) or not (total.isascii() and total.isdecimal()):
        raise WrongAnswer.not_a_listing(client.server_url)
    return Page([_needed(row) for row in rows], int(total), answer.at, answer.asked_at)


def _needed(row: Any) -> Any:
    """A row without the rest: of a linked image each has the whole repository, some 4 kB of it."""
    if not isinstance(row, dict):
        return row
    needed = {key: row[key] for key in ("id", "name", "version", "created_at") if key in row}
    repository = row.get("repository")
    if isinstance(repository, dict):
        needed["repository"] = {"full_name": repository.get("full_name")}
    return needed


def files(client: Client, image: str, version: str) -> Any:
    """The files of a version: GET /packages/{owner}/container/{name}/{version}/files."""
    path = f"{_path(client, image, version)}/files"
    return client.json(client.api("GET", path, "files", right(client, "read")))


def manifest(client: Client, image: str, reference: str) -> tuple[bytes, str]:
    """The bytes of a manifest and its media type: GET /v2/{owner}/{image}/manifests/{ref}.

    Raises the download count by one.
    """
    what = f"The manifest of {image}@{reference}"
    path = _manifest_path(client, image, reference)
    answer = client.v2(path, "manifest", right(client, "read"), what, LARGEST_MANIFEST)
    return answer.content, answer.headers.get("Content-Type", "").partition(";")[0]


def digest(client: Client, image: str, reference: str) -> str:
    """The digest of what a tag or digest pulls; raises Gone when it pulls nothing.

    HEAD /v2/{owner}/{image}/manifests/{ref}: Docker-Content-Digest (1.21 to main).
    """
    path = _manifest_path(client, image, reference)
    answer = client.head_v2(path, "head", right(client, "read"))
    found = answer.headers.get("Docker-Content-Digest", "")
    if not is_digest(found):
        raise WrongAnswer.without_digest(f"{image}:{reference}")
    return found


def tags(client: Client, image: str) -> frozenset[str]:
    """The names of all tags of an image: GET /v2/{owner}/{image}/tags/list (1.21 to main).

    Without `n` it is one answer, whatever their number.
    """
    if not is_valid_image(image):
        raise NotAName(image, "")
    path = f"/{quote(client.owner)}/{quote(image)}/tags/list"
    body = client.json(client.v2(path, "tags", right(client, "read"), f"The tags of {image}"))
    try:
        return frozenset(map(str, body["tags"] or ()))
    except (TypeError, KeyError) as error:
        raise WrongAnswer.not_a_listing(client.server_url) from error


def copy(client: Client, image: str, source: str, name: str) -> None:
    """Gives the manifest with the digest `source` one more name, and reads that name back.

    PUT /v2/{owner}/{image}/manifests/{name}: 201; all that it refers to is there already. Raises
    WrongAnswer when the name does not hold the very same manifest then.
    """
    raw, media_type = manifest(client, image, source)
    found = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    if found != source:
        raise WrongAnswer.damaged(f"{image}@{source}", found, source)
    path = _manifest_path(client, image, name)

    def look() -> None:
        if holds(client, image, name, source):
            raise _Done

    try:
        client.put_v2(path, "put", right(client, "push"), Body(raw, media_type), look)
    except _Done:
        return
    if not holds(client, image, name, source):
        raise WrongAnswer.other_content(f"{image}:{name}", source)


def holds(client: Client, image: str, name: str, wanted: str) -> bool:
    """Whether the name is there and pulls the manifest with this digest."""
    try:
        return digest(client, image, name) == wanted
    except Gone:
        return False


class _Done(Exception):
    """What was asked for has come about, though there was no answer."""


def delete(
    client: Client,
    image: str,
    version: str,
    version_id: int,
    before: Callable[[], object] | None = None,
) -> None:
    """Deletes the version with this id and name; one that is gone already is a success.

    A tag by DELETE /v2/{owner}/{image}/manifests/{tag} where /v2 gives a token: 202, or 404. It
    takes the version of that tag alone (1.21 to 1.28, Forgejo 7 to 15) and saves the server one of
    two writes. By digest it would take every tag that holds it: never so. Else, and where /v2 has
    not done it, DELETE /packages/{owner}/container/{name}/{version}: 204, or 404. Both go by name
    alone, so when it may have been done and there was no answer, it is not sent again before a
    look whether that name still is the row with that id: what was pushed meanwhile has another. On
    1.25.0 and 1.25.1 a tag that was pushed again keeps its row: there no look can tell it from the
    old one.
    `before` is called each time right before it is sent, and what that raises is raised.
    """
    path = _path(client, image, version)

    def look() -> None:
        _look(client, path, version_id)

    asked = right(client, "delete")
    try:
        if not is_digest(version):
            tag = _manifest_path(client, image, version)
            if client.delete_v2(tag, asked, look, before):
                return
        client.api("DELETE", path, "delete", asked, expected=204, look=look, before=before)
    except Gone:
        return


def _look(client: Client, path: str, version_id: int) -> None:
    """Raises Gone unless the version at this path still is the row with this id.

    GET /packages/{owner}/container/{name}/{version} (1.21 to main).
    """
    row = client.json(client.api("GET", path, "look", right(client, "read"), is_look=True))
    if not isinstance(row, dict) or type(row.get("id")) is not int:
        raise WrongAnswer.not_a_version(client.server_url)
    if row["id"] != version_id:
        raise Gone(path)


def clean_up(client: Client) -> None:
    """Runs the server's cron task that frees the space: POST /admin/cron/cleanup_packages."""
    try:
        client.api("POST", "/admin/cron/cleanup_packages", "cron", _ADMIN, expected=204)
    except Denied as error:
        raise Denied.to_clean_up(error.answer) from error


_ADMIN = Right(
    "run cleanup_packages", "write:admin", "admin: read and write", "a site admin of this server"
)


def right(client: Client, action: str) -> Right:
    """What it takes to `read` or `delete` packages of the owner."""
    return Right(
        f"{action} packages of {client.owner}",
        "write:package",
        "package: read and write",
        f"a user who may write to {client.owner}'s packages; the automatic job token never can",
    )


def _path(client: Client, image: str, version: str) -> str:
    """The path of one version; an empty one, or `..`, would address the whole image."""
    if not is_valid_image(image) or not is_valid(version):
        raise NotAName(image, version)
    owner, name, tag = (quote(part, safe="") for part in (client.owner, image, version))
    return f"/packages/{owner}/container/{name}/{tag}"


def _manifest_path(client: Client, image: str, reference: str) -> str:
    if not is_valid_image(image) or not is_valid(reference):
        raise NotAName(image, reference)
    return f"/{quote(client.owner)}/{quote(image)}/manifests/{quote(reference, safe=':')}"
