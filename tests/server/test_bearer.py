"""The token that /v2 gives saves the server a write a request, and changes nothing else."""

import re
from typing import Any

import pytest
import requests_mock as rm

from registry_gc.errors import Denied
from registry_gc.server import packages
from registry_gc.server.client import Client
from tests.sandbox import Answer, Box, Drop, Fault, Request, first
from tests.server.clients import SECRET, URL, client_of, error_of

MANIFEST = re.compile(f"{URL}/v2/acme/")


def kinds(box: Box) -> list[tuple[str, str]]:
    """Notes of each request from now on what it asks for and with which kind of token."""
    found: list[tuple[str, str]] = []

    def before(request: Request) -> None:
        kind = request.headers.get("Authorization", "").partition(" ")[0]
        found.append((request.path.rpartition("/")[2], kind))

    box.faults.before = before
    return found


def test_from_the_second_request_on_it_is_asked_for_once_and_used(box: Box) -> None:
    found, client = kinds(box), client_of(box)
    for _ in range(3):
        packages.manifest(client, "app", "v1")
        assert packages.digest(client.for_owner("acme"), "app", "v1").startswith("sha256:")
    packages.files(client, "app", "v1")
    basic, bearer = ("v1", "Basic"), ("v1", "Bearer")
    assert found == [basic, ("token", "Basic"), *[bearer] * 5, ("files", "token")]


def test_many_at_once_ask_for_it_once(box: Box) -> None:
    found, client = kinds(box), client_of(box)
    client.in_order(lambda _: packages.digest(client, "app", "v1"), range(20))
    assert found.count(("token", "Basic")) == 1
    assert found.count(("v1", "Bearer")) == 19


@pytest.mark.parametrize(
    "fault",
    [
        Answer(401),
        Answer(403),
        Answer(404),
        Answer(500),
        Drop(),
        Answer(307, "", {"Location": "/elsewhere"}),
        *(Answer(200, text) for text in ("", "<html>", "[]", "{}", '{"token": 1}')),
        Answer(200, '{"token": "a\\r\\nHost: b"}'),
        Answer(200, '{"token": "\\u00e4"}'),
    ],
)
def test_where_there_is_none_the_own_token_serves(box: Box, fault: Fault) -> None:
    found, client = kinds(box), client_of(box)
    box.faults.plan = lambda request: fault if request.path == "/v2/token" else None
    for _ in range(4):
        packages.manifest(client, "app", "v1")
    assert [kind for name, kind in found if name == "v1"] == ["Basic"] * 4
    assert len({*found}) == 2


@pytest.mark.parametrize("status", [401, 403])  # 403: of a proxy that lets Basic alone pass
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
def test_one_that_is_refused_is_not_used_again(box: Box, method: str, status: int) -> None:
    def plan(request: Request) -> Fault | None:
        is_bearer = request.headers.get("Authorization", "").startswith("Bearer")
        return Answer(status) if is_bearer and request.method == method else None

    found, client = kinds(box), client_of(box)
    box.faults.plan = plan
    digest = packages.digest(client, "app", "v1")
    packages.copy(client, "app", digest, "copy")
    packages.copy(client, "app", digest, "copy-2")
    refused = [kind for name, kind in found if name != "token"].index("Basic", 1)
    assert {kind for _, kind in found[refused + 1 :]} == {"Basic"}
    assert {"copy", "copy-2"} <= box.store.versions("app").keys()


def test_one_that_is_refused_as_the_own_token_is_serves_on(box: Box) -> None:
    """A push too many for its owner: 403, whoever pushes."""
    found, client = kinds(box), client_of(box)
    box.faults.plan = first(100, Answer(403), "PUT")
    digest = packages.digest(client, "app", "v1")
    error = error_of(lambda: packages.copy(client, "app", digest, "copy"))
    assert not isinstance(error, Denied)
    packages.digest(client, "app", "v1")
    assert found[-1] == ("v1", "Bearer")


def test_a_token_that_may_not_is_told_as_before(box: Box) -> None:
    client = client_of(box, token=box.store.add_token("acme", "read:user"))
    for _ in range(2):
        error = error_of(lambda: packages.manifest(client, "app", "v1"))
        assert isinstance(error, Denied)
        assert "lacks the scope write:package" in str(error)


def answering(web: rm.Mocker, **answer: Any) -> Client:
    """A client whose requests of manifests have its token of /v2, and meet this answer."""
    web.get(f"{URL}/v2/token", json={"token": "jwt.of-the-registry"})
    web.get(MANIFEST, content=b"{}")
    client = client_of()
    for _ in range(2):
        packages.manifest(client, "app", "v1")
    web.get(MANIFEST, **answer)
    return client


def test_it_is_shown_nowhere(web: rm.Mocker) -> None:
    client = answering(web, status_code=400, text="no: Bearer jwt.of-the-registry")
    error = error_of(lambda: packages.manifest(client, "app", "v1"))
    assert "no: Bearer ***" in str(error)


def test_it_does_not_go_to_the_storage(web: rm.Mocker) -> None:
    storage = "https://storage.example/blob"
    client = answering(web, status_code=307, headers={"Location": storage})
    web.get(storage, content=b"{}")
    packages.manifest(client, "app", "v1")
    sent = web.request_history
    assert sent[-2].headers["Authorization"] == "Bearer jwt.of-the-registry"
    assert "Authorization" not in sent[-1].headers
    assert SECRET not in str([request.headers for request in sent if "token" not in request.path])
