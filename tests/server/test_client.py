"""Requests are tried again within bounds, say what is wrong, and never give the token away."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import requests_mock as rm

from registry_gc import __version__
from registry_gc.errors import Denied, Gone, Interrupted, RegistryGcError
from registry_gc.server.client import Client
from registry_gc.server.transport import Transport
from tests.sandbox import (
    Answer,
    Box,
    CutBody,
    Drop,
    Fault,
    HalfJson,
    LoseAnswer,
    first,
    serve,
)

URL = "https://git.example"
SECRET = "f00dfeed5ec7e7" * 2
NOT_NAMES = ["", ".", "..", "a/b", "../b", "a b", "v1?x=1", "v1#x", "%2e%2e", "sha256:zz"]


class Time:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.waits.append(seconds)

    def clock(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with serve("1.25") as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    running.reset()
    running.push.image("app", "v1", 1)
    return running


@pytest.fixture
def web() -> Iterator[rm.Mocker]:
    with rm.Mocker() as mocker:
        yield mocker


def client_of(
    box: Box | None = None,
    *,
    token: str = "",
    stop: Event | None = None,
    time: Time | None = None,
    wait: Callable[[float], object] | None = None,
) -> Client:
    """A client of the box, or of URL with SECRET as its token."""
    time = time or Time()
    transport = Transport(4, stop or Event(), wait or time.wait, time.clock)
    if box is None:
        return Client(transport, URL, "acme", SECRET, 4)
    return Client(transport, box.url, box.owner, token or box.token, 4)


def total(client: Client) -> int:
    return client.packages("app", 1, 50).total


def error_of(call: Callable[[], object]) -> RegistryGcError:
    with pytest.raises(RegistryGcError) as caught:
        call()
    return caught.value


CALLS: dict[str, Callable[[Client], object]] = {
    "packages": total,
    "files": lambda client: client.files("app", "v1"),
    "manifest": lambda client: client.manifest("app", "v1"),
    "delete": lambda client: client.delete("app", "v1"),
    "clean_up": lambda client: client.clean_up(),
}


# --- trying again


@pytest.mark.parametrize("call", ["packages", "files", "manifest", "delete"])
@pytest.mark.parametrize(
    "fault", [Answer(429), Answer(500), Answer(502), Answer(503), Answer(504), Drop(), CutBody()]
)
def test_what_may_pass_is_tried_again(box: Box, call: str, fault: Fault) -> None:
    if call == "delete" and fault == CutBody():
        fault = LoseAnswer()  # it was done, and the second time it is 404
    box.faults.plan = first(2, fault)
    CALLS[call](client_of(box))
    assert box.faults.count() == 3
    assert ("v1" in box.store.versions("app")) is (call != "delete")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 422, 501])
def test_what_will_not_pass_is_not_tried_again(box: Box, status: int) -> None:
    box.faults.plan = lambda request: Answer(status)
    with pytest.raises(RegistryGcError):
        client_of(box).files("app", "v1")
    assert box.faults.count() == 1


@pytest.mark.parametrize(
    ("header", "waited"),
    [("7", 7.0), ("30", 30.0), ("900", 30.0), ("Thu, 31 Dec 2099 23:59:59 GMT", 30.0)],
)
def test_retry_after_is_honoured_up_to_a_bound(box: Box, header: str, waited: float) -> None:
    box.faults.plan = first(1, Answer(503, headers={"Retry-After": header}))
    time = Time()
    assert total(client_of(box, time=time)) == 1
    assert time.waits == [waited]


@pytest.mark.parametrize(
    "header",
    [
        "soon",
        "-5",
        "",
        "Wed, 21 Oct 2015 07:28:00 GMT",
        "Fri, 31 Dec 99999 23:59:59 GMT",
    ],
)
def test_a_retry_after_that_says_nothing_is_passed_over(box: Box, header: str) -> None:
    box.faults.plan = first(1, Answer(503, headers={"Retry-After": header}))
    time = Time()
    assert total(client_of(box, time=time)) == 1
    assert max(time.waits) <= 1


def test_waits_grow_and_each_has_a_bound(box: Box) -> None:
    time = Time()
    client = client_of(box, time=time)
    total(client)
    box.faults.plan = first(10, Answer(503))
    assert total(client) == 1
    assert max(time.waits) <= 30
    assert time.waits[2] < time.waits[4] < time.waits[6]


@pytest.mark.parametrize("header", [{}, {"Retry-After": "30"}])
@pytest.mark.parametrize(("has_succeeded", "patience"), [(True, 150.0), (False, 45.0)])
def test_a_server_that_stays_away_is_waited_for_within_bounds(
    box: Box, header: dict[str, str], has_succeeded: bool, patience: float
) -> None:
    time = Time()
    client = client_of(box, time=time)
    if has_succeeded:
        total(client)
    box.faults.plan = lambda request: Answer(503, headers=header)
    said = str(error_of(lambda: total(client)))
    assert time.now <= patience
    assert re.search(r"failed after \d+ tries: the server answered 503", said)
    assert box.url in said
    assert "limit=" not in said


def test_tries_are_bounded_even_while_others_succeed(box: Box) -> None:
    stop = Event()
    box.faults.plan = lambda request: Answer(503)
    box.faults.before = lambda request: stop.set() if request.number > 50 else None
    error_of(lambda: total(client_of(box, stop=stop, wait=lambda seconds: None)))
    assert 5 <= box.faults.count() <= 20


def test_a_server_that_is_not_there_is_named() -> None:
    with serve() as gone:
        address = gone.url
    transport = Transport(1, Event(), (time := Time()).wait, time.clock)
    said = str(error_of(lambda: total(Client(transport, address, "acme", SECRET, 1))))
    assert address in said
    assert "the connection failed" in said
    assert time.now <= 45


# --- deleting


def test_what_is_gone_already_is_deleted(box: Box) -> None:
    client = client_of(box)
    client.delete("app", "v1")
    client.delete("app", "v1")
    client.delete("nothing", "v1")
    assert box.store.versions("app") == {}


def test_a_deletion_whose_answer_was_lost_is_repeated_and_is_a_success(box: Box) -> None:
    box.faults.plan = first(1, LoseAnswer(), "DELETE")
    client_of(box).delete("app", "v1")
    assert box.faults.count("DELETE") == 2
    assert box.store.versions("app") == {}


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
    for call in (client.delete, client.files):
        assert "Refused" in str(error_of(lambda call=call: call(image, version)))  # type: ignore[misc]
    assert box.faults.log == []


@pytest.mark.parametrize("status", [200, 302, 304, 307])
def test_a_deletion_is_done_when_the_server_says_204_and_not_before(box: Box, status: int) -> None:
    box.faults.plan = lambda request: Answer(status, "<html>Sign in</html>")
    error_of(lambda: client_of(box).delete("app", "v1"))


# --- addresses


def test_names_are_escaped_so_that_they_address_what_they_name(box: Box) -> None:
    digest = box.push.image("team/app", None, 2)
    box.push.image("team/app", "v1.0_x-y", 3)
    client = client_of(box)
    client.files("team/app", digest)
    client.manifest("team/app", digest)
    client.manifest("team/app", "v1.0_x-y")
    client.delete("team/app", "v1.0_x-y")
    client.packages("a&b c/%", 2, 50)
    assert box.faults.log == [
        ("GET", f"/api/v1/packages/acme/container/team%2Fapp/sha256%3A{digest[7:]}/files"),
        ("GET", f"/v2/acme/team/app/manifests/{digest}"),
        ("GET", "/v2/acme/team/app/manifests/v1.0_x-y"),
        ("DELETE", "/api/v1/packages/acme/container/team%2Fapp/v1.0_x-y"),
        ("GET", "/api/v1/packages/acme?type=container&q=a%26b+c%2F%25&page=2&limit=50"),
    ]
    assert list(box.store.versions("team/app")) == [digest]


def test_v2_lies_at_the_root_of_the_host_and_the_api_below_the_path(web: rm.Mocker) -> None:
    web.get(rm.ANY, json=[], headers={"X-Total-Count": "0"})
    client = Client(Transport(1, Event()), f"{URL}/sub/git", "acme", SECRET, 1)
    client.packages("", 1, 50)
    client.manifest("app", "v1")
    paths = [request.path for request in web.request_history]
    assert paths == ["/sub/git/api/v1/packages/acme", "/v2/acme/app/manifests/v1"]


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


# --- what the server refuses


def test_a_wrong_token_is_told_with_the_way_to_a_right_one(box: Box) -> None:
    said = str(error_of(lambda: total(client_of(box, token="wrong"))))
    assert "refused the token (the server answered 401" in said
    assert f"{box.url}/user/settings/applications" in said
    assert "GITEA_TOKEN" in said


@pytest.mark.parametrize(
    ("user", "scope", "call", "said"),
    [
        ("acme", "read:package", "delete", "may not delete packages of acme"),
        ("acme", "read:user", "packages", "may not read packages of acme"),
        ("job", "write:package", "delete", "automatic job token never can"),
        ("acme", "write:package", "clean_up", "reclaim needs the token of a site admin"),
        ("acme", "read:user", "manifest", "refused the token"),
    ],
)
def test_a_missing_right_is_told_by_name(
    box: Box, user: str, scope: str, call: str, said: str
) -> None:
    client = client_of(box, token=box.store.add_token(user, scope))
    error = error_of(lambda: CALLS[call](client))
    assert isinstance(error, Denied)
    assert said in str(error)
    assert box.faults.count() == 1


def test_an_unknown_owner_is_told(box: Box) -> None:
    client = Client(Transport(1, Event()), box.url, "nobody", box.token, 1)
    assert "knows no user or organisation nobody" in str(error_of(lambda: total(client)))


def test_an_unknown_version_is_gone(box: Box) -> None:
    for call in (client_of(box).files, client_of(box).manifest):
        assert isinstance(error_of(lambda call=call: call("app", "v9")), Gone)  # type: ignore[misc]


@pytest.mark.parametrize("call", ["packages", "files", "delete"])
def test_a_renamed_owner_is_told_and_not_followed(box: Box, call: str) -> None:
    box.store.rename_owner("acme", "emca")
    said = str(error_of(lambda: CALLS[call](client_of(box))))
    assert "/api/v1/packages/emca" in said
    assert "Set owner or server-url" in said
    assert box.faults.count() == 1
    assert "v1" in box.store.versions("app", "emca")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", ["packages", "files", "delete", "clean_up"])
def test_no_redirect_of_the_api_is_followed(box: Box, call: str, status: int) -> None:
    there = {"Location": f"{box.url}/elsewhere"}
    box.faults.plan = lambda request: Answer(status, headers=there)
    said = str(error_of(lambda: CALLS[call](client_of(box))))
    assert there["Location"] in said
    assert box.faults.count() == 1


@pytest.mark.parametrize(
    ("answer", "said"),
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
    web: rm.Mocker, answer: dict[str, Any], said: str
) -> None:
    web.get(rm.ANY, **({"headers": {"X-Total-Count": "0"}} | answer))
    text = str(error_of(lambda: total(client_of())))
    assert said in text
    assert "\n" not in text


def test_a_listing_without_its_total_is_told(web: rm.Mocker) -> None:
    web.get(rm.ANY, json=[])
    assert "no X-Total-Count" in str(error_of(lambda: total(client_of())))


def test_half_an_answer_is_none(box: Box) -> None:
    box.faults.plan = lambda request: HalfJson()
    assert "instead of JSON" in str(error_of(lambda: client_of(box).files("app", "v1")))


# --- the token


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
    assert client_of().manifest("app", "v1") == (b"{}", "x/y")
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
    assert "answered 307" in str(error_of(lambda: client_of().manifest("app", "v1")))
    assert len(web.request_history) == 2


def test_a_refusal_of_the_storage_is_not_put_down_to_the_token(web: rm.Mocker) -> None:
    web.get(re.compile(URL), status_code=307, headers={"Location": "https://storage.example/x"})
    web.get("https://storage.example/x", status_code=403, text="AccessDenied")
    assert not isinstance(error_of(lambda: client_of().manifest("app", "v1")), Denied)


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
        {"reason": SECRET},
    ],
    ids=["cut", "reason"],
)
def test_nor_any_beginning_of_it(web: rm.Mocker, answer: dict[str, Any]) -> None:
    web.get(rm.ANY, status_code=400, **answer)
    assert SECRET[:6] not in str(error_of(lambda: total(client_of())))


# --- stopping


@pytest.mark.parametrize("call", CALLS)
def test_no_request_begins_after_stop(box: Box, call: str) -> None:
    stop = Event()
    stop.set()
    with pytest.raises(Interrupted):
        CALLS[call](client_of(box, stop=stop))
    assert box.faults.log == []


def test_a_stop_while_waiting_for_the_next_try_ends_the_request(box: Box) -> None:
    stop = Event()
    box.faults.plan = lambda request: Answer(503)
    with pytest.raises(Interrupted):
        total(client_of(box, stop=stop, wait=lambda seconds: stop.set()))
    assert box.faults.count() == 1


def test_a_stop_while_waiting_for_a_place_ends_the_request(box: Box) -> None:
    stop = Event()

    class WhileWaiting(Time):
        armed = False

        def clock(self) -> float:
            if self.armed:  # read when the request gets its place
                stop.set()
            return self.now

    time = WhileWaiting()
    client = client_of(box, stop=stop, time=time)
    time.armed = True
    with pytest.raises(Interrupted):
        client.delete("app", "v1")
    assert box.faults.log == []
