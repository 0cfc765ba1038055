"""The deletions between two looks during which none is in flight, and the looks among them."""

from collections import deque
from collections.abc import Container, Iterator
from threading import Semaphore

from registry_gc.errors import RegistryGcError
from registry_gc.registry.listing import nothing_newer
from registry_gc.registry.versions import Version
from registry_gc.run.plan import Plan
from registry_gc.run.reader import Reader

BATCH = 1000  # deletions of a stretch
FRESH = 10.0  # seconds in which they are sent
EVERY = 25  # deletions from look to look; a look costs the server about as much as one of them


class Stretch:
    """Deletions that go on while a look at the newest row, after every few, shows nothing new.

    No more than 2 * EVERY of them begin after a look was asked for until the next one is answered.
    Such a look knows of those in flight only that they may be done, and takes any total between
    the two for right. What that hides, a push whose date was set back, the next stretch begins
    with: it looks again when nothing is in flight, as all did before there were looks between.
    """

    def __init__(self, reader: Reader, plan: Plan) -> None:
        """The plan is the one right after a look."""
        self.begun = 0
        """Deletions that were handed out."""
        self.answered: list[int] = []
        """The ids of those that are done."""
        self._reader, self._plan = reader, plan
        self._is_ended = False
        self._looked = 0  # how many were handed out before the last look
        self._room = Semaphore(2 * EVERY)

    @property
    def is_full(self) -> bool:
        """Whether none may begin any more."""
        return self.is_over or self.begun >= BATCH

    @property
    def is_over(self) -> bool:
        """Whether none may be sent any more: something may be new, or it is too late."""
        return self._is_ended or self._reader.clock() - self._plan.looked > FRESH

    def end(self) -> None:
        """From now on it is over."""
        self._is_ended = True

    def steps(self, due: deque[Version], doomed: Container[int]) -> Iterator[Version | None]:
        """The versions to delete next, taken from what is due, or None: a look comes first.

        Waits for looks that are late, and ends when no other deletion may begin.
        """
        while due and not self.is_full:
            if due[0].id not in doomed:  # it was spared meanwhile
                due.popleft()
            elif self.begun >= self._looked + EVERY:
                self._looked = self.begun
                yield None
            else:
                self._room.acquire()
                if self.is_over:
                    return
                self.begun += 1
                yield due.popleft()

    def look(self) -> None:
        """Looks at the newest row while deletions go on, and ends the stretch where it must."""
        plan, at_most = self._plan, len(self._plan.there) - len(self.answered)
        try:
            page = nothing_newer(self._reader.client, plan.image, plan.known, plan.since)
            if page is None or not len(plan.there) - self.begun <= page.total <= at_most:
                self.end()
        except RegistryGcError:  # the next look meets it too, and tells it
            self.end()
        finally:
            self._room.release(EVERY)
