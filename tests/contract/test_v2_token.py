"""The token that /v2 gives for a personal access token."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

from .conftest import Server


def bearer(server: Server) -> str:
    answer = server.session.get(
        f"{server.url}/v2/token",
        params={"service": "container_registry", "scope": "*"},
        auth=("any", server.token),
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


def test_it_reads_and_writes_as_the_token_it_was_given_for(server: Server) -> None:
    image = server.image()
    digest = server.pusher.image(image, "v1", seed=1)
    address = f"{server.url}/v2/{server.owner}/{image}/manifests"
    headers = {"Authorization": f"Bearer {bearer(server)}"}
    told = server.session.head(f"{address}/v1", headers=headers, timeout=30)
    assert (told.status_code, told.headers["Docker-Content-Digest"]) == (200, digest)
    got = server.session.get(f"{address}/{digest}", headers=headers, timeout=30)
    assert got.status_code == 200
    headers |= {"Content-Type": got.headers["Content-Type"]}
    put = server.session.put(f"{address}/v2", data=got.content, headers=headers, timeout=30)
    assert put.status_code == 201
    assert set(server.rows(image)) == {"v1", "v2"}


def test_it_holds_for_longer_than_any_run(server: Server) -> None:
    parts = bearer(server).split(".")
    if len(parts) == 3:  # a JWT, as real servers give it
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
        assert claims["exp"] - datetime.now(UTC).timestamp() > 23 * 3600


def test_without_a_right_token_there_is_none_that_may_write(server: Server) -> None:
    image = server.image()
    server.pusher.image(image, "v1", seed=1)
    answer = server.session.get(f"{server.url}/v2/token", auth=("any", "wrong"), timeout=30)
    assert answer.status_code == 401
    headers = {"Authorization": "Bearer wrong"}
    address = f"{server.url}/v2/{server.owner}/{image}/manifests/v1"
    assert server.session.head(address, headers=headers, timeout=30).status_code == 401


def test_a_tag_that_is_deleted_with_it_goes_alone(server: Server) -> None:
    """Whatever else holds its manifest, or is held by it."""
    image, pusher = server.image(), server.pusher
    digest, parts = pusher.multiarch(image, "v1", seed=1)
    raw = server.v2("GET", f"{image}/manifests/v1")
    for name in ("v1.0", digest):
        headers = {"Content-Type": raw.headers["Content-Type"]}
        put = server.v2("PUT", f"{image}/manifests/{name}", data=raw.content, headers=headers)
        assert put.status_code == 201
    before = {name: row["id"] for name, row in server.rows(image).items()}
    headers = {"Authorization": f"Bearer {bearer(server)}"}
    address = f"{server.url}/v2/{server.owner}/{image}/manifests/v1"
    for status in (202, 404):
        assert server.session.delete(address, headers=headers, timeout=30).status_code == status
    del before["v1"]
    assert before.keys() == {"v1.0", digest, *parts}
    assert {name: row["id"] for name, row in server.rows(image).items()} == before
    assert pusher.missing(image, "v1.0") == []
