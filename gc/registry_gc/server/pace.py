"""How many requests are in flight: as many as keep the server busy, hardly more."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from threading import Condition

# How many requests shall wait in the server's queue. With none it idles between two, more only
# wait: SQLite is at its best with 4 at once, which 100 ms of latency needs 16 in flight for.
QUEUE = 4.0


class Pace:
    """Lets at most `most` requests go at once, and fewer as long as more would only queue.

    What a request of a kind takes at its quickest is latency and work, what it takes longer it
    spent in a queue; their ratio says how much of what is in flight is in use (the gradient of
    Netflix' concurrency limits, after TCP Vegas). A refusal halves the number at once.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._limit = min(QUEUE, most)
        self._busy = 0
        self._quickest: dict[str, float] = {}
        self._round: list[float] = []  # quickest / taken, of the answers since the last change
        self._free = Condition()

    @contextmanager
    def slot(self, kind: str) -> Iterator[None]:
        """Waits for a place, and learns from how long the request took if it raises nothing."""
        with self._free:
            while self._busy >= int(self._limit):
                self._free.wait()
            self._busy += 1
        begun = self._clock()
        took = None
        try:
            yield
            took = self._clock() - begun
        finally:
            with self._free:
                if took is not None:
                    self._learn(kind, took)
                self._busy -= 1
                self._free.notify(max(1, int(self._limit) - self._busy))

    def refused(self) -> None:
        """The server was overloaded or away: half as many from now on."""
        with self._free:
            self._limit = max(1.0, self._limit / 2)
            self._round.clear()

    def _learn(self, kind: str, took: float) -> None:
        quickest = self._quickest[kind] = min(took, self._quickest.get(kind, took))
        self._round.append(quickest / took if took > 0 else 1.0)
        # A round, so that one slow answer, such as the first on a connection, changes nothing.
        if len(self._round) >= self._limit and self._busy >= int(self._limit):
            wanted = self._limit * median(self._round) + QUEUE
            self._limit = min(max(wanted, 1.0), float(self._most))
            self._round.clear()
