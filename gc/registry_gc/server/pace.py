"""How many requests are in flight: as many as bring the most answers, whatever the server is."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf, pow, sqrt
from threading import Condition, Lock

FIRST = 4  # as many serve most servers well, and it goes up and down from there
BRIEFLY, FEW = 0.05, 4  # seconds and answers that a number is tried of which nothing is known
LONGER, MANY = 0.2, 8  # the same of one of which something is: then noise must not decide
PAYS = 0.07  # twice as many in flight must bring 5 % more (2**0.07): they wait on each other
ALIKE = 1.5  # answers that take at most so many times the quickest one hardly wait on each other
FADES = 0.9  # how much of what was learnt still counts, from one try to the next
DOUBT = 0.5  # by what share one answer may mislead; by the root of n less, n of them
SURPRISE = 1.5  # the same, when no chance explains it: twice on end, and the server is another


class Overloaded(Exception):
    """Raised in a slot: the server was overloaded or away."""


class Pace:
    """Lets so many requests go at once as bring the most answers, never above `most`.

    Each kind of request has its own number, for a server may be at its best with four that read
    and two that delete. Each further kind begins with what the last came to.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock, self._lock = most, clock, Lock()
        self._busy, self._connections = 0, 0
        self._searches: dict[str, _Search] = {}
        self._last = min(FIRST, most)

    @contextmanager
    def slot(self, kind: str) -> Iterator[None]:
        """Waits for a place, and learns from how long the request took if it raises nothing."""
        with self._lock:
            if kind not in self._searches:
                self._searches[kind] = _Search(self._last, self._most, Condition(self._lock))
            search = self._searches[kind]
            while self._busy >= search.number:
                search.free.wait()
            self._busy += 1
            # A connection takes longer, and only once; the first is all there is to go by, and so
            # are the first few.
            connects = 0 < self._connections < self._busy
            self._connections = max(self._busy, self._connections)
            search.is_reached |= self._busy >= search.number and not (connects and search.stay)
            counts = search.is_reached and not connects
            begun = self._clock()
            stay = search.begins(counts, begun)
        is_answer, is_refused = False, False
        try:
            yield
            is_answer = True
        except Overloaded:
            is_refused = True
            raise
        finally:
            with self._lock:
                if stay == search.stay:  # else it began with another number
                    if counts:
                        search.ends(begun, self._clock(), is_answer, self._busy)
                    if is_refused:  # of those in flight together, one
                        search.refused()
                self._busy -= 1
                self._last = search.number
                for each in self._searches.values():
                    each.free.notify(max(0, each.number - self._busy))


@dataclass(slots=True)
class _Tried:
    """What came of a number of requests in flight: the older, the less it counts."""

    answers: float = 0.0
    seconds: float = 0.0  # in flight, all together, of those without an answer yet too

    def add(self, answers: float, seconds: float) -> None:
        self.answers += answers
        self.seconds += seconds


class _Search:
    """The best number for one kind of request, and on to another when that is better.

    It keeps to the best it knows, and tries half and twice as many: at once when nothing is known
    of them, and again the sooner the better they were and the longer ago that is. Twice as many
    come first where requests do not wait on each other, as on a server far away.
    """

    def __init__(self, number: int, most: int, free: Condition) -> None:
        self.number, self.free = number, free
        self.stay = 0  # the how manyth number it is
        self.is_reached = False  # what begins before so many were in flight finds a shorter queue
        self._most = most
        self._tried: dict[int, _Tried] = {}
        self._now, self._full = _Tried(), 0  # since the last decision; the sum of those in flight
        self._open, self._until = 0, 0.0  # how many are in flight, and until when that is counted
        self._quickest = inf  # seconds
        self._surprises = 0

    def begins(self, counts: bool, now: float) -> int:
        """The stay in which a request begins."""
        self._pass(now)
        self._open += counts
        return self.stay

    def ends(self, begun: float, now: float, is_answer: bool, busy: int) -> None:
        """A request of this stay ends, and how many were in flight until then."""
        self._pass(now)
        self._open -= 1
        if not is_answer:
            return
        self._quickest = min(now - begun, self._quickest)
        self._now.add(1, 0)
        self._full += busy
        least, few = (LONGER, MANY) if self.number in self._tried else (BRIEFLY, FEW)
        # Whole rounds, for those that began together may end together.
        enough = self._now.answers >= few and not self._now.answers % self.number
        if enough and self._now.seconds >= least * self.number:
            # Else there was not enough to do; many that end together make room for a moment.
            done, is_full = self._now, 2 * self._full > self.number * self._now.answers
            self._now, self._full = _Tried(), 0
            if is_full:
                self._learn(done)

    def _pass(self, now: float) -> None:
        # The quick ones come first: those still in flight count, or a slow server looks quick.
        self._now.add(0, self._open * (now - self._until))
        self._until = now

    def _go_to(self, number: int) -> None:
        if number != self.number:
            self.stay, self.is_reached = self.stay + 1, number < self.number
            self._now, self._full, self._open = _Tried(), 0, 0
        self.number = number

    def refused(self) -> None:
        """Half as many; so many as now bring nothing until that is forgotten."""
        self._tried = {self.number: _Tried(1, inf)} if self.number > 1 else {}
        self._surprises = 0
        self._go_to(max(1, self.number // 2))

    def _learn(self, now: _Tried) -> None:
        if self._is_surprise(now):
            self._surprises += 1
            if self._surprises < 2:
                return
            self._tried.clear()
        self._surprises = 0
        for tried in self._tried.values():
            tried.answers, tried.seconds = tried.answers * FADES, tried.seconds * FADES
        # Less than half an answer is none.
        self._tried = {n: tried for n, tried in self._tried.items() if tried.answers > 0.5}
        self._tried.setdefault(self.number, _Tried()).add(now.answers, now.seconds)
        best = max(self._tried, key=self._worth)
        less, more = max(1, best // 2), min(best * 2, self._most)
        is_alike = now.seconds < ALIKE * self._quickest * now.answers
        around = (more, less) if is_alike else (less, more)
        self._go_to(max(best, *around, key=self._promise))

    def _is_surprise(self, now: _Tried) -> bool:
        known = self._tried.get(self.number)
        if known is None or known.answers < now.answers:
            return False
        times = (now.answers * known.seconds) / (known.answers * now.seconds)
        chance = 1 + SURPRISE / sqrt(now.answers)
        return not 1 / chance < times < chance

    def _worth(self, number: int) -> float:
        """Where each request is followed by the next, n in flight bring n answers in one's time."""
        tried = self._tried[number]
        return tried.answers / tried.seconds * pow(number, 1 - PAYS)

    def _promise(self, number: int) -> float:
        """What it is worth, or more: the less is known of it, the more."""
        if number not in self._tried:
            return inf
        return self._worth(number) * (1 + DOUBT / sqrt(self._tried[number].answers))
