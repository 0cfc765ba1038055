"""Refusals and strange answers are told, and the token is given to no one."""

import re
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import requests_mock as rm

from registry_gc.errors import Denied, Gone, RegistryGcError
from registry_gc.server import packages
from registry_gc.server.client import Client
from registry_gc.server.transport import Transport
from tests.sandbox import Answer, Box, HalfJson
from tests.server.clients import CALLS, ROW, SECRET, URL, client_of, error_of, total


def test_a_wrong_token_is_told_with_the_way_to_a_right_one(box: Box) -> None:
    message = str(error_of(lambda: total(client_of(box, token="wrong"))))
    assert "refused the token (the server answered 401" in message
    assert f"{box.url}/user/settings/applications" in message
    assert "GITEA_TOKEN" in message


@pytest.mark.parametrize(
    ("user", "scope", "call", "message"),
    [
        ("acme", "read:package", "delete", "may not delete packages of acme"),
        ("acme", "read:user", "packages", "may not read packages of acme"),
        ("job", "write:package", "delete", "automatic job token never can"),
        ("acme", "write:package", "clean_up", "reclaim needs the token of a site admin"),
        ("acme", "read:user", "manifest", "refused the token"),
    ],
)
def test_a_missing_right_is_told_by_name(
    box: Box, user: str, scope: str, call: str, message: str
) -> None:
    client = client_of(box, token=box.store.add_token(user, scope))
    error = error_of(lambda: CALLS[call](client))
    assert isinstance(error, Denied)
    assert message in str(error)
    assert box.faults.count() == 1


def test_an_unknown_owner_is_told(box: Box) -> None:
    client = Client(Transport(1, Event()), box.url, "nobody", box.token, 1)
    assert "knows no user or organisation nobody" in str(error_of(lambda: total(client)))


def test_an_unknown_version_is_gone(box: Box) -> None:
    client = client_of(box)
    for call in (packages.files, packages.manifest):
        assert isinstance(error_of(lambda call=call: call(client, "app", "v9")), Gone)  # type: ignore[misc]


@pytest.mark.parametrize("call", ["packages", "files", "delete"])
def test_a_renamed_owner_is_told_and_not_followed(box: Box, call: str) -> None:
    box.store.rename_owner("acme", "emca")
    message = str(error_of(lambda: CALLS[call](client_of(box))))
    assert "/api/v1/packages/emca" in message
    assert "Set owner or server-url" in message
    assert box.faults.count() == 1
    assert "v1" in box.store.versions("app", "emca")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", ["packages", "files", "delete", "clean_up"])
def test_no_redirect_of_the_api_is_followed(box: Box, call: str, status: int) -> None:
    there = {"Location": f"{box.url}/elsewhere"}
    box.faults.plan = lambda request: Answer(status, headers=there)
    message = str(error_of(lambda: CALLS[call](client_of(box))))
    assert there["Location"] in message
    assert box.faults.count() == 1


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"text": "<html><b>Sign in</b></html>"}, "an HTML page instead of JSON. Check server-url"),
        ({"text": ""}, "nothing instead of JSON"),
        ({"text": "welcome"}, "welcome instead of JSON"),
        ({"content": b"\xff\xfe"}, "instead of JSON"),
        ({"text": "[" * 100_000}, "instead of JSON"),
        ({"json": {"ok": True}}, "did not answer as Gitea's package API does"),
        ({"text": "null"}, "did not answer as Gitea's package API does"),
        ({"json": [], "headers": {"X-Total-Count": ""}}, "whether a proxy drops headers"),
        ({"json": [], "headers": {"X-Total-Count": "many"}}, "whether a proxy drops headers"),
        ({"json": [], "headers": {"X-Total-Count": "-1"}}, "whether a proxy drops headers"),
        ({"status_code": 400, "json": {"message": "so\nnot"}}, "answered 400: so not."),
        ({"status_code": 400, "text": "x" * 999}, "answered 400: " + "x" * 200 + "."),
        ({"status_code": 418, "text": "<html>"}, "answered 418: an HTML page."),
    ],
)
def test_an_answer_that_is_not_giteas_is_told(
    web: rm.Mocker, answer: dict[str, Any], message: str
) -> None:
    web.get(rm.ANY, **({"headers": {"X-Total-Count": "0"}} | answer))
    text = str(error_of(lambda: total(client_of())))
    assert message in text
    assert "\n" not in text


def test_a_listing_without_its_total_is_told(web: rm.Mocker) -> None:
    web.get(rm.ANY, json=[])
    assert "no X-Total-Count" in str(error_of(lambda: total(client_of())))


def test_half_an_answer_is_none(box: Box) -> None:
    box.faults.plan = lambda request: HalfJson()
    assert "instead of JSON" in str(error_of(lambda: packages.files(client_of(box), "app", "v1")))


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "netrc"
    hosts = ("git.example", "storage.example")
    path.write_text("".join(f"machine {h} login me password netrc-{SECRET}\n" for h in hosts))
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))


def test_the_token_goes_to_the_server_and_to_no_one_else(web: rm.Mocker, netrc: None) -> None:
    storage = "https://storage.example/blob?signature=x"
    web.get(re.compile(URL), json=[], headers={"X-Total-Count": "0"})
    web.delete(re.compile(URL), status_code=204)
    web.post(re.compile(URL), status_code=204)
    web.get(f"{URL}/v2/acme/app/manifests/v1", status_code=307, headers={"Location": storage})
    web.get(storage, content=b"{}", headers={"Content-Type": "x/y; charset=z"})
    for call in CALLS.values():
        call(client_of())
    assert packages.manifest(client_of(), "app", "v1") == (b"{}", "x/y")
    for request in web.request_history:
        kind = request.headers.get("Authorization", "").partition(" ")[0]
        if request.hostname == "storage.example":
            assert kind == ""
        else:
            assert kind == ("Basic" if request.path.startswith("/v2/") else "token")
        if kind == "token":
            assert request.headers["Authorization"] == f"token {SECRET}"
        assert SECRET not in request.url
        assert "netrc" not in str(request.headers)


def test_a_second_redirect_of_the_storage_is_not_followed(web: rm.Mocker) -> None:
    web.get(rm.ANY, status_code=307, headers={"Location": "https://storage.example/x"})
    assert "answered 307" in str(error_of(lambda: packages.manifest(client_of(), "app", "v1")))
    assert len(web.request_history) == 2


def test_a_refusal_of_the_storage_is_not_put_down_to_the_token(web: rm.Mocker) -> None:
    web.get(re.compile(URL), status_code=307, headers={"Location": "https://storage.example/x"})
    web.get("https://storage.example/x", status_code=403, text="AccessDenied")
    assert not isinstance(error_of(lambda: packages.manifest(client_of(), "app", "v1")), Denied)


@pytest.mark.parametrize("token", [SECRET, SECRET.upper(), f"{SECRET[:9]}\n{SECRET[9:]}"])
def test_no_request_has_the_token_in_its_address(web: rm.Mocker, token: str) -> None:
    owned = client_of().for_owner(token)
    name = token.split(maxsplit=1)[0] if token.isupper() else SECRET
    for call in (
        lambda: total(owned),
        lambda: packages.page(client_of(), f"my-{token}", 1, 50),
        lambda: packages.delete(client_of(), "app", name, ROW),
        lambda: packages.manifest(client_of(), name, "v1"),
    ):
        error = error_of(call)
        assert SECRET not in f"{error} {error!r}".lower()
    assert web.request_history == []


def test_nor_has_one_to_the_storage(web: rm.Mocker) -> None:
    web.get(re.compile(URL), status_code=307, headers={"Location": f"https://s.example/{SECRET}"})
    assert "holds the token" in str(error_of(lambda: CALLS["manifest"](client_of())))
    assert len(web.request_history) == 1


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 405, 503])
@pytest.mark.parametrize(
    "answer",
    [
        {"text": f"Authorization: token {SECRET}"},
        {"json": {"message": f"bad {SECRET} bad"}},
        {"headers": {"Location": f"{URL}/?token={SECRET}"}},
        {"headers": {"Retry-After": SECRET, "X-Total-Count": SECRET}},
    ],
    ids=["text", "message", "location", "headers"],
)
def test_a_server_that_echoes_the_token_does_not_bring_it_into_an_error(
    web: rm.Mocker, call: str, status: int, answer: dict[str, Any]
) -> None:
    web.register_uri(rm.ANY, rm.ANY, **{"status_code": status, **answer})
    try:
        CALLS[call](client_of())
    except RegistryGcError as error:
        assert SECRET not in f"{error} {error!r}"


@pytest.mark.parametrize(
    "answer",
    [
        {"text": "x" * 190 + SECRET},
        {"text": " " * 1990 + SECRET},
        {"reason": SECRET},
    ],
    ids=["cut", "spaced", "reason"],
)
def test_nor_any_beginning_of_it(web: rm.Mocker, answer: dict[str, Any]) -> None:
    web.get(rm.ANY, status_code=400, **answer)
    assert SECRET[:6] not in str(error_of(lambda: total(client_of())))
