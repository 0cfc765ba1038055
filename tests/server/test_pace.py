"""As many requests in flight as the server can use, and no more."""

from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise
from threading import Event
from typing import Any

import pytest
import requests_mock as rm
from requests.auth import HTTPBasicAuth

from registry_gc.server.pace import Pace
from registry_gc.server.transport import Transport


class Full(Exception):
    """There is no place."""


class Impatient:
    """A condition on which one thread alone can see that it would have to wait."""

    def __enter__(self) -> None: ...
    def __exit__(self, *error: object) -> None: ...
    def notify(self, n: int = 1) -> None: ...
    def wait(self) -> None:
        raise Full


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry_gc.server.pace.Condition", Impatient)


class Server:
    """A clock, and how long requests take when a number of them is in flight."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def fill(self, pace: Pace, took: Callable[[int], float], kind: str = "list") -> int:
        """Begins as many requests as may go at once, ends them all; how many there were."""
        with ExitStack() as requests:
            count = 0
            while True:
                try:
                    requests.enter_context(pace.slot(kind))
                except Full:
                    break
                count += 1
            self.now += took(count)
        return count

    def rounds(
        self, pace: Pace, count: int, took: Callable[[int], float], kind: str = "list"
    ) -> list[int]:
        return [self.fill(pace, took, kind) for _ in range(count)]


@pytest.fixture
def server() -> Server:
    return Server()


def latency(_: int) -> float:
    return 0.1


def queue(in_flight: int) -> float:
    """One at a time, 10 ms each, behind 10 ms of latency."""
    return 0.01 + 0.01 * in_flight


@pytest.mark.parametrize("most", [1, 2, 5, 32])
def test_where_there_is_only_latency_it_grows_to_the_most_and_never_above(
    server: Server, most: int
) -> None:
    counts = server.rounds(Pace(most, server.clock), 60, latency)
    assert counts == sorted(counts)
    assert counts[0] == min(4, most)
    assert counts[-1] == max(counts) == most


def test_where_more_would_only_queue_it_stays_low(server: Server) -> None:
    counts = server.rounds(Pace(32, server.clock), 100, queue)
    assert max(counts) <= 10
    assert min(counts[-20:]) >= 2


def test_when_a_queue_comes_up_it_shrinks_and_grows_again_afterwards(server: Server) -> None:
    pace = Pace(32, server.clock)
    assert server.rounds(pace, 60, latency)[-1] == 32
    assert server.rounds(pace, 60, lambda n: 0.1 + 0.02 * n)[-1] <= 12
    assert server.rounds(pace, 600, latency)[-1] == 32


def test_a_refusal_halves_it_and_one_may_always_go(server: Server) -> None:
    pace = Pace(32, server.clock)
    server.rounds(pace, 60, latency)
    counts = []

    def lost(in_flight: int) -> float:
        counts.append(in_flight)
        raise ConnectionError  # no answer: nothing is learnt

    for _ in range(7):
        pace.refused()
        with pytest.raises(ConnectionError):
            server.fill(pace, lost)
    assert counts == [16, 8, 4, 2, 1, 1, 1]
    assert server.rounds(pace, 600, latency)[-1] == 32


def test_after_a_refusal_it_goes_up_step_by_step_from_half(server: Server) -> None:
    pace = Pace(32, server.clock)
    server.rounds(pace, 60, latency)
    pace.refused()
    counts = server.rounds(pace, 20, latency)
    assert (counts[0], counts[-1]) == (16, 32)
    assert all(after - before <= 4 for before, after in pairwise(counts))


def test_an_error_gives_the_place_back(server: Server) -> None:
    pace = Pace(1, server.clock)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), pace.slot("list"):
            raise ZeroDivisionError
    assert server.fill(pace, latency) == 1


def test_each_kind_of_request_has_its_own_quickest(server: Server) -> None:
    pace = Pace(32, server.clock)
    server.rounds(pace, 20, lambda n: 0.001, "delete")
    assert server.rounds(pace, 60, latency, "list")[-1] == 32


def test_requests_that_take_no_time_at_all_are_no_queue(server: Server) -> None:
    assert server.rounds(Pace(32, server.clock), 60, lambda n: 0.0)[-1] == 32


@pytest.mark.parametrize("status", [429, 503])
def test_a_quick_refusal_is_no_measure_of_how_quick_the_server_is(
    server: Server, web: rm.Mocker, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    paces: list[Pace] = []

    def seen(*arguments: Any) -> Pace:
        paces.append(Pace(*arguments))
        return paces[-1]

    def refuse(request: Any, context: Any) -> str:
        server.now += 0.001  # a proxy's answer, which no work stands behind
        return ""

    def answer(request: Any, context: Any) -> str:
        server.now += latency(0)
        return ""

    monkeypatch.setattr("registry_gc.server.transport.Pace", seen)
    web.get(rm.ANY, [{"text": refuse, "status_code": status}, {"text": answer}])
    transport = Transport(32, Event(), lambda seconds: None, server.clock)
    transport.send("GET", "https://git.example/", "list", HTTPBasicAuth("a", "b"))
    assert server.rounds(paces[0], 600, latency)[-1] == 32
