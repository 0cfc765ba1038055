"""Requests are tried again within bounds, and end when the run is stopped."""

import re
from threading import Event

import pytest

from registry_gc.errors import Interrupted, RegistryGcError
from registry_gc.server import packages
from registry_gc.server.client import Client
from registry_gc.server.transport import Transport
from tests.sandbox import Answer, Box, CutBody, Drop, Fault, first, serve
from tests.server.clients import CALLS, SECRET, Time, client_of, error_of, total


@pytest.mark.parametrize("call", ["packages", "files", "manifest", "delete"])
@pytest.mark.parametrize(
    "fault", [Answer(429), Answer(500), Answer(502), Answer(503), Answer(504), Drop(), CutBody()]
)
def test_what_may_pass_is_tried_again(box: Box, call: str, fault: Fault) -> None:
    box.faults.plan = first(2, fault, "DELETE" if call == "delete" else "GET")
    CALLS[call](client_of(box))
    was_done = call == "delete" and fault == CutBody()
    assert box.faults.count("DELETE" if call == "delete" else "GET") == (1 if was_done else 3)
    assert ("v1" in box.store.versions("app")) is (call != "delete")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 422, 501])
def test_what_will_not_pass_is_not_tried_again(box: Box, status: int) -> None:
    box.faults.plan = lambda request: Answer(status)
    with pytest.raises(RegistryGcError):
        packages.files(client_of(box), "app", "v1")
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
    message = str(error_of(lambda: total(client)))
    assert time.now <= patience
    assert re.search(r"failed after \d+ tries: the server answered 503", message)
    assert box.url in message
    assert "limit=" not in message


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
    message = str(error_of(lambda: total(Client(transport, address, "acme", SECRET, 1))))
    assert address in message
    assert "the connection failed" in message
    assert time.now <= 45


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
        CALLS["delete"](client)
    assert box.faults.log == []
