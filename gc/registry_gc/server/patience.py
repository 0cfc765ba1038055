"""How long a run waits for its server: once, whatever the number of requests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock

from registry_gc.errors import Interrupted, TooSlow

PATIENCE = 120.0  # seconds of waiting without a usable answer, after which the run is over
FIRST_PATIENCE = 5.0  # the same after a failure before the first: then the address is wrong
GRACE = 5.0  # seconds that are left to what is in flight when the run is over


class Patience:
    """Whether the run goes on: over once the server was silent too long, or `stop` is set."""

    def __init__(self, stop: Event, clock: Callable[[], float]) -> None:
        self._stop, self._clock, self._lock = stop, clock, Lock()
        self._waiting, self._since, self._idle_from = 0, clock(), clock()
        self._over_at: float | None = None
        self._failure = ""
        self.has_answered = False

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around each request: only time in which somebody waits for an answer counts."""
        with self._lock:
            if not self._waiting:
                self._since += self._clock() - self._idle_from
            self._waiting += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1
                self._idle_from = self._clock()

    def answered(self) -> None:
        """There was a usable answer."""
        with self._lock:
            self._since, self.has_answered = self._clock(), True

    def failed(self, failure: str) -> None:
        """There was none, and why; the last one is told when the patience is over."""
        self._failure = failure

    def is_out(self) -> bool:
        """Whether nothing is to be tried again; before any answer that comes much earlier."""
        return self._silence() >= (PATIENCE if self.has_answered else FIRST_PATIENCE)

    def end(self) -> float | None:
        """When what is in flight has had its time; None while the run goes on."""
        with self._lock:
            if self._over_at is None and (self._stop.is_set() or self._silence() >= PATIENCE):
                self._over_at = self._clock()
            return None if self._over_at is None else self._over_at + GRACE

    def check(self, in_grace: bool = False) -> None:
        """Raises Interrupted or TooSlow when the run is over; `in_grace`, when that is over too."""
        end = self.end()
        if end is None or (in_grace and self._clock() < end):
            return
        raise Interrupted if self._stop.is_set() else TooSlow(PATIENCE, self._failure)

    def _silence(self) -> float:
        return self._clock() - self._since
