"""The registry's addresses name what they name, and nothing else."""

import re
import time
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
import requests
import requests_mock as rm
from urllib3.exceptions import MaxRetryError, NewConnectionError

from registry_gc import __version__
from registry_gc.errors import Interrupted
from registry_gc.server import packages
from registry_gc.server.client import Client
from registry_gc.server.transport import Transport
from tests.harness import once_before
from tests.sandbox import Answer, Box, Drop, Fault, LoseAnswer, first
from tests.server.clients import CALLS, ROW, SECRET, URL, client_of, error_of

delete = CALLS["delete"]
NOT_NAMES = ["", ".", "..", "a/b", "../b", "a b", "v1?x=1", "v1#x", "%2e%2e", "sha256:zz"]


def test_what_is_gone_already_is_deleted(box: Box) -> None:
    client = client_of(box)
    packages.delete(client, "app", "v1", ROW)
    packages.delete(client, "app", "v1", ROW)
    packages.delete(client, "nothing", "v1", ROW)
    assert box.store.versions("app") == {}


UNSURE = [Answer(500), Answer(502), Answer(503), Answer(504), Drop()]


def requests_of(box: Box) -> list[str]:
    return [method for method, _ in box.faults.log]


def test_a_deletion_that_was_done_without_an_answer_is_not_sent_again(box: Box) -> None:
    box.faults.plan = first(1, LoseAnswer(), "DELETE")
    delete(client_of(box))
    assert requests_of(box) == ["DELETE", "GET"]
    assert box.store.versions("app") == {}


@pytest.mark.parametrize("fault", UNSURE)
def test_a_deletion_that_was_not_done_is_sent_again_after_a_look(box: Box, fault: Fault) -> None:
    box.faults.plan = first(1, fault, "DELETE")
    delete(client_of(box))
    assert requests_of(box) == ["DELETE", "GET", "DELETE"]
    assert box.store.versions("app") == {}


@pytest.mark.parametrize("fault", [LoseAnswer(), *UNSURE])
def test_what_was_pushed_while_an_answer_was_lost_stays(box: Box, fault: Fault) -> None:
    box.faults.plan = first(1, fault, "DELETE")
    once_before(box, lambda: box.push.image("app", "v1", 2), "GET", "/v1", 1)
    delete(client_of(box))
    assert requests_of(box) == ["DELETE", "GET"]
    assert list(box.store.versions("app")) == ["v1"]


def test_what_a_limit_refused_is_sent_again_without_a_look(box: Box) -> None:
    box.faults.plan = first(2, Answer(429), "DELETE")
    delete(client_of(box))
    assert requests_of(box) == ["DELETE"] * 3


def test_what_never_had_a_connection_is_sent_again_without_a_look(web: rm.Mocker) -> None:
    refused = requests.ConnectionError(MaxRetryError(None, "", NewConnectionError(None, "no")))  # type: ignore[arg-type]
    web.delete(rm.ANY, [{"exc": refused}, {"exc": requests.ConnectTimeout}, {"status_code": 204}])
    delete(client_of())
    assert [request.method for request in web.request_history] == ["DELETE"] * 3


@pytest.mark.parametrize(
    "answer", [{"text": "<html>"}, {"json": []}, {"json": {"id": "4"}}, {"json": {"id": None}}]
)
def test_a_look_that_tells_nothing_ends_the_deletion(web: rm.Mocker, answer: Any) -> None:
    web.delete(rm.ANY, status_code=502)
    web.get(rm.ANY, **answer)
    error_of(lambda: delete(client_of()))
    assert [request.method for request in web.request_history] == ["DELETE", "GET"]


def test_a_deletion_that_always_fails_is_given_up_with_its_reason(box: Box) -> None:
    box.faults.plan = lambda request: Answer(500) if request.method == "DELETE" else None
    message = str(error_of(lambda: delete(client_of(box))))
    assert re.fullmatch(r"DELETE \S+/v1 failed after \d+ tries: the server answered 500\.", message)
    assert box.store.versions("app") == {"v1": ROW}


@pytest.mark.parametrize(
    ("image", "version"),
    [
        *(("app", name) for name in NOT_NAMES),
        ("", "v1"),
        (".", "v1"),
        ("..", "v1"),
        ("a/../b", "v1"),
    ],
)
def test_what_could_address_a_whole_image_is_refused_before_any_request(
    box: Box, image: str, version: str
) -> None:
    client = client_of(box)
    for call in (
        lambda: packages.delete(client, image, version, 1),
        lambda: packages.files(client, image, version),
    ):
        assert "Refused" in str(error_of(call))
    assert box.faults.log == []


@pytest.mark.parametrize("status", [200, 302, 304, 307])
def test_a_deletion_is_done_when_the_server_says_204_and_not_before(box: Box, status: int) -> None:
    box.faults.plan = lambda request: Answer(status, "<html>Sign in</html>")
    error_of(lambda: delete(client_of(box)))


def test_names_are_escaped_so_that_they_address_what_they_name(box: Box) -> None:
    digest = box.push.image("team/app", None, 2)
    box.push.image("team/app", "v1.0_x-y", 3)
    client = client_of(box)
    packages.files(client, "team/app", digest)
    packages.manifest(client, "team/app", digest)
    packages.manifest(client, "team/app", "v1.0_x-y")
    packages.delete(client, "team/app", "v1.0_x-y", 1)
    packages.page(client, "a&b c/%", 2, 50)
    assert box.faults.log == [
        ("GET", f"/api/v1/packages/acme/container/team%2Fapp/sha256%3A{digest[7:]}/files"),
        ("GET", f"/v2/acme/team/app/manifests/{digest}"),
        ("GET", "/v2/token?service=container_registry&scope=%2A"),
        ("GET", "/v2/acme/team/app/manifests/v1.0_x-y"),
        ("DELETE", "/v2/acme/team/app/manifests/v1.0_x-y"),
        ("GET", "/api/v1/packages/acme?type=container&q=a%26b+c%2F%25&page=2&limit=50"),
    ]
    assert list(box.store.versions("team/app")) == [digest]


def test_one_client_speaks_for_several_owners_in_turn(web: rm.Mocker) -> None:
    web.get(rm.ANY, json=[], headers={"X-Total-Count": "0"})
    web.delete(rm.ANY, status_code=403)
    stop = Event()
    client = client_of(stop=stop)
    other = client.for_owner("team x")
    packages.page(client, "", 1, 50)
    packages.page(other, "", 1, 50)
    assert "packages of team x (" in str(error_of(lambda: packages.delete(other, "app", "v1", ROW)))
    stop.set()
    with pytest.raises(Interrupted):
        packages.page(other, "", 1, 50)
    paths = [request.path for request in web.request_history]
    assert paths[:2] == ["/api/v1/packages/acme", "/api/v1/packages/team%20x"]
    assert len(paths) == 3


def test_v2_lies_at_the_root_of_the_host_and_the_api_below_the_path(web: rm.Mocker) -> None:
    web.get(rm.ANY, json=[], headers={"X-Total-Count": "0"})
    client = Client(Transport(1, Event()), f"{URL}/sub/git", "acme", SECRET, 1)
    packages.page(client, "", 1, 50)
    packages.manifest(client, "app", "v1")
    paths = [request.path for request in web.request_history]
    assert paths == ["/sub/git/api/v1/packages/acme", "/v2/acme/app/manifests/v1"]


@pytest.mark.parametrize(
    ("header", "at"),
    [
        ("Mon, 01 Jun 2026 12:00:00 GMT", datetime(2026, 6, 1, 12, tzinfo=UTC)),
        ("Mon, 01 Jun 2026 12:00:00 -0000", datetime(2026, 6, 1, 12, tzinfo=UTC)),
        ("Mon, 01 Jun 2026 12:00:00 +0200", datetime(2026, 6, 1, 10, tzinfo=UTC)),
        ("Mon, 01 Jun 99999 12:00:00 GMT", datetime.min.replace(tzinfo=UTC)),
        ("now", datetime.min.replace(tzinfo=UTC)),
        ("", datetime.min.replace(tzinfo=UTC)),
    ],
)
def test_a_page_tells_the_servers_time(
    web: rm.Mocker, monkeypatch: pytest.MonkeyPatch, header: str, at: datetime
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    web.get(rm.ANY, json=[], headers={"X-Total-Count": "0", "Date": header})
    page = packages.page(client_of(), "", 1, 50)
    is_told = at != datetime.min.replace(tzinfo=UTC)
    assert (page.at, page.asked_at) == (at, at - timedelta(seconds=is_told))
    monkeypatch.undo()
    time.tzset()


def test_every_request_says_who_asks_and_has_time_outs(web: rm.Mocker) -> None:
    web.get(rm.ANY, json=[], headers={"X-Total-Count": "0"})
    web.delete(rm.ANY, status_code=204)
    web.post(rm.ANY, status_code=204)
    for call in CALLS.values():
        call(client_of())
    assert len(web.request_history) == len(CALLS)
    for request in web.request_history:
        agent = request.headers["User-Agent"]
        assert re.fullmatch(rf"registry-gc/{re.escape(__version__)} \(\+https://\S+\)", agent)
        time_outs: Any = request.timeout
        assert len(time_outs) == 2
        assert all(0 < seconds <= 60 for seconds in time_outs)
