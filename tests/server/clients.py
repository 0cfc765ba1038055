"""Clients of a sandbox, or of an address that only mocks answer for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Event

import pytest

from registry_gc.errors import RegistryGcError
from registry_gc.server import packages
from registry_gc.server.client import Client
from registry_gc.server.transport import Transport
from tests.sandbox import Box, Fault, Hold, Request

URL = "https://git.example"
SECRET = "f00dfeed5ec7e7" * 2
ROW = 4  # the id of app:v1, the first that the box has


class Time:
    """A clock that only waiting moves: between two tries, and for the answers of a silent server.

    Answers take no time, but for those of a box that is held: there each wait for one takes as
    long as it is ready to.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []
        self._held: Box | None = None
        self._sent: set[Event] = set()
        self._arrival = Condition()

    @contextmanager
    def held(self, box: Box) -> Iterator[None]:
        """The box takes every request, answers none, and does nothing."""
        gate = Event()

        def hold(request: Request) -> Fault:
            with self._arrival:
                self._arrival.notify_all()
            return Hold(gate, drops=True)

        box.faults.log.clear()
        box.faults.plan, self._held = hold, box
        yield
        gate.set()

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.waits.append(seconds)

    def clock(self) -> float:
        return self.now

    def wait_for(self, done: Event, seconds: float) -> bool:
        if self._held is None:
            return done.wait(10)
        log = self._held.faults.log
        with self._arrival:
            self._sent.add(done)
            assert self._arrival.wait_for(lambda: len(log) >= len(self._sent), 10)
        self.now += seconds
        return done.is_set()


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
    transport = Transport(4, stop or Event(), wait or time.wait, time.clock, time.wait_for)
    if box is None:
        return Client(transport, URL, "acme", SECRET, 4)
    return Client(transport, box.url, box.owner, token or box.token, 4)


def total(client: Client) -> int:
    return packages.page(client, "app", 1, 50).total


def error_of(call: Callable[[], object]) -> RegistryGcError:
    with pytest.raises(RegistryGcError) as caught:
        call()
    return caught.value


CALLS: dict[str, Callable[[Client], object]] = {
    "packages": total,
    "files": lambda client: packages.files(client, "app", "v1"),
    "manifest": lambda client: packages.manifest(client, "app", "v1"),
    "delete": lambda client: packages.delete(client, "app", "v1", ROW),
    "clean_up": packages.clean_up,
}
