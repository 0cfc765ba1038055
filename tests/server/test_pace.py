"""As many requests in flight as bring the most answers, on servers whose time is simulated."""

import heapq
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import count
from threading import Event
from typing import Any

import pytest
import requests_mock as rm
from requests.auth import HTTPBasicAuth

from registry_gc.server.pace import Overloaded, Pace
from registry_gc.server.transport import Transport

MOST = 32
NUMBERS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
CHANGE, END = 4.0, 8.0  # seconds
SEEDS = range(3)  # of noise

Rate = Callable[[int, float], float]  # answers a second with so many at work, at a time


class Full(Exception):
    """There is no place."""


class Impatient:
    """A condition on which one thread alone can see that it would have to wait."""

    def __init__(self, lock: object) -> None: ...
    def notify(self, n: int = 1) -> None: ...
    def wait(self) -> None:
        raise Full


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry_gc.server.pace.Condition", Impatient)


def rates(by_number: dict[int, float]) -> Rate:
    """Straight lines between what was measured, and flat after it."""

    def rate(number: int, _: float) -> float:
        low = max(n for n in by_number if n <= number)
        high = min((n for n in by_number if n > number), default=low)
        share = (number - low) / (high - low) if high > low else 0.0
        return by_number[low] + (by_number[high] - by_number[low]) * share

    return rate


def changes(before: Rate, after: Rate) -> Rate:
    return lambda number, now: (before if now < CHANGE else after)(number, now)


@dataclass
class Server:
    """Shares its rate among those at work, behind a latency; how much each needs may vary."""

    rate: Rate
    latency: float = 0.0  # seconds of a round trip; a connection takes one more
    noise: float = 0.0
    seed: int = 0
    now: float = 0.0
    idle: int = 0  # connections

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    def clock(self) -> float:
        return self.now

    def answers(
        self, enter: Callable[[], Any], leave: Callable[[Any], object], until: float
    ) -> list[float]:
        """When each answer comes, of as many requests as `enter` lets go before it raises Full."""
        coming: list[tuple[float, int, Any]] = []
        going: list[tuple[float, int, Any]] = []
        at_work: dict[int, tuple[float, Any]] = {}  # work that is left, and the place
        order, times = count(), list[float]()
        while self.now < until or coming or going or at_work:
            for place in self._begun(enter) if self.now < until else ():
                trips = 0.5 if self.idle else 1.5
                self.idle = max(0, self.idle - 1)
                heapq.heappush(coming, (self.now + trips * self.latency, next(order), place))
            each = self.rate(len(at_work), self.now) / len(at_work) if at_work else 1.0
            ends = [left / each for left, _ in at_work.values()]
            passed = max(0.0, min(ends + [way[0][0] - self.now for way in (coming, going) if way]))
            self.now += passed
            at_work = {i: (left - passed * each, place) for i, (left, place) in at_work.items()}
            for i in [i for i, (left, _) in at_work.items() if left <= 1e-9]:
                heapq.heappush(going, (self.now + self.latency / 2, i, at_work.pop(i)[1]))
            while coming and coming[0][0] <= self.now:
                _, i, place = heapq.heappop(coming)
                at_work[i] = self._chance.lognormvariate(-(self.noise**2) / 2, self.noise), place
            while going and going[0][0] <= self.now:
                leave(heapq.heappop(going)[2])
                self.idle += 1
                times.append(self.now)
        return times

    def _begun(self, enter: Callable[[], Any]) -> Iterator[Any]:
        with suppress(Full):
            while True:
                yield enter()


def entered(pace: Pace, kind: str = "list") -> ExitStack:
    place = ExitStack()
    place.enter_context(pace.slot(kind))
    return place


def paced(server: Server, pace: Pace, until: float) -> list[float]:
    return server.answers(lambda: entered(pace), ExitStack.close, until)


def fixed(server: Server, number: int, until: float) -> list[float]:
    free = list(range(number))

    def enter() -> int:
        if not free:
            raise Full
        return free.pop()

    return server.answers(enter, free.append, until)


def in_flight(pace: Pace, kind: str = "list") -> int:
    """How many may go at once; as if they were never answered."""
    with ExitStack() as places:
        for number in range(MOST + 1):
            try:
                places.enter_context(pace.slot(kind))
            except Full:
                places.push(lambda *_: True)
                return number
    raise AssertionError


TO_FOUR = rates({1: 85, 2: 110, 4: 150})
BEST_AT_TWO = rates({1: 78, 2: 139, 4: 108, 8: 74, 32: 60})
BARELY_AT_TWO = rates({1: 53, 2: 67, 4: 52, 8: 50})
SLOWED = rates({1: 40, 2: 70, 4: 54, 8: 37, 32: 30})
DEEP = rates({1: 49, 2: 66, 4: 120})
SERVERS: dict[str, Callable[[int], Server]] = {
    "scales to four": lambda _: Server(TO_FOUR),
    "best at one": lambda _: Server(rates({1: 100, 2: 80, 4: 60, 32: 40})),
    "best at two": lambda _: Server(BEST_AT_TWO),
    "best at two, not by much": lambda _: Server(BARELY_AT_TWO),
    "best at four": lambda _: Server(rates({1: 81, 2: 110, 4: 120, 8: 100, 32: 91})),
    "25 ms away": lambda _: Server(DEEP, 0.025),
    "100 ms away": lambda _: Server(DEEP, 0.1),
    "quick": lambda _: Server(rates({1: 400, 2: 720, 4: 1200})),
    "slows down": lambda _: Server(changes(TO_FOUR, SLOWED)),
    "quickens": lambda _: Server(changes(SLOWED, TO_FOUR)),
    "noisy, scales to four": lambda seed: Server(TO_FOUR, 0, 0.5, seed),
    "noisy, best at two": lambda seed: Server(BEST_AT_TWO, 0, 0.5, seed),
    "noisy, 100 ms away": lambda seed: Server(DEEP, 0.1, 0.5, seed),
}


@pytest.mark.parametrize("name", SERVERS)
def test_a_second_after_a_begin_or_a_change_it_is_within_a_tenth_of_the_best(name: str) -> None:
    seeds = SEEDS if "noisy" in name else [0]
    servers = [SERVERS[name](seed) for seed in seeds]
    mine = [paced(server, Pace(MOST, server.clock), END) for server in servers]
    others = [[fixed(SERVERS[name](seed), number, END) for seed in seeds] for number in NUMBERS]
    for begin, end in ((1.0, CHANGE), (CHANGE + 1, END)):

        def answers(runs: list[list[float]], begin: float = begin, end: float = end) -> int:
            return sum(begin <= time < end for times in runs for time in times)

        assert answers(mine) >= 0.9 * max(map(answers, others))


@pytest.mark.parametrize("most", [1, 2, 5, 32])
def test_it_begins_with_four_and_there_are_never_more_than_the_most(most: int) -> None:
    server = Server(rates({1: 50, 32: 1600}), 0.1)
    pace = Pace(most, server.clock)
    counts, busy = [], 0

    def enter() -> ExitStack:
        nonlocal busy
        place = entered(pace)
        busy += 1
        counts.append(busy)
        return place

    def leave(place: ExitStack) -> None:
        nonlocal busy
        busy -= 1
        place.close()

    assert in_flight(pace) == min(4, most)
    server.answers(enter, leave, 5)
    assert max(counts) == most


def test_requests_that_take_no_time_at_all_change_nothing() -> None:
    pace = Pace(MOST, lambda: 0.0)
    for _ in range(100):
        entered(pace).close()
    assert in_flight(pace) == 4


def test_where_there_is_not_enough_to_do_nothing_is_learnt() -> None:
    server = Server(TO_FOUR)
    pace = Pace(MOST, server.clock)
    paced(server, pace, 3)
    number = in_flight(pace)
    assert number >= 4
    for _ in range(100):
        place = entered(pace)
        server.now += 1 / 85
        place.close()
    assert in_flight(pace) == number


def test_a_refusal_halves_it_once_for_all_that_were_in_flight_and_one_may_always_go() -> None:
    server = Server(TO_FOUR, 0.1)
    pace = Pace(MOST, server.clock)
    paced(server, pace, 3)
    before = in_flight(pace)
    assert before >= 16
    for halvings in range(1, 8):
        places = [entered(pace) for _ in range(in_flight(pace))]
        for place in places:
            refused = Overloaded()
            assert not place.__exit__(Overloaded, refused, None)
        assert in_flight(pace) == max(before >> halvings, 1)
    paced(server, pace, server.now + 5)
    assert in_flight(pace) >= before // 2


def test_where_it_was_refused_it_does_not_go_again_at_once() -> None:
    server = Server(TO_FOUR, 0.1)
    pace = Pace(MOST, server.clock)
    paced(server, pace, 3)
    number = in_flight(pace)
    place = entered(pace)
    assert not place.__exit__(Overloaded, Overloaded(), None)
    times = paced(server, pace, server.now + 0.5)
    assert times
    assert in_flight(pace) < number


def test_one_refusal_among_answers_is_forgotten_as_soon_as_one_alone() -> None:
    server = Server(TO_FOUR, 0.1)
    pace = Pace(MOST, server.clock)
    paced(server, pace, 3)
    number = in_flight(pace)
    refused, *answered = [entered(pace) for _ in range(number)]
    assert not refused.__exit__(Overloaded, Overloaded(), None)
    server.now += 0.2
    for place in answered:
        place.close()
    paced(server, pace, server.now + 3)
    assert in_flight(pace) >= number


def test_an_error_gives_the_place_back_and_teaches_nothing() -> None:
    pace = Pace(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), pace.slot("list"):
            raise ZeroDivisionError
    assert in_flight(pace) == 1


def test_each_kind_has_its_own_number_and_begins_with_what_the_last_came_to() -> None:
    server = Server(TO_FOUR, 0.1)
    pace = Pace(MOST, server.clock)
    paced(server, pace, 3)
    number = in_flight(pace)
    assert in_flight(pace, "delete") == number
    assert not entered(pace, "delete").__exit__(Overloaded, Overloaded(), None)
    assert in_flight(pace, "delete") == number // 2
    assert in_flight(pace) == number


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_says_it_is_overloaded_gets_half_as_many(
    web: rm.Mocker, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    server = Server(TO_FOUR, 0.1)
    pace = Pace(MOST, server.clock)
    paced(server, pace, 3)
    before = in_flight(pace)
    monkeypatch.setattr("registry_gc.server.transport.Pace", lambda *_: pace)
    web.get(rm.ANY, [{"status_code": status}, {"text": "an answer"}])
    transport = Transport(MOST, Event(), lambda seconds: None, server.clock)
    transport.send("GET", "https://git.example/", "list", HTTPBasicAuth("a", "b"))
    assert in_flight(pace) == before // 2
