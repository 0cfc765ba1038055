"""How many requests are in flight, and how long a run bears a server that does not answer."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

# TCP Vegas' bounds: how many requests may wait in the server's queue. Fewer leave it idle, more
# only wait (SQLite is at its best with 4 at once; with 100 ms of latency it takes 16 to keep 4).
FEW, MANY = 2.0, 4.0
FIRST = 4


class Pace:
    """Lets at most `most` requests go at once, and fewer as long as more would only queue.

    What a request of a kind takes at its quickest is latency and work; what it takes longer it
    spent in a queue. A refusal halves the number at once.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._limit = float(min(FIRST, most))
        self._busy = 0
        self._starting = True
        self._quickest: dict[str, float] = {}
        self._free = Condition()

    @contextmanager
    def slot(self, kind: str) -> Iterator[None]:
        """Waits for a place, and learns from how long the request took."""
        with self._free:
            while self._busy >= int(self._limit):
                self._free.wait()
            self._busy += 1
        begun = self._clock()
        answered = False
        try:
            yield
            answered = True
        finally:
            with self._free:
                was_full = self._busy >= int(self._limit)
                self._busy -= 1
                if answered:
                    self._learn(kind, self._clock() - begun, was_full)
                self._free.notify(2)

    def refused(self) -> None:
        """The server was overloaded or away: half as many from now on."""
        with self._free:
            self._limit = max(1.0, self._limit / 2)
            self._starting = False

    def _learn(self, kind: str, took: float, was_full: bool) -> None:
        quickest = self._quickest[kind] = min(took, self._quickest.get(kind, took))
        queued = self._limit * (1 - quickest / took) if took > 0 else 0.0
        if queued > MANY:
            self._limit -= 1 / self._limit
            self._starting = False
        elif queued < FEW and was_full:
            self._limit += 1.0 if self._starting else 1 / self._limit
        self._limit = min(max(self._limit, 1.0), float(self._most))
