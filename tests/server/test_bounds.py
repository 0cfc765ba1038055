"""No server holds a run: not by silence, not drop by drop, not by size, and not after a stop."""

import re
import socket
from io import RawIOBase
from threading import Event
from typing import Any

import pytest
import requests_mock as rm

from registry_gc.errors import Interrupted, NoAnswer, RegistryGcError, Stop, TooSlow
from registry_gc.server import packages
from registry_gc.server.client import Client
from registry_gc.server.parallel import as_done
from registry_gc.server.transport import Transport
from tests.sandbox import Answer, Box, Drop, Fault, LoseAnswer, first
from tests.server.clients import CALLS, SECRET, URL, Time, client_of, error_of, total

LEFT = 98  # deletions


class Endless(RawIOBase):
    """A body that goes on as long as it is read."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        buffer[:] = bytes(len(buffer))
        return len(buffer)


def delete_all(client: Client, workers: int) -> list[RegistryGcError]:
    def delete(number: int) -> None:
        packages.delete(client, "app", f"v{number}", number)

    results = [result for _, result in as_done(workers, delete, range(LEFT))]
    return [result for result in results if isinstance(result, RegistryGcError)]


@pytest.mark.parametrize("workers", [1, 4, 32])
@pytest.mark.parametrize("has_succeeded", [True, False])
def test_a_server_that_falls_silent_is_waited_for_once_whatever_is_left(
    box: Box, has_succeeded: bool, workers: int
) -> None:
    time = Time()
    client = client_of(box, time=time)
    if has_succeeded:
        total(client)
    with time.held(box):
        results = delete_all(client, workers)
    assert len(results) == LEFT
    each = workers if has_succeeded else 2 * workers  # no second try before there was a success
    assert sum(not isinstance(result, Stop) for result in results) <= each
    assert time.now <= 125 + workers / 2  # each of the workers looks up every half second
    assert box.faults.count("DELETE") <= each
    assert any("no usable answer for 120 seconds" in str(result) for result in results)
    assert isinstance(error_of(lambda: total(client)), TooSlow)


def test_time_in_which_nobody_waits_for_an_answer_does_not_count(box: Box) -> None:
    time = Time()
    client = client_of(box, time=time)
    assert total(client) == 1
    time.now += 10_000  # searching files
    box.faults.plan = first(3, Answer(502))
    assert total(client) == 1


def test_a_server_that_answers_now_and_then_is_not_given_up(box: Box) -> None:
    time = Time()
    client = client_of(box, time=time)
    total(client)
    for _ in range(10):
        box.faults.plan = first(2, Answer(503, headers={"Retry-After": "25"}))
        assert total(client) == 1
    assert time.now == 500


@pytest.mark.parametrize("call", CALLS)
def test_after_a_stop_what_is_in_flight_has_seconds(box: Box, call: str) -> None:
    stop = Event()

    class Stopped(Time):
        def wait_for(self, done: Event, seconds: float) -> bool:
            if self.now == 20:
                stop.set()
            return super().wait_for(done, seconds)

    time = Stopped()
    with time.held(box):
        error = error_of(lambda: CALLS[call](client_of(box, time=time, stop=stop)))
    is_change = call in ("delete", "clean_up")
    assert isinstance(error, NoAnswer if is_change else Interrupted)
    assert ("the run was interrupted, and no answer" in str(error)) is is_change
    assert 20 < time.now < 30
    assert box.faults.count() == 1


def test_a_deletion_in_flight_at_a_stop_is_looked_after_and_told(box: Box) -> None:
    stop = Event()
    box.faults.plan = first(1, LoseAnswer(), "DELETE")
    box.faults.before = lambda request: stop.set()
    CALLS["delete"](client_of(box, stop=stop))  # no error: it was done
    assert box.store.versions("app") == {}
    box.reset()
    box.push.image("app", "v1", 1)
    stop.clear()
    box.faults.plan = first(1, Drop(), "DELETE")
    box.faults.before = lambda request: stop.set()
    message = str(error_of(lambda: CALLS["delete"](client_of(box, stop=stop))))
    assert "the run was interrupted, and the connection failed" in message
    assert box.faults.count("DELETE") == 1
    assert "v1" in box.store.versions("app")


@pytest.mark.parametrize("fault", [Answer(503), Answer(500), Drop()])
def test_a_look_after_a_stop_is_tried_once(box: Box, fault: Fault) -> None:
    stop = Event()
    box.faults.plan = lambda request: fault
    box.faults.before = lambda request: stop.set()
    error = error_of(lambda: CALLS["delete"](client_of(box, stop=stop)))
    assert not isinstance(error, Stop)  # whether it was done is not known
    assert [method for method, _ in box.faults.log] == ["DELETE", "GET"]


def test_an_answer_that_only_drips_is_none(box: Box) -> None:
    time = Time()
    with time.held(box):  # bytes may come, the whole of it never does
        message = str(error_of(lambda: total(client_of(box, time=time))))
    assert "failed after 1 try: no answer within 60 s" in message
    assert time.now == 60


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [200, 204, 302, 400, 403])
def test_an_answer_without_an_end_is_none(web: rm.Mocker, call: str, status: int) -> None:
    there = {"Location": "https://storage.example/x"}
    web.register_uri(rm.ANY, re.compile(URL), body=Endless(), status_code=status, headers=there)
    message = str(error_of(lambda: CALLS[call](client_of())))
    assert re.search(r"the answer has more than (16|32) MiB", message)
    assert len(web.request_history) == 1


@pytest.mark.parametrize(
    "fault", [Answer(429), Answer(500), Answer(502), Answer(503), Drop(), LoseAnswer()]
)
def test_a_post_is_sent_once_whatever_becomes_of_it(box: Box, fault: Fault) -> None:
    admin = box.store.add_token("acme", "write:admin")
    box.store.admins.add("acme")
    box.faults.plan = lambda request: fault
    error_of(lambda: packages.clean_up(client_of(box, token=admin)))
    assert box.faults.count("POST") == 1


def test_what_was_given_up_before_it_had_a_connection_is_never_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connects, may_connect, time = Event(), Event(), Time()
    connect = socket.create_connection

    def slowly(*arguments: Any, **options: Any) -> socket.socket:
        connects.set()
        assert may_connect.wait(10)
        return connect(*arguments[:2])

    def wait_for(done: Event, seconds: float) -> bool:
        assert connects.wait(10)
        time.now += seconds
        return False

    monkeypatch.setattr("urllib3.util.connection.create_connection", slowly)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        transport = Transport(1, Event(), time.wait, time.clock, wait_for)
        client = Client(transport, address, "acme", SECRET, 1)
        error_of(lambda: CALLS["delete"](client))
        may_connect.set()
        connection, _ = server.accept()
        with connection:
            assert connection.recv(1) == b""


@pytest.mark.parametrize("module", ["parallel", "exchange"])
def test_a_machine_that_lets_no_thread_start_is_told(
    box: Box, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    class Refused:
        def __init__(self, **options: Any) -> None: ...
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    client = client_of(box)
    monkeypatch.setattr(f"registry_gc.server.{module}.Thread", Refused)
    message = str(error_of(lambda: client.in_order(lambda _: total(client), [1])))
    assert "no" in message
    assert "thread" in message
    assert box.faults.log == []
