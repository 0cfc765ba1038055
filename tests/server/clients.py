"""Clients of a sandbox, or of an address that only mocks answer for."""

from collections.abc import Callable
from threading import Event

import pytest

from registry_gc.errors import RegistryGcError
from registry_gc.server import packages
from registry_gc.server.client import Client
from registry_gc.server.transport import Transport
from tests.sandbox import Box

URL = "https://git.example"
SECRET = "f00dfeed5ec7e7" * 2


class Time:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.waits.append(seconds)

    def clock(self) -> float:
        return self.now


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
    transport = Transport(4, stop or Event(), wait or time.wait, time.clock)
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
    "delete": lambda client: packages.delete(client, "app", "v1"),
    "clean_up": packages.clean_up,
}
